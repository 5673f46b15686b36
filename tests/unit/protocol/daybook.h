/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger of a test, in a file of its process. */
#ifndef TESTS_UNIT_PROTOCOL_DAYBOOK_H
#define TESTS_UNIT_PROTOCOL_DAYBOOK_H

#include "protocol/ledger.h"

extern const uint8_t daybook_ours[SIGN_SEED_BYTES], daybook_theirs[SIGN_SEED_BYTES];
/* Manifests of two studies, what a round of either releases at its worst, and limits beyond it. */
extern const struct hash daybook_first, daybook_second;
extern const struct release daybook_worst;
extern const struct books_limits daybook_free;

const char *daybook_path(void);
/* Remove the file. */
void daybook_forget(void);

struct terms daybook_terms(const struct hash *manifest, const char *set, enum study_unit unit);
/* identity may be NULL; the ledger is the caller's to close. */
struct ledger daybook_open(const uint8_t *identity);
/* A new file with our first study, on the set "records". */
struct ledger daybook_begin(void);
/* A round of the first study, without limits. */
MUST_USE enum status daybook_reserve(struct ledger *ledger, uint32_t round);

#endif
