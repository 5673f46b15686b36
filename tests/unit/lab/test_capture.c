/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/capture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/folder.h"
#include "lab/likeness.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { SITES = 5, RECORDS = 6 };

static char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];

static void open_fleet(struct fleet *fleet, struct capture *capture, const char *epsilon,
                       const char *privacy, const char *more)
{
    char text[1024];
    struct study study = {0};
    struct settings_error error = {0};
    struct site_error why = {0};
    struct dataset share[SITES] = {{0}};
    AUTO(state_free) struct state initial = {0};
    const int n = snprintf(
        text, sizeof text,
        "schema: 1\nstudy: {id: capture, rehearsal: true}\n"
        "sites: {expected: %d, colluding: 1, threshold: 4, min_contributors: 2}\n"
        "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [12, 12]}\n"
        "privacy: {epsilon: %s, delta: 1.0e-5, clip: 8, %s}\n%s",
        SITES, epsilon, privacy, more);
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, (size_t)n}, 0600));
    CHECK_OK(study_read(&study, path, &error));
    small_state(&initial, &study, false);
    for (uint32_t v = 0; v < SITES; v++) small_data(&share[v], &study, RECORDS, 10 + v);
    const struct fleet_settings settings = {
        .study = path, .seed = 4, .watch = capture_watch, .watcher = capture};
    const enum status status = fleet_open(fleet, &settings, share, initial.weight, &why);
    if (status != STATUS_OK) (void)printf("%s\n", why.text);
    CHECK_OK(status);
    REQUIRE(status == STATUS_OK);
}

static void play(struct fleet *fleet, struct capture *capture)
{
    struct fleet_round round;
    capture_clear(capture);
    CHECK_OK(fleet_play(fleet, &round));
    CHECK(round.opened);
    CHECK_OK(capture_sum(capture, fleet));
}

/* The records' gradients, clipped and added up, where they are part of the update. */
static void check_gradient(const struct capture *capture, const struct round *round)
{
    struct local *local = capture->local;
    const size_t n = local->model.layout.n;
    float *got = calloc(n, sizeof *got);
    double *want = calloc(n, sizeof *want);
    REQUIRE(got != NULL && want != NULL);
    for (size_t k = 0; k < capture->n_records; k++) {
        local_gradient(local, capture->record[k]);
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += pow((double)(local->grad[i] * capture->known[i]), 2);
        const double factor = fmin(1, local->clip / sqrt(squares));
        for (size_t i = 0; i < n; i++)
            want[i] += factor * (double)(local->grad[i] * capture->known[i]);
    }
    CHECK_OK(capture_decode(got, capture, &capture->value[CAPTURE_PLAIN], round));
    double most = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(want[i] - (double)got[i]));
        largest = fmax(largest, fabs(want[i]));
    }
    /* Each record is rounded by half a unit, and a rotation spreads that. */
    const double rounded = 5 * (double)capture->n_records / round->plan.grid.scale;
    CHECK(most < rounded && rounded < largest / 2);
    free(got);
    free(want);
}

static void check_stages(const struct capture *capture, const struct round *round, bool noisy)
{
    const struct noised *value = capture->value;
    const uint32_t ring = UINT32_MAX >> (32 - round->plan.grid.bits);
    size_t changed = 0, hidden = 0;
    for (size_t i = 0; i < capture->n; i++) {
        changed += value[CAPTURE_NOISED].value[i] != value[CAPTURE_PLAIN].value[i];
        hidden += value[CAPTURE_MASKED].value[i] != (value[CAPTURE_NOISED].value[i] & ring);
    }
    CHECK(noisy ? changed > capture->n / 2 : changed == 0);
    CHECK(hidden > capture->n - 5);
    CHECK(likeness_uniform(value[CAPTURE_MASKED].value, capture->n, round->plan.grid.bits) > 1e-6);
    CHECK(likeness_uniform(value[CAPTURE_PLAIN].value, capture->n, round->plan.grid.bits) < 1e-6);
    CHECK_NUMBER(capture->n, value[CAPTURE_SUM].n);
}

static void try_study(const char *epsilon, const char *privacy, const char *more)
{
    AUTO(capture_free) struct capture capture = {.site = 2};
    AUTO(fleet_close) struct fleet fleet = {0};
    open_fleet(&fleet, &capture, epsilon, privacy, more);
    size_t records = 0;
    for (int t = 0; t < 3; t++) {
        play(&fleet, &capture);
        CHECK(capture.taken);
        if (!capture.taken) return;
        records += capture.n_records;
        if (capture.n_records > 0) check_gradient(&capture, &fleet.round);
        check_stages(&capture, &fleet.round, strcmp(epsilon, ".inf") != 0);
    }
    CHECK(records > 0);
}

static void a_plain_update_is_the_sum_of_its_records_gradients(void)
{
    static const char plain[] = "pruning: {mode: none}\n";
    const char *rest = plain;
    try_study(".inf", "unit: patient, sampling: 1, records: 30", rest);
    try_study("8", "unit: patient, sampling: 1, records: 30", rest);
    try_study("8", "unit: patient, sampling: 0.4, records: 30", rest);
    try_study("8", "unit: patient, sampling: 1, records: 30, rotation: hadamard", rest);
    try_study("8", "unit: patient, sampling: 1, records: 30, dropouts: xnoise", rest);
    try_study("8",
              "unit: patient, sampling: 1, records: 30, adaptive_clip: true, clip_count_noise: 20",
              rest);
    try_study("8", "unit: patient, sampling: 1, records: 30",
              "pruning: {mode: none}\nrounds: {coordinates: 0.3}\n");
    try_study("8", "unit: patient, sampling: 1, records: 30",
              "pruning: {mode: private, mask: random}\n");
}

static void only_training_is_taken(void)
{
    AUTO(capture_free) struct capture capture = {.site = 0};
    AUTO(fleet_close) struct fleet fleet = {0};
    open_fleet(&fleet, &capture, "8", "unit: site, exploration_clip: 1", "");
    play(&fleet, &capture);
    CHECK_NUMBER(STEP_EXPLORE, fleet.round.plan.step);
    CHECK(!capture.taken && capture.n == 0 && capture.value[CAPTURE_SUM].n == 0);
    play(&fleet, &capture);
    CHECK_NUMBER(STEP_TRAIN, fleet.round.plan.step);
    CHECK(capture.taken);
    CHECK_NUMBER(RECORDS, capture.n_records);
    CHECK(capture.n < capture.local->full.n);
}

int main(void)
{
    CHECK_OK(folder_new(folder, folder_parent(), "capture"));
    CHECK_OK(file_path(path, sizeof path, folder, "study.yaml"));
    RUN(a_plain_update_is_the_sum_of_its_records_gradients);
    RUN(only_training_is_taken);
    folder_remove(folder);
    return check_done();
}
