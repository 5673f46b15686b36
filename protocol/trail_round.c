/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail_round.h"

#include <stdlib.h>

void trail_round_free(struct trail_round *round)
{
    bits_free(&round->survivors);
    bits_free(&round->opened);
    free(round->digest);
    free(round->confirm);
    free(round->taken);
    plan_free(&round->plan);
    *round = (struct trail_round){0};
}

void trail_round_write(struct buffer *out, const struct trail_round *round)
{
    write_blob(out, round->plan_bytes.at, round->plan_bytes.n);
    write_u16(out, (uint16_t)round->why);
    write_bytes(out, round->roster.bytes, HASH_BYTES);
    write_bytes(out, round->dealers.bytes, HASH_BYTES);
    write_bits(out, &round->survivors);
    write_bits(out, &round->opened);
    for (uint32_t i = 0; i < round->n_digests; i++)
        write_bytes(out, round->digest[i].bytes, HASH_BYTES);
    write_u32(out, round->n_confirms);
    for (uint32_t i = 0; i < round->n_confirms; i++) {
        write_u32(out, round->confirm[i].from);
        write_bytes(out, round->confirm[i].signature, SIGN_BYTES);
    }
    for (uint32_t i = 0; i < round->n_cohort; i++)
        for (int k = 0; k < TRAIL_LETTERS; k++) write_u32(out, round->taken[i][k]);
    write_blob(out, round->result_bytes.at, round->result_bytes.n);
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum status read_digests(struct reader *r, struct trail_round *round)
{
    round->n_digests = (uint32_t)bits_count(&round->survivors);
    round->digest = calloc(round->n_digests + 1u, sizeof *round->digest);
    if (round->digest == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < round->n_digests; i++)
        read_bytes(r, round->digest[i].bytes, HASH_BYTES);
    return STATUS_OK;
}

static enum status read_confirms(struct reader *r, struct trail_round *round, uint32_t n)
{
    round->n_confirms = read_u32(r);
    if (round->n_confirms > n) return STATUS_FORMAT;
    round->confirm = calloc(round->n_confirms + 1u, sizeof *round->confirm);
    if (round->confirm == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < round->n_confirms; i++) {
        round->confirm[i].from = read_u32(r);
        read_bytes(r, round->confirm[i].signature, SIGN_BYTES);
    }
    return STATUS_OK;
}

static enum status read_taken(struct reader *r, struct trail_round *round)
{
    round->n_cohort = (uint32_t)bits_count(&round->plan.cohort);
    round->taken = calloc(round->n_cohort + 1u, sizeof *round->taken);
    if (round->taken == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < round->n_cohort; i++)
        for (int k = 0; k < TRAIL_LETTERS; k++) round->taken[i][k] = read_u32(r);
    return STATUS_OK;
}

enum status trail_round_read(struct trail_round *out, struct view in, uint32_t n,
                             const uint8_t *server)
{
    AUTO(trail_round_free) struct trail_round round = {0};
    struct reader r = reader_of(in);
    round.plan_bytes = read_blob(&r, in.n);
    TRY(plan_read(&round.plan, &round.plan_hash, round.plan_bytes, n, server));
    round.why = (enum reason)read_u16(&r);
    read_bytes(&r, round.roster.bytes, HASH_BYTES);
    read_bytes(&r, round.dealers.bytes, HASH_BYTES);
    TRY(read_bits(&r, &round.survivors, n));
    TRY(read_bits(&r, &round.opened, round.plan.n_segments));
    TRY(read_digests(&r, &round));
    TRY(read_confirms(&r, &round, n));
    TRY(read_taken(&r, &round));
    round.result_bytes = read_blob(&r, MSG_RESULT_BYTES_MAX);
    TRY(reader_end(&r));
    *out = round;
    round = (struct trail_round){0};
    return STATUS_OK;
}
