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

/* All nodes of a tree, so that many paths cost one hashing. Zero is an empty tree. */
struct merkle_tree {
    size_t n;          /* leaves */
    struct hash *node; /* owned; level after level, leaves first, the root last */
};

/* As merkle_root; the leaves are copied. STATUS_NOMEM, STATUS_RANGE: out is untouched. */
MUST_USE enum status merkle_tree_new(struct merkle_tree *out, const struct hash *leaf, size_t n);
void merkle_tree_free(struct merkle_tree *tree);
struct hash merkle_tree_root(const struct merkle_tree *tree);
/* index < n. */
void merkle_tree_path(struct merkle_path *path, const struct merkle_tree *tree, size_t index);

/* Whether leaf number index of n is under root. */
MUST_USE bool merkle_check(const struct hash *root, const struct hash *leaf, size_t n, size_t index,
                           const struct merkle_path *path);

#endif
