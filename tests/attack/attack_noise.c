/* SPDX-License-Identifier: Apache-2.0 */
/* Plans with too little noise for what they open (A23), given to a whole site: for all of it, and
 * for the clip bits that are opened with it where the clip adapts. */
#include <math.h>
#include <string.h>

#include "client/train.h"
#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

static const char policy[] = "min_contributors: 2\n";
#define RECORDS 20

/* As hospital_study, with a clip that adapts. */
static const char adaptive[] =
    "study: {id: hospital}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500, adaptive_clip: true}\n"
    "pruning: {mode: none}\n"
    "rounds: {count: 2}\n";

/* Sites whose small clip everything exceeds, and whose count takes most of the norm. */
static const char sites[] =
    "study: {id: hospital}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [6, 6]}\n"
    "privacy: {unit: site, epsilon: 2.0, clip: 0.0001, adaptive_clip: true,\n"
    "          clip_count_noise: 2.0}\n"
    "pruning: {mode: none}\n"
    "rounds: {count: 2}\n";

static void open_as(struct hospital *h, const char *study)
{
    CHECK_NUMBER(REASON_NONE, hospital_open(h, study, policy, RECORDS));
}

/* What each adds when all n sites are counted on, corrupt and dropped ones too. */
static void count_on_all(struct arena *a, void *content)
{
    (void)a;
    struct grid *grid = &((struct plan *)content)->grid;
    const double certain = schedule_certain(content);
    grid->sigma = (uint32_t)ceil(grid->sigma * sqrt(certain / HOSPITAL_SITES));
}

static void no_noise(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->grid.sigma = 0;
}

static void sample_all(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->sampling = 1;
}

static void less_noise_than_the_fewest_honest_need_is_refused(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, hospital_study);
    CHECK_REFUSED(NOISE, hospital_told(&h, count_on_all));
    CHECK_REFUSED(NOISE, hospital_told(&h, no_noise));
    CHECK_REFUSED(NOISE, hospital_told(&h, sample_all));
}

/* T survive at least, and of these the corrupt one may have added nothing. */
static void corrupt_sites_are_not_counted_on(void)
{
    for (size_t adapts = 0; adapts < 2; adapts++) {
        AUTO(hospital_close) struct hospital h = {0};
        open_as(&h, adapts == 0 ? hospital_study : adaptive);
        const struct plan *plan = &h.arena.plan;
        CHECK_NUMBER(4 - 1, schedule_certain(plan));
        const double total = 3.0 * plan->grid.sigma * plan->grid.sigma;
        CHECK(total >= h.site.schedule.z * h.site.schedule.z * (double)plan->grid.norm2);
    }
}

/* --- the clip's count ------------------------------------------------------------------------- */

/* So many times the bit, and the squared norm that goes with it. */
static double times;
static void louder_bit(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    const uint64_t vector = schedule_grid(plan).norm2;
    plan->clip_bit = (uint32_t)(plan->clip_bit * times);
    plan->grid.norm2 = vector + (uint64_t)plan->clip_bit * plan->clip_bit;
}

static void unpaid_bit(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->clip_bit++;
}

/* The noise of a plan that opens the vector alone. */
static void free_count(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    const double joint = (double)plan->grid.norm2, vector = (double)schedule_grid(plan).norm2;
    plan->grid.sigma = (uint32_t)floor(plan->grid.sigma * sqrt(vector / joint) * (1 - 1e-5));
}

static void a_count_that_is_not_paid_for_is_refused(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, adaptive);
    CHECK(h.arena.plan.clip_bit > 0);
    CHECK_NUMBER(REASON_NONE, hospital_told(&h, NULL));
    CHECK_REFUSED(NOISE, hospital_told(&h, free_count));
    times = 2;
    CHECK_REFUSED(NOISE, hospital_told(&h, louder_bit));
    times = 0;
    CHECK_REFUSED(NOISE, hospital_told(&h, louder_bit));
    CHECK_REFUSED(RING, hospital_told(&h, unpaid_bit));
}

static void a_count_that_the_study_does_not_have_is_refused(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, hospital_study);
    CHECK_REFUSED(NOISE, hospital_told(&h, unpaid_bit));
}

/* The state that the hospital is sent names this clip, and the plan that state. */
static void name_clip(struct hospital *h, double clip)
{
    memcpy(h->state.at, &clip, sizeof clip);
    h->arena.plan.state = hash_of("state", buffer_view(&h->state));
}

static void a_clip_beyond_its_bounds_or_other_than_planned_for_is_refused(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, adaptive);
    name_clip(&h, 0x1p21);
    CHECK_REFUSED(STUDY, hospital_told(&h, NULL));
    name_clip(&h, 0x1p20); /* within, but the grid is for another */
    CHECK_REFUSED(RING, hospital_told(&h, NULL));
    AUTO(hospital_close) struct hospital fixed = {0};
    open_as(&fixed, hospital_study);
    name_clip(&fixed, 1);
    CHECK_REFUSED(STUDY, hospital_told(&fixed, NULL));
}

/* What a site gives, measured in whole numbers, however badly its floats were clipped. */
static void vector_and_bit_are_within_the_norm_that_the_noise_is_for(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, sites);
    const struct plan *plan = &h.arena.plan;
    const double bit2 = (double)plan->clip_bit * plan->clip_bit;
    CHECK(bit2 > 0.5 * (double)plan->grid.norm2);
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_read(&state, buffer_view(&h.state), h.site.layout.n));
    CHECK_OK(local_load(&h.site.local, &state));
    for (size_t i = 0; i < h.site.local.model.layout.n; i++)
        h.site.local.weight[i] = (float)(i % 7) / 7 - 0.4F;
    const double clip = h.site.local.clip;
    double most = 0;
    static const double escaped[] = {1, 1.001, 1.01, 1.1, 1.4, 1e6};
    for (size_t k = 0; k < sizeof escaped / sizeof *escaped; k++) {
        h.site.local.clip = clip * escaped[k];
        AUTO(encoded_free) struct encoded sum = {0};
        CHECK_OK(train_run(&sum, &h.site.local, plan, &h.site.session.roster_hash, &h.site.rng));
        double norm2 = 0;
        for (size_t i = 0; i < sum.n; i++) norm2 += (double)sum.value[i] * sum.value[i];
        CHECK(norm2 <= (double)plan->grid.norm2);
        CHECK((double)sum.value[sum.n - 1] * sum.value[sum.n - 1] == bit2);
        most = fmax(most, norm2 / (double)plan->grid.norm2);
    }
    CHECK(most > 0.98); /* it was clipped, and nothing was given away */
}

static void noise(void)
{
    RUN(less_noise_than_the_fewest_honest_need_is_refused);
    RUN(corrupt_sites_are_not_counted_on);
    RUN(vector_and_bit_are_within_the_norm_that_the_noise_is_for);
    RUN(a_count_that_is_not_paid_for_is_refused);
    RUN(a_count_that_the_study_does_not_have_is_refused);
    RUN(a_clip_beyond_its_bounds_or_other_than_planned_for_is_refused);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A23", "too little noise when sites drop out or lie", noise},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
