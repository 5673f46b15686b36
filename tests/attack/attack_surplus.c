/* SPDX-License-Identifier: Apache-2.0 */
/* Noise that the coordinator may take away again when few drop out (dropouts: xnoise). A25, a part
 * of it that the sum has to keep; A26, two sets of survivors in one session, one for each of two
 * seeds. */
#include <string.h>

#include "protocol/removal.h"
#include "tests/attack/hospital.h"
#include "tests/attack/row.h"
#include "tests/attack/split.h"

#define LOST 1

static const uint64_t dims[1] = {4};

static const char study[] =
    "study: {id: hospital}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500, dropouts: xnoise}\n"
    "pruning: {mode: none}\n"
    "rounds: {count: 2}\n";
static const char policy[] = "min_contributors: 2\n";

/* --- A25 -------------------------------------------------------------------------------------- */

/* Inputs are lost; of each dealer's parts the coordinator counts the shares that it is given. */
struct harvest {
    uint32_t lost;
    size_t shares[8][1 + XNOISE_REMOVABLE_MAX];
};

static bool gather(struct arena *a, struct flight *flight)
{
    struct harvest *h = a->context;
    if (flight_kind(flight) == MSG_UNMASK) {
        AUTO(unmask_free) struct unmask unmask = {0};
        CHECK_OK(unmask_read(&unmask, buffer_view(&flight->bytes), a->n,
                             a->manifest.member[flight->from].identity));
        for (uint32_t v = 0; v < a->n; v++)
            for (uint32_t k = 1; k <= a->plan.removable && unmask.bundle[v].n > 0; k++)
                h->shares[v][k] += unmask.bundle[v].place[BUNDLE_NOISE(&a->plan, k)].have;
    }
    return flight_kind(flight) != MSG_MASKED || (h->lost >> flight->from & 1) == 0;
}

/* Whoever drops out, it can rebuild the seed behind the dropouts and none before, not with the
 * shares of the corrupt either; of those that dropped out none at all. */
static void only_what_is_too_much_comes_out(void)
{
    static const uint32_t lost[] = {0, 0x20, 0xa0, 0xb0};
    for (uint32_t dropped = 0; dropped < 4; dropped++) {
        AUTO(arena_close) struct arena a = {0};
        arena_open(&a, 8, 1, 2, 1, dims, NULL, 32, 1);
        arena_noise(&a, 100);
        struct harvest h = {.lost = lost[dropped]};
        a.filter = gather;
        a.context = &h;
        arena_begin(&a);
        arena_run(&a);
        for (uint32_t v = 0; v < a.n; v++) {
            const bool survived = (h.lost >> v & 1) == 0;
            for (uint32_t k = 1; k <= a.plan.removable; k++) {
                if (survived && k == dropped + 1)
                    CHECK(h.shares[v][k] >= a.plan.params.t);
                else
                    CHECK(h.shares[v][k] + a.plan.params.c < a.plan.params.t);
            }
        }
        CHECK(a.round.phase == PHASE_DONE && arena_sums_exact(&a));
    }
}

/* To be given an earlier part the coordinator counts in a site that has sent nothing. */
static void count_in(struct arena *a, void *content)
{
    (void)a;
    bits_set(&((struct forged_survivors *)content)->statement.survivors, LOST);
}

static bool lose_and_forge(struct arena *a, struct flight *flight)
{
    return !flight_is(flight, MSG_MASKED, LOST) && forge(a, flight);
}

static void who_sent_nothing_is_not_counted_in(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    arena_noise(&a, 100);
    struct forgery forgery = {.kind = MSG_SURVIVORS, .site = 0, .change = count_in};
    a.filter = lose_and_forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK_REFUSED(SURVIVORS, a.last_refusal[0]);
}

static void remove_nothing(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->removable = 0;
}

/* Parts for two dropouts are smaller; only one site can be missing. */
static void remove_more(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->removable++;
}

/* The share of one in eight, not of one in three. */
static void draw_less(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->grid.sigma /= 2;
}

static void the_parts_are_not_the_coordinators_to_choose(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, study, policy, 100));
    CHECK_NUMBER(1, h.arena.plan.removable);
    CHECK_REFUSED(NOISE, hospital_told(&h, remove_nothing));
    CHECK_REFUSED(NOISE, hospital_told(&h, remove_more));
    CHECK_REFUSED(NOISE, hospital_told(&h, draw_less));
}

/* All five survive, and the noise of the fifth is taken away: the site charges three shares. */
static void a_full_house_costs_as_much_as_the_fewest(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, study, policy, 100));
    arena_begin(&h.arena);
    arena_run(&h.arena);
    const struct round *r = &h.arena.round;
    CHECK_NUMBER(PHASE_DONE, r->phase);
    CHECK_NUMBER(HOSPITAL_SITES, bits_count(&r->survivors));
    CHECK_NUMBER(1, removal_first(&r->plan, &r->survivors));
    const struct books *books = &h.site.budget.ledger.books;
    CHECK_NUMBER(1, books->n_releases);
    CHECK_NUMBER(BOOKS_SETTLED, books->release[0].state);
    CHECK_NUMBER(4 - 1, books->release[0].release.n_shares);
}

static void parts_that_stay(void)
{
    RUN(only_what_is_too_much_comes_out);
    RUN(who_sent_nothing_is_not_counted_in);
    RUN(the_parts_are_not_the_coordinators_to_choose);
    RUN(a_full_house_costs_as_much_as_the_fewest);
}

/* --- A26 -------------------------------------------------------------------------------------- */

/* Six sites, T = 4: all survived, part 1 is too much; without the victim, part 2. */
static void open_split(struct arena *a, struct split *split)
{
    arena_open(a, 6, 1, 2, 1, dims, NULL, 32, 1);
    arena_noise(a, 100);
    CHECK_NUMBER(2, a->plan.removable);
    a->filter = split_views_of;
    a->context = split;
    arena_begin(a);
    arena_deliver(a);
}

static void tell_quorum(struct arena *a, struct split *split, bool second, uint32_t *n)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    *n = split_quorum(a, split, second, &bytes);
    for (uint32_t v = 0; v < a->n; v++)
        if (split->confirmed[second][v]) arena_repeat(a, &(struct flight){OUTBOX_SERVER, v, bytes});
    arena_deliver(a);
}

/* Sites 0, 1, 2 and 5 are told the one or the other, in all ways. */
static void no_split_gets_the_seeds_of_two_parts(void)
{
    size_t got[3] = {0};
    for (uint32_t told = 0; told < 16; told++) {
        AUTO(arena_close) struct arena a = {0};
        AUTO(split_free) struct split split = {.told_second = (told & 7) | (told & 8) << 2};
        open_split(&a, &split);
        uint32_t n[2] = {0};
        for (size_t second = 0; second < 2; second++) tell_quorum(&a, &split, second, &n[second]);
        const uint32_t quorum = a.plan.params.quorum;
        CHECK((split.noise_shares[1] > 0) == (n[0] >= quorum));
        CHECK((split.noise_shares[2] > 0) == (n[1] >= quorum));
        CHECK(split.noise_shares[1] == 0 || split.noise_shares[2] == 0);
        for (size_t k = 1; k <= 2; k++) got[k] += split.noise_shares[k] > 0;
        for (uint32_t v = 0; v < a.n; v++)
            for (size_t second = 0; second < 2; second++)
                if (v != SPLIT_TRAITOR && split.confirmed[second][v] && n[second] < quorum)
                    CHECK_REFUSED(CONFIRMATIONS, a.last_refusal[v]);
    }
    CHECK(got[1] > 0 && got[2] > 0);
}

static void who_is_told_of_another_number_of_dropouts_has_the_proof(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(split_free) struct split split = {0};
    open_split(&a, &split);
    uint32_t n = 0;
    tell_quorum(&a, &split, false, &n);
    CHECK_NUMBER(a.n, n);
    CHECK(split.noise_shares[1] > 0 && split.noise_shares[2] == 0);
    a.filter = NULL;
    arena_post(&a, OUTBOX_SERVER, 0, &split.second[0]);
    arena_step(&a);
    CHECK_REFUSED(EQUIVOCATION, a.last_refusal[0]);
}

static void two_seeds(void)
{
    RUN(no_split_gets_the_seeds_of_two_parts);
    RUN(who_is_told_of_another_number_of_dropouts_has_the_proof);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A25", "a part of the noise that the sum has to keep", parts_that_stay},
        {"A26", "two sets of survivors, for two seeds of noise", two_seeds},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
