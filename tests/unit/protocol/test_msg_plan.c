/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/messages.h"
#include "tests/lib/oom.h"

static enum status reread(const struct plan *p)
{
    AUTO(buffer_free) struct buffer bytes = {0}, again = {0};
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    plan_write(&bytes, p, messages_seed);
    return messages[MSG_PLAN].again(&again, buffer_view(&bytes), signer);
}

static void values_out_of_range_are_malformed(void)
{
    struct plan p[13];
    for (size_t i = 0; i < 13; i++) p[i] = *messages_plan();
    CHECK_OK(reread(&p[0]));
    p[0].step = STEP_COUNT;
    p[1].grid.scale = 0;
    p[2].grid.scale = __builtin_inf();
    p[3].grid.cap = 0;
    p[4].grid.bits = GRID_BITS_MIN - 1;
    p[5].grid.bits = GRID_BITS_MAX + 1;
    p[6].sampling = 0;
    p[7].sampling = 1.001;
    p[8].sampling = __builtin_nan("");
    p[9].segment[1].dim = 0;
    p[10].segment[1].dim = MSG_DIM_MAX + 1;
    p[11].n_segments = 0;
    p[12].removable = XNOISE_REMOVABLE_MAX + 1;
    for (size_t i = 0; i < 13; i++) CHECK_STATUS(STATUS_FORMAT, reread(&p[i]));
}

static void a_clip_bit_leaves_something_of_the_norm(void)
{
    struct plan p = *messages_plan();
    p.grid.norm2 = 10;
    p.clip_bit = 3;
    CHECK_OK(reread(&p));
    p.grid.norm2 = 9;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.clip_bit = UINT32_MAX;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.clip_bit = 0;
    CHECK_OK(reread(&p));
}

static void an_unknown_cipher_or_sampler_is_read(void)
{
    struct plan p = *messages_plan();
    p.cipher = 200;
    p.sampler = 201;
    CHECK_OK(reread(&p));
}

static void a_name_is_not_empty_and_has_no_zero_byte(void)
{
    struct plan p = *messages_plan();
    p.segment[0].name[0] = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[MSG_PLAN].write(&bytes);
    const uint8_t *name = memmem(bytes.at, bytes.n, "conv", 4);
    CHECK(name != NULL);
    if (name == NULL) return;
    const size_t at = (size_t)(name - bytes.at);
    CHECK_STATUS(STATUS_FORMAT, message_with(MSG_PLAN, at + 1, 'o', 0));
    CHECK_OK(message_with(MSG_PLAN, at + 1, 'o', 'a'));
}

static void a_name_has_a_limit(void)
{
    static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyzabcdef";
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    AUTO(buffer_free) struct buffer whole = {0};
    messages[MSG_PLAN].write(&whole);
    const uint8_t *name = memmem(whole.at, whole.n, "conv", 4);
    REQUIRE(name != NULL);
    const size_t before = (size_t)(name - whole.at) - 4, behind = before + 8;
    for (size_t n = LAYOUT_NAME_MAX; n <= LAYOUT_NAME_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0}, unused = {0};
        write_bytes(&bytes, whole.at, before);
        write_blob(&bytes, letters, n);
        write_bytes(&bytes, whole.at + behind, whole.n - SIGN_BYTES - behind);
        wire_sign(&bytes, 0, messages_seed);
        CHECK_STATUS(n == LAYOUT_NAME_MAX ? STATUS_OK : STATUS_FORMAT,
                     messages[MSG_PLAN].again(&unused, buffer_view(&bytes), signer));
    }
}

static void the_cohort_has_one_bit_per_member(void)
{
    const size_t at = 4 + MSG_SESSION_BYTES + 4 + 1 + 4 + 128 + 24;
    CHECK(message_refused(MSG_PLAN, at, MESSAGES_N - 1));
    CHECK(message_refused(MSG_PLAN, at, MESSAGES_N + 1));
    CHECK(message_refused(MSG_PLAN, at + 4, 0x3f));
}

static void every_field_is_in_the_hash(void)
{
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    AUTO(buffer_free) struct buffer bytes = {0}, other = {0};
    messages[MSG_PLAN].write(&bytes);
    struct plan p = *messages_plan();
    p.segment[1].degree ^= 1;
    plan_write(&other, &p, messages_seed);
    AUTO(plan_free) struct plan a = {0}, b = {0};
    struct hash hash_a, hash_b;
    CHECK_OK(plan_read(&a, &hash_a, buffer_view(&bytes), MESSAGES_N, signer));
    CHECK_OK(plan_read(&b, &hash_b, buffer_view(&other), MESSAGES_N, signer));
    CHECK(!hash_equal(&hash_a, &hash_b));
}

static void a_copied_plan_is_its_own(void)
{
    const struct plan *plan = messages_plan();
    AUTO(buffer_free) struct buffer want = {0}, got = {0};
    plan_write(&want, plan, messages_seed);
    OOM_EACH {
        struct plan copy = {0};
        enum status status = plan_copy(&copy, plan);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK(copy.cohort.word != plan->cohort.word);
            got.n = 0;
            plan_write(&got, &copy, messages_seed);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(messages_zero(&copy, sizeof copy));
        }
        plan_free(&copy);
    }
    CHECK_NUMBER(want.n, got.n);
    CHECK_BYTES(want.at, got.at, want.n);
}

int main(void)
{
    RUN(values_out_of_range_are_malformed);
    RUN(a_clip_bit_leaves_something_of_the_norm);
    RUN(an_unknown_cipher_or_sampler_is_read);
    RUN(a_name_is_not_empty_and_has_no_zero_byte);
    RUN(a_name_has_a_limit);
    RUN(the_cohort_has_one_bit_per_member);
    RUN(every_field_is_in_the_hash);
    RUN(a_copied_plan_is_its_own);
    return check_done();
}
