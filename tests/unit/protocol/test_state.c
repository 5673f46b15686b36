/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/state.h"

#include <math.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 11

/* Every third coordinate is pruned. */
static void make(struct state *state)
{
    CHECK_OK(state_new(state, N));
    state->clip = 0.75;
    for (size_t i = 0; i < N; i++) {
        state->weight[i] = (float)i - 4.5f;
        if (i % 3 == 0) bits_clear(&state->keep, i);
    }
    state_prune(state);
}

static void a_new_state_keeps_all_and_is_zero(void)
{
    AUTO(state_free) struct state state = {0};
    CHECK_OK(state_new(&state, N));
    CHECK_NUMBER(N, bits_count(&state.keep));
    for (size_t i = 0; i < N; i++) CHECK(state.weight[i] == 0);
    CHECK(state.clip == 0);
    state_free(&state);
    CHECK(state.weight == NULL);
    CHECK_OK(state_new(&state, 0));
}

static void what_is_written_is_read_back(void)
{
    AUTO(state_free) struct state state = {0}, back = {0};
    make(&state);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    /* the clip, a count, two bytes of bits, seven weights */
    CHECK_NUMBER(8 + 4 + 2 + 4 * 7, bytes.n);
    CHECK_OK(state_read(&back, buffer_view(&bytes), N));
    CHECK(bits_equal(&state.keep, &back.keep));
    CHECK_BYTES(state.weight, back.weight, N * sizeof *back.weight);
    CHECK(back.clip == 0.75);
}

static void what_is_not_kept_is_zero_and_not_sent(void)
{
    AUTO(state_free) struct state state = {0};
    make(&state);
    CHECK(state.weight[0] == 0 && state.weight[9] == 0 && state.weight[1] == -3.5f);
}

static void other_bytes_are_refused_and_the_output_is_untouched(void)
{
    AUTO(state_free) struct state state = {0};
    make(&state);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    const size_t whole = bytes.n;
    struct state out = {0};
    for (size_t n = 0; n < whole; n++)
        CHECK_STATUS(STATUS_FORMAT, state_read(&out, (struct view){bytes.at, n}, N));
    write_u8(&bytes, 0);
    CHECK_STATUS(STATUS_FORMAT, state_read(&out, buffer_view(&bytes), N));
    CHECK_STATUS(STATUS_FORMAT, state_read(&out, (struct view){bytes.at, whole}, N - 1));
    CHECK_STATUS(STATUS_FORMAT, state_read(&out, (struct view){bytes.at, whole}, N + 1));
    static const float odd[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 3; i++) {
        memcpy(bytes.at + whole - 4, &odd[i], 4);
        CHECK_STATUS(STATUS_FORMAT, state_read(&out, (struct view){bytes.at, whole}, N));
    }
    memcpy(bytes.at + whole - 4, &state.weight[N - 1], 4);
    CHECK_OK(state_read(&out, (struct view){bytes.at, whole}, N));
    state_free(&out);
    static const double clips[] = {(double)INFINITY, (double)NAN, -0x1p-1074, -1};
    for (size_t i = 0; i < 4; i++) {
        memcpy(bytes.at, &clips[i], 8);
        CHECK_STATUS(STATUS_FORMAT, state_read(&out, (struct view){bytes.at, whole}, N));
    }
    CHECK(out.weight == NULL && out.keep.word == NULL);
}

static void a_size_that_does_not_fit_is_refused_before_memory_is_asked_for(void)
{
    static const uint8_t huge[] = {0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3};
    struct state out = {0};
    oom_start(1);
    enum status status = state_read(&out, (struct view){huge, sizeof huge}, UINT32_MAX);
    oom_stop();
    CHECK_STATUS(STATUS_FORMAT, status);
    CHECK(!oom_hit());
    /* All are said to be kept, and no weight follows: memory for the bits alone. */
    static const uint8_t bare[] = {0, 0, 0, 0, 0, 0, 0, 0, N, 0, 0, 0, 255, 7};
    oom_start(2);
    status = state_read(&out, (struct view){bare, sizeof bare}, N);
    oom_stop();
    CHECK_STATUS(STATUS_FORMAT, status);
    CHECK(!oom_hit());
}

static void without_memory_the_output_is_untouched(void)
{
    AUTO(state_free) struct state state = {0};
    make(&state);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    OOM_EACH {
        struct state out = {0};
        enum status status = state_read(&out, buffer_view(&bytes), N);
        oom_stop();
        if (status != STATUS_OK) {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(out.weight == NULL && out.keep.word == NULL);
        }
        state_free(&out);
    }
    OOM_EACH {
        struct state out = {0};
        enum status status = state_new(&out, N);
        oom_stop();
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && out.weight == NULL);
        state_free(&out);
    }
}

int main(void)
{
    RUN(a_new_state_keeps_all_and_is_zero);
    RUN(what_is_written_is_read_back);
    RUN(what_is_not_kept_is_zero_and_not_sent);
    RUN(other_bytes_are_refused_and_the_output_is_untouched);
    RUN(a_size_that_does_not_fit_is_refused_before_memory_is_asked_for);
    RUN(without_memory_the_output_is_untouched);
    return check_done();
}
