/* SPDX-License-Identifier: Apache-2.0 */
/* Messages around a round: opening, finish, hello, result, abort. */
#include "protocol/msg_wire.h"

static void write_results(struct buffer *out, uint32_t n_results, struct view results)
{
    write_u32(out, n_results);
    write_bytes(out, results.at, results.n);
}

/* n_results blobs. */
static void read_results(struct reader *r, uint32_t *n_results, struct view *results)
{
    const uint32_t n = read_u32(r);
    if (n > MSG_RESULTS_MAX) r->bad = true;
    struct reader ahead = *r;
    for (uint32_t i = 0; i < n && !ahead.bad; i++) (void)read_blob(&ahead, MSG_RESULT_BYTES_MAX);
    if (ahead.bad) r->bad = true;
    *n_results = n;
    *results = read_view(r, r->left - ahead.left);
}

void opening_write(struct buffer *out, const struct opening *opening)
{
    wire_begin(out, MSG_OPENING);
    write_blob(out, opening->plan.at, opening->plan.n);
    write_results(out, opening->n_results, opening->results);
    REQUIRE(opening->state.n <= UINT32_MAX);
    write_u32(out, (uint32_t)opening->state.n);
}

enum status opening_read(struct opening *out, struct view in)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_OPENING, NULL));
    struct opening opening = {0};
    opening.plan = read_blob(&r, SIZE_MAX);
    read_results(&r, &opening.n_results, &opening.results);
    opening.state = read_blob(&r, SIZE_MAX);
    TRY(reader_end(&r));
    *out = opening;
    return STATUS_OK;
}

void finish_write(struct buffer *out, const struct finish *finish, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_FINISH);
    write_hash(out, &finish->manifest);
    write_blob(out, finish->state.at, finish->state.n);
    write_results(out, finish->n_results, finish->results);
    wire_sign(out, start, identity);
}

enum status finish_read(struct finish *out, struct view in, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_FINISH, server));
    struct finish finish = {0};
    read_hash(&r, &finish.manifest);
    finish.state = read_blob(&r, SIZE_MAX);
    read_results(&r, &finish.n_results, &finish.results);
    TRY(reader_end(&r));
    *out = finish;
    return STATUS_OK;
}

void hello_write(struct buffer *out, const struct hello *hello, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_HELLO);
    write_u32(out, hello->from);
    write_hash(out, &hello->study);
    write_hash(out, &hello->transcript);
    write_bytes(out, hello->session, MSG_SESSION_BYTES);
    wire_sign(out, start, identity);
}

enum status hello_read(struct hello *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_HELLO, sender));
    struct hello hello = {.from = read_u32(&r)};
    read_hash(&r, &hello.study);
    read_hash(&r, &hello.transcript);
    read_bytes(&r, hello.session, MSG_SESSION_BYTES);
    TRY(reader_end(&r));
    *out = hello;
    return STATUS_OK;
}

void result_write(struct buffer *out, const struct result *result, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_RESULT);
    write_bytes(out, result->session, MSG_SESSION_BYTES);
    write_u32(out, result->round);
    write_hash(out, &result->previous);
    write_hash(out, &result->plan);
    write_hash(out, &result->survivors);
    write_u32(out, result->n_survivors);
    write_hash(out, &result->sums);
    wire_sign(out, start, identity);
}

enum status result_read(struct result *out, struct view in, const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_RESULT, server));
    struct result result = {0};
    read_bytes(&r, result.session, MSG_SESSION_BYTES);
    result.round = read_u32(&r);
    read_hash(&r, &result.previous);
    read_hash(&r, &result.plan);
    read_hash(&r, &result.survivors);
    result.n_survivors = read_u32(&r);
    read_hash(&r, &result.sums);
    TRY(reader_end(&r));
    *out = result;
    return STATUS_OK;
}

struct hash result_transcript(const struct result *result)
{
    struct hash_state state;
    hash_start(&state, "transcript");
    hash_add(&state, result->session, MSG_SESSION_BYTES);
    hash_add_u64(&state, result->round);
    hash_add(&state, result->previous.bytes, HASH_BYTES);
    hash_add(&state, result->plan.bytes, HASH_BYTES);
    hash_add(&state, result->survivors.bytes, HASH_BYTES);
    hash_add_u64(&state, result->n_survivors);
    hash_add(&state, result->sums.bytes, HASH_BYTES);
    return hash_end(&state);
}

void abort_write(struct buffer *out, const struct abort_notice *notice, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_ABORT);
    write_bytes(out, notice->session, MSG_SESSION_BYTES);
    write_u32(out, notice->from);
    write_u32(out, notice->about);
    write_u16(out, (uint16_t)notice->reason);
    wire_sign(out, start, identity);
}

enum status abort_read(struct abort_notice *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_ABORT, sender));
    struct abort_notice notice = {0};
    read_bytes(&r, notice.session, MSG_SESSION_BYTES);
    notice.from = read_u32(&r);
    notice.about = read_u32(&r);
    notice.reason = (enum reason)read_u16(&r);
    TRY(reader_end(&r));
    *out = notice;
    return STATUS_OK;
}
