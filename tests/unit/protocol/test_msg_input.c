/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/check.h"
#include "tests/lib/messages.h"

static void a_masked_input_has_the_planned_size(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_MASKED].write(&bytes);
    struct masked_input out = {0};
    CHECK_STATUS(STATUS_FORMAT, masked_read(&out, buffer_view(&bytes), messages_plan(), 0));
    CHECK_STATUS(STATUS_FORMAT, masked_read(&out, buffer_view(&bytes), messages_plan(), 2));
    CHECK_STATUS(STATUS_FORMAT,
                 masked_read(&out, buffer_view(&bytes), messages_plan(), MESSAGES_N));
    CHECK(messages_zero(&out, sizeof out));
    CHECK_OK(masked_read(&out, buffer_view(&bytes), messages_plan(), 1));
    CHECK_NUMBER(MESSAGES_SEGMENTS, out.n_segments);
    CHECK_NUMBER(0, out.body[0].n); /* not a member */
    CHECK_NUMBER(packed_bytes(12, 11), out.body[1].n);
    CHECK(out.body[1].at == bytes.at + 4 + 8);
    CHECK_NUMBER(bytes.n, masked_bytes(messages_plan(), 1, out.digest.n));
}

static void a_body_is_hashed_under_its_label(void)
{
    const struct view body = {(const uint8_t *)"body", 4};
    const struct hash want = hash_long("masked", body), got = masked_digest(body);
    CHECK(hash_equal(&want, &got));
}

int main(void)
{
    RUN(a_masked_input_has_the_planned_size);
    RUN(a_body_is_hashed_under_its_label);
    return check_done();
}
