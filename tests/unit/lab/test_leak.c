/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/leak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

enum { RECORDS = 12, PIXELS = 64 };

struct world {
    struct study study;
    struct local local;
    struct state state;
    float *vector;
};

static void world_open(struct world *w, enum model_kind kind, bool pruned)
{
    struct dataset data = {0};
    *w = (struct world){0};
    small_study(&w->study, STUDY_PATIENT, kind);
    w->study.model.pixel_mean = 0.3;
    w->study.model.pixel_deviation = 0.7;
    small_data(&data, &w->study, RECORDS, 5);
    small_state(&w->state, &w->study, pruned);
    CHECK_OK(local_new(&w->local, &w->study, &data));
    CHECK_OK(local_load(&w->local, &w->state));
    w->vector = calloc(w->local.model.layout.n, sizeof *w->vector);
    REQUIRE(w->vector != NULL);
}

static void world_close(struct world *w)
{
    local_free(&w->local);
    state_free(&w->state);
    free(w->vector);
}

/* As a site would send it: times any factor, and the other way. */
static void add_record(struct world *w, uint32_t record, float factor)
{
    local_gradient(&w->local, record);
    for (size_t i = 0; i < w->local.model.layout.n; i++) w->vector[i] += factor * w->local.grad[i];
}

/* The largest error of the closest picture. */
static double closest(const struct gallery *gallery, const struct world *w, uint32_t record)
{
    const uint8_t *pixel = w->local.data.pixel + (size_t)record * PIXELS;
    double least = (double)INFINITY;
    for (size_t c = 0; c < gallery->n; c++) {
        double most = 0;
        for (size_t j = 0; j < PIXELS; j++)
            most = fmax(most, fabs((double)gallery->pixel[c * PIXELS + j] - pixel[j] / 255.0));
        least = fmin(least, most);
    }
    return least;
}

/* Pixels that are right in the picture that has most of them. */
static size_t most_right(const struct gallery *gallery, const struct world *w, uint32_t record)
{
    const uint8_t *pixel = w->local.data.pixel + (size_t)record * PIXELS;
    size_t most = 0;
    for (size_t c = 0; c < gallery->n; c++) {
        size_t right = 0;
        for (size_t j = 0; j < PIXELS; j++)
            right += fabs((double)gallery->pixel[c * PIXELS + j] - pixel[j] / 255.0) < 1e-3;
        most = right > most ? right : most;
    }
    return most;
}

static void one_records_gradient_is_its_picture(void)
{
    struct world w;
    world_open(&w, MODEL_MLP, false);
    for (uint32_t r = 0; r < RECORDS; r++) {
        AUTO(gallery_free) struct gallery gallery = {0};
        memset(w.vector, 0, w.local.model.layout.n * sizeof *w.vector);
        add_record(&w, r, r % 2 == 0 ? 1 : -1e-4F);
        CHECK_OK(leak_dense(&gallery, &w.local, w.vector, w.local.kept));
        CHECK(gallery.n > 1 && gallery.floats == PIXELS);
        CHECK(closest(&gallery, &w, r) < 1e-3); /* 60 dB */
        const struct gallery all = {1, PIXELS, gallery.pixel};
        CHECK(closest(&all, &w, r) < 1e-3);
    }
    world_close(&w);
}

/* Two records of a unit mix there; another unit that only one of them moves shows it still. */
static void a_unit_of_one_record_shows_it(void)
{
    struct world w;
    world_open(&w, MODEL_MLP, false);
    const struct tensor *weight = &w.local.model.layout.tensor[0];
    float *bias = w.vector + weight[1].offset;
    AUTO(gallery_free) struct gallery gallery = {0};
    for (uint32_t i = 0; i < weight->rows; i++)
        for (uint32_t r = 0; r < 2; r++) {
            const float delta = i == 0 ? r == 0 ? 0.4F : 0.0F : 0.1F * (float)(i + r) + 0.3F;
            bias[i] += delta;
            data_floats(w.local.x, &w.local.data, r, 1, 0.3F, 0.7F);
            for (size_t j = 0; j < PIXELS; j++)
                w.vector[weight->offset + i * PIXELS + j] += delta * w.local.x[j];
        }
    CHECK_OK(leak_dense(&gallery, &w.local, w.vector, w.local.kept));
    CHECK_NUMBER(weight->rows + 1, gallery.n);
    CHECK(closest(&gallery, &w, 0) < 1e-3);
    CHECK(closest(&gallery, &w, 1) > 0.05);
    world_close(&w);
}

/* Where single weights are pruned, the other units fill in. */
static void what_is_pruned_is_filled_in(void)
{
    struct world w;
    world_open(&w, MODEL_MLP, true);
    const struct tensor *weight = &w.local.model.layout.tensor[0];
    size_t gone = 0;
    for (size_t i = 0; i < (size_t)weight->rows * weight->cols; i++) gone += w.local.kept[i] == 0;
    CHECK(gone > 0);
    AUTO(gallery_free) struct gallery gallery = {0};
    add_record(&w, 3, 1);
    CHECK_OK(leak_dense(&gallery, &w.local, w.vector, w.local.kept));
    /* But where all units that this record moves have lost the weight. */
    CHECK(most_right(&gallery, &w, 3) >= PIXELS - 3);
    const struct gallery units = {gallery.n - 1, PIXELS, gallery.pixel + PIXELS};
    CHECK(most_right(&units, &w, 3) >= PIXELS - 3);
    world_close(&w);
}

static void nothing_gives_one_picture_within_its_range(void)
{
    struct world w;
    world_open(&w, MODEL_MLP, false);
    const struct tensor *weight = &w.local.model.layout.tensor[0];
    AUTO(gallery_free) struct gallery none = {0};
    AUTO(gallery_free) struct gallery wild = {0};
    CHECK_OK(leak_dense(&none, &w.local, w.vector, w.local.kept));
    CHECK_NUMBER(1, none.n);
    for (size_t j = 0; j < PIXELS; j++) CHECK_CLOSE(0.3, (double)none.pixel[j], 1e-6);
    for (size_t i = 0; i < w.local.model.layout.n; i++) w.vector[i] = i % 3 == 0 ? -3e38F : 3e38F;
    w.vector[weight[1].offset] = 1e-38F;
    w.vector[weight->offset] = NAN;
    CHECK_OK(leak_dense(&wild, &w.local, w.vector, w.local.kept));
    bool within = true;
    for (size_t i = 0; i < wild.n * PIXELS; i++)
        within = within && wild.pixel[i] >= 0 && wild.pixel[i] <= 1;
    CHECK(within);
    world_close(&w);
}

static void other_models_and_too_many_pixels_are_refused(void)
{
    struct world w;
    world_open(&w, MODEL_CNN, false);
    struct gallery gallery = {.n = 77};
    CHECK(!leak_by_formula(&w.study.model.spec));
    CHECK_STATUS(STATUS_RANGE, leak_dense(&gallery, &w.local, w.vector, w.local.kept));
    CHECK_STATUS(STATUS_RANGE, gallery_new(&gallery, 0, 5));
    CHECK_STATUS(STATUS_RANGE, gallery_new(&gallery, 5, 0));
    CHECK_STATUS(STATUS_RANGE, gallery_new(&gallery, LEAK_FLOATS_MAX / 64 + 1, 64));
    CHECK_STATUS(STATUS_RANGE, gallery_new(&gallery, SIZE_MAX, 2));
    CHECK_NUMBER(77, gallery.n);
    world_close(&w);
}

static void memory_may_end_anywhere(void)
{
    struct world w;
    world_open(&w, MODEL_MLP, false);
    add_record(&w, 0, 1);
    OOM_EACH {
        struct gallery gallery = {0};
        const enum status status = leak_dense(&gallery, &w.local, w.vector, w.local.kept);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (gallery.pixel != NULL));
        gallery_free(&gallery);
    }
    world_close(&w);
}

int main(void)
{
    RUN(one_records_gradient_is_its_picture);
    RUN(a_unit_of_one_record_shows_it);
    RUN(what_is_pruned_is_filled_in);
    RUN(nothing_gives_one_picture_within_its_range);
    RUN(other_models_and_too_many_pixels_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
