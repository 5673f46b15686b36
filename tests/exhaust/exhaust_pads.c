/* SPDX-License-Identifier: Apache-2.0 */
/* Masking in the ring of 16 elements: up to four clients, every set of survivors, and every choice
 * of inputs, which are the elements of one vector. A client adds a pad of its own and one for each
 * peer; from the survivors' sum go their own pads and those they share with clients that dropped.
 */
#include <string.h>

#include "crypto/mask.h"
#include "tests/lib/check.h"

#define BITS 4
#define RING 16
#define CLIENTS_MAX 4
#define N (16 * 16 * 16 * 16)

static uint32_t input[CLIENTS_MAX][N], hidden[CLIENTS_MAX][N], sum[N];
static struct mask_how how = {.bits = BITS};

static bool in_set(unsigned set, size_t u)
{
    return (set >> u & 1) != 0;
}

/* The pad of u towards v as u adds it; u's own when they are the same. */
static struct pad pad_of(size_t u, size_t v)
{
    const size_t low = u < v ? u : v, high = u < v ? v : u;
    return (struct pad){.key = {(uint8_t)(low + 1), (uint8_t)(high + 1)}, .sign = u <= v ? 1 : -1};
}

/* Element e of client u is digit u of e: together all choices of inputs. */
static size_t make_inputs(size_t n)
{
    size_t choices = 1;
    for (size_t u = 0; u < n; u++, choices *= RING)
        for (size_t e = 0; e < N; e++) input[u][e] = (uint32_t)(e >> (BITS * u)) % RING;
    return choices;
}

static void mask_all(size_t n, size_t choices)
{
    for (size_t u = 0; u < n; u++) {
        struct pad pad[CLIENTS_MAX];
        for (size_t v = 0; v < n; v++) pad[v] = pad_of(u, v);
        memcpy(hidden[u], input[u], sizeof hidden[u]);
        struct noised in = {.n = choices, .value = hidden[u]};
        struct masked out = {0};
        CHECK_OK(mask_add(&out, &in, pad, n, &how, 0));
    }
}

/* What the aggregator takes away when only the survivors' vectors came. */
static size_t leftover_pads(struct pad *pad, size_t n, unsigned survivors)
{
    size_t count = 0;
    for (size_t u = 0; u < n; u++)
        for (size_t v = 0; v < n && in_set(survivors, u); v++)
            if (u == v || !in_set(survivors, v)) pad[count++] = pad_of(u, v);
    return count;
}

static void open_sum(const struct pad *pad, size_t n_pads, size_t n, size_t choices,
                     unsigned survivors)
{
    memset(sum, 0, sizeof sum);
    for (size_t u = 0; u < n; u++)
        for (size_t e = 0; e < choices && in_set(survivors, u); e++) sum[e] += hidden[u][e];
    struct total in = {.n = choices, .value = sum};
    struct opened out = {0};
    CHECK_OK(mask_take(&out, &in, pad, n_pads, &how, 0));
}

/* How many choices of inputs are opened to the survivors' true sum. */
static size_t right_sums(size_t n, size_t choices, unsigned survivors)
{
    size_t right = 0;
    for (size_t e = 0; e < choices; e++) {
        uint32_t want = 0;
        for (size_t u = 0; u < n; u++)
            if (in_set(survivors, u)) want += input[u][e];
        right += sum[e] == want % RING;
    }
    return right;
}

static void every_set_of_survivors_opens_to_its_sum(void)
{
    for (size_t n = 1; n <= CLIENTS_MAX; n++) {
        const size_t choices = make_inputs(n);
        mask_all(n, choices);
        for (unsigned survivors = 1; survivors < 1u << n; survivors++) {
            struct pad pad[CLIENTS_MAX * CLIENTS_MAX];
            const size_t n_pads = leftover_pads(pad, n, survivors);
            open_sum(pad, n_pads, n, choices, survivors);
            CHECK_NUMBER(choices, right_sums(n, choices, survivors));
        }
    }
}

/* With any one pad left in, an element is right one time in 16: off by ten standard deviations and
 * more would be a sign that a pad does nothing. */
static void one_pad_left_in_hides_the_sum(void)
{
    const size_t n = CLIENTS_MAX, choices = make_inputs(n);
    mask_all(n, choices);
    for (unsigned survivors = 1; survivors < 1u << n; survivors++) {
        struct pad pad[CLIENTS_MAX * CLIENTS_MAX];
        const size_t n_pads = leftover_pads(pad, n, survivors);
        for (size_t k = 0; k < n_pads; k++) {
            struct pad rest[CLIENTS_MAX * CLIENTS_MAX];
            size_t kept = 0;
            for (size_t j = 0; j < n_pads; j++)
                if (j != k) rest[kept++] = pad[j];
            open_sum(rest, kept, n, choices, survivors);
            CHECK_CLOSE((double)N / RING, (double)right_sums(n, choices, survivors), 620);
        }
    }
}

int main(void)
{
    for (int cipher = 0; cipher < MASK_CIPHERS; cipher++) {
        how.cipher = (enum mask_cipher)cipher;
        if (!mask_available(how.cipher)) continue;
        RUN(every_set_of_survivors_opens_to_its_sum);
        RUN(one_pad_left_in_hides_the_sum);
    }
    return check_done();
}
