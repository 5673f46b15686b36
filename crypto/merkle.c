/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves, nodes and the root are hashed under three labels, so that none passes for another, and
 * the root binds the number of leaves, which fixes the shape. */
#include "crypto/merkle.h"

#include <stdlib.h>

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

/* How long the row above a row of n nodes is. */
static size_t row_above(size_t n)
{
    return (n + 1) / 2;
}

/* Nodes of all rows, and the root. */
static size_t count_nodes(size_t n)
{
    size_t count = n + 1;
    for (size_t row = n; row > 1; count += row) row = row_above(row);
    return count;
}

static void climb(struct hash *above, const struct hash *row, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) above[i / 2] = join(&row[i], &row[i + 1]);
    if (n % 2 == 1) above[n / 2] = row[n - 1];
}

enum status merkle_tree_new(struct merkle_tree *out, const struct hash *leaf, size_t n)
{
    if (n == 0 || n > MERKLE_LEAVES_MAX) return STATUS_RANGE;
    struct hash *node = malloc(count_nodes(n) * sizeof *node);
    if (node == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) node[i] = leaf_of(&leaf[i]);
    struct hash *row = node;
    for (size_t length = n; length > 1; row += length, length = row_above(length))
        climb(row + length, row, length);
    row[1] = close_tree(&row[0], n);
    *out = (struct merkle_tree){.n = n, .node = node};
    return STATUS_OK;
}

void merkle_tree_free(struct merkle_tree *tree)
{
    free(tree->node);
    *tree = (struct merkle_tree){0};
}

struct hash merkle_tree_root(const struct merkle_tree *tree)
{
    REQUIRE(tree->n > 0);
    return tree->node[count_nodes(tree->n) - 1];
}

void merkle_tree_path(struct merkle_path *path, const struct merkle_tree *tree, size_t index)
{
    REQUIRE(index < tree->n);
    *path = (struct merkle_path){0};
    const struct hash *row = tree->node;
    for (size_t length = tree->n; length > 1; index /= 2) {
        if ((index ^ 1) < length) path->node[path->n++] = row[index ^ 1];
        row += length;
        length = row_above(length);
    }
}

enum status merkle_root(struct hash *root, const struct hash *leaf, size_t n)
{
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    TRY(merkle_tree_new(&tree, leaf, n));
    *root = merkle_tree_root(&tree);
    return STATUS_OK;
}

bool merkle_check(const struct hash *root, const struct hash *leaf, size_t n, size_t index,
                  const struct merkle_path *path)
{
    if (n == 0 || n > MERKLE_LEAVES_MAX || index >= n || path->n > MERKLE_PATH_MAX) return false;
    struct hash node = leaf_of(leaf);
    size_t used = 0;
    for (size_t length = n; length > 1; length = row_above(length), index /= 2) {
        if ((index ^ 1) >= length) continue;
        if (used == path->n) return false;
        const struct hash *sibling = &path->node[used++];
        node = index % 2 == 0 ? join(&node, sibling) : join(sibling, &node);
    }
    node = close_tree(&node, n);
    return used == path->n && hash_equal(&node, root);
}
