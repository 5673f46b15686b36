/* SPDX-License-Identifier: Apache-2.0 */
#include "client/model/optim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"

static const char *vectors;

static void plain_step_goes_down_the_gradient(void)
{
    AUTO(optim_free) struct optim optim = {0};
    CHECK_OK(optim_new(&optim, 2, &(struct optim_how){.rate = 0.5f}));
    float w[] = {1, -1};
    optim_step(&optim, w, (const float[]){2, -4});
    CHECK_CLOSE(0, (double)w[0], 1e-7);
    CHECK_CLOSE(1, (double)w[1], 1e-7);
}

/* tests/vectors/torch-optim.csv: whole courses of five steps. */
static void every_step_is_pytorchs(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    char kind[8] = "";
    int rows = 0, step = 0;
    double want[3] = {0};
    float w[3] = {0};
    AUTO(optim_free) struct optim optim = {0};
    for (; vectors_next(&v); rows++) {
        struct optim_how how = {0};
        CHECK(sscanf(v.line, "%7[a-z],%f,%f,%f,%f,%d,%lf,%lf,%lf", kind, &how.rate, &how.momentum,
                     &how.decay, &how.clip, &step, &want[0], &want[1], &want[2]) == 9);
        how.kind = strcmp(kind, "adam") == 0 ? OPTIM_ADAM : OPTIM_SGD;
        if (step == 0) {
            optim_free(&optim);
            CHECK_OK(optim_new(&optim, 3, &how));
            memcpy(w, (const float[]){1, -0.5f, 0.25f}, sizeof w);
        }
        float grad[3];
        for (int i = 0; i < 3; i++) grad[i] = (float)((step + 1) * sin(3 * step + i));
        optim_step(&optim, w, grad);
        for (int i = 0; i < 3; i++) CHECK_CLOSE(want[i], (double)w[i], 2e-6);
    }
    CHECK_NUMBER(35, rows);
}

/* Its mean and its square are those of one gradient alone. */
static void adams_first_step_has_the_length_of_the_rate(void)
{
    AUTO(optim_free) struct optim optim = {0};
    CHECK_OK(optim_new(&optim, 2, &(struct optim_how){.kind = OPTIM_ADAM, .rate = 0.01f}));
    float w[] = {1, -1};
    optim_step(&optim, w, (const float[]){200, -0.004f});
    CHECK_CLOSE(0.99, (double)w[0], 1e-6);
    CHECK_CLOSE(-0.99, (double)w[1], 1e-6);
}

static void pruned_weight_stays_zero(void)
{
    const struct optim_how hows[] = {{.rate = 0.1f, .momentum = 0.9f, .decay = 0.01f, .clip = 1},
                                     {.kind = OPTIM_ADAM, .rate = 0.1f, .decay = 0.01f, .clip = 1}};
    for (size_t h = 0; h < 2; h++) {
        AUTO(optim_free) struct optim optim = {0};
        CHECK_OK(optim_new(&optim, 2, &hows[h]));
        float w[2] = {0, 1};
        for (int step = 0; step < 5; step++) optim_step(&optim, w, (const float[]){0, 3});
        CHECK_CLOSE(0, (double)w[0], 0);
        CHECK(w[1] < 1);
    }
}

static void bad_settings_are_refused(void)
{
    struct optim optim = {0};
    CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 0, &(struct optim_how){.rate = 0.1f}));
    const struct optim_how bad[] = {
        {.rate = 0},
        {.rate = -1},
        {.rate = INFINITY},
        {.rate = NAN},
        {.rate = 1, .momentum = -0.1f},
        {.rate = 1, .momentum = 1},
        {.rate = 1, .momentum = NAN},
        {.rate = 1, .decay = -1},
        {.rate = 1, .decay = INFINITY},
        {.rate = 1, .decay = NAN},
        {.rate = 1, .clip = -1},
        {.rate = 1, .clip = INFINITY},
        {.rate = 1, .clip = NAN},
        {.kind = OPTIM_ADAM, .rate = 1, .momentum = 0.9f},
        {.kind = 2, .rate = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(STATUS_RANGE, optim_new(&optim, 1, &bad[i]));
    CHECK(optim.mean == NULL && optim.n == 0);
}

static void memory_may_end(void)
{
    for (enum optim_kind kind = OPTIM_SGD; kind <= OPTIM_ADAM; kind++)
        OOM_EACH {
            struct optim optim = {0};
            enum status status =
                optim_new(&optim, 3, &(struct optim_how){.kind = kind, .rate = 0.1f});
            oom_stop();
            CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
            CHECK((status == STATUS_OK) == (optim.mean != NULL));
            optim_free(&optim);
        }
}

int main(int argc, char **argv)
{
    if (argc == 2) vectors = argv[1];
    RUN(plain_step_goes_down_the_gradient);
    RUN(every_step_is_pytorchs);
    RUN(adams_first_step_has_the_length_of_the_rate);
    RUN(pruned_weight_stays_zero);
    RUN(bad_settings_are_refused);
    RUN(memory_may_end);
    return check_done();
}
