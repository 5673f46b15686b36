/* SPDX-License-Identifier: Apache-2.0 */
/* A site's journal and ledger without the site: studies of five sites, one colluding, with noise
 * for three rounds; several of them may share a ledger. */
#ifndef TESTS_UNIT_CLIENT_TILL_H
#define TESTS_UNIT_CLIENT_TILL_H

#include "client/budget.h"

#define TILL_SITES 5
#define TILL_COLLUDING 1
#define TILL_FOLDER 64 /* bytes of its path */

struct till {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct policy policy;
    struct plan plan; /* of a training round */
    struct hash manifest;
    uint8_t identity[SIGN_SEED_BYTES];
    char journal_path[FILE_PATH_MAX], ledger_path[FILE_PATH_MAX];
    struct journal *journal;
    struct budget budget;
    struct ledger_fault fault;
};

/* Study `number` of a site, whose files are in the folder; all numbers have one ledger. */
void till_make(struct till *till, const char *folder, uint8_t number);
/* Close it and forget everything but the files. */
void till_free(struct till *till);
/* A new folder with two studies, under a policy of this lifetime epsilon; the first is open. */
void till_make_two(char folder[static TILL_FOLDER], struct till *first, struct till *second,
                   double lifetime);
/* Free both and remove the folder. */
void till_remove_two(const char *folder, struct till *first, struct till *second);
/* As pinning does. */
MUST_USE enum status till_begin(struct till *till);
/* As a site does when it starts. */
MUST_USE enum status till_open(struct till *till);
void till_close(struct till *till);

/* A journal entry; survivors of MEMORY_RESULT. */
MUST_USE enum status till_enter(struct till *till, enum memory_kind kind, uint32_t round,
                                uint32_t survivors);
MUST_USE enum status till_reserve(struct till *till, uint32_t round);
/* The fewest survivors with whom a round ends. */
uint32_t till_fewest(const struct till *till);
/* What the plan releases with so many survivors. */
struct release till_release(const struct till *till, uint32_t survivors);

#endif
