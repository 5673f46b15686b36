/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/till.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/forget.h"
#include "tests/lib/small.h"

void till_make(struct till *till, const char *folder, uint8_t number)
{
    *till = (struct till){.manifest = {{number}}, .identity = {number}};
    small_study(&till->study, STUDY_PATIENT, MODEL_MLP);
    till->study.study.rehearsal = false;
    till->study.privacy.epsilon = 3;
    (void)snprintf(till->study.study.id, sizeof till->study.study.id, "study-%u", number);
    struct settings_error why = {0};
    CHECK_OK(policy_parse(&till->policy, (struct view){(const uint8_t *)"", 0}, &why));
    CHECK_OK(layout_of(&till->layout, &till->study.model.spec));
    CHECK_OK(schedule_of(&till->schedule, &till->study, &till->layout, TILL_SITES, &why));
    AUTO(bits_free) struct bits keep = {0}, cohort = {0};
    CHECK_OK(bits_new(&keep, till->layout.n));
    CHECK_OK(bits_new(&cohort, TILL_SITES));
    bits_fill(&keep);
    bits_fill(&cohort);
    CHECK_OK(schedule_plan(&till->plan, &till->schedule, STEP_TRAIN, 0, &keep, 0, &cohort));
    char name[32];
    (void)snprintf(name, sizeof name, "journal-%u.db", number);
    CHECK_OK(file_path(till->journal_path, sizeof till->journal_path, folder, name));
    CHECK_OK(policy_ledger(till->ledger_path, folder, &till->policy));
}

void till_free(struct till *till)
{
    till_close(till);
    plan_free(&till->plan);
}

void till_make_two(char folder[static TILL_FOLDER], struct till *first, struct till *second,
                   double lifetime)
{
    (void)snprintf(folder, TILL_FOLDER, "/tmp/veilsum-till-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    till_make(first, folder, 1);
    till_make(second, folder, 2);
    first->policy.lifetime_epsilon = second->policy.lifetime_epsilon = lifetime;
    CHECK_OK(till_begin(first));
    CHECK_OK(till_open(first));
}

void till_remove_two(const char *folder, struct till *first, struct till *second)
{
    till_free(first);
    till_free(second);
    forget_db(first->journal_path);
    forget_db(second->journal_path);
    forget_db(first->ledger_path);
    CHECK(rmdir(folder) == 0);
}

enum status till_begin(struct till *till)
{
    TRY(journal_open(&till->journal, till->journal_path));
    TRY(journal_bind(till->journal, &till->manifest, true));
    return budget_begin(till->ledger_path, till->journal, &till->policy, &till->schedule,
                        &till->manifest, till->identity, 1, &till->fault);
}

enum status till_open(struct till *till)
{
    till_close(till);
    TRY(journal_open(&till->journal, till->journal_path));
    TRY(journal_bind(till->journal, &till->manifest, false));
    return budget_open(&till->budget, till->ledger_path, till->journal, &till->policy, &till->study,
                       &till->manifest, till->identity, 2, &till->fault);
}

void till_close(struct till *till)
{
    budget_close(&till->budget);
    journal_close(&till->journal);
}

enum status till_enter(struct till *till, enum memory_kind kind, uint32_t round, uint32_t survivors)
{
    const struct memory memory = {
        .kind = kind, .round = round, .hash = {{(uint8_t)round}}, .n_survivors = survivors};
    AUTO(buffer_free) struct buffer bytes = {0};
    memory_write(&bytes, &memory);
    TRY(bytes.status);
    return journal_entry(till->journal, buffer_view(&bytes));
}

enum status till_reserve(struct till *till, uint32_t round)
{
    struct books_refusal why = {0};
    till->plan.round = round;
    return budget_reserve(&till->budget, &till->plan, 3, &why);
}

uint32_t till_fewest(const struct till *till)
{
    return till->study.sites.threshold;
}

struct release till_release(const struct till *till, uint32_t survivors)
{
    return schedule_release(&till->plan, survivors - TILL_COLLUDING);
}
