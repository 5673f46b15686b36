/* SPDX-License-Identifier: Apache-2.0 */
/* What a site judges for itself: the policy, the officers' floor, its ledger, a plan's noise. */
#include "client/site.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/ward.h"

static const char without_noise[] =
    "schema: 1\nstudy: {id: judge, rehearsal: true}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: site, epsilon: .inf, delta: 1.0e-5, clip: 1.0, exploration_clip: 1.0}\n"
    "rounds: {count: 12}\n";

static void the_policys_limit_counts_when_it_is_lower(void)
{
    /* policy_allows refuses the study as a whole; the limit of the gate is the lower of both. */
    struct site_error why = {0};
    ward_make(ward_noisy, 1.5, 2, true);
    CHECK_STATUS(STATUS_RANGE, ward_open(&why));
    CHECK_NUMBER(REASON_POLICY, why.reason);
    CHECK(strstr(why.text, "policy.yaml:1") != NULL);
    ward_close();
}

static void a_damaged_ledger_is_refused_by_its_entry(void)
{
    struct site_error why = {0};
    char path[FILE_PATH_MAX];
    ward_make(ward_noisy, 2, 2, true);
    AUTO(db_close) struct db *db = NULL;
    ward_path(path, "ledger.db");
    CHECK_OK(db_open(&db, path, ""));
    CHECK_OK(db_run(db, "UPDATE entry SET signature = x'00' WHERE number = 2", 0, NULL));
    CHECK_STATUS(STATUS_FORMAT, ward_open(&why));
    CHECK_NUMBER(REASON_LEDGER, why.reason);
    CHECK(strstr(why.text, "entry 2: its signature") != NULL);
    ward_close();
}

static void more_than_the_officers_signed_is_refused(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 3, 1.9, true);
    CHECK_STATUS(STATUS_RANGE, ward_open(&why));
    CHECK_NUMBER(REASON_POLICY, why.reason);
    ward_close();
}

static void a_missing_ledger_is_refused(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, false);
    CHECK_STATUS(STATUS_STATE, ward_open(&why));
    CHECK_NUMBER(REASON_LEDGER, why.reason);
    ward_close();
}

static void less_noise_or_another_grid_is_refused(void)
{
    struct site_error why = {0};
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, ward_site.layout.n));
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    AUTO(plan_free) struct plan plan = {0};
    CHECK_NUMBER(REASON_NONE, ward_judge(&plan, 2, &state));
    const struct grid good = plan.grid;
    struct session_config *config = &ward_site.session.config;
    plan.grid.sigma = good.sigma / 2;
    CHECK_NUMBER(REASON_NOISE, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid.sigma = 0;
    CHECK_NUMBER(REASON_NOISE, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    plan.grid.norm2 *= 2;
    CHECK_NUMBER(REASON_RING, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    plan.grid.cap++;
    CHECK_NUMBER(REASON_RING, config->judge(config->context, &plan, buffer_view(&bytes)));
    plan.grid = good;
    CHECK_NUMBER(REASON_NONE, config->judge(config->context, &plan, buffer_view(&bytes)));
    ward_close();
}

/* The site confirms a set of survivors, given as a number's bits, unless it refuses to. */
static enum reason confirm(uint32_t round, uint32_t sites)
{
    struct session *session = &ward_site.session;
    AUTO(bits_free) struct bits set = {0};
    CHECK_OK(bits_new(&set, WARD_SITES));
    for (uint32_t v = 0; v < WARD_SITES; v++)
        if (sites >> v & 1) bits_set(&set, v);
    const enum reason why = session->config.weigh(session->config.context, &session->plan, &set);
    if (why != REASON_NONE) return why;
    session->survivors.survivors = set;
    ward_remember(MEMORY_CONFIRM, round, 0);
    session->survivors.survivors = (struct bits){0};
    return why;
}

/* This is site 1; two of the sets make up all sites, but for site 1 that is in both. */
static void without_noise_a_set_that_singles_the_site_out_is_refused(void)
{
    struct site_error why = {0};
    ward_make(without_noise, 2, (double)INFINITY, true);
    CHECK_OK(ward_open(&why));
    CHECK_NUMBER(REASON_NONE, confirm(1, 7));
    CHECK_NUMBER(REASON_NONE, confirm(2, 26));
    CHECK_NUMBER(REASON_ISOLATED, confirm(3, 31));
    site_close(&ward_site);
    CHECK_OK(ward_open(&why));
    CHECK_NUMBER(REASON_ISOLATED, confirm(3, 31));
    CHECK_NUMBER(REASON_NONE, confirm(3, 7));
    ward_close();
    ward_make(ward_noisy, 2, 2, true);
    CHECK_OK(ward_open(&why));
    CHECK(ward_site.session.config.weigh == NULL && ward_site.past.n == 0);
    ward_close();
}

int main(void)
{
    RUN(the_policys_limit_counts_when_it_is_lower);
    RUN(a_damaged_ledger_is_refused_by_its_entry);
    RUN(more_than_the_officers_signed_is_refused);
    RUN(a_missing_ledger_is_refused);
    RUN(less_noise_or_another_grid_is_refused);
    RUN(without_noise_a_set_that_singles_the_site_out_is_refused);
    return check_done();
}
