/* SPDX-License-Identifier: Apache-2.0 */
/* All messages go through the same sweeps: written and read back, cut, prolonged, altered, signed
 * by another, read without memory. What is special to one message follows below. */
#include <string.h>

#include "protocol/msg_wire.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 5          /* members */
#define SEGMENTS 2   /* of the plan */
#define SEALED_MAX 9 /* bytes of a sealed part */

static const uint8_t seed[SIGN_SEED_BYTES] = {1};
static uint8_t signer[SIGN_PUBLIC_BYTES], stranger[SIGN_PUBLIC_BYTES];

static const struct view word = {(const uint8_t *)"word", 4};
static const struct view blob_of_word = {(const uint8_t *)"\4\0\0\0word", 8};
static const uint8_t session[MSG_SESSION_BYTES] = {9, 8, 7};

static struct plan plan;

static void make_plan(void)
{
    plan = (struct plan){.round = 3,
                         .step = STEP_TRAIN,
                         .step_number = 2,
                         .manifest = {{1}},
                         .study = {{2}},
                         .previous = {{3}},
                         .state = {{4}},
                         .params = {N, 1, 4, 4, 2},
                         .grid = {.scale = 0.5, .norm2 = 6, .cap = 7, .sigma = 8, .bits = 11},
                         .sampling = 0.25,
                         .wait_ms = {1, 2, 3, 4, 5}};
    memcpy(plan.session, session, sizeof session);
    REQUIRE(bits_new(&plan.cohort, N) == STATUS_OK);
    bits_fill(&plan.cohort);
    for (uint32_t l = 0; l < SEGMENTS; l++) {
        struct segment *segment = &plan.segment[plan.n_segments++];
        memcpy(segment->name, l == 0 ? "conv" : "dense", l == 0 ? 4 : 5);
        segment->dim = 10 + l;
        REQUIRE(bits_new(&segment->members, N) == STATUS_OK);
        bits_set(&segment->members, l);
        bits_set(&segment->members, 4);
    }
}

static bool is_zero(const void *at, size_t n)
{
    const uint8_t *byte = at;
    for (size_t i = 0; i < n; i++)
        if (byte[i] != 0) return false;
    return true;
}

/* One writer of an example, and one reader that writes again what it read. A reader that fails has
 * left its output as it was. */
#define UNTOUCHED_OR(status, out)                                                                  \
    if ((status) != STATUS_OK) {                                                                   \
        CHECK(is_zero(&(out), sizeof(out)));                                                       \
        return status;                                                                             \
    }

static void example_plan(struct buffer *out)
{
    plan_write(out, &plan, seed);
}

static enum status again_plan(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(plan_free) struct plan back = {0};
    struct hash hash = {{0}};
    const enum status status = plan_read(&back, &hash, in, N, key);
    UNTOUCHED_OR(status, back)
    const struct hash want = hash_of("plan", (struct view){in.at, in.n - SIGN_BYTES});
    CHECK(hash_equal(&want, &hash));
    plan_write(out, &back, seed);
    return STATUS_OK;
}

static const struct opening example = {
    .plan = {(const uint8_t *)"plan", 4},
    .state = {(const uint8_t *)"state", 5},
    .n_results = 2,
    .results = {(const uint8_t *)"\4\0\0\0word\1\0\0\0x", 13},
};

static void example_opening(struct buffer *out)
{
    opening_write(out, &example);
}

static enum status again_opening(struct buffer *out, struct view in, const uint8_t *key)
{
    (void)key;
    struct opening back = {0};
    const enum status status = opening_read(&back, in);
    UNTOUCHED_OR(status, back)
    opening_write(out, &back);
    return STATUS_OK;
}

static void example_finish(struct buffer *out)
{
    const struct finish finish = {.manifest = {{5}},
                                  .state = example.state,
                                  .n_results = example.n_results,
                                  .results = example.results};
    finish_write(out, &finish, seed);
}

static enum status again_finish(struct buffer *out, struct view in, const uint8_t *key)
{
    struct finish back = {0};
    const enum status status = finish_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    finish_write(out, &back, seed);
    return STATUS_OK;
}

static void example_hello(struct buffer *out)
{
    hello_write(out, &(struct hello){.from = 3, .study = {{1}}, .transcript = {{2}}}, seed);
}

static enum status again_hello(struct buffer *out, struct view in, const uint8_t *key)
{
    struct hello back = {0};
    const enum status status = hello_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    hello_write(out, &back, seed);
    return STATUS_OK;
}

static void example_advert(struct buffer *out)
{
    struct advert advert = {.plan = {{1}}, .from = 2, .mask_key = {3}, .enc_key = {4}};
    memcpy(advert.session, session, sizeof session);
    advert_write(out, &advert, seed);
}

static enum status again_advert(struct buffer *out, struct view in, const uint8_t *key)
{
    struct advert back = {0};
    const enum status status = advert_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    advert_write(out, &back, seed);
    return STATUS_OK;
}

static void example_roster(struct buffer *out)
{
    struct view advert[N] = {word, {0}, word, {(const uint8_t *)"x", 1}, {0}};
    struct roster roster = {.n = N, .advert = advert};
    memcpy(roster.session, session, sizeof session);
    roster_write(out, &roster, seed);
}

static enum status again_roster(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(roster_free) struct roster back = {0};
    const enum status status = roster_read(&back, in, N, key);
    UNTOUCHED_OR(status, back)
    roster_write(out, &back, seed);
    return STATUS_OK;
}

static void example_header(struct buffer *out)
{
    struct header header = {.plan = {{1}},
                            .roster = {{2}},
                            .from = 3,
                            .root = {{4}},
                            .n_selfs = SEGMENTS,
                            .self = {{{5}}, {{6}}}};
    memcpy(header.session, session, sizeof session);
    header_write(out, &header, seed);
}

static enum status again_header(struct buffer *out, struct view in, const uint8_t *key)
{
    struct header back = {0};
    const enum status status = header_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    header_write(out, &back, seed);
    return STATUS_OK;
}

static void example_shares(struct buffer *out)
{
    struct hash leaf[N] = {{{1}}, {{2}}, {{3}}, {{4}}, {{5}}};
    struct view sealed[N] = {word, {0}, word, word, word};
    shares_write(out, &(struct shares){.header = word, .n = N, .leaf = leaf, .sealed = sealed});
}

static enum status again_shares(struct buffer *out, struct view in, const uint8_t *key)
{
    (void)key;
    AUTO(shares_free) struct shares back = {0};
    const enum status status = shares_read(&back, in, N, SEALED_MAX);
    UNTOUCHED_OR(status, back)
    shares_write(out, &back);
    return STATUS_OK;
}

static void example_inbox(struct buffer *out)
{
    struct inbox inbox = {0};
    REQUIRE(inbox_new(&inbox, N) == STATUS_OK);
    memcpy(inbox.session, session, sizeof session);
    inbox.header[1] = inbox.header[3] = inbox.sealed[1] = word;
    inbox.path[1] = (struct merkle_path){.n = 2, .node = {{{1}}, {{2}}}};
    inbox_write(out, &inbox, seed);
    inbox_free(&inbox);
}

static enum status again_inbox(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(inbox_free) struct inbox back = {0};
    const enum status status = inbox_read(&back, in, N, SEALED_MAX, key);
    UNTOUCHED_OR(status, back)
    inbox_write(out, &back, seed);
    return STATUS_OK;
}

static void example_digest(struct buffer *out)
{
    struct digest digest = {.plan = {{1}},
                            .roster = {{2}},
                            .dealers = {{3}},
                            .from = 4,
                            .n_segments = SEGMENTS,
                            .segment = {{{5}}, {{6}}}};
    memcpy(digest.session, session, sizeof session);
    digest_write(out, &digest, seed);
}

static enum status again_digest(struct buffer *out, struct view in, const uint8_t *key)
{
    struct digest back = {0};
    const enum status status = digest_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    digest_write(out, &back, seed);
    return STATUS_OK;
}

/* Site 1 is in segment 1 alone. */
static void example_masked(struct buffer *out)
{
    static const uint8_t body[64] = {1, 2, 3};
    struct masked_input masked = {.digest = word, .n_segments = SEGMENTS};
    masked.body[1] = (struct view){body, packed_bytes(12, 11)};
    masked_write(out, &masked);
}

static enum status again_masked(struct buffer *out, struct view in, const uint8_t *key)
{
    (void)key;
    struct masked_input back = {0};
    const enum status status = masked_read(&back, in, &plan, 1);
    UNTOUCHED_OR(status, back)
    CHECK_NUMBER(0, back.body[0].n);
    masked_write(out, &back);
    return STATUS_OK;
}

static void example_survivors(struct buffer *out)
{
    AUTO(survivors_free)
    struct survivors survivors = {.plan = {{1}}, .roster = {{2}}, .dealers = {{3}}, .root = {{4}}};
    memcpy(survivors.session, session, sizeof session);
    REQUIRE(bits_new(&survivors.survivors, N) == STATUS_OK);
    REQUIRE(bits_new(&survivors.opened, SEGMENTS) == STATUS_OK);
    bits_set(&survivors.survivors, 3);
    bits_set(&survivors.opened, 1);
    survivors_write(out, &survivors, &(struct merkle_path){.n = 1, .node = {{{5}}}}, seed);
}

static enum status again_survivors(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(survivors_free) struct survivors back = {0};
    struct merkle_path path = {0};
    const enum status status = survivors_read(&back, &path, in, N, SEGMENTS, key);
    if (status != STATUS_OK) CHECK(is_zero(&path, sizeof path));
    UNTOUCHED_OR(status, back)
    survivors_write(out, &back, &path, seed);
    return STATUS_OK;
}

static void example_confirm(struct buffer *out)
{
    struct confirm confirm = {.from = 3, .signature = {1, 2}};
    memcpy(confirm.session, session, sizeof session);
    confirm_write(out, &confirm);
}

static enum status again_confirm(struct buffer *out, struct view in, const uint8_t *key)
{
    (void)key;
    struct confirm back = {0};
    const enum status status = confirm_read(&back, in);
    UNTOUCHED_OR(status, back)
    confirm_write(out, &back);
    return STATUS_OK;
}

static void example_quorum(struct buffer *out)
{
    struct confirm confirm[] = {{.from = 1, .signature = {1}}, {.from = 4, .signature = {2}}};
    struct quorum quorum = {.n = 2, .confirm = confirm};
    memcpy(quorum.session, session, sizeof session);
    quorum_write(out, &quorum);
}

static enum status again_quorum(struct buffer *out, struct view in, const uint8_t *key)
{
    (void)key;
    AUTO(quorum_free) struct quorum back = {0};
    const enum status status = quorum_read(&back, in, N);
    UNTOUCHED_OR(status, back)
    CHECK_BYTES(back.session, back.confirm[1].session, sizeof back.session);
    quorum_write(out, &back);
    return STATUS_OK;
}

static void example_unmask(struct buffer *out)
{
    static struct bundle bundle[N];
    bundle[2] = (struct bundle){.n = 1 + SEGMENTS,
                                .have = {true, false, true},
                                .share = {{1}, {0}, {2}},
                                .salt = {{3}, {0}, {4}},
                                .commitment = {{{0}}, {{5}}}};
    struct unmask unmask = {.survivors = {{6}}, .from = 3, .n = N, .bundle = bundle};
    memcpy(unmask.session, session, sizeof session);
    unmask_write(out, &unmask, seed);
}

static enum status again_unmask(struct buffer *out, struct view in, const uint8_t *key)
{
    AUTO(unmask_free) struct unmask back = {0};
    const enum status status = unmask_read(&back, in, N, key);
    UNTOUCHED_OR(status, back)
    unmask_write(out, &back, seed);
    return STATUS_OK;
}

static void example_result(struct buffer *out)
{
    struct result result = {.round = 4,
                            .previous = {{1}},
                            .plan = {{2}},
                            .survivors = {{3}},
                            .n_survivors = 5,
                            .sums = {{6}}};
    memcpy(result.session, session, sizeof session);
    result_write(out, &result, seed);
}

static enum status again_result(struct buffer *out, struct view in, const uint8_t *key)
{
    struct result back = {0};
    const enum status status = result_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    result_write(out, &back, seed);
    return STATUS_OK;
}

static void example_abort(struct buffer *out)
{
    struct abort_notice notice = {.from = 2, .about = UINT32_MAX, .reason = REASON_SHARE};
    memcpy(notice.session, session, sizeof session);
    abort_write(out, &notice, seed);
}

static enum status again_abort(struct buffer *out, struct view in, const uint8_t *key)
{
    struct abort_notice back = {0};
    const enum status status = abort_read(&back, in, key);
    UNTOUCHED_OR(status, back)
    abort_write(out, &back, seed);
    return STATUS_OK;
}

// clang-format off
static const struct row {
    enum msg_kind kind;
    bool is_signed;
    void (*write)(struct buffer *out);
    enum status (*again)(struct buffer *out, struct view in, const uint8_t *key);
} rows[] = {
    {MSG_HELLO,     true,  example_hello,     again_hello},
    {MSG_PLAN,      true,  example_plan,      again_plan},
    {MSG_OPENING,   false, example_opening,   again_opening},
    {MSG_ADVERT,    true,  example_advert,    again_advert},
    {MSG_ROSTER,    true,  example_roster,    again_roster},
    {MSG_HEADER,    true,  example_header,    again_header},
    {MSG_SHARES,    false, example_shares,    again_shares},
    {MSG_INBOX,     true,  example_inbox,     again_inbox},
    {MSG_DIGEST,    true,  example_digest,    again_digest},
    {MSG_MASKED,    false, example_masked,    again_masked},
    {MSG_SURVIVORS, true,  example_survivors, again_survivors},
    {MSG_CONFIRM,   false, example_confirm,   again_confirm},
    {MSG_QUORUM,    false, example_quorum,    again_quorum},
    {MSG_UNMASK,    true,  example_unmask,    again_unmask},
    {MSG_RESULT,    true,  example_result,    again_result},
    {MSG_ABORT,     true,  example_abort,     again_abort},
    {MSG_FINISH,    true,  example_finish,    again_finish},
};
// clang-format on
#define ROWS (sizeof rows / sizeof *rows)

static enum status read_row(const struct row *row, struct view in, const uint8_t *key)
{
    AUTO(buffer_free) struct buffer unused = {0};
    return row->again(&unused, in, key);
}

static void each_message_is_read_back_as_written(void)
{
    CHECK_NUMBER(MSG_KIND_COUNT - 1, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        AUTO(buffer_free) struct buffer bytes = {0}, again = {0};
        rows[i].write(&bytes);
        CHECK_NUMBER(rows[i].kind, msg_kind_of(buffer_view(&bytes)));
        CHECK_OK(rows[i].again(&again, buffer_view(&bytes), signer));
        CHECK_NUMBER(bytes.n, again.n);
        CHECK_BYTES(bytes.at, again.at, bytes.n);
    }
}

/* The example's body of n bytes (prolonged with zeros), signed anew where the kind is signed. */
static void cut_and_sign(struct buffer *out, const struct row *row, const struct buffer *whole,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) write_u8(out, i < whole->n ? whole->at[i] : 0);
    if (row->is_signed) wire_sign(out, 0, seed);
}

static void other_lengths_are_refused(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        AUTO(buffer_free) struct buffer whole = {0};
        rows[i].write(&whole);
        /* As a line that breaks off would deliver it. */
        for (size_t n = 0; n < whole.n; n += 7) {
            const enum status status = read_row(&rows[i], (struct view){whole.at, n}, signer);
            CHECK(status == STATUS_FORMAT || (rows[i].is_signed && status == STATUS_AUTH));
        }
        /* As a liar would sign it. */
        if (rows[i].is_signed) whole.n -= SIGN_BYTES;
        const size_t body = whole.n;
        for (size_t n = 0; n <= body + 1; n++) {
            if (n == body) continue;
            AUTO(buffer_free) struct buffer bytes = {0};
            cut_and_sign(&bytes, &rows[i], &whole, n);
            CHECK_STATUS(STATUS_FORMAT, read_row(&rows[i], buffer_view(&bytes), signer));
        }
    }
}

static void another_prefix_or_kind_is_refused(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        rows[i].write(&bytes);
        for (size_t at = 0; at < 3; at++) {
            bytes.at[at] ^= 1;
            CHECK_NUMBER(0, msg_kind_of(buffer_view(&bytes)));
            CHECK_STATUS(STATUS_FORMAT, read_row(&rows[i], buffer_view(&bytes), signer));
            bytes.at[at] ^= 1;
        }
        for (uint8_t kind = 0; kind < MSG_KIND_COUNT + 2; kind++) {
            if (kind == rows[i].kind) continue;
            bytes.at[3] = kind;
            CHECK_STATUS(STATUS_FORMAT, read_row(&rows[i], buffer_view(&bytes), signer));
        }
    }
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1", 3}));
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1\0", 4}));
    CHECK_NUMBER(0, msg_kind_of((struct view){(const uint8_t *)"SA1\377", 4}));
    const uint8_t next[] = {'S', 'A', '1', MSG_KIND_COUNT};
    CHECK_NUMBER(0, msg_kind_of((struct view){next, sizeof next}));
}

static void another_signature_is_refused(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!rows[i].is_signed) continue;
        AUTO(buffer_free) struct buffer bytes = {0};
        rows[i].write(&bytes);
        CHECK_STATUS(STATUS_AUTH, read_row(&rows[i], buffer_view(&bytes), stranger));
        /* Any altered byte, of the content as of the signature. */
        for (size_t at = 4; at < bytes.n; at += 1 + bytes.n / 40) {
            bytes.at[at] ^= 0x40;
            CHECK_STATUS(STATUS_AUTH, read_row(&rows[i], buffer_view(&bytes), signer));
            bytes.at[at] ^= 0x40;
        }
    }
}

static void without_memory_the_output_is_untouched(void)
{
    size_t hits = 0;
    for (size_t i = 0; i < ROWS; i++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        rows[i].write(&bytes);
        OOM_EACH {
            AUTO(buffer_free) struct buffer again = {0};
            enum status status = rows[i].again(&again, buffer_view(&bytes), signer);
            oom_stop();
            if (status != STATUS_OK) {
                CHECK_STATUS(STATUS_NOMEM, status);
                hits++;
            }
        }
    }
    /* plan 3, roster 1, shares 2, inbox 3, survivors 2, quorum 1, unmask 1 */
    CHECK_NUMBER(13, hits);
}

static void a_writer_without_memory_says_so(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].kind == MSG_INBOX || rows[i].kind == MSG_SURVIVORS) continue;
        AUTO(buffer_free) struct buffer bytes = {0};
        oom_start(1);
        rows[i].write(&bytes);
        oom_stop();
        CHECK_STATUS(STATUS_NOMEM, bytes.status);
    }
}

/* --- sizes that are refused before memory is asked for -------------------------------------------
 */

/* Change one place of an example, sign it again, read it with no memory at all. */
static void refused_without_memory(enum msg_kind kind, size_t at, uint8_t value)
{
    const struct row *row = rows;
    while (row->kind != kind) row++;
    AUTO(buffer_free) struct buffer whole = {0}, bytes = {0};
    row->write(&whole);
    if (row->is_signed) whole.n -= SIGN_BYTES;
    whole.at[at] = value;
    cut_and_sign(&bytes, row, &whole, whole.n);
    oom_start(1);
    const enum status status = read_row(row, buffer_view(&bytes), signer);
    oom_stop();
    CHECK_STATUS(STATUS_FORMAT, status);
    CHECK(!oom_hit());
}

static void counts_above_their_limit_are_refused_before_allocation(void)
{
    const size_t head = 4 + MSG_SESSION_BYTES;
    refused_without_memory(MSG_QUORUM, head, 0);
    refused_without_memory(MSG_QUORUM, head, N + 1);
    refused_without_memory(MSG_QUORUM, head + 3, 0xff);
    refused_without_memory(MSG_HEADER, head + 64 + 4 + 32, MSG_SEGMENTS_MAX + 1);
    refused_without_memory(MSG_DIGEST, head + 96 + 4, MSG_SEGMENTS_MAX + 1);
    refused_without_memory(MSG_OPENING, 4 + 8 + 9 + 3, 1);
    refused_without_memory(MSG_OPENING, 4 + 3, 0xff);
    refused_without_memory(MSG_OPENING, 4 + 8 + 3, 0xff);
    refused_without_memory(MSG_MASKED, 4 + 3, 1);
    /* The number of members of a survivor set, of a cohort. */
    refused_without_memory(MSG_SURVIVORS, head + 96, N + 1);
    refused_without_memory(MSG_SURVIVORS, head + 96 + 3, 0xff);
    refused_without_memory(MSG_PLAN, head + 4 + 1 + 4 + 128 + 20, N - 1);
}

/* --- fields that only some values may have -------------------------------------------------------
 */

static enum status reread(const struct plan *p)
{
    AUTO(buffer_free) struct buffer bytes = {0}, again = {0};
    plan_write(&bytes, p, seed);
    return again_plan(&again, buffer_view(&bytes), signer);
}

static void plans_out_of_range_are_malformed(void)
{
    struct plan p = plan;
    p.step = STEP_COUNT;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.grid.scale = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.grid.scale = __builtin_inf();
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.grid.cap = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.grid.bits = GRID_BITS_MIN - 1;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.grid.bits = GRID_BITS_MAX + 1;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.sampling = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.sampling = 1.001;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.sampling = __builtin_nan("");
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.segment[1].dim = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p.segment[1].dim = MSG_DIM_MAX + 1;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.segment[0].name[0] = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    p = plan;
    p.n_segments = 0;
    CHECK_STATUS(STATUS_FORMAT, reread(&p));
    CHECK_OK(reread(&plan));
}

static void an_unknown_cipher_is_read(void)
{
    struct plan p = plan;
    p.cipher = 200;
    CHECK_OK(reread(&p));
}

/* The example with one byte of its body changed, signed again. */
static enum status with_byte(enum msg_kind kind, size_t at, uint8_t from, uint8_t to)
{
    const struct row *row = rows;
    while (row->kind != kind) row++;
    AUTO(buffer_free) struct buffer whole = {0}, bytes = {0};
    row->write(&whole);
    whole.n -= SIGN_BYTES;
    CHECK_NUMBER(from, whole.at[at]);
    whole.at[at] = to;
    cut_and_sign(&bytes, row, &whole, whole.n);
    return read_row(row, buffer_view(&bytes), signer);
}

static void a_flag_is_zero_or_one(void)
{
    const size_t head = 4 + MSG_SESSION_BYTES, bundle = head + 32 + 4 + 2 + 1;
    CHECK_STATUS(STATUS_FORMAT, with_byte(MSG_ROSTER, head, 1, 2));
    CHECK_STATUS(STATUS_FORMAT, with_byte(MSG_ROSTER, head + 25, 0, 2)); /* the last one */
    CHECK_STATUS(STATUS_FORMAT, with_byte(MSG_UNMASK, bundle, 1, 2));
    CHECK_STATUS(STATUS_FORMAT, with_byte(MSG_UNMASK, bundle + 1 + 64, 0, 2));
}

static void a_name_has_no_zero_byte(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    example_plan(&bytes);
    const uint8_t *name = memmem(bytes.at, bytes.n, "conv", 4);
    CHECK(name != NULL);
    if (name == NULL) return;
    const size_t at = (size_t)(name - bytes.at);
    CHECK_STATUS(STATUS_FORMAT, with_byte(MSG_PLAN, at + 1, 'o', 0));
    CHECK_OK(with_byte(MSG_PLAN, at + 1, 'o', 'a'));
}

static void a_path_has_a_limit(void)
{
    const struct row *row = rows;
    while (row->kind != MSG_SURVIVORS) row++;
    AUTO(buffer_free) struct buffer whole = {0};
    row->write(&whole);
    /* The example's path has one node. */
    whole.n -= SIGN_BYTES + HASH_BYTES;
    for (uint8_t n = MERKLE_PATH_MAX; n <= MERKLE_PATH_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        whole.at[whole.n - 1] = n;
        cut_and_sign(&bytes, row, &whole, whole.n + n * (size_t)HASH_BYTES);
        CHECK_STATUS(n == MERKLE_PATH_MAX ? STATUS_OK : STATUS_FORMAT,
                     read_row(row, buffer_view(&bytes), signer));
    }
}

static void results_have_a_limit(void)
{
    AUTO(buffer_free) struct buffer results = {0};
    for (uint32_t i = 0; i < MSG_RESULTS_MAX; i++) write_u32(&results, 0);
    for (uint32_t n = MSG_RESULTS_MAX; n <= MSG_RESULTS_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        opening_write(&bytes, &(struct opening){.n_results = n, .results = buffer_view(&results)});
        struct opening out = {0};
        CHECK_STATUS(n == MSG_RESULTS_MAX ? STATUS_OK : STATUS_FORMAT,
                     opening_read(&out, buffer_view(&bytes)));
        write_u32(&results, 0);
    }
}

static void a_present_view_is_not_empty(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    wire_begin(&bytes, MSG_ROSTER);
    write_bytes(&bytes, session, sizeof session);
    for (size_t v = 0; v < N; v++) write_u8(&bytes, v == 2);
    write_u32(&bytes, 0); /* would be the blob's length, were it at the end */
    wire_sign(&bytes, 0, seed);
    struct roster out = {0};
    CHECK_STATUS(STATUS_FORMAT, roster_read(&out, buffer_view(&bytes), N, signer));
    bytes.n = 4 + sizeof session;
    for (size_t v = 0; v < N; v++) {
        write_u8(&bytes, v == 2);
        if (v == 2) write_u32(&bytes, 0);
    }
    wire_sign(&bytes, 0, seed);
    CHECK_STATUS(STATUS_FORMAT, roster_read(&out, buffer_view(&bytes), N, signer));
}

static void sealed_parts_and_heads_have_a_limit(void)
{
    static const uint8_t big[WIRE_HEAD_MAX + 1] = {1};
    for (size_t n = SEALED_MAX; n <= SEALED_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        struct hash leaf[N] = {{{0}}};
        struct view sealed[N] = {{big, n}};
        shares_write(&bytes,
                     &(struct shares){.header = word, .n = N, .leaf = leaf, .sealed = sealed});
        AUTO(shares_free) struct shares out = {0};
        CHECK_STATUS(n == SEALED_MAX ? STATUS_OK : STATUS_FORMAT,
                     shares_read(&out, buffer_view(&bytes), N, SEALED_MAX));
    }
    for (size_t n = WIRE_HEAD_MAX; n <= WIRE_HEAD_MAX + 1; n++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        struct view advert[N] = {{big, n}};
        roster_write(&bytes, &(struct roster){.n = N, .advert = advert}, seed);
        AUTO(roster_free) struct roster out = {0};
        CHECK_STATUS(n == WIRE_HEAD_MAX ? STATUS_OK : STATUS_FORMAT,
                     roster_read(&out, buffer_view(&bytes), N, signer));
    }
}

/* The longest head that this program writes fits into what it reads. */
static void the_longest_heads_fit(void)
{
    AUTO(buffer_free) struct buffer header = {0}, digest = {0};
    header_write(&header, &(struct header){.n_selfs = MSG_SEGMENTS_MAX}, seed);
    digest_write(&digest, &(struct digest){.n_segments = MSG_SEGMENTS_MAX}, seed);
    CHECK(header.n <= WIRE_HEAD_MAX && digest.n <= WIRE_HEAD_MAX);
}

static void a_masked_input_has_the_planned_size(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    example_masked(&bytes);
    struct masked_input out = {0};
    CHECK_OK(masked_read(&out, buffer_view(&bytes), &plan, 1));
    CHECK_STATUS(STATUS_FORMAT, masked_read(&out, buffer_view(&bytes), &plan, 0));
    CHECK_STATUS(STATUS_FORMAT, masked_read(&out, buffer_view(&bytes), &plan, 2));
    CHECK_STATUS(STATUS_FORMAT, masked_read(&out, buffer_view(&bytes), &plan, N));
}

/* --- what is hashed and signed -------------------------------------------------------------------
 */

static void results_chain(void)
{
    struct result base = {.round = 1, .n_survivors = 3};
    struct result other[7];
    for (size_t i = 0; i < 7; i++) other[i] = base;
    other[0].session[0] = 1;
    other[1].round = 2;
    other[2].previous.bytes[0] = 1;
    other[3].plan.bytes[0] = 1;
    other[4].survivors.bytes[0] = 1;
    other[5].n_survivors = 4;
    other[6].sums.bytes[0] = 1;
    const struct hash want = result_transcript(&base);
    for (size_t i = 0; i < 7; i++) {
        const struct hash got = result_transcript(&other[i]);
        CHECK(!hash_equal(&want, &got));
    }
}

static void a_confirmation_is_of_the_whole_statement(void)
{
    AUTO(survivors_free) struct survivors s = {0};
    CHECK_OK(bits_new(&s.survivors, N));
    CHECK_OK(bits_new(&s.opened, SEGMENTS));
    const struct hash want = survivors_hash(&s);
    struct confirm confirm = {.from = 1};
    confirm_sign(&confirm, &want, seed);
    CHECK(confirm_check(&confirm, &want, signer));
    CHECK(!confirm_check(&confirm, &want, stranger));
    uint8_t *const field[] = {s.session,
                              s.plan.bytes,
                              s.roster.bytes,
                              s.dealers.bytes,
                              s.root.bytes,
                              (uint8_t *)s.survivors.word,
                              (uint8_t *)s.opened.word};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        *field[i] ^= 1;
        const struct hash other = survivors_hash(&s);
        CHECK(!hash_equal(&want, &other));
        CHECK(!confirm_check(&confirm, &other, signer));
        *field[i] ^= 1;
    }
}

static void rosters_and_inboxes_hash_who_sent_what(void)
{
    const struct hash p = {{1}}, q = {{2}};
    struct view one[N] = {word, {0}, word}, moved[N] = {word, word, {0}};
    const struct hash a = roster_hash(&p, one, N), b = roster_hash(&p, moved, N),
                      c = roster_hash(&q, one, N);
    CHECK(!hash_equal(&a, &b) && !hash_equal(&a, &c));
    const struct hash d = inbox_hash(one, N), e = inbox_hash(moved, N);
    CHECK(!hash_equal(&d, &e));
}

static void a_commitment_binds_everything_about_a_share(void)
{
    const uint8_t salt[HASH_BYTES] = {1}, share[SHARE_BYTES] = {2}, other[32] = {3};
    const struct hash want = bundle_commit(session, 1, 2, 3, salt, share);
    const struct hash got[] = {
        bundle_commit(other, 1, 2, 3, salt, share),    bundle_commit(session, 0, 2, 3, salt, share),
        bundle_commit(session, 1, 0, 3, salt, share),  bundle_commit(session, 1, 2, 0, salt, share),
        bundle_commit(session, 1, 2, 3, other, share), bundle_commit(session, 1, 2, 3, salt, other),
        bundle_commit(session, 2, 1, 3, salt, share),
    };
    for (size_t i = 0; i < sizeof got / sizeof *got; i++) CHECK(!hash_equal(&want, &got[i]));
    uint8_t first[HASH_BYTES], second[HASH_BYTES];
    bundle_salt(first, salt, 0);
    bundle_salt(second, salt, 1);
    CHECK(memcmp(first, second, sizeof first) != 0);
    struct bundle bundle = {.n = 2, .commitment = {want}};
    const struct hash leaf = bundle_leaf(&bundle);
    bundle.commitment[1].bytes[0] ^= 1;
    const struct hash changed = bundle_leaf(&bundle);
    CHECK(!hash_equal(&leaf, &changed));
}

static void a_copied_plan_is_its_own(void)
{
    AUTO(buffer_free) struct buffer want = {0}, got = {0};
    plan_write(&want, &plan, seed);
    OOM_EACH {
        struct plan copy = {0};
        enum status status = plan_copy(&copy, &plan);
        oom_stop();
        if (status == STATUS_OK) {
            CHECK(copy.cohort.word != plan.cohort.word);
            got.n = 0;
            plan_write(&got, &copy, seed);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(is_zero(&copy, sizeof copy));
        }
        plan_free(&copy);
    }
    CHECK_NUMBER(want.n, got.n);
    CHECK_BYTES(want.at, got.at, want.n);
}

static void views_borrow_from_the_input(void)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    example_opening(&bytes);
    struct opening out = {0};
    CHECK_OK(opening_read(&out, buffer_view(&bytes)));
    CHECK(out.plan.at == bytes.at + 8);
    CHECK_NUMBER(2, out.n_results);
    struct reader r = reader_of(out.results);
    struct view first = read_blob(&r, MSG_RESULT_BYTES_MAX);
    CHECK_BYTES(word.at, first.at, word.n);
    CHECK_BYTES(blob_of_word.at, out.results.at, blob_of_word.n);
}

int main(void)
{
    sign_public(signer, seed);
    sign_public(stranger, (const uint8_t[SIGN_SEED_BYTES]){2});
    make_plan();
    RUN(each_message_is_read_back_as_written);
    RUN(other_lengths_are_refused);
    RUN(another_prefix_or_kind_is_refused);
    RUN(another_signature_is_refused);
    RUN(without_memory_the_output_is_untouched);
    RUN(a_writer_without_memory_says_so);
    RUN(counts_above_their_limit_are_refused_before_allocation);
    RUN(plans_out_of_range_are_malformed);
    RUN(an_unknown_cipher_is_read);
    RUN(a_flag_is_zero_or_one);
    RUN(a_name_has_no_zero_byte);
    RUN(a_path_has_a_limit);
    RUN(results_have_a_limit);
    RUN(a_present_view_is_not_empty);
    RUN(sealed_parts_and_heads_have_a_limit);
    RUN(the_longest_heads_fit);
    RUN(a_masked_input_has_the_planned_size);
    RUN(results_chain);
    RUN(a_confirmation_is_of_the_whole_statement);
    RUN(rosters_and_inboxes_hash_who_sent_what);
    RUN(a_commitment_binds_everything_about_a_share);
    RUN(a_copied_plan_is_its_own);
    RUN(views_borrow_from_the_input);
    plan_free(&plan);
    return check_done();
}
