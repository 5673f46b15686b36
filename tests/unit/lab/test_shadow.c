/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "lab/folder.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"

enum { RECORDS = 60, REFERENCES = 6 };

static struct study study;
static struct state initial;
static char path[FILE_PATH_MAX], folder[FILE_PATH_MAX];

static struct shadow centralised(unsigned threads)
{
    return (struct shadow){
        .path = path, .study = &study, .initial = initial.weight, .threads = threads};
}

static void tell(void *context, uint32_t done, uint32_t all)
{
    uint32_t *calls = context;
    (*calls)++;
    CHECK_NUMBER(*calls, done);
    CHECK_NUMBER(REFERENCES, all);
}

static void train(struct membership *m, const struct dataset *data, unsigned threads, uint64_t seed)
{
    uint32_t calls = 0;
    const struct shadow how = centralised(threads);
    CHECK_OK(membership_new(m, data->n, REFERENCES));
    CHECK_OK(shadow_references(m, &how, data, seed, tell, &calls));
    CHECK_NUMBER(REFERENCES, calls);
}

static void each_record_is_unseen_by_half_of_the_references(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    AUTO(membership_free) struct membership m = {0};
    small_data(&data, &study, RECORDS, 3);
    train(&m, &data, 2, 1);
    for (size_t i = 0; i < RECORDS; i++) {
        uint32_t seen = 0;
        for (uint32_t k = 0; k < REFERENCES; k++) {
            seen += m.seen[k * RECORDS + i];
            CHECK(m.seen[k * RECORDS + i] != m.seen[(k ^ 1) * RECORDS + i]);
        }
        CHECK_NUMBER(REFERENCES / 2, seen);
    }
    CHECK(memcmp(m.seen, m.seen + 2 * RECORDS, RECORDS * sizeof *m.seen) != 0);
}

static void threads_change_nothing_and_the_seed_does(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    AUTO(membership_free) struct membership one = {0}, two = {0}, other = {0};
    const size_t bytes = REFERENCES * RECORDS * sizeof *one.reference;
    small_data(&data, &study, RECORDS, 3);
    train(&one, &data, 1, 1);
    train(&two, &data, 3, 1);
    train(&other, &data, 1, 2);
    CHECK_BYTES(one.reference, two.reference, bytes);
    CHECK_BYTES(one.seen, two.seen, REFERENCES * RECORDS);
    CHECK(memcmp(one.reference, other.reference, bytes) != 0);
}

/* The references are models trained on their half alone. */
static void a_reference_is_the_study_on_its_half(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    AUTO(membership_free) struct membership m = {0};
    small_data(&data, &study, RECORDS, 3);
    train(&m, &data, 1, 1);
    uint16_t half[RECORDS];
    for (size_t i = 0; i < RECORDS; i++) half[i] = m.seen[RECORDS + i];
    AUTO(dataset_free) struct dataset own = {0};
    AUTO(state_free) struct state state = {0};
    double margin[RECORDS];
    struct rng rng = {0};
    const struct shadow how = centralised(1);
    rng_numbered(&rng, 1);
    (void)rng_u64(&rng);
    CHECK_OK(split_take(&own, &data, half, 1));
    CHECK_OK(shadow_train(&state, NULL, &how, &own, rng_u64(&rng)));
    CHECK(own.n == 0);
    CHECK_OK(shadow_margins(margin, &how, &state, &data));
    CHECK_BYTES(margin, m.reference + RECORDS, sizeof margin);
}

static void margins_are_those_of_the_models_outputs(void)
{
    AUTO(dataset_free) struct dataset data = {0}, again = {0};
    AUTO(local_free) struct local local = {0};
    double margin[RECORDS];
    const struct shadow how = centralised(1);
    small_data(&data, &study, RECORDS, 3);
    small_data(&again, &study, RECORDS, 3);
    CHECK_OK(shadow_margins(margin, &how, &initial, &data));
    CHECK_OK(local_new(&local, &study, &again));
    CHECK_OK(local_load(&local, &initial));
    for (uint32_t i = 0; i < RECORDS; i++) {
        const float *logit = local_forward(&local, &data, &i, 1);
        CHECK_CLOSE(membership_margin(logit, data.label[i], 3), margin[i], 1e-4);
    }
}

static void a_federated_model_is_told_with_its_cost(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    AUTO(state_free) struct state state = {0};
    struct shadow_told told = {0};
    struct study federated = {0};
    struct settings_error why = {0};
    CHECK_OK(study_read(&federated, path, &why));
    struct shadow how = centralised(1);
    how.study = &federated;
    how.federated = true;
    small_data(&data, &federated, RECORDS, 3);
    CHECK_OK(shadow_train(&state, &told, &how, &data, 1));
    CHECK_NUMBER(3, told.rounds);
    CHECK(told.epsilon > 0 && told.epsilon < 3 && told.why[0] == 0);
    CHECK(memcmp(state.weight, initial.weight, state.keep.n * sizeof(float)) != 0);
}

static void why_a_study_cannot_be_played_is_told(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct state state = {0};
    struct shadow_told told = {0};
    struct shadow how = centralised(1);
    how.federated = true;
    how.path = folder;
    small_data(&data, &study, RECORDS, 3);
    CHECK(shadow_train(&state, &told, &how, &data, 1) != STATUS_OK);
    CHECK(told.why[0] != 0 && data.n == 0 && state.weight == NULL);
}

static void data_of_another_shape_are_refused(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct state state = {0};
    double margin[RECORDS] = {42};
    const struct shadow how = centralised(1);
    small_data(&data, &study, RECORDS, 3);
    data.width /= 2;
    CHECK_STATUS(STATUS_RANGE, shadow_margins(margin, &how, &initial, &data));
    CHECK_CLOSE(42, margin[0], 0);
    CHECK_STATUS(STATUS_RANGE, shadow_train(&state, NULL, &how, &data, 1));
}

int main(void)
{
    static const char text[] =
        "schema: 1\nstudy: {id: shadow}\nsites: {expected: 5, colluding: 1, min_contributors: 2}\n"
        "model: {kind: mlp, channels: 1, height: 8, width: 8, classes: 3, hidden: [4, 4]}\n"
        "privacy: {unit: patient, epsilon: 3.0, delta: 1.0e-5, clip: 1, sampling: 1.0, records: "
        "60}\npruning: {mode: none}\nrounds: {count: 3}\n";
    CHECK_OK(folder_new(folder, folder_parent(), "veilsum-test"));
    CHECK_OK(file_path(path, sizeof path, folder, "study.yaml"));
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, sizeof text - 1}, 0600));
    small_study(&study, STUDY_SITE, MODEL_MLP);
    small_state(&initial, &study, false);
    RUN(each_record_is_unseen_by_half_of_the_references);
    RUN(threads_change_nothing_and_the_seed_does);
    RUN(a_reference_is_the_study_on_its_half);
    RUN(margins_are_those_of_the_models_outputs);
    RUN(a_federated_model_is_told_with_its_cost);
    RUN(why_a_study_cannot_be_played_is_told);
    RUN(data_of_another_shape_are_refused);
    state_free(&initial);
    folder_remove(folder);
    return check_done();
}
