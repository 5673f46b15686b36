/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/merkle.h"

#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define TREE_MAX 33

static struct hash leaves[MERKLE_LEAVES_MAX + 1];

static void make_leaves(void)
{
    for (size_t i = 0; i <= MERKLE_LEAVES_MAX; i++)
        leaves[i] = hash_of("test", (struct view){.at = (const uint8_t *)&i, .n = sizeof i});
}

static struct hash root_of(size_t n)
{
    struct hash root = {0};
    CHECK_OK(merkle_root(&root, leaves, n));
    return root;
}

static struct merkle_path path_of(size_t n, size_t index)
{
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    CHECK_OK(merkle_tree_new(&tree, leaves, n));
    struct merkle_path path;
    merkle_tree_path(&path, &tree, index);
    return path;
}

static struct hash pair(const char *label, const struct hash *a, const struct hash *b)
{
    struct hash_state state;
    hash_start(&state, label);
    hash_add(&state, a->bytes, HASH_BYTES);
    hash_add(&state, b->bytes, HASH_BYTES);
    return hash_end(&state);
}

/* Three leaves by hand: the odd one is carried up unchanged. */
static void a_root_is_what_the_rules_say(void)
{
    struct hash leaf[3];
    for (size_t i = 0; i < 3; i++)
        leaf[i] = hash_of("merkle-leaf", (struct view){leaves[i].bytes, HASH_BYTES});
    const struct hash left = pair("merkle-node", &leaf[0], &leaf[1]);
    const struct hash top = pair("merkle-node", &left, &leaf[2]);
    struct hash_state state;
    hash_start(&state, "merkle-root");
    hash_add_u64(&state, 3);
    hash_add(&state, top.bytes, HASH_BYTES);
    const struct hash want = hash_end(&state), got = root_of(3);
    CHECK_BYTES(want.bytes, got.bytes, HASH_BYTES);
}

static void every_leaf_of_every_small_tree_opens(void)
{
    for (size_t n = 1; n <= TREE_MAX; n++) {
        AUTO(merkle_tree_free) struct merkle_tree tree = {0};
        CHECK_OK(merkle_tree_new(&tree, leaves, n));
        const struct hash root = merkle_tree_root(&tree), want = root_of(n);
        CHECK(hash_equal(&want, &root));
        for (size_t i = 0; i < n; i++) {
            struct merkle_path path;
            merkle_tree_path(&path, &tree, i);
            CHECK(merkle_check(&root, &leaves[i], n, i, &path));
        }
    }
}

static void a_path_opens_its_own_place_only(void)
{
    for (size_t n = 1; n <= 9; n++) {
        const struct hash root = root_of(n);
        for (size_t i = 0; i < n; i++) {
            const struct merkle_path path = path_of(n, i);
            for (size_t j = 0; j < n + 2; j++) {
                CHECK(merkle_check(&root, &leaves[i], n, j, &path) == (i == j));
                CHECK(merkle_check(&root, &leaves[j], n, i, &path) == (i == j));
            }
        }
    }
}

static void the_number_of_leaves_is_bound(void)
{
    for (size_t n = 1; n <= TREE_MAX; n++) {
        const struct hash root = root_of(n);
        const struct merkle_path path = path_of(n, 0);
        for (size_t other = 0; other <= TREE_MAX + 1; other++)
            CHECK(merkle_check(&root, &leaves[0], other, 0, &path) == (other == n));
    }
}

static void every_altered_byte_is_noticed(void)
{
    const struct hash root = root_of(5);
    for (size_t k = 0; k < 3; k++)
        for (size_t b = 0; b < HASH_BYTES; b++) {
            struct merkle_path path = path_of(5, 1);
            path.node[k].bytes[b] ^= 1;
            CHECK(!merkle_check(&root, &leaves[1], 5, 1, &path));
        }
    const struct merkle_path path = path_of(5, 1);
    for (size_t b = 0; b < HASH_BYTES; b++) {
        struct hash wrong = root;
        wrong.bytes[b] ^= 1;
        CHECK(!merkle_check(&wrong, &leaves[1], 5, 1, &path));
        wrong = leaves[1];
        wrong.bytes[b] ^= 1;
        CHECK(!merkle_check(&root, &wrong, 5, 1, &path));
    }
}

static void a_path_of_another_length_is_refused(void)
{
    const struct hash root = root_of(5);
    struct merkle_path path = path_of(5, 1);
    CHECK_NUMBER(3, path.n);
    for (size_t n = 0; n <= MERKLE_PATH_MAX + 1; n++) {
        path.n = n;
        CHECK(merkle_check(&root, &leaves[1], 5, 1, &path) == (n == 3));
    }
    path.n = SIZE_MAX;
    CHECK(!merkle_check(&root, &leaves[1], 5, 1, &path));
}

static void an_inner_node_is_no_leaf(void)
{
    const struct hash a = hash_of("merkle-leaf", (struct view){leaves[0].bytes, HASH_BYTES});
    const struct hash b = hash_of("merkle-leaf", (struct view){leaves[1].bytes, HASH_BYTES});
    const struct hash inner = pair("merkle-node", &a, &b);
    struct hash forged = {0};
    CHECK_OK(merkle_root(&forged, &inner, 1));
    const struct hash root = root_of(2);
    CHECK(!hash_equal(&forged, &root));
}

static void order_and_content_change_the_root(void)
{
    const struct hash swapped[2] = {leaves[1], leaves[0]}, root = root_of(2);
    struct hash other = {0};
    CHECK_OK(merkle_root(&other, swapped, 2));
    CHECK(!hash_equal(&root, &other));
}

static void the_largest_tree_has_the_longest_path(void)
{
    const struct hash root = root_of(MERKLE_LEAVES_MAX);
    const struct merkle_path path = path_of(MERKLE_LEAVES_MAX, MERKLE_LEAVES_MAX - 1);
    CHECK_NUMBER(MERKLE_PATH_MAX, path.n);
    CHECK(merkle_check(&root, &leaves[MERKLE_LEAVES_MAX - 1], MERKLE_LEAVES_MAX,
                       MERKLE_LEAVES_MAX - 1, &path));
}

static void sizes_out_of_range_are_refused(void)
{
    static const size_t wrong[] = {0, MERKLE_LEAVES_MAX + 1, SIZE_MAX};
    for (size_t k = 0; k < 3; k++) {
        struct hash root = {{1}};
        CHECK_STATUS(STATUS_RANGE, merkle_root(&root, leaves, wrong[k]));
        CHECK(hash_equal(&root, &(struct hash){{1}}));
        struct merkle_tree tree = {.n = 9, .node = &root};
        CHECK_STATUS(STATUS_RANGE, merkle_tree_new(&tree, leaves, wrong[k]));
        CHECK(tree.n == 9 && tree.node == &root);
    }
}

static void out_of_memory_leaves_out_untouched(void)
{
    OOM_EACH {
        struct hash root = {{1}};
        AUTO(merkle_tree_free) struct merkle_tree tree = {0};
        const enum status rooted = merkle_root(&root, leaves, 7);
        const enum status grown = merkle_tree_new(&tree, leaves, 7);
        oom_stop();
        CHECK(rooted == STATUS_OK ||
              (rooted == STATUS_NOMEM && hash_equal(&root, &(struct hash){{1}})));
        CHECK(grown == STATUS_OK || (grown == STATUS_NOMEM && tree.n == 0 && tree.node == NULL));
        CHECK(oom_hit() == (rooted != STATUS_OK || grown != STATUS_OK));
    }
}

static void a_freed_tree_is_empty_and_may_be_freed_again(void)
{
    struct merkle_tree tree = {0};
    merkle_tree_free(&tree);
    CHECK_OK(merkle_tree_new(&tree, leaves, 2));
    merkle_tree_free(&tree);
    CHECK(tree.n == 0 && tree.node == NULL);
    merkle_tree_free(&tree);
}

int main(void)
{
    make_leaves();
    RUN(a_root_is_what_the_rules_say);
    RUN(every_leaf_of_every_small_tree_opens);
    RUN(a_path_opens_its_own_place_only);
    RUN(the_number_of_leaves_is_bound);
    RUN(every_altered_byte_is_noticed);
    RUN(a_path_of_another_length_is_refused);
    RUN(an_inner_node_is_no_leaf);
    RUN(order_and_content_change_the_root);
    RUN(the_largest_tree_has_the_longest_path);
    RUN(sizes_out_of_range_are_refused);
    RUN(out_of_memory_leaves_out_untouched);
    RUN(a_freed_tree_is_empty_and_may_be_freed_again);
    return check_done();
}
