/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/messages.h"

#include <string.h>

#include "protocol/bundle.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N MESSAGES_N
#define SEGMENTS MESSAGES_SEGMENTS
#define HOLDERS MESSAGES_HOLDERS

const uint8_t messages_seed[SIGN_SEED_BYTES] = {1};
static const uint8_t *const seed = messages_seed;

// clang-format off
#define SESSION {9, 8, 7}
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
#define WORD BYTES("word")
#define NONCE BYTES("a nonce of thirty-two bytes ....")
#define STATE BYTES("state")
#define RESULTS BYTES("\4\0\0\0word\1\0\0\0x")
// clang-format on

void messages_signer(uint8_t key[static SIGN_PUBLIC_BYTES])
{
    sign_public(key, seed);
}

bool messages_zero(const void *at, size_t n)
{
    const uint8_t *byte = at;
    for (size_t i = 0; i < n; i++)
        if (byte[i] != 0) return false;
    return true;
}

const struct plan *messages_plan(void)
{
    static uint64_t cohort = 0x1f, members[SEGMENTS] = {0x11, 0x12};
    static const struct plan plan = {
        .session = SESSION,
        .round = 3,
        .step = STEP_TRAIN,
        .step_number = 2,
        .manifest = {{1}},
        .study = {{2}},
        .previous = {{3}},
        .state = {{4}},
        .params = {.n = N, .c = 1, .t = 4, .quorum = 4, .k = 6, .m = 2},
        .cohort = {N, &cohort},
        .grid = {.scale = 0.5, .norm2 = 6, .cap = 7, .sigma = 8, .bits = 11},
        .sampling = 0.25,
        .wait_ms = {1, 2, 3, 4, 5, 6},
        .release_ms = 7,
        .clip_bit = 2,
        .removable = 2,
        .n_segments = SEGMENTS,
        .segment = {{.name = "conv", .dim = 10, .members = {N, &members[0]}, .degree = 4},
                    {.name = "dense", .dim = 11, .members = {N, &members[1]}}},
    };
    return &plan;
}

/* --- the examples ------------------------------------------------------------------------------*/

static const struct hello hello = {3, {{1}}, {{2}}, SESSION};
static const struct opening opening = {BYTES("plan"), 2, RESULTS, STATE};
static const struct finish finish = {{{5}}, STATE, 2, RESULTS};
static const struct advert advert = {SESSION, {{1}}, 2, {3}, {4}, {{5}}};
static struct view adverts[N] = {WORD, {0}, WORD, BYTES("x"), {0}};
static const struct roster roster = {SESSION, N, adverts};
static const struct position position = {SESSION, 4, {1, 2, 3}};
static struct view nonces[N] = {NONCE, {0}, NONCE, NONCE, {0}};
static const struct positions positions = {SESSION, N, nonces};
static const struct header header = {SESSION,        {{1}}, {{2}},         3, {{4}}, SEGMENTS,
                                     {{{5}}, {{6}}}, 2,     {{{7}}, {{8}}}};
static struct hash leaves[HOLDERS] = {{{1}}, {{2}}, {{3}}};
static struct view parts[HOLDERS] = {WORD, {0}, WORD};
static const struct shares shares = {WORD, HOLDERS, leaves, parts};
/* Sites 0, 1 and 3 dealt; the recipient is 3 and holds nothing of site 0. */
static uint64_t dealers = 0x0b;
static struct hash heads[N] = {{{1}}, {{2}}, {{0}}, {{3}}};
static struct view headers[N] = {{0}, WORD, {0}, WORD}, sealed[N] = {{0}, WORD};
static struct merkle_path paths[N] = {{0}, {.n = 2, .node = {{{1}}, {{2}}}}};
static const struct inbox inbox = {SESSION, N, {N, &dealers}, heads, headers, sealed, paths};
static const struct digest digest = {SESSION, {{1}}, {{2}}, {{3}}, 4, SEGMENTS, {{{5}}, {{6}}}};
static const uint8_t packed[] = {1, 2, 3, [16] = 0x0f};
/* Site 1 is in segment 1 alone: 12 elements of 11 bits. */
static const struct masked_input masked = {WORD, SEGMENTS, {{0}, {packed, sizeof packed}}};
static uint64_t survived = 0x0a, opened = 0x02;
static const struct survivors survivors = {
    SESSION, {{1}}, {{2}}, {{3}}, {N, &survived}, {SEGMENTS, &opened}, {{4}}};
/* The recipient is 3. */
static struct view shown[N] = {[1] = WORD};
static struct merkle_path shown_path[N] = {[1] = {.n = 1, .node = {{{6}}}}};
static const struct witness witness = {{.n = 1, .node = {{{5}}}}, N, shown, shown_path};
static const struct confirm confirm = {SESSION, 3, {1, 2}};
static struct confirm confirms[] = {{.from = 1, .signature = {1}}, {.from = 4, .signature = {2}}};
static const struct quorum quorum = {SESSION, 2, confirms};
static struct place places[1 + SEGMENTS] = {
    {true, {1}, {3}, {{0}}}, {.commitment = {{5}}}, {true, {2}, {4}, {{0}}}};
static struct bundle bundles[N] = {[2] = {1 + SEGMENTS, places}};
static const struct unmask unmask = {SESSION, {{6}}, 3, N, bundles};
static const struct result result = {SESSION, 4, {{1}}, {{2}}, {{3}}, 5, {{6}}};
static const struct abort_notice notice = {SESSION, 2, UINT32_MAX, REASON_SHARE};

/* --- one form for all --------------------------------------------------------------------------*/

/* Types that own nothing. */
#define NOTHING(type)                                                                              \
    static void type##_keep(struct type *x)                                                        \
    {                                                                                              \
        (void)x;                                                                                   \
    }
NOTHING(opening)
NOTHING(finish)
NOTHING(hello)
NOTHING(advert)
NOTHING(position)
NOTHING(header)
NOTHING(digest)
NOTHING(masked_input)
NOTHING(confirm)
NOTHING(result)
NOTHING(abort_notice)

/* read is of `in` with `key` into x; rewrite appends x to out. */
#define AGAIN(name, type, release, read, rewrite)                                                  \
    static enum status again_##name(struct buffer *out, struct view in, const uint8_t *key)        \
    {                                                                                              \
        AUTO(release) struct type x = {0};                                                         \
        (void)key;                                                                                 \
        const enum status status = read;                                                           \
        REQUIRE(status == STATUS_OK || messages_zero(&x, sizeof x));                               \
        TRY(status);                                                                               \
        rewrite;                                                                                   \
        return STATUS_OK;                                                                          \
    }
#define MESSAGE(name, type, release, example, read, rewrite)                                       \
    static void write_##name(struct buffer *out)                                                   \
    {                                                                                              \
        const struct type x = example;                                                             \
        rewrite;                                                                                   \
    }                                                                                              \
    AGAIN(name, type, release, read, rewrite)

/* The state's bytes are the tail that others append. */
static void opening_whole(struct buffer *out, const struct opening *x)
{
    opening_write(out, x);
    write_bytes(out, x->state.at, x->state.n);
}

static void write_plan(struct buffer *out)
{
    plan_write(out, messages_plan(), seed);
}

static enum status again_plan(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(plan_free) struct plan x = {0};
    struct hash hash = {{0}};
    const enum status status = plan_read(&x, &hash, in, N, key);
    if (status != STATUS_OK) {
        REQUIRE(messages_zero(&x, sizeof x) && hash_is_zero(&hash));
        return status;
    }
    const struct hash want = hash_of("plan", (struct view){in.at, in.n - SIGN_BYTES});
    REQUIRE(hash_equal(&want, &hash));
    plan_write(out, &x, seed);
    return STATUS_OK;
}

static void write_survivors(struct buffer *out)
{
    survivors_write(out, &survivors, &witness, seed);
}

static enum status again_survivors(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(survivors_free) struct survivors x = {0};
    AUTO(witness_free) struct witness y = {0};
    const enum status status = survivors_read(&x, &y, in, N, SEGMENTS, key);
    if (status != STATUS_OK) {
        REQUIRE(messages_zero(&x, sizeof x) && messages_zero(&y, sizeof y));
        return status;
    }
    survivors_write(out, &x, &y, seed);
    return STATUS_OK;
}

// clang-format off
MESSAGE(hello, hello, hello_keep, hello,
    hello_read(&x, in, key), hello_write(out, &x, seed))
MESSAGE(opening, opening, opening_keep, opening,
    opening_read(&x, in), opening_whole(out, &x))
MESSAGE(advert, advert, advert_keep, advert,
    advert_read(&x, in, key), advert_write(out, &x, seed))
MESSAGE(roster, roster, roster_free, roster,
    roster_read(&x, in, N, key), roster_write(out, &x, seed))
MESSAGE(position, position, position_keep, position,
    position_read(&x, in, key), position_write(out, &x, seed))
MESSAGE(positions, positions, positions_free, positions,
    positions_read(&x, in, N, key), positions_write(out, &x, seed))
MESSAGE(header, header, header_keep, header,
    header_read(&x, in, key), header_write(out, &x, seed))
MESSAGE(shares, shares, shares_free, shares,
    shares_read(&x, in, HOLDERS, MESSAGES_SEALED_MAX), shares_write(out, &x))
MESSAGE(inbox, inbox, inbox_free, inbox,
    inbox_read(&x, in, N, MESSAGES_SEALED_MAX, key), inbox_write(out, &x, seed))
MESSAGE(digest, digest, digest_keep, digest,
    digest_read(&x, in, key), digest_write(out, &x, seed))
MESSAGE(masked, masked_input, masked_input_keep, masked,
    masked_read(&x, in, messages_plan(), 1), masked_write(out, &x))
MESSAGE(confirm, confirm, confirm_keep, confirm,
    confirm_read(&x, in), confirm_write(out, &x))
MESSAGE(quorum, quorum, quorum_free, quorum,
    quorum_read(&x, in, N), quorum_write(out, &x))
MESSAGE(unmask, unmask, unmask_free, unmask,
    unmask_read(&x, in, N, key), unmask_write(out, &x, seed))
MESSAGE(result, result, result_keep, result,
    result_read(&x, in, key), result_write(out, &x, seed))
MESSAGE(abort, abort_notice, abort_notice_keep, notice,
    abort_read(&x, in, key), abort_write(out, &x, seed))
MESSAGE(finish, finish, finish_keep, finish,
    finish_read(&x, in, key), finish_write(out, &x, seed))

const struct message messages[MSG_KIND_COUNT] = {
    [MSG_HELLO]     = {"hello",     true,  write_hello,     again_hello},
    [MSG_PLAN]      = {"plan",      true,  write_plan,      again_plan},
    [MSG_OPENING]   = {"opening",   false, write_opening,   again_opening},
    [MSG_ADVERT]    = {"advert",    true,  write_advert,    again_advert},
    [MSG_ROSTER]    = {"roster",    true,  write_roster,    again_roster},
    [MSG_HEADER]    = {"header",    true,  write_header,    again_header},
    [MSG_SHARES]    = {"shares",    false, write_shares,    again_shares},
    [MSG_INBOX]     = {"inbox",     true,  write_inbox,     again_inbox},
    [MSG_DIGEST]    = {"digest",    true,  write_digest,    again_digest},
    [MSG_MASKED]    = {"masked",    false, write_masked,    again_masked},
    [MSG_SURVIVORS] = {"survivors", true,  write_survivors, again_survivors},
    [MSG_CONFIRM]   = {"confirm",   false, write_confirm,   again_confirm},
    [MSG_QUORUM]    = {"quorum",    false, write_quorum,    again_quorum},
    [MSG_UNMASK]    = {"unmask",    true,  write_unmask,    again_unmask},
    [MSG_RESULT]    = {"result",    true,  write_result,    again_result},
    [MSG_ABORT]     = {"abort",     true,  write_abort,     again_abort},
    [MSG_FINISH]    = {"finish",    true,  write_finish,    again_finish},
    [MSG_POSITION]  = {"position",  true,  write_position,  again_position},
    [MSG_POSITIONS] = {"positions", true,  write_positions, again_positions},
};
// clang-format on

/* --- changed examples --------------------------------------------------------------------------*/

void message_cut(struct buffer *out, enum msg_kind kind, size_t n)
{
    AUTO(buffer_free) struct buffer whole = {0};
    messages[kind].write(&whole);
    if (messages[kind].is_signed) whole.n -= SIGN_BYTES;
    for (size_t i = 0; i < n; i++) write_u8(out, i < whole.n ? whole.at[i] : 0);
    if (messages[kind].is_signed) wire_sign(out, 0, seed);
}

/* The example with one byte changed, signed anew. */
static void change(struct buffer *out, enum msg_kind kind, size_t at, uint8_t to)
{
    messages[kind].write(out);
    if (messages[kind].is_signed) out->n -= SIGN_BYTES;
    CHECK(at < out->n);
    out->at[at] = to;
    if (messages[kind].is_signed) wire_sign(out, 0, seed);
}

enum status message_with(enum msg_kind kind, size_t at, uint8_t from, uint8_t to)
{
    AUTO(buffer_free) struct buffer was = {0}, bytes = {0}, unused = {0};
    uint8_t key[SIGN_PUBLIC_BYTES];
    messages_signer(key);
    messages[kind].write(&was);
    CHECK_NUMBER(from, was.at[at]);
    change(&bytes, kind, at, to);
    return messages[kind].again(&unused, buffer_view(&bytes), key);
}

bool message_refused(enum msg_kind kind, size_t at, uint8_t to)
{
    AUTO(buffer_free) struct buffer bytes = {0}, unused = {0};
    uint8_t key[SIGN_PUBLIC_BYTES];
    messages_signer(key);
    change(&bytes, kind, at, to);
    oom_start(1);
    const enum status status = messages[kind].again(&unused, buffer_view(&bytes), key);
    oom_stop();
    return status == STATUS_FORMAT && !oom_hit();
}
