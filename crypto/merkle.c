/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves, nodes and the root are hashed under three labels, so that none passes for another, and
 * the root binds the number of leaves, which fixes the shape. */
#include "crypto/merkle.h"

#include <stdlib.h>
#include <string.h>

static struct hash leaf_of(const struct hash *leaf)
{
    return hash_of("merkle-leaf", (struct view){.at = leaf->bytes, .n = HASH_BYTES});
}

static struct hash join(const struct hash *left, const struct hash *right)
{
    struct hash_state state;
    hash_start(&state, "merkle-node");
    hash_add(&state, left->bytes, HASH_BYTES);
    hash_add(&state, right->bytes, HASH_BYTES);
    return hash_end(&state);
}

static struct hash close_tree(const struct hash *top, size_t n)
{
    struct hash_state state;
    hash_start(&state, "merkle-root");
    hash_add_u64(&state, n);
    hash_add(&state, top->bytes, HASH_BYTES);
    return hash_end(&state);
}

/* Replace a row of n nodes by the row above it; returns its length. */
static size_t climb(struct hash *row, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) row[i / 2] = join(&row[i], &row[i + 1]);
    if (n % 2 == 1) row[n / 2] = row[n - 1];
    return (n + 1) / 2;
}

static void row_free(struct hash **row)
{
    free(*row);
}

/* Build the tree, noting the siblings of leaf number index on the way. */
static enum status build(struct hash *root, struct merkle_path *path, const struct hash *leaf,
                         size_t n, size_t index)
{
    if (n == 0 || n > MERKLE_LEAVES_MAX || index >= n) return STATUS_RANGE;
    AUTO(row_free) struct hash *row = malloc(n * sizeof *row);
    if (row == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) row[i] = leaf_of(&leaf[i]);
    *path = (struct merkle_path){0};
    for (size_t length = n; length > 1; length = climb(row, length), index /= 2)
        if ((index ^ 1) < length) path->node[path->n++] = row[index ^ 1];
    *root = close_tree(&row[0], n);
    return STATUS_OK;
}

enum status merkle_root(struct hash *root, const struct hash *leaf, size_t n)
{
    struct merkle_path unused;
    return build(root, &unused, leaf, n, 0);
}

enum status merkle_path_of(struct merkle_path *path, const struct hash *leaf, size_t n,
                           size_t index)
{
    struct hash unused;
    return build(&unused, path, leaf, n, index);
}

bool merkle_check(const struct hash *root, const struct hash *leaf, size_t n, size_t index,
                  const struct merkle_path *path)
{
    if (n == 0 || n > MERKLE_LEAVES_MAX || index >= n || path->n > MERKLE_PATH_MAX) return false;
    struct hash node = leaf_of(leaf);
    size_t used = 0;
    for (size_t length = n; length > 1; length = (length + 1) / 2, index /= 2) {
        if ((index ^ 1) >= length) continue;
        if (used == path->n) return false;
        const struct hash *sibling = &path->node[used++];
        node = index % 2 == 0 ? join(&node, sibling) : join(sibling, &node);
    }
    node = close_tree(&node, n);
    return used == path->n && hash_equal(&node, root);
}
