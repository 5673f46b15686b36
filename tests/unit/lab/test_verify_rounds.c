/* SPDX-License-Identifier: Apache-2.0 */
/* The transcript audit, on made-up evidence: what parties say of rounds and of their ends. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/lab/hearing.h"

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
        hearing_begin();
        annals.on_round = few[i].change;
        annals_make(&annals);
        hearing_audit(HEARING_ALL);
        hearing_faulty(CHECK_QUORUM, few[i].words);
    }
}

static void without_the_coordinator_signatures_are_open(void)
{
    hearing_begin();
    annals_make(&annals);
    hearing_audit(HEARING_SITES);
    CHECK(!verify_failed(&found) && found.found[CHECK_QUORUM].open &&
          found.found[CHECK_HEADS].open);
    CHECK(strstr(found.found[CHECK_QUORUM].what, "by the sites' own word") != NULL);
    CHECK(!found.whole);
}

static void without_sites_what_they_signed_stands(void)
{
    hearing_begin();
    annals_make(&annals);
    hearing_audit(HEARING_LEADER);
    CHECK(!verify_failed(&found) && !found.found[CHECK_QUORUM].open &&
          found.found[CHECK_BYTES].open);
    CHECK(!found.whole);
    hearing_begin();
    annals.on_round = one_confirms;
    annals_make(&annals);
    hearing_audit(HEARING_LEADER);
    hearing_faulty(CHECK_QUORUM, "1 sites confirmed");
}

static void a_segment_is_told_by_its_number(void)
{
    hearing_begin();
    annals.on_round = seal_a_segment;
    annals_make(&annals);
    hearing_audit(HEARING_LEADER);
    CHECK(strstr(found.found[CHECK_QUORUM].what, "segment 1 with 4 members was sealed") != NULL);
}

/* A terminal and a document can take what others wrote. */
static void what_others_wrote_is_told_as_plain_text(void)
{
    hearing_begin();
    annals_make(&annals);
    hearing_audit(HEARING_LEADER);
    found.party[0].path = "a\x1b[2J\xff/\n";
    verify_fault(&found, CHECK_HEADS, &found.party[0], 3, "of %s", "\xc3(\x7f");
    CHECK(hearing_is_plain(found.found[CHECK_HEADS].what));
    json_t *text = json_string(found.found[CHECK_HEADS].what);
    CHECK(text != NULL);
    json_decref(text);
}

/* A coordinator that forgets a round, in its trail and in its ledger. */
static void forget_round(uint32_t round)
{
    struct annals_party *p = &annals.party[ANNALS_LEADER];
    annals_drop(p, annals_find(p, TRAIL_ROUND, round, 0));
    annals_drop(p, annals_find(p, TRAIL_END, round, 0));
    if (annals.why[round - 1] == REASON_NONE)
        annals_drop_ledger(p, annals_find_ledger(p, LEDGER_SETTLE, round));
    annals_drop_ledger(p, annals_find_ledger(p, LEDGER_RESERVE, round));
}

static void a_round_that_the_coordinator_lacks_is_told(void)
{
    for (uint32_t round = 1; round <= ANNALS_ROUNDS; round++) {
        hearing_begin();
        annals_make(&annals);
        forget_round(round);
        hearing_audit(HEARING_ALL);
        hearing_faulty(CHECK_HEADS, "its trail lacks a round that site-1 has");
    }
}

/* A site's part in a round that did not come to a result. */
static void forget_result(uint32_t site, uint32_t round)
{
    struct annals_party *p = &annals.party[site];
    annals_drop(p, annals_find(p, TRAIL_END, round, 0));
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
    hearing_begin();
    annals_make(&annals);
    forget_round(ANNALS_ROUNDS);
    for (uint32_t site = 0; site < ANNALS_SITES; site++) forget_result(site, ANNALS_ROUNDS);
    hearing_audit(HEARING_ALL);
    CHECK(!verify_failed(&found) && found.found[CHECK_HEADS].open);
    CHECK(strstr(found.found[CHECK_HEADS].what, "1 rounds of sites") != NULL);
}

static void a_confirmation_that_a_site_lacks_is_told(void)
{
    hearing_begin();
    annals_make(&annals);
    forget_result(0, 3);
    struct annals_party *p = &annals.party[0];
    while (p->trail[p->n_trail - 1].kind != TRAIL_SENT ||
           p->n_trail - 1 > annals_find(p, TRAIL_SENT, 3, 2))
        annals_drop(p, p->n_trail - 1);
    hearing_audit(HEARING_ALL);
    CHECK(found.found[CHECK_HEADS].faults == 1);
    CHECK(strstr(found.found[CHECK_HEADS].what, "lacks a confirmation that it signed") != NULL);
}

static void a_round_that_failed_costs_and_is_no_fault(void)
{
    static const enum reason why[] = {REASON_CONFIRMATIONS, REASON_MEMORY};
    for (size_t i = 0; i < 2; i++) {
        hearing_begin();
        annals.why[1] = why[i];
        annals_make(&annals);
        hearing_audit(HEARING_ALL);
        hearing_holds();
        CHECK(!verify_fact(&found, 2)->opened);
        CHECK(verify_fact(&found, 2)->claimed == (why[i] != REASON_MEMORY));
    }
}

/* --- ends --------------------------------------------------------------------------------------
 */

static void a_ledger_whose_end_was_cut_off_is_told(void)
{
    for (uint32_t party = 0; party < ANNALS_PARTIES; party++)
        for (uint32_t alone = 0; alone < 2; alone++) {
            hearing_begin();
            annals_make(&annals);
            annals.party[party].n_cut = 1; /* what its last round cost in the end */
            hearing_audit(alone == 1 ? 1u << party : HEARING_ALL);
            CHECK(found.found[CHECK_HEADS].faults == 1);
            CHECK(strstr(found.found[CHECK_HEADS].what, "entry 8 is not the one that trail entry"));
        }
}

/* Together with the trail's it can be: then an end lacks there. */
static void a_trail_without_its_end_is_open(void)
{
    for (uint32_t party = 0; party < ANNALS_PARTIES; party++) {
        hearing_begin();
        annals_make(&annals);
        struct annals_party *p = &annals.party[party];
        annals_drop(p, annals_find(p, TRAIL_END, ANNALS_ROUNDS, 0));
        p->n_cut = 1;
        hearing_audit(HEARING_ALL);
        CHECK(!verify_failed(&found) && found.found[CHECK_HEADS].open);
        CHECK(strstr(found.found[CHECK_HEADS].what, "1 trails stop in the midst of a round") !=
              NULL);
    }
}

static void a_site_that_died_before_the_result_needs_no_end(void)
{
    hearing_begin();
    annals_make(&annals);
    forget_result(1, ANNALS_ROUNDS);
    hearing_audit(HEARING_ALL);
    hearing_holds();
    hearing_audit(1u << 1);
    CHECK(strstr(found.found[CHECK_HEADS].what, "ledgers go on") != NULL);
    CHECK(found.found[CHECK_HEADS].open);
}

static void miss_the_first_input(struct trail_round *round)
{
    if (round->plan.round != ANNALS_ROUNDS) return;
    round->taken[0][TRAIL_MASKED] = 0;
    bits_clear(&round->survivors, 0);
    round->digest++;
    round->n_digests--;
}

/* An input that came too late is remembered by nobody else. */
static void a_site_that_died_before_its_input_must_have_counted_the_round(void)
{
    for (unsigned counted = 0; counted < 2; counted++) {
        hearing_begin();
        annals.why[ANNALS_ROUNDS - 1] = REASON_MEMORY;
        annals.on_round = miss_the_first_input;
        annals_make(&annals);
        struct annals_party *p = &annals.party[0];
        annals_drop(p, annals_find(p, TRAIL_END, ANNALS_ROUNDS, 0));
        annals_drop(p, annals_find(p, TRAIL_SENT, ANNALS_ROUNDS, 2));
        annals_drop(p, annals_find(p, TRAIL_MEMORY, ANNALS_ROUNDS, 1));
        p->n_cut = counted ? 0 : 1;
        hearing_audit(HEARING_ALL);
        CHECK(!verify_failed(&found) && found.found[CHECK_HEADS].open == !counted);
    }
}

static void a_round_that_begins_before_the_last_one_ended_is_told(void)
{
    for (uint32_t party = 0; party < ANNALS_PARTIES; party++) {
        hearing_begin();
        annals_make(&annals);
        annals_drop(&annals.party[party], annals_find(&annals.party[party], TRAIL_END, 2, 0));
        hearing_audit(HEARING_ALL);
        hearing_faulty(CHECK_SIGNATURES, "a round began before the last one ended");
    }
}

static void change_end(uint32_t party, struct trail_end end)
{
    struct annals_party *p = &annals.party[party];
    struct buffer *body = &p->trail[annals_find(p, TRAIL_END, 2, 0)].body;
    body->n = 0;
    trail_end_write(body, &end);
}

static void an_end_of_another_round_or_for_another_reason_is_told(void)
{
    static const struct trail_end other[] = {
        {1, REASON_NONE}, {3, REASON_NONE}, {2, REASON_MEMORY}};
    for (uint32_t party = 0; party < ANNALS_PARTIES; party++)
        for (size_t i = 0; i < 3; i++) {
            hearing_begin();
            annals_make(&annals);
            change_end(party, other[i]);
            hearing_audit(HEARING_ALL);
            hearing_faulty(CHECK_SIGNATURES,
                           i < 2 ? "the end of a round that was not begun, or is over"
                                 : "its round ended otherwise");
        }
}

static void what_comes_after_the_end_is_told(void)
{
    hearing_begin();
    annals_make(&annals);
    struct annals_party *p = &annals.party[0];
    const size_t last = annals_find(p, TRAIL_END, 2, 0), at = annals_find(p, TRAIL_SENT, 2, 4);
    const struct annals_line end = p->trail[last];
    p->trail[last] = p->trail[at];
    p->trail[last].n_ledger = end.n_ledger;
    p->trail[at] = end;
    p->trail[at].n_ledger = p->trail[at - 1].n_ledger;
    change_end(0, (struct trail_end){2, REASON_QUORUM});
    hearing_audit(HEARING_ALL);
    hearing_faulty(CHECK_SIGNATURES, "over");
}

static void a_result_that_the_ledger_was_not_told_of_is_told(void)
{
    for (uint32_t party = 0; party < ANNALS_PARTIES; party++) {
        hearing_begin();
        annals_make(&annals);
        struct annals_party *p = &annals.party[party];
        annals_drop_ledger(p, annals_find_ledger(p, LEDGER_SETTLE, 2));
        hearing_audit(HEARING_ALL);
        hearing_faulty(CHECK_NOISE, "round 2: its ledger was not told of a result");
    }
}

/* Of a round that failed before it reached anybody, the numbers tell. */
static void a_failed_round_that_the_coordinator_hides_is_told(void)
{
    hearing_begin();
    annals.why[1] = REASON_CONFIRMATIONS;
    annals_make(&annals);
    forget_round(2);
    hearing_audit(HEARING_LEADER);
    hearing_faulty(CHECK_HEADS, "round 2: its trail lacks it");
}

int main(void)
{
    hearing_open();
    RUN(confirmations_of_t_sites_are_asked_for);
    RUN(without_the_coordinator_signatures_are_open);
    RUN(without_sites_what_they_signed_stands);
    RUN(a_segment_is_told_by_its_number);
    RUN(what_others_wrote_is_told_as_plain_text);
    RUN(a_round_that_the_coordinator_lacks_is_told);
    RUN(the_last_round_of_sites_alone_is_open);
    RUN(a_confirmation_that_a_site_lacks_is_told);
    RUN(a_round_that_failed_costs_and_is_no_fault);
    RUN(a_ledger_whose_end_was_cut_off_is_told);
    RUN(a_trail_without_its_end_is_open);
    RUN(a_site_that_died_before_the_result_needs_no_end);
    RUN(a_site_that_died_before_its_input_must_have_counted_the_round);
    RUN(a_round_that_begins_before_the_last_one_ended_is_told);
    RUN(an_end_of_another_round_or_for_another_reason_is_told);
    RUN(what_comes_after_the_end_is_told);
    RUN(a_result_that_the_ledger_was_not_told_of_is_told);
    RUN(a_failed_round_that_the_coordinator_hides_is_told);
    hearing_close();
    return check_done();
}
