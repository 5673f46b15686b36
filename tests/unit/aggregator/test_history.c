/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/history.h"

#include "protocol/schedule.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"

static struct settings_error said;

static void add(struct history *history, uint32_t round)
{
    struct result result = {.round = round, .previous = history_last(history)};
    const uint8_t bytes[] = {(uint8_t)round, (uint8_t)round};
    CHECK_OK(history_add(history, &result, (struct view){bytes, round % 2 + 1}));
}

static void a_new_site_gets_everything(void)
{
    AUTO(history_free) struct history history = {0};
    const struct hash zero = {0};
    struct view results = {0};
    CHECK_NUMBER(0, history_since(&history, &zero, &results));
    CHECK_NUMBER(0, results.n);
    for (uint32_t i = 1; i <= 5; i++) add(&history, i);
    CHECK_NUMBER(5, history_since(&history, &zero, &results));
    CHECK_NUMBER(history.blobs.n, results.n);
}

static void a_site_gets_what_it_missed(void)
{
    AUTO(history_free) struct history history = {0};
    struct hash seen[6] = {{{0}}};
    for (uint32_t i = 1; i <= 5; i++) {
        add(&history, i);
        seen[i] = history_last(&history);
    }
    for (uint32_t i = 0; i <= 5; i++) {
        struct view results = {0};
        CHECK_NUMBER(5 - i, history_since(&history, &seen[i], &results));
        struct reader r = reader_of(results);
        for (uint32_t k = i + 1; k <= 5; k++) {
            struct view blob = read_blob(&r, 8);
            CHECK_NUMBER(k % 2 + 1, blob.n);
            CHECK(blob.n > 0 && blob.at[0] == k);
        }
        CHECK_OK(reader_end(&r));
    }
}

static void an_unknown_transcript_gets_everything(void)
{
    AUTO(history_free) struct history history = {0};
    for (uint32_t i = 1; i <= 3; i++) add(&history, i);
    const struct hash other = {{1, 2, 3}};
    struct view results = {0};
    CHECK_NUMBER(3, history_since(&history, &other, &results));
}

static void without_memory_nothing_is_added(void)
{
    AUTO(history_free) struct history history = {0};
    add(&history, 1);
    const struct hash before = history_last(&history);
    const struct result result = {.round = 2};
    static const uint8_t bytes[1000] = {7};
    enum status status = STATUS_NOMEM;
    OOM_EACH {
        status = history_add(&history, &result, (struct view){bytes, sizeof bytes});
        oom_stop();
        if (status == STATUS_OK) break;
        CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(1, history.n);
        struct hash last = history_last(&history);
        CHECK(hash_equal(&before, &last));
        CHECK_NUMBER(6, history.blobs.n);
    }
    CHECK_OK(status);
    CHECK_NUMBER(2, history.n);
}

/* In the longest study that there may be, with an exploration. */
static void who_missed_every_round_is_still_reached(void)
{
    struct study study;
    struct layout layout = {0};
    struct schedule schedule = {0};
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.count = 100000;
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, study.sites.expected, &said));
    AUTO(buffer_free) struct buffer signed_result = {0}, opening = {0}, state = {0};
    static const uint8_t seed[SIGN_SEED_BYTES] = {1};
    result_write(&signed_result, &(struct result){0}, seed);
    AUTO(history_free) struct history history = {0};
    for (uint32_t i = 0; i <= study.rounds.count; i++)
        CHECK_OK(history_add(&history, &(struct result){.round = i}, buffer_view(&signed_result)));
    AUTO(state_free) struct state model = {0};
    small_state(&model, &study, false);
    state_write(&state, &model);
    struct opening all = {.state = buffer_view(&state)}, read = {0};
    all.n_results = history_since(&history, &(struct hash){0}, &all.results);
    CHECK_NUMBER(study.rounds.count + 1, all.n_results);
    opening_write(&opening, &all);
    write_bytes(&opening, state.at, state.n);
    CHECK_OK(opening_read(&read, buffer_view(&opening)));
    CHECK(opening.n + (1U << 20) <= schedule_message_bytes(&schedule)); /* and its plan */
}

int main(void)
{
    RUN(a_new_site_gets_everything);
    RUN(a_site_gets_what_it_missed);
    RUN(an_unknown_transcript_gets_everything);
    RUN(without_memory_nothing_is_added);
    RUN(who_missed_every_round_is_still_reached);
    return check_done();
}
