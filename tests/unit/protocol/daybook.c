/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/protocol/daybook.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"

const uint8_t daybook_ours[SIGN_SEED_BYTES] = {1}, daybook_theirs[SIGN_SEED_BYTES] = {2};
const struct hash daybook_first = {{1}}, daybook_second = {{2}};
const struct release daybook_worst = {
    .norm2 = 1000000, .sigma = 2000, .n_shares = 3, .dim = 100, .sampling = 1};
const struct books_limits daybook_free = {(double)INFINITY, (double)INFINITY, 1e-5};

const char *daybook_path(void)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/veilsum-ledger-%ld.db", (long)getpid());
    return path;
}

void daybook_forget(void)
{
    forget_db(daybook_path());
}

struct terms daybook_terms(const struct hash *manifest, const char *set, enum study_unit unit)
{
    struct terms terms = {.set = {.kind = LEDGER_OPEN,
                                  .unit = STUDY_PATIENT,
                                  .order = 8,
                                  .epsilon = 10,
                                  .delta = 1e-5},
                          .study = {.kind = LEDGER_STUDY,
                                    .manifest = *manifest,
                                    .unit = unit,
                                    .order = 8,
                                    .epsilon = 3,
                                    .delta = 1e-5,
                                    .colluding = 1}};
    (void)snprintf(terms.set.data_set, sizeof terms.set.data_set, "%s", set);
    (void)snprintf(terms.study.data_set, sizeof terms.study.data_set, "%s", set);
    (void)snprintf(terms.study.study, sizeof terms.study.study, "study");
    return terms;
}

struct ledger daybook_open(const uint8_t *identity)
{
    struct ledger ledger = {0};
    struct ledger_fault fault;
    CHECK_OK(ledger_open(&ledger, daybook_path(), identity, &fault));
    CHECK(fault.what == NULL);
    return ledger;
}

struct ledger daybook_begin(void)
{
    daybook_forget();
    struct ledger ledger = daybook_open(daybook_ours);
    const struct terms terms = daybook_terms(&daybook_first, "records", STUDY_PATIENT);
    CHECK_OK(ledger_enter(&ledger, &terms, 1));
    return ledger;
}

enum status daybook_reserve(struct ledger *ledger, uint32_t round)
{
    struct books_refusal why;
    return ledger_reserve(ledger, &daybook_first, round, STEP_TRAIN, &daybook_worst, &daybook_free,
                          2, &why);
}
