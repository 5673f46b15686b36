/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyfile.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/check.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f"
#define GOOD "veilsum key 1\nname st-anna\nidentity " KEY_A "\ntransport " KEY_B "\n"

static char folder[] = "/tmp/veilsum-keyfile-XXXXXX";
static char path[64];

static enum status decode(struct keyfile *out, const char *text)
{
    return keyfile_decode(out, (struct view){.at = (const uint8_t *)text, .n = strlen(text)});
}

static void put_file(const char *text, mode_t mode)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(file, mode) == 0);
    CHECK(close(file) == 0);
}

static bool wiped(const struct keyfile *key)
{
    return sodium_is_zero((const uint8_t *)key, sizeof *key) == 1;
}

static void the_text_is_as_documented(void)
{
    struct keyfile key = {0};
    CHECK_OK(decode(&key, GOOD));
    CHECK(strcmp(key.name, "st-anna") == 0);
    for (size_t i = 0; i < 32; i++) CHECK_NUMBER(i, key.identity[i]);
    CHECK_BYTES("\xf0\xe1\xd2\xc3", key.transport, 4);
    char text[KEYFILE_TEXT_MAX];
    CHECK_NUMBER(strlen(GOOD), keyfile_encode(text, &key));
    CHECK_BYTES(GOOD, text, strlen(GOOD));
}

static void names_are_short_words_in_lower_case(void)
{
    CHECK(keyfile_name_ok("a"));
    CHECK(keyfile_name_ok("st-anna-2"));
    CHECK(keyfile_name_ok("0123456789012345678901234567890"));
    CHECK(!keyfile_name_ok("01234567890123456789012345678901"));
    CHECK(!keyfile_name_ok(""));
    CHECK(!keyfile_name_ok("St-Anna"));
    CHECK(!keyfile_name_ok("st anna"));
    CHECK(!keyfile_name_ok("st_anna"));
    CHECK(!keyfile_name_ok("../key"));
    CHECK(!keyfile_name_ok("caf\xc3\xa9"));
}

static void made_keys_differ_in_every_part(void)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    struct keyfile a, b;
    CHECK_OK(keyfile_make(&a, "a", &rng));
    CHECK_OK(keyfile_make(&b, "a", &rng));
    CHECK(strcmp(a.name, "a") == 0);
    CHECK(memcmp(a.identity, b.identity, 32) != 0);
    CHECK(memcmp(a.transport, b.transport, 32) != 0);
    CHECK(memcmp(a.identity, a.transport, 32) != 0);
}

static void a_wrong_name_makes_no_key(void)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    struct keyfile key = {.name = "old"};
    CHECK_STATUS(STATUS_RANGE, keyfile_make(&key, "", &rng));
    CHECK_STATUS(STATUS_RANGE, keyfile_make(&key, "UPPER", &rng));
    CHECK_STATUS(STATUS_RANGE, keyfile_make(&key, "01234567890123456789012345678901", &rng));
    CHECK(strcmp(key.name, "old") == 0);
}

static void the_longest_name_fits(void)
{
    struct rng rng;
    rng_numbered(&rng, 1);
    struct keyfile key, back;
    CHECK_OK(keyfile_make(&key, "abcdefghijabcdefghijabcdefghijz", &rng));
    char text[KEYFILE_TEXT_MAX];
    CHECK_NUMBER(KEYFILE_TEXT_MAX, keyfile_encode(text, &key));
    CHECK_OK(keyfile_decode(&back, (struct view){(const uint8_t *)text, KEYFILE_TEXT_MAX}));
    CHECK_BYTES(&key, &back, sizeof key);
}

static void malformed_text_is_refused_and_out_wiped(void)
{
    static const char *const wrong[] = {
        "",
        "\n",
        "veilsum key 2\nname a\nidentity " KEY_A "\ntransport " KEY_B "\n",
        "veilsum key 1\r\nname a\r\nidentity " KEY_A "\r\ntransport " KEY_B "\r\n",
        "veilsum key 1\nname \nidentity " KEY_A "\ntransport " KEY_B "\n",
        "veilsum key 1\nname A\nidentity " KEY_A "\ntransport " KEY_B "\n",
        "veilsum key 1\nname 01234567890123456789012345678901\nidentity " KEY_A "\ntransport " KEY_B
        "\n",
        "veilsum key 1\nname a\nidentity " KEY_A "\n",
        "veilsum key 1\nname a\ntransport " KEY_B "\nidentity " KEY_A "\n",
        "veilsum key 1\nname a\nidentity " KEY_A "0\ntransport " KEY_B "\n",
        "veilsum key 1\nname a\nidentity g" KEY_A "\ntransport " KEY_B "\n",
        "veilsum key 1\nname a\nidentity " KEY_A "\ntransport " KEY_B,
        "veilsum key 1\nname a\nidentity " KEY_A "\ntransport " KEY_B "\n\n",
        " " GOOD,
        GOOD GOOD,
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct keyfile key;
        memset(&key, 0xaa, sizeof key);
        CHECK_STATUS(STATUS_FORMAT, decode(&key, wrong[i]));
        CHECK(wiped(&key));
    }
}

static void text_that_is_cut_or_altered_is_refused(void)
{
    const size_t n = strlen(GOOD);
    for (size_t i = 0; i < n; i++) {
        struct keyfile key;
        char text[] = GOOD;
        CHECK_STATUS(STATUS_FORMAT, keyfile_decode(&key, (struct view){(const uint8_t *)text, i}));
        text[i] = '!';
        CHECK_STATUS(STATUS_FORMAT, decode(&key, text));
        text[i] = '\0';
        CHECK_STATUS(STATUS_FORMAT, keyfile_decode(&key, (struct view){(const uint8_t *)text, n}));
    }
}

static void a_written_file_is_private_and_comes_back(void)
{
    struct keyfile key, back;
    CHECK_OK(decode(&key, GOOD));
    CHECK_OK(keyfile_write(&key, path));
    struct stat about = {0};
    CHECK(stat(path, &about) == 0);
    CHECK_NUMBER(0600, about.st_mode & 07777);
    CHECK_NUMBER(strlen(GOOD), about.st_size);
    CHECK_OK(keyfile_read(&back, path));
    CHECK_BYTES(&key, &back, sizeof key);
    CHECK(unlink(path) == 0);
}

static void an_existing_file_is_not_overwritten(void)
{
    struct keyfile key, other;
    CHECK_OK(decode(&key, GOOD));
    put_file(GOOD, 0600);
    other = key;
    other.name[0] = 'x';
    CHECK_STATUS(STATUS_IO, keyfile_write(&other, path));
    CHECK_OK(keyfile_read(&other, path));
    CHECK_BYTES(&key, &other, sizeof key);
    CHECK(unlink(path) == 0);
}

static void a_file_that_cannot_be_written_is_reported(void)
{
    struct keyfile key;
    CHECK_OK(decode(&key, GOOD));
    CHECK_STATUS(STATUS_IO, keyfile_write(&key, "/nowhere/at/all"));
}

static void refuse_read(enum status want, const char *name)
{
    struct keyfile key;
    memset(&key, 0xaa, sizeof key);
    CHECK_STATUS(want, keyfile_read(&key, name));
    CHECK(wiped(&key));
}

static void a_file_that_others_may_use_is_refused(void)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        put_file(GOOD, modes[i]);
        refuse_read(STATUS_AUTH, path);
    }
    put_file(GOOD, 0400);
    struct keyfile key;
    CHECK_OK(keyfile_read(&key, path));
    CHECK(unlink(path) == 0);
}

static void what_is_no_file_is_refused(void)
{
    refuse_read(STATUS_IO, "/nowhere/at/all");
    refuse_read(STATUS_IO, folder);
    CHECK(mkfifo(path, 0600) == 0);
    refuse_read(STATUS_IO, path);
    CHECK(unlink(path) == 0);
}

static void a_file_that_is_malformed_or_too_long_is_refused(void)
{
    put_file("", 0600);
    refuse_read(STATUS_FORMAT, path);
    put_file(GOOD GOOD GOOD, 0600);
    refuse_read(STATUS_FORMAT, path);
    CHECK(unlink(path) == 0);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/key", folder);
    RUN(the_text_is_as_documented);
    RUN(names_are_short_words_in_lower_case);
    RUN(made_keys_differ_in_every_part);
    RUN(a_wrong_name_makes_no_key);
    RUN(the_longest_name_fits);
    RUN(malformed_text_is_refused_and_out_wiped);
    RUN(text_that_is_cut_or_altered_is_refused);
    RUN(a_written_file_is_private_and_comes_back);
    RUN(an_existing_file_is_not_overwritten);
    RUN(a_file_that_cannot_be_written_is_reported);
    RUN(a_file_that_others_may_use_is_refused);
    RUN(what_is_no_file_is_refused);
    RUN(a_file_that_is_malformed_or_too_long_is_refused);
    return rmdir(folder) == 0 ? check_done() : 1;
}
