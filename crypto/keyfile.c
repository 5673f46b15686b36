/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyfile.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "crypto/setup.h"

#define HEX_CHARS 64

static const char magic[] = "veilsum key 1\nname ";
static const char identity[] = "\nidentity ";
static const char transport[] = "\ntransport ";

_Static_assert(sizeof magic + sizeof identity + sizeof transport - 3 + KEYFILE_NAME_MAX +
                       2 * HEX_CHARS + 1 ==
                   KEYFILE_TEXT_MAX,
               "longest text");

bool keyfile_name_ok(const char *name)
{
    const size_t n = strnlen(name, KEYFILE_NAME_MAX + 1);
    return n >= 1 && n <= KEYFILE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

void keyfile_wipe(struct keyfile *key)
{
    secret_wipe(key, sizeof *key);
}

enum status keyfile_make(struct keyfile *out, const char *name, struct rng *rng)
{
    if (!keyfile_name_ok(name)) return STATUS_RANGE;
    *out = (struct keyfile){0};
    memcpy(out->name, name, strlen(name));
    rng_bytes(rng, out->identity, sizeof out->identity);
    rng_bytes(rng, out->transport, sizeof out->transport);
    return STATUS_OK;
}

static char *put(char *at, const char *word)
{
    const size_t n = strlen(word);
    memcpy(at, word, n);
    return at + n;
}

/* The closing zero stands where the next word begins. */
static char *put_hex(char *at, const uint8_t key[static 32])
{
    return sodium_bin2hex(at, HEX_CHARS + 1, key, 32) + HEX_CHARS;
}

size_t keyfile_encode(char text[static KEYFILE_TEXT_MAX], const struct keyfile *key)
{
    REQUIRE(keyfile_name_ok(key->name));
    char *at = put(put(text, magic), key->name);
    at = put_hex(put(at, identity), key->identity);
    at = put_hex(put(at, transport), key->transport);
    at = put(at, "\n");
    return (size_t)(at - text);
}

static void read_word(struct reader *r, const char *word)
{
    const struct view v = read_view(r, strlen(word));
    if (!r->bad && memcmp(v.at, word, v.n) != 0) r->bad = true;
}

static void read_name(struct reader *r, char name[static KEYFILE_NAME_MAX + 1])
{
    size_t n = 0;
    while (n < r->left && n < KEYFILE_NAME_MAX && r->at[n] != '\n') n++;
    read_bytes(r, name, n);
    if (strnlen(name, n) != n || !keyfile_name_ok(name)) r->bad = true;
}

static void read_hex(struct reader *r, uint8_t key[static 32])
{
    const struct view v = read_view(r, HEX_CHARS);
    size_t n = 0;
    if (r->bad || sodium_hex2bin(key, 32, (const char *)v.at, v.n, NULL, &n, NULL) != 0 || n != 32)
        r->bad = true;
}

enum status keyfile_decode(struct keyfile *out, struct view text)
{
    setup_sodium();
    *out = (struct keyfile){0};
    struct reader r = reader_of(text);
    read_word(&r, magic);
    read_name(&r, out->name);
    read_word(&r, identity);
    read_hex(&r, out->identity);
    read_word(&r, transport);
    read_hex(&r, out->transport);
    read_word(&r, "\n");
    const enum status status = reader_end(&r);
    if (status != STATUS_OK) keyfile_wipe(out);
    return status;
}

static void file_close(const int *file)
{
    if (*file >= 0) close(*file);
}

static enum status write_all(int file, const char *text, size_t n)
{
    while (n > 0) {
        const ssize_t written = write(file, text, n);
        if (written <= 0) return STATUS_IO;
        text += written;
        n -= (size_t)written;
    }
    return fsync(file) == 0 ? STATUS_OK : STATUS_IO;
}

enum status keyfile_write(const struct keyfile *key, const char *path)
{
    AUTO(file_close) const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return STATUS_IO;
    char text[KEYFILE_TEXT_MAX];
    const enum status status = write_all(file, text, keyfile_encode(text, key));
    secret_wipe(text, sizeof text);
    if (status != STATUS_OK) unlink(path);
    return status;
}

/* Read up to room bytes, one more than a key file can have, so that a longer one is noticed. */
static enum status read_all(int file, char *text, size_t room, size_t *n)
{
    for (*n = 0; *n < room;) {
        const ssize_t got = read(file, text + *n, room - *n);
        if (got < 0) return STATUS_IO;
        if (got == 0) break;
        *n += (size_t)got;
    }
    return STATUS_OK;
}

enum status keyfile_read(struct keyfile *out, const char *path)
{
    keyfile_wipe(out);
    AUTO(file_close) const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) return STATUS_IO;
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) return STATUS_AUTH;
    char text[KEYFILE_TEXT_MAX + 1];
    size_t n = 0;
    enum status status = read_all(file, text, sizeof text, &n);
    if (status == STATUS_OK)
        status = keyfile_decode(out, (struct view){.at = (const uint8_t *)text, .n = n});
    secret_wipe(text, sizeof text);
    return status;
}
