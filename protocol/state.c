/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/state.h"

#include <math.h>
#include <stdlib.h>

enum status state_new(struct state *out, size_t n)
{
    AUTO(state_free) struct state state = {0};
    TRY(bits_new(&state.keep, n));
    bits_fill(&state.keep);
    state.weight = calloc(n == 0 ? 1 : n, sizeof *state.weight);
    if (state.weight == NULL) return STATUS_NOMEM;
    *out = state;
    state = (struct state){0};
    return STATUS_OK;
}

void state_free(struct state *state)
{
    bits_free(&state->keep);
    free(state->weight);
    *state = (struct state){0};
}

void state_prune(struct state *state)
{
    for (size_t i = 0; i < state->keep.n; i++)
        if (!bits_has(&state->keep, i)) state->weight[i] = 0;
}

void state_write(struct buffer *out, const struct state *state)
{
    buffer_reserve(out, 8 + 4 + (state->keep.n + 7) / 8 + 4 * bits_count(&state->keep));
    write_f64(out, state->clip);
    write_bits(out, &state->keep);
    for (size_t i = 0; i < state->keep.n; i++)
        if (bits_has(&state->keep, i)) write_f32(out, state->weight[i]);
}

enum status state_read(struct state *out, struct view in, size_t n)
{
    struct reader r = reader_of(in);
    const double clip = read_f64(&r);
    if (!isfinite(clip) || clip < 0) return STATUS_FORMAT;
    AUTO(bits_free) struct bits keep = {0};
    TRY(read_bits(&r, &keep, n));
    if (r.left != 4 * bits_count(&keep)) return STATUS_FORMAT;
    AUTO(state_free) struct state state = {0};
    TRY(state_new(&state, n));
    for (size_t i = 0; i < n; i++) {
        if (!bits_has(&keep, i)) continue;
        state.weight[i] = read_f32(&r);
        if (!isfinite(state.weight[i])) r.bad = true;
    }
    TRY(reader_end(&r));
    state.clip = clip;
    bits_free(&state.keep);
    state.keep = keep;
    keep = (struct bits){0};
    *out = state;
    state = (struct state){0};
    return STATUS_OK;
}
