/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle tree over an ordered list of leaf hashes: one root commits to all, a short path opens one.
 * Leaves and nodes are hashed under different labels and the root binds the number of leaves; an
 * odd node is carried up unchanged. */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "crypto/hash.h"

#define MERKLE_LEAVES_MAX 4096
#define MERKLE_PATH_MAX 12

/* n in 1..MERKLE_LEAVES_MAX. STATUS_NOMEM, STATUS_RANGE. */
MUST_USE enum status merkle_root(struct hash *root, const struct hash *leaf, size_t n);

struct merkle_path {
    size_t n;
    struct hash node[MERKLE_PATH_MAX];
};

MUST_USE enum status merkle_path_of(struct merkle_path *path, const struct hash *leaf, size_t n,
                                    size_t index);

/* Whether leaf number index of n is under root. */
MUST_USE bool merkle_check(const struct hash *root, const struct hash *leaf, size_t n, size_t index,
                           const struct merkle_path *path);

#endif
