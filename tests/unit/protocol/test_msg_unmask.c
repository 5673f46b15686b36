/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/bundle.h"
#include "tests/lib/check.h"
#include "tests/lib/messages.h"
#include "tests/lib/oom.h"

#define BUNDLE (4 + MSG_SESSION_BYTES + 32 + 4 + 2) /* of site 2 in the example */

static void a_flag_is_zero_or_one(void)
{
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_UNMASK, BUNDLE + 1, 1, 2));
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_UNMASK, BUNDLE + 1 + 1 + 64, 0, 2));
}

static void places_have_a_limit(void)
{
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    for (uint32_t n = BUNDLE_PLACES_MAX; n <= BUNDLE_PLACES_MAX + 1; n++) {
        AUTO(bundle_free) struct bundle bundle = {0};
        CHECK_OK(bundle_new(&bundle, n));
        AUTO(buffer_free) struct buffer bytes = {0};
        unmask_write(&bytes, &(struct unmask){.n = 1, .bundle = &bundle}, messages_seed);
        AUTO(unmask_free) struct unmask out = {0};
        CHECK_STATUS(n == BUNDLE_PLACES_MAX ? STATUS_OK : STATUS_FORMAT,
                     unmask_read(&out, buffer_view(&bytes), 1, signer));
    }
}

/* Only the list of bundles is allocated when a bundle's places cannot be in what is left. */
static void places_that_are_not_there_take_no_memory(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    wire_begin(&bytes, MSG_UNMASK);
    write_bytes(&bytes, (const uint8_t[MSG_SESSION_BYTES + 32 + 4]){0}, MSG_SESSION_BYTES + 32 + 4);
    write_u8(&bytes, 2);
    write_bytes(&bytes, (const uint8_t[65]){0}, 65); /* one byte less than two places */
    wire_sign(&bytes, 0, messages_seed);
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    struct unmask out = {0};
    oom_start(2);
    const enum status status = unmask_read(&out, buffer_view(&bytes), 1, signer);
    oom_stop();
    CHECK_STATUS(STATUS_FORMAT, status);
    CHECK(!oom_hit());
}

static void a_place_with_a_share_has_no_commitment_on_the_wire(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_UNMASK].write(&bytes);
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    AUTO(unmask_free) struct unmask out = {0};
    CHECK_OK(unmask_read(&out, buffer_view(&bytes), MESSAGES_N, signer));
    const struct bundle *bundle = &out.bundle[2];
    CHECK_NUMBER(0, out.bundle[1].n);
    CHECK(out.bundle[1].place == NULL);
    CHECK_NUMBER(1 + MESSAGES_SEGMENTS, bundle->n);
    CHECK(bundle->place[BUNDLE_PAIR].have && !bundle->place[BUNDLE_SELF(0)].have);
    CHECK_NUMBER(1, bundle->place[BUNDLE_PAIR].share[0]);
    CHECK_NUMBER(3, bundle->place[BUNDLE_PAIR].salt[0]);
    CHECK(hash_is_zero(&bundle->place[BUNDLE_PAIR].commitment));
    CHECK_NUMBER(5, bundle->place[BUNDLE_SELF(0)].commitment.bytes[0]);
}

int main(void)
{
    RUN(a_flag_is_zero_or_one);
    RUN(places_have_a_limit);
    RUN(places_that_are_not_there_take_no_memory);
    RUN(a_place_with_a_share_has_no_commitment_on_the_wire);
    return check_done();
}
