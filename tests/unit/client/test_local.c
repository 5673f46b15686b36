/* SPDX-License-Identifier: Apache-2.0 */
#include "client/local.h"

#include <math.h>
#include <string.h>

#include "dp/clip.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"
#include "tests/unit/client/world.h"

enum { RECORDS = 37 };

static const enum model_kind kinds[] = {MODEL_MLP, MODEL_CNN, MODEL_LSTM};

static void data_that_do_not_fit_the_model_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    struct dataset good = {0};
    small_data(&good, &study, 3, 1);
    struct dataset bad[] = {good, good, good, good, good};
    bad[0].n = 0;
    bad[1].channels = 2;
    bad[2].height = 4;
    bad[3].width = 16;
    bad[4].classes = 4;
    struct local local = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STATUS(STATUS_RANGE, local_new(&local, &study, &bad[i]));
        CHECK(bad[i].pixel == good.pixel && local.study == NULL);
    }
    dataset_free(&good);
}

/* A character that the model has no row for. */
static void characters_beyond_the_models_are_refused(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.model.spec = (struct model_spec){.kind = MODEL_LSTM, 1, 1, 4, 3, 2, {2, 2}};
    AUTO(dataset_free) struct dataset data = {0}, held = {0};
    small_data(&data, &study, 5, 1);
    memset(data.pixel, 2, 5 * 4);
    data.pixel[13] = 3;
    AUTO(local_free) struct local local = {0};
    CHECK_STATUS(STATUS_RANGE, local_new(&local, &study, &data));
    data.pixel[13] = 0;
    CHECK_OK(local_new(&local, &study, &data));
    small_data(&held, &study, 5, 1);
    memset(held.pixel, 2, 5 * 4);
    held.pixel[19] = 255;
    CHECK_STATUS(STATUS_RANGE, local_hold_out(&local, &held));
}

static void a_state_is_loaded_at_the_size_that_pruning_left(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, RECORDS);
    AUTO(state_free) struct state state = {0};
    small_state(&state, &study, true);
    CHECK_OK(local_load(&local, &state));
    CHECK(local.model.layout.n < local.full.n);
    size_t kept = 0;
    for (size_t i = 0; i < local.model.layout.n; i++) {
        const size_t full = local.shrunk.index[i];
        CHECK(local.weight[i] == state.weight[full]);
        CHECK((local.kept[i] == 1) == bits_has(&state.keep, full));
        kept += local.kept[i] == 1;
    }
    CHECK_NUMBER(bits_count(&state.keep), kept);
}

static void a_state_of_another_model_is_refused_and_nothing_stays_loaded(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, RECORDS);
    AUTO(state_free) struct state good = {0}, other = {0}, empty = {0};
    small_state(&good, &study, false);
    CHECK_OK(local_load(&local, &good));
    CHECK_OK(state_new(&other, good.keep.n + 1));
    CHECK_STATUS(STATUS_RANGE, local_load(&local, &other));
    CHECK(local.weight == NULL && local.model.layout.n == 0);
    CHECK_OK(local_load(&local, &good));
    small_state(&empty, &study, false);
    for (size_t i = 0; i < empty.keep.n; i++) bits_clear(&empty.keep, i);
    CHECK_STATUS(STATUS_RANGE, local_load(&local, &empty));
    CHECK(local.weight == NULL && local.model.layout.n == 0);
}

static void adapters_need_the_weights_that_they_adapt(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    study.pruning.mode = STUDY_PRUNING_NONE;
    struct model_spec *spec = &study.model.spec;
    spec->kind = MODEL_VIT;
    spec->patch = spec->height / 2;
    spec->dim = spec->mlp = 4;
    spec->depth = spec->heads = spec->rank = 2;
    spec->alpha = 2;
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, RECORDS);
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, local.full.n));
    for (size_t i = 0; i < local.full.n; i++) state.weight[i] = 0.25f;
    CHECK_STATUS(STATUS_RANGE, local_load(&local, &state));
    CHECK(local.weight == NULL && local.model.layout.n == 0);

    float backbone[2000];
    struct layout layout;
    CHECK_OK(layout_backbone(&layout, spec));
    REQUIRE(layout.n <= sizeof backbone / sizeof *backbone);
    float gradient[2] = {0};
    for (int time = 0; time < 2; time++) {
        for (size_t i = 0; i < layout.n; i++) backbone[i] = (float)(i % (7 + (size_t)time)) / 8;
        local.backbone = backbone;
        CHECK_OK(local_load(&local, &state));
        local_gradient(&local, 0);
        for (size_t i = 0; i < local.full.n; i++) gradient[time] += fabsf(local.grad[i]);
    }
    CHECK(gradient[0] > 0 && gradient[1] > 0 && fabsf(gradient[0] - gradient[1]) > 1e-6f);
}

static void rate_one_draws_everybody(void)
{
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, RECORDS);
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    CHECK_NUMBER(RECORDS, local_sample(&local, 1, &rng));
    for (uint32_t i = 0; i < RECORDS; i++) CHECK_NUMBER(i, local.pick[i]);
    CHECK_NUMBER(0, local_sample(&local, 0x1p-60, &rng));
}

/* Null hypothesis: each record is drawn by a coin of its own with probability 0.3. The count of all
 * draws, the spread of the records' counts, and the joint draws of neighbours lie within 6 standard
 * deviations: false alarms below 1e-8 for each seed, and the seed is fixed. */
static void draws_are_independent_coins(void)
{
    enum { N = 400, DRAWS = 500 };
    const double q = 0.3;
    struct study study;
    small_study(&study, STUDY_PATIENT, MODEL_MLP);
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, N);
    struct rng rng = {0};
    rng_numbered(&rng, 4);
    size_t count[N] = {0}, total = 0, pairs = 0;
    double square = 0;
    for (size_t d = 0; d < DRAWS; d++) {
        const size_t n = local_sample(&local, q, &rng);
        total += n;
        square += ((double)n - N * q) * ((double)n - N * q);
        for (size_t i = 0; i < n; i++) {
            count[local.pick[i]]++;
            if (i > 0) {
                CHECK(local.pick[i] > local.pick[i - 1]);
                pairs += local.pick[i] == local.pick[i - 1] + 1;
            }
        }
    }
    const double variance = q * (1 - q);
    CHECK_CLOSE(N * DRAWS * q, (double)total, 6 * sqrt(N * DRAWS * variance));
    /* Both sums of squares are nearly chi-square: mean f, variance 2 f. */
    double spread = 0;
    for (size_t i = 0; i < N; i++) {
        const double off = (double)count[i] - DRAWS * q;
        spread += off * off / (DRAWS * variance);
    }
    CHECK_CLOSE(N, spread, 6 * sqrt(2.0 * N));
    CHECK_CLOSE(DRAWS, square / (N * variance), 6 * sqrt(2.0 * DRAWS));
    /* Variance of one draw's pairs: those that share a record are correlated. */
    const double joint =
        (N - 1) * (q * q - q * q * q * q) + 2 * (N - 2) * (q * q * q - q * q * q * q);
    CHECK_CLOSE((N - 1) * DRAWS * q * q, (double)pairs, 6 * sqrt(DRAWS * joint));
}

static void a_records_gradient_is_that_of_the_full_model_where_kept(void)
{
    for (enum model_kind kind = MODEL_MLP; kind <= MODEL_CNN; kind++) {
        struct study study;
        small_study(&study, STUDY_PATIENT, kind);
        study.model.pixel_mean = 0.25;
        study.model.pixel_deviation = 0.5;
        AUTO(local_free) struct local local = {0};
        world_local(&local, &study, RECORDS);
        AUTO(state_free) struct state state = {0};
        small_state(&state, &study, true);
        CHECK_OK(local_load(&local, &state));
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &study);
        for (uint32_t r = 0; r < RECORDS; r++) {
            local_gradient(&local, r);
            plain_gradient(&plain, state.weight, &local.data, r);
            double off = 0;
            for (size_t i = 0; i < local.model.layout.n; i++) {
                const size_t full = local.shrunk.index[i];
                const float want = bits_has(&state.keep, full) ? -plain.grad[full] : 0;
                off = fmax(off, fabs((double)want - (double)local.grad[i]));
            }
            CHECK(off < 1e-5);
        }
    }
}

static void a_descent_is_the_gradient_of_a_whole_model(void)
{
    for (size_t k = 0; k < 3; k++) {
        struct study study;
        small_study(&study, STUDY_PATIENT, kinds[k]);
        AUTO(local_free) struct local local = {0};
        world_local(&local, &study, RECORDS);
        AUTO(state_free) struct state state = {0};
        small_state(&state, &study, false);
        CHECK_OK(local_load(&local, &state));
        for (uint32_t r = 0; r < RECORDS; r++) {
            struct clipped clipped = {0}, want = {0};
            const uint32_t two[] = {(r + 1) % RECORDS, r};
            const size_t at = local_group(&local, two, 2) - 1;
            if (at == 0) CHECK_NUMBER(1, local_group(&local, &r, 1));
            const struct update descent = local_descent(&local, at);
            CHECK_NUMBER(local.full.n, descent.n);
            CHECK(descent.n_outer > 0);
            CHECK_OK(clip_l2(&clipped, &descent, 1e-3));
            const float last = descent.value[descent.n - 1];
            local_gradient(&local, r);
            const struct update gradient = {.n = local.full.n, .value = local.grad};
            CHECK_OK(clip_l2(&want, &gradient, 1e-3));
            CHECK_CLOSE((double)want.factor, (double)clipped.factor, 1e-6 * (double)want.factor);
            CHECK(last != 0 && last == local.grad[local.full.n - 1]);
        }
    }
}

/* Every coordinate of two updates, bit for bit: both written out and as products. */
static bool is_same(const struct update *a, const struct update *b)
{
    if (a->n != b->n || a->n_outer != b->n_outer) return false;
    size_t at = 0;
    for (size_t k = 0; k < a->n_outer; k++) {
        const struct outer_product *x = &a->outer[k], *y = &b->outer[k];
        if (x->at != y->at || x->rows != y->rows || x->cols != y->cols ||
            memcmp(x->left, y->left, x->rows * sizeof *x->left) != 0 ||
            memcmp(x->right, y->right, x->cols * sizeof *x->right) != 0 ||
            memcmp(a->value + at, b->value + at, (x->at - at) * sizeof *a->value) != 0)
            return false;
        at = x->at + x->rows * x->cols;
    }
    return memcmp(a->value + at, b->value + at, (a->n - at) * sizeof *a->value) == 0;
}

/* Not one bit of a record's gradient may hang on who else is in the data, or adding a record would
 * change more of the sum than that record's own contribution. */
static void a_records_gradient_does_not_depend_on_the_others(void)
{
    for (size_t k = 0; k < 3; k++) {
        const enum model_kind kind = kinds[k];
        struct study study;
        small_study(&study, STUDY_PATIENT, kind);
        AUTO(state_free) struct state state = {0};
        small_state(&state, &study, false);
        AUTO(local_free) struct local all = {0}, rest = {0};
        world_local(&all, &study, 2 * LOCAL_CHUNK);
        world_local(&rest, &study, 2 * LOCAL_CHUNK);
        const size_t floats = dataset_floats(&rest.data);
        rest.data.n--;
        memmove(rest.data.pixel, rest.data.pixel + floats, rest.data.n * floats);
        memmove(rest.data.label, rest.data.label + 1, rest.data.n);
        CHECK_OK(local_load(&all, &state));
        CHECK_OK(local_load(&rest, &state));
        bool same = true;
        for (uint32_t r = 0; r < rest.data.n; r++) {
            local_gradient(&rest, r);
            local_gradient(&all, r + 1);
            same = same && memcmp(all.grad, rest.grad, all.full.n * sizeof *all.grad) == 0;
        }
        CHECK(same);
        uint32_t record[2 * LOCAL_CHUNK];
        for (uint32_t r = 0; r < rest.data.n; r++) record[r] = r;
        size_t most = 0;
        for (size_t from = 0, size = 0; from < rest.data.n; from += size) {
            size = local_group(&rest, record + from, rest.data.n - from);
            most = size > most ? size : most;
            for (size_t i = 0; i < size; i++) {
                const uint32_t one = record[from + i] + 1;
                CHECK_NUMBER(1, local_group(&all, &one, 1));
                const struct update among = local_descent(&rest, i), alone = local_descent(&all, 0);
                CHECK(alone.n_outer > 0 && is_same(&among, &alone));
            }
        }
        CHECK(kind == MODEL_LSTM || most >= 8);
    }
}

static void memory_may_end_anywhere(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_CNN);
    AUTO(state_free) struct state state = {0};
    small_state(&state, &study, true);
    OOM_EACH {
        oom_stop();
        struct dataset data = {0};
        small_data(&data, &study, 3, 1);
        oom_resume();
        AUTO(local_free) struct local local = {0};
        enum status status = local_new(&local, &study, &data);
        CHECK((data.pixel == NULL) == (status == STATUS_OK));
        if (status == STATUS_OK) status = local_load(&local, &state);
        struct rng rng = {0};
        rng_numbered(&rng, 7);
        if (status == STATUS_OK)
            status = local_epochs(&local, 0, &rng);
        else
            CHECK(local.weight == NULL && local.model.layout.n == 0);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        dataset_free(&data);
    }
}

int main(void)
{
    RUN(data_that_do_not_fit_the_model_are_refused);
    RUN(characters_beyond_the_models_are_refused);
    RUN(a_state_is_loaded_at_the_size_that_pruning_left);
    RUN(a_state_of_another_model_is_refused_and_nothing_stays_loaded);
    RUN(adapters_need_the_weights_that_they_adapt);
    RUN(rate_one_draws_everybody);
    RUN(draws_are_independent_coins);
    RUN(a_records_gradient_is_that_of_the_full_model_where_kept);
    RUN(a_descent_is_the_gradient_of_a_whole_model);
    RUN(a_records_gradient_does_not_depend_on_the_others);
    RUN(memory_may_end_anywhere);
    return check_done();
}
