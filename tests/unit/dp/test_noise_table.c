/* SPDX-License-Identifier: Apache-2.0 */
/* As shipped, and with a short head, where many samples need more digits. */
#include "dp/noise_table.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

#define N 20000

/* Everything that a table gives to a value, over all words. */
static void a_table_holds_its_law_without_error(void)
{
    static const uint32_t sigmas[] = {1, 4, 31, 64};
    static u128 want[1024], got[2048];
    for (size_t i = 0; i < 4; i++) {
        AUTO(table_free) struct table *t = NULL;
        CHECK_OK(table_new(&t, sigmas[i]));
        const u128 full = (u128)1 << (TABLE_BITS - t->cell_bits);
        law_weights(want, t->reach + 1, sigmas[i], TABLE_BITS);
        for (size_t k = 0; k <= 2 * t->reach; k++) got[k] = 0;
        for (uint32_t k = 0; k < UINT32_C(1) << t->cell_bits; k++) {
            const u128 own = (u128)t->bound[k] << 63 | t->rest[k];
            CHECK(own < full);
            CHECK(k <= 2 * t->reach || own == 0);
            if (k <= 2 * t->reach) got[k] += own;
            CHECK((uint32_t)t->other[k] + t->reach <= 2 * t->reach);
            got[(uint32_t)t->other[k] + t->reach] += full - own;
        }
        for (uint32_t x = 0; x <= t->reach; x++) {
            CHECK(got[t->reach + x] == want[x]);
            CHECK(got[t->reach - x] == want[x]);
        }
    }
}

/* One sample after the other, as the header says, in whole bounds. */
static void draw_plainly(uint32_t *out, size_t n, const struct table *t, struct rng *rng)
{
    static uint64_t word[512];
    for (size_t i = 0; i < n; i += 512) {
        const size_t part = n - i < 512 ? n - i : 512;
        rng_bytes(rng, word, part * sizeof *word);
        for (size_t k = 0; k < part; k++) {
            const uint64_t head = le64toh(word[k]) >> (64 - TABLE_HEAD);
            const size_t cell = head >> (TABLE_HEAD - t->cell_bits);
            const uint64_t u = head - ((uint64_t)cell << (TABLE_HEAD - t->cell_bits));
            bool own = u < t->bound[cell];
            if (u == t->bound[cell]) {
                const u128 bound = (u128)t->bound[cell] << 63 | t->rest[cell];
                own = ((u128)u << 63 | rng_u64(rng) >> 1) < bound;
            }
            out[i + k] = own ? (uint32_t)cell - t->reach : (uint32_t)t->other[cell];
        }
    }
}

static void samples_are_those_of_the_plain_way(void)
{
    static uint32_t got[N], want[N];
    static const uint32_t sigmas[] = {1, 5, 64};
    for (size_t i = 0; i < 3; i++) {
        AUTO(table_free) struct table *t = NULL;
        CHECK_OK(table_new(&t, sigmas[i]));
        struct rng a = {0}, b = {0};
        rng_numbered(&a, i);
        rng_numbered(&b, i);
        table_draw(got, N, t, &a);
        draw_plainly(want, N, t, &b);
        CHECK_BYTES(want, got, sizeof got);
        CHECK_NUMBER(rng_u64(&b), rng_u64(&a));
    }
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        AUTO(table_free) struct table *t = NULL;
        const enum status status = table_new(&t, 4);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((t == NULL) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(a_table_holds_its_law_without_error);
    RUN(samples_are_those_of_the_plain_way);
    RUN(memory_may_end_anywhere);
    return check_done();
}
