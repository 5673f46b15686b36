/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/lib/messages.h"

static void results_have_a_limit(void)
{
    AUTO(buffer_free) struct buffer results = {0};
    for (uint32_t i = 0; i < MSG_RESULTS_MAX; i++) write_u32(&results, 0);
    for (uint32_t n = MSG_RESULTS_MAX; n <= MSG_RESULTS_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        opening_write(&bytes, &(struct opening){.n_results = n, .results = buffer_view(&results)});
        struct opening out = {0};
        CHECK_STATUS(n == MSG_RESULTS_MAX ? STATUS_OK : STATUS_FORMAT,
                     opening_read(&out, buffer_view(&bytes)));
        CHECK_NUMBER(n == MSG_RESULTS_MAX ? n : 0, out.n_results);
        write_u32(&results, 0);
    }
}

static void a_result_has_a_limit(void)
{
    static const uint8_t big[MSG_RESULT_BYTES_MAX + 1] = {1};
    for (size_t n = MSG_RESULT_BYTES_MAX; n <= MSG_RESULT_BYTES_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer result = {0}, bytes = {0};
        write_blob(&result, big, n);
        opening_write(&bytes, &(struct opening){.n_results = 1, .results = buffer_view(&result)});
        struct opening out = {0};
        CHECK_STATUS(n == MSG_RESULT_BYTES_MAX ? STATUS_OK : STATUS_FORMAT,
                     opening_read(&out, buffer_view(&bytes)));
    }
}

/* So that the state's bytes need not be copied for each site. */
static void an_opening_is_written_without_the_bytes_of_its_state(void)
{
    AUTO(buffer_free) struct buffer whole = {0}, head = {0};
    messages[MSG_OPENING].write(&whole);
    const struct opening opening = {.plan = {(const uint8_t *)"plan", 4},
                                    .n_results = 2,
                                    .results = {whole.at + 4 + 8 + 4, 13},
                                    .state = {NULL, 5}};
    opening_write(&head, &opening);
    CHECK_NUMBER(whole.n - 5, head.n);
    CHECK_BYTES(whole.at, head.at, head.n);
}

static void views_borrow_from_the_input(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_OPENING].write(&bytes);
    struct opening out = {0};
    CHECK_OK(opening_read(&out, buffer_view(&bytes)));
    CHECK(out.plan.at == bytes.at + 8);
    CHECK_NUMBER(2, out.n_results);
    struct reader r = reader_of(out.results);
    const struct view first = read_blob(&r, MSG_RESULT_BYTES_MAX);
    CHECK_BYTES("word", first.at, 4);
    CHECK(out.results.at == bytes.at + 16);
    CHECK_NUMBER(5, out.state.n);
    CHECK_BYTES("state", out.state.at, 5);
}

static void results_chain(void)
{
    struct result base = {.round = 1, .n_survivors = 3};
    struct result other[7];
    for (size_t i = 0; i < 7; i++) other[i] = base;
    other[0].session[0] = 1;
    other[1].round = 2;
    other[2].previous.bytes[0] = 1;
    other[3].plan.bytes[0] = 1;
    other[4].survivors.bytes[0] = 1;
    other[5].n_survivors = 4;
    other[6].sums.bytes[0] = 1;
    const struct hash want = result_transcript(&base);
    for (size_t i = 0; i < 7; i++) {
        const struct hash got = result_transcript(&other[i]);
        CHECK(!hash_equal(&want, &got));
    }
}

int main(void)
{
    RUN(results_have_a_limit);
    RUN(a_result_has_a_limit);
    RUN(an_opening_is_written_without_the_bytes_of_its_state);
    RUN(views_borrow_from_the_input);
    RUN(results_chain);
    return check_done();
}
