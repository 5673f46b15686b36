/* SPDX-License-Identifier: Apache-2.0 */
/* The transcript audit, on made-up evidence. */
#include "lab/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/unit/lab/annals.h"

static char folder[] = "/tmp/veilsum-verify-XXXXXX";
static struct annals a;
static struct verify v;

static const char *path_of(uint32_t party)
{
    static char path[ANNALS_PARTIES][FILE_PATH_MAX];
    char name[8];
    (void)snprintf(name, sizeof name, "%u", party);
    REQUIRE(file_path(path[party], sizeof path[party], folder, name) == STATUS_OK);
    return path[party];
}

/* Audit what these keep, a bit for each. */
static void audit(uint32_t parties)
{
    verify_free(&v);
    v.party = calloc(ANNALS_PARTIES, sizeof *v.party);
    REQUIRE(v.party != NULL);
    for (uint32_t p = 0; p < ANNALS_PARTIES; p++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        if ((parties >> p & 1) == 0) continue;
        annals_write(&bytes, &a, p);
        CHECK_OK(file_write(path_of(p), buffer_view(&bytes), 0600));
        CHECK_OK(verify_party(&v, path_of(p)));
    }
    CHECK_OK(verify_all(&v, NULL));
}

enum { LEADER = 1u << ANNALS_LEADER, SITES = LEADER - 1, ALL = LEADER | SITES };

static void begin(void)
{
    annals_close(&a);
    annals_open(&a, "privacy: {unit: site, epsilon: 8}\n");
}

/* Every finding is a line of plain text that a document can hold. */
static bool is_plain(const char *text)
{
    for (; *text != 0; text++)
        if (*text < ' ' || *text > '~') return false;
    return true;
}

/* The one check that has faults, and the words of the first. */
static void faulty(enum check check, const char *words)
{
    for (enum check i = 0; i < CHECK_COUNT; i++) {
        if ((v.found[i].faults > 0) != (i == check)) printf("%d: %s\n", (int)i, v.found[i].what);
        CHECK((v.found[i].faults > 0) == (i == check));
        CHECK(is_plain(v.found[i].what));
    }
    if (strstr(v.found[check].what, words) == NULL) printf("%s\n", v.found[check].what);
    CHECK(strstr(v.found[check].what, words) != NULL);
}

static void holds(void)
{
    for (enum check i = 0; i < CHECK_COUNT; i++) {
        if (v.found[i].faults > 0 || v.found[i].open) printf("%d: %s\n", (int)i, v.found[i].what);
        CHECK(v.found[i].faults == 0 && !v.found[i].open);
    }
}

static void what_all_kept_is_verified(void)
{
    begin();
    annals_make(&a);
    audit(ALL);
    holds();
    CHECK(v.whole);
    CHECK_NUMBER(ANNALS_ROUNDS, v.n_facts);
}

/* --- ledgers -----------------------------------------------------------------------------------
 */

static void a_ledger_without_its_study_is_told(void)
{
    begin();
    annals_make(&a);
    while (a.party[1].n_ledger > 1) annals_drop_ledger(&a.party[1], 1);
    audit(ALL);
    faulty(CHECK_NOISE, "/1: its ledger does not have the study");
}

static void a_ledger_on_other_terms_is_told(void)
{
    enum { UNIT, ORDER, EPSILON, DELTA, SAMPLER, COLLUDING, TERMS };
    for (int which = 0; which < TERMS; which++) {
        begin();
        annals_make(&a);
        struct annals_party *p = &a.party[which % ANNALS_PARTIES];
        struct ledger_entry *study = &p->ledger[annals_find_ledger(p, LEDGER_STUDY, 0)];
        study->unit = which == UNIT ? STUDY_PATIENT : study->unit;
        study->order += which == ORDER ? 1 : 0;
        study->epsilon *= which == EPSILON ? 2 : 1;
        study->delta *= which == DELTA ? 0.5 : 1;
        study->sampler_delta += which == SAMPLER ? 1e-9 : 0;
        study->colluding += which == COLLUDING ? 1 : 0;
        audit(ALL);
        CHECK(v.found[CHECK_NOISE].faults > 0);
        CHECK(strstr(v.found[CHECK_NOISE].what, "its ledger entered the study on other terms"));
    }
}

static void a_delta_that_the_sampler_takes_whole_is_reckoned_endless(void)
{
    begin();
    annals_make(&a);
    struct annals_party *p = &a.party[0];
    struct ledger_entry *study = &p->ledger[annals_find_ledger(p, LEDGER_STUDY, 0)];
    study->sampler_delta = 0.999 * study->delta;
    study->epsilon = 0.01; /* at what was spent it takes more */
    audit(ALL);
    CHECK(strstr(v.found[CHECK_EPSILON].what, "above the study's epsilon") != NULL);
}

static void a_ledger_that_another_key_keeps_is_told(void)
{
    begin();
    annals_make(&a);
    a.party[3].teller = a.party[0].key.identity;
    audit(ALL);
    faulty(CHECK_NOISE, "/3: its ledger has the study signed by another key");
}

/* --- plans -------------------------------------------------------------------------------------
 */

static void ask_too_few(struct plan *plan)
{
    plan->params.quorum = 1;
    plan->params.c = 3;
}

static void have_no_norm(struct plan *plan)
{
    plan->grid.norm2 = 0;
}

static void have_no_noise(struct plan *plan)
{
    plan->grid.sigma = 0;
}

static void draw_by_another_sampler(struct plan *plan)
{
    plan->sampler = 200;
}

static void take_noise_away(struct plan *plan)
{
    plan->removable = XNOISE_REMOVABLE_MAX;
}

/* With numbers of such plans nothing is reckoned: some of them stop the reckoning. */
static void unsound_plans_are_told_and_nothing_else_is_looked_at(void)
{
    static const struct {
        void (*change)(struct plan *plan);
        enum check check;
        const char *words;
    } unsound[] = {{ask_too_few, CHECK_PLANS, "E-PLAN-THRESHOLD"},
                   {have_no_norm, CHECK_NOISE, "E-PLAN-NOISE"},
                   {have_no_noise, CHECK_NOISE, "E-PLAN-NOISE"},
                   {draw_by_another_sampler, CHECK_NOISE, "E-PLAN-NOISE"},
                   {take_noise_away, CHECK_NOISE, "E-PLAN-NOISE"}};
    for (size_t i = 0; i < sizeof unsound / sizeof *unsound; i++) {
        begin();
        a.on_plan = unsound[i].change;
        annals_make(&a);
        audit(ALL);
        faulty(unsound[i].check, unsound[i].words);
        CHECK(v.found[CHECK_QUORUM].open && v.found[CHECK_EPSILON].open);
    }
}

/* --- rounds ------------------------------------------------------------------------------------
 */

static void one_confirms(struct trail_round *round)
{
    round->n_confirms = round->plan.round == 2 ? 1 : round->n_confirms;
}

static void one_confirms_thrice(struct trail_round *round)
{
    for (uint32_t i = 1; round->plan.round == 2 && i < 3; i++)
        round->confirm[i] = round->confirm[0];
    round->n_confirms = 3;
}

static void sign_for_another(struct trail_round *round)
{
    round->confirm[0].from = round->plan.round == 2 ? 1 : 0;
}

static void seal_a_segment(struct trail_round *round)
{
    if (round->plan.round == 2) bits_clear(&round->opened, 0);
}

static void confirmations_of_t_sites_are_asked_for(void)
{
    static const struct {
        void (*change)(struct trail_round *round);
        const char *words;
    } few[] = {{one_confirms, "round 2: 1 sites confirmed, fewer than 3"},
               {one_confirms_thrice, "round 2: 1 sites confirmed, fewer than 3"},
               {sign_for_another, "round 2: a confirmation does not hold"}};
    for (size_t i = 0; i < sizeof few / sizeof *few; i++) {
        begin();
        a.on_round = few[i].change;
        annals_make(&a);
        audit(ALL);
        faulty(CHECK_QUORUM, few[i].words);
    }
}

static void without_the_coordinator_signatures_are_open(void)
{
    begin();
    annals_make(&a);
    audit(SITES);
    CHECK(!verify_failed(&v) && v.found[CHECK_QUORUM].open && v.found[CHECK_HEADS].open);
    CHECK(strstr(v.found[CHECK_QUORUM].what, "by the sites' own word") != NULL);
    CHECK(!v.whole);
}

static void without_sites_what_they_signed_stands(void)
{
    begin();
    annals_make(&a);
    audit(LEADER);
    CHECK(!verify_failed(&v) && !v.found[CHECK_QUORUM].open && v.found[CHECK_BYTES].open);
    CHECK(!v.whole);
    begin();
    a.on_round = one_confirms;
    annals_make(&a);
    audit(LEADER);
    faulty(CHECK_QUORUM, "1 sites confirmed");
}

static void a_segment_is_told_by_its_number(void)
{
    begin();
    a.on_round = seal_a_segment;
    annals_make(&a);
    audit(LEADER);
    CHECK(strstr(v.found[CHECK_QUORUM].what, "segment 1 with 4 members was sealed") != NULL);
}

/* A terminal and a document can take what others wrote. */
static void what_others_wrote_is_told_as_plain_text(void)
{
    begin();
    annals_make(&a);
    audit(LEADER);
    v.party[0].path = "a\x1b[2J\xff/\n";
    verify_fault(&v, CHECK_HEADS, &v.party[0], 3, "of %s", "\xc3(\x7f");
    CHECK(is_plain(v.found[CHECK_HEADS].what));
    json_t *text = json_string(v.found[CHECK_HEADS].what);
    CHECK(text != NULL);
    json_decref(text);
}

/* A coordinator that forgets a round, in its trail and in its ledger. */
static void forget_round(uint32_t round)
{
    struct annals_party *p = &a.party[ANNALS_LEADER];
    annals_drop(p, annals_find(p, TRAIL_ROUND, round, 0));
    annals_drop_ledger(p, annals_find_ledger(p, LEDGER_SETTLE, round));
    annals_drop_ledger(p, annals_find_ledger(p, LEDGER_RESERVE, round));
}

static void a_round_that_the_coordinator_lacks_is_told(void)
{
    for (uint32_t round = 1; round <= ANNALS_ROUNDS; round++) {
        begin();
        annals_make(&a);
        forget_round(round);
        audit(ALL);
        faulty(CHECK_HEADS, "its trail lacks a round that site-1 has");
    }
}

/* A site's part in a round that did not come to a result. */
static void forget_result(uint32_t site, uint32_t round)
{
    struct annals_party *p = &a.party[site];
    for (size_t i = p->n_trail; i-- > 0;) {
        struct memory memory = {0};
        if (p->trail[i].round != round || p->trail[i].kind != TRAIL_MEMORY) continue;
        CHECK_OK(memory_read(&memory, buffer_view(&p->trail[i].body)));
        if (memory.kind == MEMORY_RESULT) annals_drop(p, i);
    }
    annals_drop_ledger(p, annals_find_ledger(p, LEDGER_SETTLE, round));
}

static void the_last_round_of_sites_alone_is_open(void)
{
    begin();
    annals_make(&a);
    forget_round(ANNALS_ROUNDS);
    for (uint32_t site = 0; site < ANNALS_SITES; site++) forget_result(site, ANNALS_ROUNDS);
    audit(ALL);
    CHECK(!verify_failed(&v) && v.found[CHECK_HEADS].open);
    CHECK(strstr(v.found[CHECK_HEADS].what, "1 rounds of sites") != NULL);
}

static void a_confirmation_that_a_site_lacks_is_told(void)
{
    begin();
    annals_make(&a);
    forget_result(0, 3);
    struct annals_party *p = &a.party[0];
    while (p->trail[p->n_trail - 1].kind != TRAIL_SENT ||
           p->n_trail - 1 > annals_find(p, TRAIL_SENT, 3, 2))
        annals_drop(p, p->n_trail - 1);
    audit(ALL);
    CHECK(v.found[CHECK_HEADS].faults == 1);
    CHECK(strstr(v.found[CHECK_HEADS].what, "lacks a confirmation that it signed") != NULL);
}

static void a_round_that_failed_costs_and_is_no_fault(void)
{
    static const enum reason why[] = {REASON_CONFIRMATIONS, REASON_MEMORY};
    for (size_t i = 0; i < 2; i++) {
        begin();
        a.why[1] = why[i];
        annals_make(&a);
        audit(ALL);
        holds();
        CHECK(!verify_fact(&v, 2)->opened);
        CHECK(verify_fact(&v, 2)->claimed == (why[i] != REASON_MEMORY));
    }
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    RUN(what_all_kept_is_verified);
    RUN(a_ledger_without_its_study_is_told);
    RUN(a_ledger_on_other_terms_is_told);
    RUN(a_delta_that_the_sampler_takes_whole_is_reckoned_endless);
    RUN(a_ledger_that_another_key_keeps_is_told);
    RUN(unsound_plans_are_told_and_nothing_else_is_looked_at);
    RUN(confirmations_of_t_sites_are_asked_for);
    RUN(without_the_coordinator_signatures_are_open);
    RUN(without_sites_what_they_signed_stands);
    RUN(a_segment_is_told_by_its_number);
    RUN(what_others_wrote_is_told_as_plain_text);
    RUN(a_round_that_the_coordinator_lacks_is_told);
    RUN(the_last_round_of_sites_alone_is_open);
    RUN(a_confirmation_that_a_site_lacks_is_told);
    RUN(a_round_that_failed_costs_and_is_no_fault);
    verify_free(&v);
    annals_close(&a);
    for (uint32_t p = 0; p < ANNALS_PARTIES; p++) (void)unlink(path_of(p));
    (void)rmdir(folder);
    return check_done();
}
