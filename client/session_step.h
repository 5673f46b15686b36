/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the session's table, one per message, and what they share; private to session*.c. */
#ifndef CLIENT_SESSION_STEP_H
#define CLIENT_SESSION_STEP_H

#include "client/session.h"

typedef enum status session_step(struct session *s, struct view in, uint64_t now_ms,
                                 struct outbox *out);

session_step session_take_opening, session_take_roster, session_take_positions, session_take_inbox,
    session_take_survivors, session_take_quorum, session_take_result;

/* Another survivor set of this session proves a lie; the same one again is ignored. */
MUST_USE enum status session_see_again(struct session *s, struct view in);

/* Deal shares to the holders that the graph names, and wait for those dealt to this site. */
MUST_USE enum status session_deal(struct session *s, uint64_t now_ms, struct outbox *out);

/* Remember why, and return the status that goes with it. */
MUST_USE enum status session_refuse(struct session *s, enum reason why, uint32_t about);
/* REASON_WRONG_SESSION unless a message's session is the current one. */
MUST_USE enum status session_same(struct session *s, const uint8_t *session);
/* REASON_QUORUM below T sites, REASON_CONTRIBUTORS where a segment has fewer than m + c of them. */
MUST_USE enum status session_enough(struct session *s, const struct bits *sites);
MUST_USE enum status session_remember(struct session *s, enum memory_kind kind,
                                      const struct hash *hash, struct view proof,
                                      struct outbox *out);
/* Send the answer to the message in hand, and keep it. bytes is emptied also on failure. */
MUST_USE enum status session_answer(struct session *s, struct buffer *bytes, struct outbox *out);
MUST_USE enum status session_answer_again(const struct session *s, struct outbox *out);
void session_wait(struct session *s, enum session_phase phase, enum wait wait, uint64_t now_ms);
/* Wipe what is known of the others, their shares among it. */
void session_forget_peers(struct session *s);
/* Wipe the secrets of the session and be idle. */
void session_rest(struct session *s);
/* Whether this site is in a segment. */
bool session_mine(const struct session *s, uint32_t segment);
/* What this site says when it opens its position. */
struct position session_position(const struct session *s);

#endif
