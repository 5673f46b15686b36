/* SPDX-License-Identifier: Apache-2.0 */
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
    write_u32(out, plan->params.k);
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
    write_u32(out, plan->release_ms);
    write_u8(out, (uint8_t)plan->sampler);
    write_u32(out, plan->clip_bit);
    write_u8(out, (uint8_t)plan->removable);
    write_u8(out, (uint8_t)plan->n_segments);
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        const struct segment *segment = &plan->segment[l];
        write_blob(out, segment->name, strlen(segment->name));
        write_u64(out, segment->dim);
        write_bits(out, &segment->members);
        write_u32(out, segment->degree);
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
    TRY(read_bits(r, &out->members, n));
    out->degree = read_u32(r);
    return STATUS_OK;
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
    plan.params.k = read_u32(&r);
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
    plan.release_ms = read_u32(&r);
    plan.sampler = read_u8(&r); /* as with the cipher */
    plan.clip_bit = read_u32(&r);
    if (plan.clip_bit > 0 && (uint64_t)plan.clip_bit * plan.clip_bit >= plan.grid.norm2)
        r.bad = true;
    plan.removable = read_u8(&r);
    if (plan.removable > XNOISE_REMOVABLE_MAX) r.bad = true;
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
