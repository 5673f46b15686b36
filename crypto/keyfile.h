/* SPDX-License-Identifier: Apache-2.0 */
/* The key file of a site, of the coordinator or of a governance key holder: identity seed (Ed25519)
 * and transport secret (X25519, for CURVE). A short text file, mode 0600:
 *
 *   veilsum key 1
 *   name st-anna
 *   identity <64 hex digits>
 *   transport <64 hex digits>
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/rng.h"

#define KEYFILE_NAME_MAX 31
#define KEYFILE_TEXT_MAX 200

struct keyfile {
    char name[KEYFILE_NAME_MAX + 1]; /* [a-z0-9-], not empty */
    uint8_t identity[32];            /* secret */
    uint8_t transport[32];           /* secret */
};

/* Make keys for name. STATUS_RANGE: the name is empty, too long or has other characters. */
MUST_USE enum status keyfile_make(struct keyfile *out, const char *name, struct rng *rng);

/* Write the text of the file, secret, without a closing zero; returns its length. key->name is ok.
 */
size_t keyfile_encode(char text[static KEYFILE_TEXT_MAX], const struct keyfile *key);

/* STATUS_FORMAT  not the text of a key file; out is wiped. */
MUST_USE enum status keyfile_decode(struct keyfile *out, struct view text);

/* Write to a new file with mode 0600, fsynced. STATUS_IO: it exists or cannot be written (no half
 * file is left). */
MUST_USE enum status keyfile_write(const struct keyfile *key, const char *path);

/* STATUS_IO      cannot be read.
 * STATUS_AUTH    readable or writable by group or others.
 * STATUS_FORMAT  not a key file.
 * In each case out is wiped. */
MUST_USE enum status keyfile_read(struct keyfile *out, const char *path);

/* Whether a name may be used for a site. */
bool keyfile_name_ok(const char *name);

void keyfile_wipe(struct keyfile *key);

#endif
