/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "lab/leak.h"
#include "lab/likeness.h"
#include "lab/shapes.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { RECORDS = 60, PIXELS = 400, STEPS = 200 };

struct world {
    struct study study;
    struct local local;
    struct state state;
    struct rng rng;
    float *vector, *guess, *record;
};

static void world_open(struct world *w, enum model_kind kind)
{
    struct dataset data = {0};
    *w = (struct world){0};
    rng_numbered(&w->rng, 3);
    small_study(&w->study, STUDY_PATIENT, kind == MODEL_TWOCNN ? MODEL_CNN : kind);
    w->study.model.pixel_mean = 0.3;
    w->study.model.pixel_deviation = 0.7;
    struct model_spec *spec = &w->study.model.spec;
    spec->kind = kind;
    spec->height = spec->width = 20;
    spec->hidden[0] = 8;
    spec->hidden[1] = 16;
    if (kind == MODEL_TWOCNN) spec->hidden[spec->n_hidden++] = 12;
    CHECK_OK(shapes_draw(&data, spec, RECORDS, &w->rng));
    struct model model = {0};
    CHECK_OK(model_of(&model, spec));
    small_state(&w->state, &w->study, false);
    model_init(w->state.weight, &model, &w->rng);
    CHECK_OK(local_new(&w->local, &w->study, &data));
    CHECK_OK(local_load(&w->local, &w->state));
    w->vector = calloc(w->local.model.layout.n, sizeof *w->vector);
    w->guess = calloc(PIXELS, sizeof *w->guess);
    w->record = calloc(PIXELS, sizeof *w->record);
    REQUIRE(w->vector != NULL && w->guess != NULL && w->record != NULL);
    for (uint32_t r = RECORDS / 2; r < RECORDS; r++) {
        data_floats(w->record, &w->local.data, r, 1, 0, 1);
        for (size_t j = 0; j < PIXELS; j++) w->guess[j] += w->record[j] / (RECORDS / 2);
    }
}

static void world_close(struct world *w)
{
    local_free(&w->local);
    state_free(&w->state);
    free(w->vector);
    free(w->guess);
    free(w->record);
}

/* As a site would send it, of n records from `first` on; any scale will do. */
static void update_of(struct world *w, uint32_t first, uint32_t n)
{
    for (size_t i = 0; i < w->local.model.layout.n; i++) w->vector[i] = 0;
    for (uint32_t r = first; r < first + n; r++) {
        local_gradient(&w->local, r);
        for (size_t i = 0; i < w->local.model.layout.n; i++)
            w->vector[i] += 0.001F * w->local.grad[i];
    }
}

/* What a search in the vector gains for n records over the mean picture, on average. */
static double gain(struct world *w, uint32_t first, uint32_t n)
{
    AUTO(gallery_free) struct gallery gallery = {0};
    CHECK_OK(leak_match(&gallery, &w->local, w->vector, w->local.kept, n, STEPS, &w->rng));
    if (gallery.n == 0) return 0;
    CHECK(gallery.n == n && gallery.floats == PIXELS);
    bool within = true;
    for (size_t j = 0; j < n * PIXELS; j++)
        within = within && gallery.pixel[j] >= 0 && gallery.pixel[j] <= 1;
    CHECK(within);
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        data_floats(w->record, &w->local.data, first + k, 1, 0, 1);
        const struct likeness likeness = likeness_of(w->record, w->guess, &gallery);
        sum += likeness_gain(&likeness);
    }
    return sum / n;
}

/* And none is found in noise, nor in another's update. */
static void one_records_gradient_gives_its_picture_away(void)
{
    static const enum model_kind kind[] = {MODEL_CNN, MODEL_TWOCNN};
    for (size_t k = 0; k < 2; k++) {
        struct world w;
        world_open(&w, kind[k]);
        double found = 0, chance = 0;
        for (uint32_t r = 0; r < 4; r++) {
            update_of(&w, r, 1);
            found += gain(&w, r, 1) / 4;
            for (size_t i = 0; i < w.local.model.layout.n; i++)
                w.vector[i] = (float)rng_normal(&w.rng);
            chance += gain(&w, r, 1) / 4;
        }
        CHECK(found > 3);
        CHECK(chance < 0.5);
        world_close(&w);
    }
}

static void a_few_records_are_found_less_well(void)
{
    struct world w;
    world_open(&w, MODEL_CNN);
    update_of(&w, 4, 3);
    const double found = gain(&w, 4, 3);
    CHECK(found > 1.5);
    world_close(&w);
}

static void any_vector_gives_pictures_within_their_range(void)
{
    static const float odd[] = {0, NAN, 3e38F, INFINITY};
    struct world w;
    world_open(&w, MODEL_CNN);
    for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
        for (size_t i = 0; i < w.local.model.layout.n; i++)
            w.vector[i] = i % 2 == 0 ? odd[k] : -odd[k];
        CHECK(gain(&w, 0, 1) < 1);
    }
    world_close(&w);
}

static void more_records_than_are_searched_for_give_fewer_pictures(void)
{
    struct world w;
    AUTO(gallery_free) struct gallery gallery = {0};
    world_open(&w, MODEL_CNN);
    update_of(&w, 0, 1);
    CHECK_OK(leak_match(&gallery, &w.local, w.vector, w.local.kept, SIZE_MAX, 1, &w.rng));
    CHECK_NUMBER(LEAK_SEARCHED, gallery.n);
    world_close(&w);
}

static void other_models_and_no_records_are_refused(void)
{
    struct gallery gallery = {.n = 77};
    for (int k = 0; k < 2; k++) {
        struct world w;
        world_open(&w, k == 0 ? MODEL_CNN : MODEL_MLP);
        CHECK(leak_by_search(&w.study.model.spec) == (k == 0));
        CHECK_STATUS(STATUS_RANGE, leak_match(&gallery, &w.local, w.vector, w.local.kept,
                                              k == 0 ? 0 : 1, 1, &w.rng));
        world_close(&w);
    }
    CHECK_NUMBER(77, gallery.n);
}

static void memory_may_end_anywhere(void)
{
    struct world w;
    world_open(&w, MODEL_CNN);
    update_of(&w, 0, 2);
    OOM_EACH {
        struct gallery gallery = {.n = 77};
        const enum status status =
            leak_match(&gallery, &w.local, w.vector, w.local.kept, 2, 1, &w.rng);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(status == STATUS_OK ? 2 : 77, gallery.n);
        if (status == STATUS_OK) gallery_free(&gallery);
    }
    world_close(&w);
}

int main(void)
{
    RUN(one_records_gradient_gives_its_picture_away);
    RUN(a_few_records_are_found_less_well);
    RUN(any_vector_gives_pictures_within_their_range);
    RUN(more_records_than_are_searched_for_give_fewer_pictures);
    RUN(other_models_and_no_records_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
