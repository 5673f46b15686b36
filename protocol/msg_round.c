/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that open and close a round: plan, opening, hello, result, abort, finish. */
#include <math.h>
#include <string.h>

#include "protocol/msg_wire.h"

void plan_free(struct plan *plan)
{
    bits_free(&plan->cohort);
    for (uint32_t l = 0; l < plan->n_segments; l++) bits_free(&plan->segment[l].members);
    *plan = (struct plan){0};
}

enum status plan_copy(struct plan *out, const struct plan *in)
{
    AUTO(plan_free) struct plan plan = *in;
    plan.cohort = (struct bits){0};
    plan.n_segments = 0;
    TRY(bits_copy(&plan.cohort, &in->cohort));
    for (uint32_t l = 0; l < in->n_segments; l++) {
        plan.segment[l].members = (struct bits){0};
        TRY(bits_copy(&plan.segment[l].members, &in->segment[l].members));
        plan.n_segments = l + 1;
    }
    *out = plan;
    plan = (struct plan){0};
    return STATUS_OK;
}

void plan_write(struct buffer *out, const struct plan *plan, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_PLAN);
    write_bytes(out, plan->session, MSG_SESSION_BYTES);
    write_u32(out, plan->round);
    write_u8(out, (uint8_t)plan->step);
    write_u32(out, plan->step_number);
    write_hash(out, &plan->manifest);
    write_hash(out, &plan->study);
    write_hash(out, &plan->previous);
    write_hash(out, &plan->state);
    write_u32(out, plan->params.n);
    write_u32(out, plan->params.c);
    write_u32(out, plan->params.t);
    write_u32(out, plan->params.quorum);
    write_u32(out, plan->params.m);
    write_bits(out, &plan->cohort);
    write_f64(out, plan->grid.scale);
    write_u64(out, plan->grid.norm2);
    write_u32(out, (uint32_t)plan->grid.cap);
    write_u32(out, plan->grid.sigma);
    write_u8(out, (uint8_t)plan->grid.bits);
    write_f64(out, plan->sampling);
    write_u8(out, (uint8_t)plan->cipher);
    for (size_t i = 0; i < WAIT_COUNT; i++) write_u32(out, plan->wait_ms[i]);
    write_u8(out, (uint8_t)plan->n_segments);
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct segment *segment = &plan->segment[l];
        write_blob(out, segment->name, strlen(segment->name));
        write_u64(out, segment->dim);
        write_bits(out, &segment->members);
    }
    wire_sign(out, start, identity);
}

static enum status read_segment(struct reader *r, struct segment *out, uint32_t n)
{
    struct view name = read_blob(r, LAYOUT_NAME_MAX);
    if (name.n > 0) memcpy(out->name, name.at, name.n);
    if (memchr(out->name, 0, name.n) != NULL || name.n == 0) r->bad = true;
    out->dim = read_u64(r);
    if (out->dim == 0 || out->dim > MSG_DIM_MAX) r->bad = true;
    return read_bits(r, &out->members, n);
}

enum status plan_read(struct plan *out, struct hash *hash, struct view in, uint32_t n,
                      const uint8_t *server)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_PLAN, server));
    AUTO(plan_free) struct plan plan = {0};
    read_bytes(&r, plan.session, MSG_SESSION_BYTES);
    plan.round = read_u32(&r);
    uint8_t step = read_u8(&r);
    if (step >= STEP_COUNT) r.bad = true;
    plan.step = step;
    plan.step_number = read_u32(&r);
    read_hash(&r, &plan.manifest);
    read_hash(&r, &plan.study);
    read_hash(&r, &plan.previous);
    read_hash(&r, &plan.state);
    plan.params.n = read_u32(&r);
    plan.params.c = read_u32(&r);
    plan.params.t = read_u32(&r);
    plan.params.quorum = read_u32(&r);
    plan.params.m = read_u32(&r);
    TRY(read_bits(&r, &plan.cohort, n));
    plan.grid.scale = read_f64(&r);
    plan.grid.norm2 = read_u64(&r);
    plan.grid.cap = (int32_t)read_u32(&r);
    plan.grid.sigma = read_u32(&r);
    plan.grid.bits = read_u8(&r);
    plan.sampling = read_f64(&r);
    if (!isfinite(plan.grid.scale) || plan.grid.scale <= 0 || plan.grid.cap <= 0 ||
        plan.grid.bits < GRID_BITS_MIN || plan.grid.bits > GRID_BITS_MAX ||
        !(plan.sampling > 0 && plan.sampling <= 1))
        r.bad = true;
    plan.cipher = read_u8(&r); /* an unknown cipher is a refusal with its own reason */
    for (size_t i = 0; i < WAIT_COUNT; i++) plan.wait_ms[i] = read_u32(&r);
    uint32_t n_segments = read_u8(&r);
    if (n_segments == 0 || n_segments > MSG_SEGMENTS_MAX) return STATUS_FORMAT;
    for (uint32_t l = 0; l < n_segments; l++) {
        plan.n_segments = l + 1;
        TRY(read_segment(&r, &plan.segment[l], n));
    }
    TRY(reader_end(&r));
    *hash = hash_of("plan", (struct view){.at = in.at, .n = in.n - SIGN_BYTES});
    *out = plan;
    plan = (struct plan){0};
    return STATUS_OK;
}

static void write_results(struct buffer *out, uint32_t n_results, struct view results)
{
    write_u32(out, n_results);
    write_bytes(out, results.at, results.n);
}

/* n_results blobs, and nothing behind them. */
static enum status read_results(struct reader *r, uint32_t *n_results, struct view *results)
{
    const uint32_t n = read_u32(r);
    if (n > MSG_RESULTS_MAX) return STATUS_FORMAT;
    struct reader ahead = *r;
    for (uint32_t i = 0; i < n && !ahead.bad; i++) (void)read_blob(&ahead, MSG_RESULT_BYTES_MAX);
    if (ahead.bad) return STATUS_FORMAT;
    const struct view all = read_view(r, r->left - ahead.left);
    TRY(reader_end(r));
    *n_results = n;
    *results = all;
    return STATUS_OK;
}

void opening_write(struct buffer *out, const struct opening *opening)
{
    wire_begin(out, MSG_OPENING);
    write_blob(out, opening->plan.at, opening->plan.n);
    write_blob(out, opening->state.at, opening->state.n);
    write_results(out, opening->n_results, opening->results);
}

enum status opening_read(struct opening *out, struct view in)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_OPENING, NULL));
    struct opening opening = {0};
    opening.plan = read_blob(&r, SIZE_MAX);
    opening.state = read_blob(&r, SIZE_MAX);
    TRY(read_results(&r, &opening.n_results, &opening.results));
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
    TRY(read_results(&r, &finish.n_results, &finish.results));
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
    wire_sign(out, start, identity);
}

enum status hello_read(struct hello *out, struct view in, const uint8_t *sender)
{
    struct reader r = {0};
    TRY(wire_open(&r, in, MSG_HELLO, sender));
    struct hello hello = {.from = read_u32(&r)};
    read_hash(&r, &hello.study);
    read_hash(&r, &hello.transcript);
    TRY(reader_end(&r));
    *out = hello;
    return STATUS_OK;
}

static void write_result_body(struct buffer *out, const struct result *result)
{
    write_bytes(out, result->session, MSG_SESSION_BYTES);
    write_u32(out, result->round);
    write_hash(out, &result->previous);
    write_hash(out, &result->plan);
    write_hash(out, &result->survivors);
    write_u32(out, result->n_survivors);
    write_hash(out, &result->sums);
}

void result_write(struct buffer *out, const struct result *result, const uint8_t *identity)
{
    size_t start = out->n;
    wire_begin(out, MSG_RESULT);
    write_result_body(out, result);
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
