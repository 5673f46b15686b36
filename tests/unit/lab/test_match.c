/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/match.h"

#include <math.h>
#include <stdlib.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { RECORDS = 12, TRIED = 3 };

struct world {
    struct study study;
    struct local local;
    struct state state;
    struct rng rng;
    float *vector, *x, *step, *moved;
    size_t floats; /* of TRIED pictures */
};

static void world_open(struct world *w, enum model_kind kind)
{
    struct dataset data = {0};
    *w = (struct world){0};
    rng_numbered(&w->rng, 3);
    small_study(&w->study, STUDY_PATIENT, kind == MODEL_TWOCNN ? MODEL_CNN : kind);
    struct model_spec *spec = &w->study.model.spec;
    spec->kind = kind;
    if (kind == MODEL_TWOCNN) spec->hidden[spec->n_hidden++] = 5;
    struct model model = {0};
    CHECK_OK(model_of(&model, spec));
    small_data(&data, &w->study, RECORDS, 5);
    small_state(&w->state, &w->study, false);
    model_init(w->state.weight, &model, &w->rng);
    /* No relu cuts anything off. */
    for (uint32_t t = 0; t < model.layout.n_tensors; t++)
        for (size_t i = 0; model.layout.tensor[t].role == TENSOR_BIAS &&
                           i < model.layout.tensor[t].rows * (size_t)model.layout.tensor[t].cols;
             i++)
            w->state.weight[model.layout.tensor[t].offset + i] = 2;
    CHECK_OK(local_new(&w->local, &w->study, &data));
    CHECK_OK(local_load(&w->local, &w->state));
    w->floats = TRIED * dataset_floats(&w->local.data);
    w->vector = calloc(w->local.model.layout.n, sizeof *w->vector);
    w->x = calloc(w->floats, sizeof *w->x);
    w->step = calloc(w->floats, sizeof *w->step);
    w->moved = calloc(w->floats, sizeof *w->moved);
    REQUIRE(w->vector != NULL && w->x != NULL && w->step != NULL && w->moved != NULL);
    for (size_t i = 0; i < w->floats; i++) w->x[i] = (float)rng_unit(&w->rng);
    for (uint32_t r = 0; r < TRIED; r++) {
        local_gradient(&w->local, r);
        for (size_t i = 0; i < w->local.model.layout.n; i++) w->vector[i] += w->local.grad[i];
    }
}

static void world_close(struct world *w)
{
    local_free(&w->local);
    state_free(&w->state);
    free(w->vector);
    free(w->x);
    free(w->step);
    free(w->moved);
}

static void read_records(struct world *w)
{
    data_floats(w->x, &w->local.data, 0, TRIED, (float)w->study.model.pixel_mean,
                (float)w->study.model.pixel_deviation);
}

static void records_point_where_their_update_does(void)
{
    static const enum model_kind kind[] = {MODEL_CNN, MODEL_TWOCNN, MODEL_MLP};
    for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
        struct world w;
        AUTO(match_free) struct match match = {0};
        world_open(&w, kind[k]);
        CHECK_OK(match_new(&match, &w.local, w.vector, w.local.kept, TRIED));
        for (size_t i = 0; i < TRIED; i++) match.label[i] = w.local.data.label[i];
        CHECK(match_distance(&match, w.x) > 0.01);
        read_records(&w);
        CHECK_CLOSE(0, match_distance(&match, w.x), 1e-5);
        for (size_t i = 0; i < w.local.model.layout.n; i++) w.vector[i] *= -1;
        CHECK_CLOSE(2, match_distance(&match, w.x), 1e-5);
        world_close(&w);
    }
}

/* Along the slope, and along chance; against a central difference, over many kinks of the relu and
 * the pooling. */
static void a_slope_is_that_of_the_distance(void)
{
    static const enum model_kind kind[] = {MODEL_CNN, MODEL_TWOCNN, MODEL_MLP};
    for (size_t k = 0; k < 2 * sizeof kind / sizeof *kind; k++) {
        struct world w;
        AUTO(match_free) struct match match = {0};
        world_open(&w, kind[k / 2]);
        CHECK_OK(match_new(&match, &w.local, w.vector, w.local.kept, TRIED));
        match.nudge = 1e-4;
        for (size_t i = 0; i < TRIED; i++) match.label[i] = w.local.data.label[i];
        const double at = match_distance(&match, w.x);
        CHECK_CLOSE(at, match_descend(&match, w.step, w.x), 0);
        double want = 0, length = 0, side[2];
        for (size_t i = 0; i < w.floats; i++) {
            w.moved[i] = k % 2 == 0 ? w.step[i] : (float)rng_normal(&w.rng);
            length += (double)w.moved[i] * (double)w.moved[i];
        }
        const double reach = 1e-3 / sqrt(length);
        for (size_t i = 0; i < w.floats; i++)
            want += reach * (double)w.step[i] * (double)w.moved[i];
        for (int s = 0; s < 2; s++) {
            const float by = (float)(s == 0 ? -reach : 2 * reach);
            for (size_t i = 0; i < w.floats; i++) w.x[i] += by * w.moved[i];
            side[s] = match_distance(&match, w.x);
        }
        const double got = (side[1] - side[0]) / 2;
        CHECK(fabs(got - want) < 0.02 * fabs(want));
        world_close(&w);
    }
}

static void what_is_not_known_is_not_compared(void)
{
    struct world w;
    AUTO(match_free) struct match match = {0};
    world_open(&w, MODEL_CNN);
    const size_t n = w.local.model.layout.n;
    float *known = calloc(n, sizeof *known);
    REQUIRE(known != NULL);
    for (size_t i = 0; i < n; i++) known[i] = i % 2 == 0, w.vector[i] *= known[i];
    CHECK_OK(match_new(&match, &w.local, w.vector, known, TRIED));
    for (size_t i = 0; i < TRIED; i++) match.label[i] = w.local.data.label[i];
    read_records(&w);
    CHECK_CLOSE(0, match_distance(&match, w.x), 1e-5);
    free(known);
    world_close(&w);
}

static void nothing_has_no_slope(void)
{
    struct world w;
    world_open(&w, MODEL_CNN);
    for (int k = 0; k < 2; k++) {
        AUTO(match_free) struct match match = {0};
        for (size_t i = 0; i < w.local.model.layout.n; i++) w.vector[i] = k == 0 ? 0 : NAN;
        for (size_t i = 0; i < w.floats; i++) w.step[i] = NAN;
        CHECK_OK(match_new(&match, &w.local, w.vector, w.local.kept, TRIED));
        CHECK_CLOSE(1, match_descend(&match, w.step, w.x), 0);
        bool flat = true;
        for (size_t i = 0; i < w.floats; i++) flat = flat && w.step[i] == 0;
        CHECK(flat);
    }
    world_close(&w);
}

static void memory_may_end_anywhere(void)
{
    struct world w;
    world_open(&w, MODEL_CNN);
    OOM_EACH {
        AUTO(match_free) struct match match = {.n = 77};
        const enum status status = match_new(&match, &w.local, w.vector, w.local.kept, TRIED);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(status == STATUS_OK ? TRIED : 77, match.n);
    }
    world_close(&w);
}

int main(void)
{
    RUN(records_point_where_their_update_does);
    RUN(a_slope_is_that_of_the_distance);
    RUN(what_is_not_known_is_not_compared);
    RUN(nothing_has_no_slope);
    RUN(memory_may_end_anywhere);
    return check_done();
}
