/* SPDX-License-Identifier: Apache-2.0 */
/* A site of an allocation trains the blocks that it holds as one smaller model. Blocks are trained
 * whole here, so that no frozen weights are needed. */
#include <math.h>
#include <string.h>

#include "client/train.h"
#include "protocol/allocate.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"

enum { SITES = 6, RECORDS = 12, MOST = 8000 };

static const struct hash roster = {.bytes = {4, 5, 6}};
static struct settings_error why;

struct desk {
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct state state;
    struct local local;
    struct plan plan;
};

static void desk_close(struct desk *d)
{
    state_free(&d->state);
    local_free(&d->local);
    plan_free(&d->plan);
}

static void desk_open(struct desk *d, enum study_unit unit, uint32_t site)
{
    *d = (struct desk){0};
    small_allocation(&d->study, unit, STUDY_ALLOCATION_PRIVATE);
    d->study.model.spec.rank = 0;
    d->study.privacy.clip = 100;
    CHECK_OK(layout_of(&d->layout, &d->study.model.spec));
    CHECK_OK(schedule_of(&d->schedule, &d->study, &d->layout, SITES, &why));
    CHECK_OK(state_new(&d->state, d->layout.n));
    struct model model = {0};
    CHECK_OK(model_of(&model, &d->study.model.spec));
    struct rng rng = {0};
    rng_numbered(&rng, 7);
    model_init(d->state.weight, &model, &rng);
    AUTO(bits_free) struct bits cohort = {0};
    CHECK_OK(bits_new(&cohort, SITES));
    bits_fill(&cohort);
    CHECK_OK(schedule_plan(&d->plan, &d->schedule, STEP_TRAIN, 0, &d->state.keep, 0, &cohort));
    struct dataset data = {0};
    small_data(&data, &d->study, RECORDS, 1);
    CHECK_OK(local_new(&d->local, &d->study, &data));
    d->local.self = site;
    CHECK_OK(local_load(&d->local, &d->state));
}

static void run(struct encoded *out, struct desk *d)
{
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    CHECK_OK(train_run(out, &d->local, &d->plan, &roster, &rng));
}

/* What plain loops over the model of these blocks (NULL: of all) give. */
static void plainly(double want[static MOST], const struct desk *d, const struct bits *blocks)
{
    AUTO(plain_close) struct plain plain = {0};
    plain_open(&plain, &d->study);
    model_work_choose(plain.work, blocks);
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    memset(want, 0, MOST * sizeof *want);
    const bool site = d->study.privacy.unit == STUDY_SITE;
    for (size_t r = 0; r < (site ? 1 : RECORDS); r++) {
        if (site)
            plain_epochs(&plain, d->state.weight, &d->state.keep, &d->local.data, 0, &rng);
        else
            plain_gradient(&plain, d->state.weight, &d->local.data, r);
        for (size_t i = 0; i < d->layout.n; i++) want[i] += (double)plain.grad[i] * (site ? 1 : -1);
    }
}

/* How far a sum is from it, in grid units, on the site's own segments. */
static double distance(const struct encoded *sum, const double *want, const struct desk *d)
{
    double off = 0;
    size_t at = 0;
    for (uint32_t l = 0; l < d->plan.n_segments; l++) {
        if (!bits_has(&d->plan.segment[l].members, d->local.self)) continue;
        const size_t first =
            layout_segment_first(&d->layout, schedule_layer(&d->layout, &d->plan, l));
        for (size_t i = 0; i < d->plan.segment[l].dim; i++, at++)
            off = fmax(off, fabs(want[first + i] * d->plan.grid.scale - sum->value[at]));
    }
    CHECK_NUMBER(sum->n, at);
    return off;
}

static void the_sum_is_that_of_the_sub_model(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++)
        for (uint32_t v = 0; v < SITES; v++) {
            AUTO(desk_close) struct desk d = {0};
            desk_open(&d, unit, v);
            AUTO(bits_free) struct bits blocks = {0};
            CHECK_OK(bits_new(&blocks, d.study.model.spec.depth));
            for (uint32_t l = 0; l < d.plan.n_segments; l++)
                if (bits_has(&d.plan.segment[l].members, v) && l > 0 && l + 1 < d.plan.n_segments)
                    bits_set(&blocks, allocate_block(d.plan.segment[l].name));
            CHECK_NUMBER(d.study.allocation.capacities[v], bits_count(&blocks));
            AUTO(encoded_free) struct encoded sum = {0};
            run(&sum, &d);
            CHECK_NUMBER(schedule_part(&d.plan, v), sum.n);
            static double own[MOST], whole[MOST];
            plainly(own, &d, &blocks);
            plainly(whole, &d, NULL);
            double most = 0;
            for (size_t i = 0; i < d.layout.n; i++) most = fmax(most, fabs(own[i]));
            const double room =
                0.501 * (unit == STUDY_SITE ? 1 : RECORDS) + 1e-4 * most * d.plan.grid.scale;
            CHECK(distance(&sum, own, &d) <= room);
            CHECK((distance(&sum, whole, &d) > 2 * room) == (v > 0));
        }
}

/* A state that is loaded anew runs all blocks again: what an evaluation does after a training. */
static void an_evaluation_runs_the_whole_model(void)
{
    AUTO(desk_close) struct desk d = {0};
    desk_open(&d, STUDY_PATIENT, 5);
    AUTO(encoded_free) struct encoded sum = {0};
    run(&sum, &d);
    local_gradient(&d.local, 0);
    static float part[MOST];
    memcpy(part, d.local.grad, d.layout.n * sizeof *part);
    CHECK_OK(local_load(&d.local, &d.state));
    local_gradient(&d.local, 0);
    uint32_t silent = 0, wakes = 0;
    for (uint32_t b = 0; b < d.study.model.spec.depth; b++) {
        const size_t first = layout_segment_first(&d.layout, 1 + b);
        const size_t n = layout_segment_size(&d.layout, 1 + b, NULL);
        double before = 0, after = 0;
        for (size_t i = first; i < first + n; i++) {
            before += fabs((double)part[i]);
            after += fabs((double)d.local.grad[i]);
        }
        silent += before == 0;
        wakes += before == 0 && after > 0;
    }
    CHECK_NUMBER(9, silent);
    CHECK_NUMBER(9, wakes);
}

static void memory_may_end_anywhere(void)
{
    AUTO(desk_close) struct desk d = {0};
    desk_open(&d, STUDY_PATIENT, 2);
    OOM_EACH {
        AUTO(encoded_free) struct encoded sum = {0};
        struct rng rng = {0};
        rng_numbered(&rng, 3);
        const enum status status = train_run(&sum, &d.local, &d.plan, &roster, &rng);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((sum.value == NULL) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(the_sum_is_that_of_the_sub_model);
    RUN(an_evaluation_runs_the_whole_model);
    RUN(memory_may_end_anywhere);
    return check_done();
}
