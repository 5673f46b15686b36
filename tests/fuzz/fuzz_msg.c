/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: all readers of protocol/msg.h. The first byte chooses the kind, the rest is the body, to
 * which the prefix and a good signature are put. What was accepted is written back to the same
 * bytes: there is one encoding. */
#include <string.h>

#include "protocol/msg_wire.h"
#include "tests/fuzz/fuzz.h"

#define N 5
#define SEGMENTS 2
#define SEALED_MAX 64

static const uint8_t seed[SIGN_SEED_BYTES] = {1};
static uint8_t signer[SIGN_PUBLIC_BYTES];

typedef enum status reread(struct buffer *out, struct view in);

#define REREAD(name, type, read, write, release)                                                   \
    static enum status again_##name(struct buffer *out, struct view in)                            \
    {                                                                                              \
        AUTO(release) struct type x = {0};                                                         \
        TRY(read);                                                                                 \
        write;                                                                                     \
        return STATUS_OK;                                                                          \
    }

/* For types that own nothing. */
#define NOTHING(type)                                                                              \
    static void type##_keep(struct type *x)                                                        \
    {                                                                                              \
        (void)x;                                                                                   \
    }
NOTHING(opening)
NOTHING(finish)
NOTHING(hello)
NOTHING(advert)
NOTHING(header)
NOTHING(digest)
NOTHING(confirm)
NOTHING(result)
NOTHING(abort_notice)

static enum status again_plan(struct buffer *out, struct view in)
{
    AUTO(plan_free) struct plan x = {0};
    struct hash hash;
    TRY(plan_read(&x, &hash, in, N, signer));
    plan_write(out, &x, seed);
    return STATUS_OK;
}

static enum status again_survivors(struct buffer *out, struct view in)
{
    AUTO(survivors_free) struct survivors x = {0};
    struct merkle_path path = {0};
    TRY(survivors_read(&x, &path, in, N, SEGMENTS, signer));
    survivors_write(out, &x, &path, seed);
    return STATUS_OK;
}

/* Three sites in segment 0, of three elements of 11 bits. */
static enum status again_masked(struct buffer *out, struct view in)
{
    struct plan plan = {.grid = {.bits = 11}, .n_segments = 1};
    uint64_t word = 7;
    plan.segment[0] = (struct segment){.dim = 2, .members = {N, &word}};
    struct masked_input x = {0};
    TRY(masked_read(&x, in, &plan, 1));
    masked_write(out, &x);
    return STATUS_OK;
}

REREAD(opening, opening, opening_read(&x, in), opening_write(out, &x), opening_keep)
REREAD(finish, finish, finish_read(&x, in, signer), finish_write(out, &x, seed), finish_keep)
REREAD(hello, hello, hello_read(&x, in, signer), hello_write(out, &x, seed), hello_keep)
REREAD(advert, advert, advert_read(&x, in, signer), advert_write(out, &x, seed), advert_keep)
REREAD(roster, roster, roster_read(&x, in, N, signer), roster_write(out, &x, seed), roster_free)
REREAD(header, header, header_read(&x, in, signer), header_write(out, &x, seed), header_keep)
REREAD(shares, shares, shares_read(&x, in, N, SEALED_MAX), shares_write(out, &x), shares_free)
REREAD(inbox, inbox, inbox_read(&x, in, N, SEALED_MAX, signer), inbox_write(out, &x, seed),
       inbox_free)
REREAD(digest, digest, digest_read(&x, in, signer), digest_write(out, &x, seed), digest_keep)
REREAD(confirm, confirm, confirm_read(&x, in), confirm_write(out, &x), confirm_keep)
REREAD(quorum, quorum, quorum_read(&x, in, N), quorum_write(out, &x), quorum_free)
REREAD(unmask, unmask, unmask_read(&x, in, N, signer), unmask_write(out, &x, seed), unmask_free)
REREAD(result, result, result_read(&x, in, signer), result_write(out, &x, seed), result_keep)
REREAD(abort, abort_notice, abort_read(&x, in, signer), abort_write(out, &x, seed),
       abort_notice_keep)

static const struct {
    reread *again;
    bool is_signed;
} rows[MSG_KIND_COUNT] = {
    [MSG_HELLO] = {again_hello, true},         [MSG_PLAN] = {again_plan, true},
    [MSG_OPENING] = {again_opening, false},    [MSG_ADVERT] = {again_advert, true},
    [MSG_ROSTER] = {again_roster, true},       [MSG_HEADER] = {again_header, true},
    [MSG_SHARES] = {again_shares, false},      [MSG_INBOX] = {again_inbox, true},
    [MSG_DIGEST] = {again_digest, true},       [MSG_MASKED] = {again_masked, false},
    [MSG_SURVIVORS] = {again_survivors, true}, [MSG_CONFIRM] = {again_confirm, false},
    [MSG_QUORUM] = {again_quorum, false},      [MSG_UNMASK] = {again_unmask, true},
    [MSG_RESULT] = {again_result, true},       [MSG_ABORT] = {again_abort, true},
    [MSG_FINISH] = {again_finish, true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    sign_public(signer, seed);
    const enum msg_kind kind = 1 + data[0] % (MSG_KIND_COUNT - 1);
    AUTO(buffer_free) struct buffer in = {0}, out = {0};
    wire_begin(&in, kind);
    write_bytes(&in, data + 1, size - 1);
    if (rows[kind].is_signed) wire_sign(&in, 0, seed);
    REQUIRE(in.status == STATUS_OK && msg_kind_of(buffer_view(&in)) == kind);
    const enum status status = rows[kind].again(&out, buffer_view(&in));
    REQUIRE(status == STATUS_OK || status == STATUS_FORMAT);
    if (status != STATUS_OK) return 0;
    REQUIRE(out.n == in.n && memcmp(out.at, in.at, in.n) == 0);
    return 0;
}
