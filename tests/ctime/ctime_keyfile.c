/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyfile.h"

#include <unistd.h>

#include "tests/ctime/ctime.h"

/* The generator's key is secret, so are the keys that it gives; the name is not. */
static struct keyfile secret_keys(void)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    SECRET(rng.key, sizeof rng.key);
    struct keyfile key;
    CHECK_OK(keyfile_make(&key, "st-anna", &rng));
    return key;
}

static void keys_are_written_and_read_without_a_trace(void)
{
    struct keyfile key = secret_keys(), back;
    char text[KEYFILE_TEXT_MAX];
    const size_t n = keyfile_encode(text, &key);
    CHECK(is_secret(text, n));
    CHECK_OK(keyfile_decode(&back, (struct view){(const uint8_t *)text, n}));
    reveal(back.identity, sizeof back.identity);
    reveal(back.transport, sizeof back.transport);
    PUBLIC(&key, sizeof key);
    CHECK_BYTES(key.identity, back.identity, sizeof key.identity);
    CHECK_BYTES(key.transport, back.transport, sizeof key.transport);
}

static void keys_reach_the_file_without_a_trace(void)
{
    char folder[] = "/tmp/ctime_keyfile_XXXXXX", path[sizeof folder + 4];
    CHECK(mkdtemp(folder) != NULL);
    memcpy(path, folder, sizeof folder - 1);
    memcpy(path + sizeof folder - 1, "/key", 5);
    struct keyfile key = secret_keys(), back;
    CHECK_OK(keyfile_write(&key, path));
    /* What comes from a file is not marked; the case above shows how it is read. */
    CHECK_OK(keyfile_read(&back, path));
    PUBLIC(&key, sizeof key);
    CHECK_BYTES(key.identity, back.identity, sizeof key.identity);
    CHECK_NUMBER(0, unlink(path));
    CHECK_NUMBER(0, rmdir(folder));
}

static void wiped_keys_are_no_secret(void)
{
    struct keyfile key = secret_keys();
    keyfile_wipe(&key);
    CHECK(!is_secret(&key, sizeof key));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(keys_are_written_and_read_without_a_trace);
    RUN(keys_reach_the_file_without_a_trace);
    RUN(wiped_keys_are_no_secret);
    return check_done();
}
