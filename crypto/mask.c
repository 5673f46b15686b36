/* SPDX-License-Identifier: Apache-2.0 */
/* Pads added to a vector. Each thread has a range of it, and in the range each block meets all pads
 * while it is in the cache. A kernel adds whole chunks of a keystream where they lie; the ragged
 * ends of a range are moved into a chunk of their own for that. */
#include "crypto/mask.h"

#include <string.h>

#include "base/crew.h"
#include "base/secret.h"
#include "crypto/mask_kernel.h"

/* Fits the second-level cache, and is long enough for the set-up of a key not to count. */
#define BLOCK_CHUNKS 64

_Static_assert(MASK_THREADS_MAX <= CREW_MAX, "a range for each of a crew");

struct range {
    const struct mask_kernel *kernel;
    uint32_t *sum;
    size_t n;
    uint64_t at;
    const struct pad *pad;
    size_t n_pads;
    int direction;
    uint32_t ring;
};

static void add_pads(const struct range *range, uint32_t *sum, size_t chunks, uint64_t chunk)
{
    for (size_t k = 0; k < range->n_pads; k++) {
        const struct pad *pad = &range->pad[k];
        range->kernel->grow(sum, chunks, pad->key, chunk, pad->sign != range->direction);
    }
    for (size_t i = 0; i < chunks * MASK_CHUNK_WORDS; i++) sum[i] &= range->ring;
}

/* Words that begin or end within a chunk. */
static void add_ragged(const struct range *range, uint32_t *sum, size_t n, uint64_t at)
{
    uint32_t whole[MASK_CHUNK_WORDS] = {0};
    uint32_t *part = whole + at % MASK_CHUNK_WORDS;
    memcpy(part, sum, n * sizeof *sum);
    add_pads(range, whole, 1, at / MASK_CHUNK_WORDS);
    memcpy(sum, part, n * sizeof *sum);
    secret_wipe(whole, sizeof whole);
}

static void range_run(void *context, uint32_t which)
{
    const struct range *range = (const struct range *)context + which;
    size_t length = 0;
    for (size_t i = 0; i < range->n; i += length) {
        const uint64_t at = range->at + i;
        const size_t left = range->n - i, room = MASK_CHUNK_WORDS - (size_t)(at % MASK_CHUNK_WORDS);
        if (room < MASK_CHUNK_WORDS || left < MASK_CHUNK_WORDS) {
            length = left < room ? left : room;
            add_ragged(range, range->sum + i, length, at);
            continue;
        }
        size_t chunks = left / MASK_CHUNK_WORDS;
        if (chunks > BLOCK_CHUNKS) chunks = BLOCK_CHUNKS;
        length = chunks * MASK_CHUNK_WORDS;
        add_pads(range, range->sum + i, chunks, at / MASK_CHUNK_WORDS);
    }
}

void mask_mix(const struct mask_kernel *kernel, uint32_t *sum, size_t n, const struct pad *pad,
              size_t n_pads, const struct mask_how *how, uint64_t at, int direction)
{
    struct range range[MASK_THREADS_MAX];
    /* A thread is worth its start from a block on. */
    const size_t blocks = n / (BLOCK_CHUNKS * MASK_CHUNK_WORDS) + 1;
    size_t threads = how->threads == 0 ? 1 : how->threads;
    if (threads > blocks) threads = blocks;
    const size_t share = n / threads + 1;
    size_t used = 0;
    for (size_t first = 0; first < n; first += share) {
        range[used++] = (struct range){
            .kernel = kernel,
            .sum = sum + first,
            .n = n - first < share ? n - first : share,
            .at = at + first,
            .pad = pad,
            .n_pads = n_pads,
            .direction = direction,
            .ring = UINT32_MAX >> (MASK_BITS_MAX - how->bits),
        };
    }
    crew_run(range_run, range, (uint32_t)used, (unsigned)used);
}

static enum status check(size_t n, const struct pad *pad, size_t n_pads, const struct mask_how *how,
                         uint64_t at)
{
    if (how->bits < 1 || how->bits > MASK_BITS_MAX || how->threads > MASK_THREADS_MAX ||
        n > UINT64_MAX - at || !mask_available(how->cipher))
        return STATUS_RANGE;
    for (size_t k = 0; k < n_pads; k++)
        if (pad[k].sign != 1 && pad[k].sign != -1) return STATUS_RANGE;
    return STATUS_OK;
}

bool mask_available(enum mask_cipher cipher)
{
    return mask_kernel_of(cipher) != NULL;
}

enum status mask_add(struct masked *out, struct noised *in, const struct pad *pad, size_t n_pads,
                     const struct mask_how *how, uint64_t at)
{
    TRY(check(in->n, pad, n_pads, how, at));
    REQUIRE(out->value == NULL);
    mask_mix(mask_kernel_of(how->cipher), in->value, in->n, pad, n_pads, how, at, 1);
    *out = (struct masked){.n = in->n, .value = in->value};
    *in = (struct noised){0};
    return STATUS_OK;
}

enum status mask_take(struct opened *out, struct total *in, const struct pad *pad, size_t n_pads,
                      const struct mask_how *how, uint64_t at)
{
    TRY(check(in->n, pad, n_pads, how, at));
    REQUIRE(out->value == NULL);
    mask_mix(mask_kernel_of(how->cipher), in->value, in->n, pad, n_pads, how, at, -1);
    *out = (struct opened){.n = in->n, .value = in->value};
    *in = (struct total){0};
    return STATUS_OK;
}
