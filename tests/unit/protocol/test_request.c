/* SPDX-License-Identifier: Apache-2.0 */
/* What a site hands in to be put into a manifest. */
#include <string.h>

#include "protocol/manifest.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct keyfile site;

static void a_request_is_read_back(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    for (int aes = 0; aes < 2; aes++) {
        struct member want, got;
        text.n = 0;
        request_write(&text, &site, aes == 1);
        member_of(&want, &site, aes == 1);
        CHECK_OK(request_read(&got, buffer_view(&text)));
        CHECK_BYTES(&want, &got, sizeof want);
        CHECK_NUMBER(aes, got.aes);
    }
    for (size_t i = 0; i < text.n; i++)
        CHECK(text.at[i] == '\n' || (text.at[i] >= ' ' && text.at[i] < 127));
}

static void a_request_is_signed_by_the_identity_it_names(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    request_write(&text, &site, true);
    struct member out = {0};
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t old = text.at[i];
        text.at[i] = old == '7' ? '8' : '7';
        const enum status status = request_read(&out, buffer_view(&text));
        CHECK(status == STATUS_AUTH || status == STATUS_FORMAT);
        text.at[i] = old;
    }
    CHECK_NUMBER(0, out.name[0]);
}

static void a_malformed_request_is_refused(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    request_write(&text, &site, true);
    struct member out = {0};
    for (size_t n = 0; n < text.n; n++)
        CHECK_STATUS(STATUS_FORMAT, request_read(&out, (struct view){text.at, n}));
    write_u8(&text, '\n');
    CHECK_STATUS(STATUS_FORMAT, request_read(&out, buffer_view(&text)));
    text.n--;
    text.at[text.n - 2] = 'A'; /* only lower-case digits */
    CHECK_STATUS(STATUS_FORMAT, request_read(&out, buffer_view(&text)));
    /* A key of low order, though signed for. */
    struct keyfile low = site;
    memcpy(low.name, "no good", 8);
    text.n = 0;
    request_write(&text, &low, true);
    CHECK_STATUS(STATUS_FORMAT, request_read(&out, buffer_view(&text)));
    CHECK_NUMBER(0, out.name[0]);
}

static void a_request_without_memory_is_not_written_or_read(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    request_write(&text, &site, true);
    OOM_EACH {
        struct member out = {0};
        enum status status = request_read(&out, buffer_view(&text));
        oom_stop();
        if (status != STATUS_OK) CHECK(status == STATUS_NOMEM && out.name[0] == 0);
    }
    OOM_EACH {
        AUTO(buffer_free) struct buffer half = {0};
        request_write(&half, &site, true);
        oom_stop();
        if (oom_hit()) CHECK_STATUS(STATUS_NOMEM, half.status);
    }
}

int main(void)
{
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    CHECK_OK(keyfile_make(&site, "essen", &rng));
    RUN(a_request_is_read_back);
    RUN(a_request_is_signed_by_the_identity_it_names);
    RUN(a_malformed_request_is_refused);
    RUN(a_request_without_memory_is_not_written_or_read);
    return check_done();
}
