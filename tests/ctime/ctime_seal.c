/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/kdf.h"
#include "crypto/seal.h"
#include "tests/ctime/ctime.h"

static const struct view bound = {.at = (const uint8_t *)"bound", .n = 5};

/* A key derived from a secret, as the protocol does. */
static void make_key(uint8_t key[static SEAL_KEY_BYTES])
{
    memset(key, 1, SEAL_KEY_BYTES);
    SECRET(key, SEAL_KEY_BYTES);
    kdf_derive(key, key, "seal", bound);
}

static void key_and_text_leave_no_trace(void)
{
    uint8_t key[SEAL_KEY_BYTES], text[100] = {5};
    make_key(key);
    SECRET(text, sizeof text);
    struct rng rng;
    rng_numbered(&rng, 1);
    AUTO(buffer_free) struct buffer box = {0};
    AUTO(buffer_wipe) struct buffer back = {0};
    CHECK_OK(seal_write(&box, (struct view){text, sizeof text}, bound, key, &rng));
    reveal(box.at, box.n);
    CHECK_OK(seal_read(&back, buffer_view(&box), bound, key));
    reveal(back.at, back.n);
    PUBLIC(text, sizeof text);
    CHECK_BYTES(text, back.at, sizeof text);
}

static void a_refused_box_tells_its_refusal_only(void)
{
    uint8_t key[SEAL_KEY_BYTES];
    make_key(key);
    const uint8_t box[SEAL_EXTRA_BYTES + 30] = {0};
    AUTO(buffer_wipe) struct buffer back = {0};
    CHECK_STATUS(STATUS_AUTH, seal_read(&back, (struct view){box, sizeof box}, bound, key));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(key_and_text_leave_no_trace);
    RUN(a_refused_box_tells_its_refusal_only);
    return check_done();
}
