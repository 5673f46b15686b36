/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the session's table, one per message; private to session*.c. */
#ifndef CLIENT_SESSION_STEP_H
#define CLIENT_SESSION_STEP_H

#include "client/session.h"

typedef enum status session_step(struct session *s, struct view in, uint64_t now_ms,
                                 struct outbox *out);

session_step session_take_opening, session_take_roster, session_take_inbox, session_take_survivors,
    session_take_quorum, session_take_result;

/* A second survivor set of one session: a duplicate is ignored, another one is a proof of lying. */
MUST_USE enum status session_see_again(struct session *s, struct view in);

/* Remember why, and return the status that goes with it. */
MUST_USE enum status session_refuse(struct session *s, enum reason why, uint32_t about);
/* REASON_WRONG_SESSION unless a message's session is the current one. */
MUST_USE enum status session_same(struct session *s, const uint8_t *session);
MUST_USE enum status session_remember(struct session *s, enum memory_kind kind,
                                      const struct hash *hash, uint32_t n_survivors,
                                      struct outbox *out);
void session_wait(struct session *s, enum session_phase phase, enum wait wait, uint64_t now_ms);
/* Wipe the secrets of the session and be idle. */
void session_rest(struct session *s);
/* Whether every segment keeps at least m + c members among `sites`. */
bool session_segments_full(const struct session *s, const struct bits *sites);
/* Longest sealed bundle of a plan. */
size_t session_sealed_max(const struct plan *plan);
bool session_mine(const struct session *s, uint32_t segment);

#endif
