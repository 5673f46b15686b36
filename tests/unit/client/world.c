/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/world.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

static void make_plan(struct world *w, enum step step)
{
    struct settings_error why = {0};
    struct schedule schedule = {0};
    must(schedule_of(&schedule, &w->study, &w->layout, WORLD_SITES, &why));
    AUTO(bits_free) struct bits cohort = {0};
    must(bits_new(&cohort, WORLD_SITES));
    bits_fill(&cohort);
    plan_free(&w->plan);
    must(schedule_plan(&w->plan, &schedule, step, 0, &w->state.keep, w->state.clip, &cohort));
}

void world_local(struct local *local, const struct study *study, size_t n)
{
    struct dataset data = {0};
    small_data(&data, study, n, 1);
    CHECK_OK(local_new(local, study, &data));
    CHECK(data.pixel == NULL && data.label == NULL);
}

void world_open(struct world *w, enum study_unit unit, enum model_kind kind, enum step step,
                enum study_pruning mode, double clip)
{
    *w = (struct world){0};
    small_study(&w->study, unit, kind);
    w->study.pruning.mode = mode;
    w->study.evaluation.mode = STUDY_EVALUATION_PRIVATE;
    w->study.evaluation.ratio = 1;
    w->study.pruning.refine_every = step == STEP_VOTE ? 1 : 0;
    w->study.pruning.refine_ratio = 1;
    w->study.privacy.exploration_clip = w->study.privacy.clip = clip;
    must(layout_of(&w->layout, &w->study.model.spec));
    small_state(&w->state, &w->study, step != STEP_EXPLORE && step != STEP_VOTE);
    make_plan(w, step);
    struct dataset data = {0};
    small_data(&data, &w->study, WORLD_RECORDS, 1);
    must(local_new(&w->local, &w->study, &data));
    small_data(&data, &w->study, WORLD_HELD, 2);
    must(local_hold_out(&w->local, &data));
    must(local_load(&w->local, &w->state));
}

void world_adapt(struct world *w, double clip)
{
    w->study.privacy.adaptive_clip = true;
    w->study.privacy.clip_rate = 0.2;
    w->state.clip = clip;
    make_plan(w, STEP_TRAIN);
    must(local_load(&w->local, &w->state));
}

void world_whole(struct world *w)
{
    state_free(&w->state);
    small_state(&w->state, &w->study, false);
    make_plan(w, STEP_TRAIN);
    must(local_load(&w->local, &w->state));
}

void world_share(struct world *w, double share)
{
    w->study.rounds.coordinates = share;
    make_plan(w, STEP_TRAIN);
}

void world_close(struct world *w)
{
    state_free(&w->state);
    local_free(&w->local);
    plan_free(&w->plan);
}

static void forget(struct dataset *data, size_t i)
{
    const size_t floats = dataset_floats(data), rest = --data->n - i;
    memmove(data->pixel + i * floats, data->pixel + (i + 1) * floats, rest * floats);
    memmove(data->label + i, data->label + i + 1, rest);
}

void world_forget(struct world *w, size_t i)
{
    forget(&w->local.data, i);
}

void world_forget_held(struct world *w, size_t i)
{
    forget(&w->local.held, i);
}

uint64_t world_norm2(const struct encoded *a, const struct encoded *b)
{
    REQUIRE(b == NULL || a->n == b->n);
    uint64_t sum = 0;
    for (size_t i = 0; i < a->n; i++) {
        const int64_t off = (int64_t)a->value[i] - (b == NULL ? 0 : b->value[i]);
        sum += (uint64_t)(off * off);
    }
    return sum;
}

void world_run(struct encoded *out, struct world *w, world_work *work)
{
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    encoded_free(out);
    CHECK_OK(work(out, &w->local, &w->plan, &rng));
}

void world_prune(enum step step, world_work *work)
{
    AUTO(world_close) struct world w = {0};
    world_open(&w, STUDY_PATIENT, MODEL_MLP, step, STUDY_PRUNING_PRIVATE, 1);
    AUTO(state_free) struct state pruned = {0};
    small_state(&pruned, &w.study, true);
    CHECK_OK(local_load(&w.local, &pruned));
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    struct encoded sum = {0};
    CHECK_STATUS(STATUS_RANGE, work(&sum, &w.local, &w.plan, &rng));
    CHECK(sum.value == NULL);
}

void world_starve(enum step step, world_work *work)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(world_close) struct world w = {0};
        world_open(&w, unit, MODEL_CNN, step, STUDY_PRUNING_PRIVATE, 1);
        if (step == STEP_TRAIN) world_adapt(&w, 1);
        w.study.privacy.rotation = STUDY_ROTATION_HADAMARD;
        w.study.privacy.rounding = GRID_STOCHASTIC;
        OOM_EACH {
            AUTO(encoded_free) struct encoded sum = {0};
            struct rng rng = {0};
            rng_numbered(&rng, 3);
            enum status status = work(&sum, &w.local, &w.plan, &rng);
            oom_stop();
            if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
            CHECK((sum.value == NULL) == (status != STATUS_OK));
        }
    }
}
