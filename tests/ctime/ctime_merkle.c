/* SPDX-License-Identifier: Apache-2.0 */
/* Shares are committed to by a tree over their hashes. */
#include "crypto/merkle.h"

#include "crypto/share.h"
#include "tests/ctime/ctime.h"

#define N 7

static void committed_shares_leave_no_trace(void)
{
    uint8_t secret[SHARE_BYTES] = {7}, shares[N * SHARE_BYTES];
    struct rng rng;
    rng_numbered(&rng, 1);
    SECRET(rng.key, sizeof rng.key);
    SECRET(secret, sizeof secret);
    CHECK_OK(share_split(shares, secret, N, 4, &SHARE_FIELD, &rng));
    struct hash leaf[N], root;
    for (size_t i = 0; i < N; i++)
        leaf[i] = hash_of("test", (struct view){shares + i * SHARE_BYTES, SHARE_BYTES});

    CHECK_OK(merkle_root(&root, leaf, N));
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    CHECK_OK(merkle_tree_new(&tree, leaf, N));
    for (size_t i = 0; i < N; i++) {
        struct merkle_path path;
        merkle_tree_path(&path, &tree, i);
        CHECK(merkle_check(&root, &leaf[i], N, i, &path));
    }
    reveal(&root, sizeof root);
    const struct hash same = merkle_tree_root(&tree);
    reveal(&same, sizeof same);
    CHECK_BYTES(root.bytes, same.bytes, HASH_BYTES);
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(committed_shares_leave_no_trace);
    return check_done();
}
