/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time and bytes of whole rounds without transport, by party and phase, as CSV, and goals with
 * what was measured. bench_round [--quick | --full [PART]] picks rounds whose
 * "sites,graph,d,lost %,cipher" has the part. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmarks/bench.h"
#include "benchmarks/world.h"

static const char *const step_name[AT_COUNT] = {"plan",  "roster",    "positions", "inbox", "noise",
                                                "input", "survivors", "quorum",    "result"};
static const char *const phase_name[PHASE_COUNT] = {
    [PHASE_KEYS] = "keys",       [PHASE_POSITIONS] = "positions", [PHASE_SHARES] = "shares",
    [PHASE_COLLECT] = "collect", [PHASE_CONFIRM] = "confirm",     [PHASE_REVEAL] = "reveal",
    [PHASE_DONE] = "unmask"};

/* What no round can undercut: ns an element for growing and adding a pad on a block in the cache,
 * and ns a byte for reading and writing memory. */
struct floors {
    double pad[MASK_CIPHERS], pass;
};

static double pass_ns(void)
{
    enum { BYTES = 32 << 20, TIMES = 5 };
    uint8_t *from = malloc(BYTES), *to = malloc(BYTES);
    if (from == NULL || to == NULL) bench_must(STATUS_NOMEM);
    memset(from, 1, BYTES);
    memset(to, 2, BYTES);
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        const double before = bench_seconds();
        memcpy(to, from, BYTES);
        from[i] = to[BYTES - 1];
        const double ns = (bench_seconds() - before) * 1e9 / BYTES;
        if (ns < best) best = ns;
    }
    free(from);
    free(to);
    return best;
}

/* ns an element that a pad costs on a block in the cache. */
static double pad_ns(enum mask_cipher cipher)
{
    enum { N = 1 << 14, PADS = 64, TIMES = 8 };
    static struct pad pad[PADS];
    const struct mask_how mask = {.cipher = cipher, .bits = 32, .threads = 1};
    for (size_t i = 0; i < PADS; i++) pad[i] = (struct pad){.key = {(uint8_t)i}, .sign = 1};
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        struct noised in = {0};
        struct masked out = {0};
        bench_must(noised_new(&in, N));
        const double before = bench_seconds();
        bench_must(mask_add(&out, &in, pad, PADS, &mask, 0));
        const double ns = (bench_seconds() - before) * 1e9 / ((double)N * PADS);
        if (ns < best) best = ns;
        masked_free(&out);
    }
    return best;
}

#define NAME_BYTES 64

static void name_of(char name[static NAME_BYTES], const struct setting *s)
{
    snprintf(name, NAME_BYTES, "%u,%s,%llu,%u,%s", s->n, s->ring ? "ring" : "complete",
             (unsigned long long)s->d, s->lost,
             s->cipher == MASK_CHACHA20 ? "chacha20" : "aes256-ctr");
}

/* What the rows say, in milliseconds. */
struct figures {
    double site, server, least_site, least_server;
};

static double payload_of(const struct setting *s)
{
    return (double)s->d * s->bits / 8;
}

static struct figures print_phases(const struct world *w, const char *key,
                                   const struct floors *floors)
{
    const struct setting *s = &w->set;
    const double pad = floors->pad[s->cipher] * (double)s->d / 1e6;
    const double pass = floors->pass * payload_of(s) / 1e6;
    const double least[AT_COUNT] = {[AT_INPUT] = pad * (double)w->pads + pass};
    const double least_server[PHASE_COUNT] = {[PHASE_COLLECT] =
                                                  pass * (double)bits_count(&w->round.survivors),
                                              [PHASE_DONE] = pad * (double)w->taken_pads};
    struct figures f = {.least_site = least[AT_INPUT]};
    for (size_t i = 0; i < AT_COUNT; i++) {
        const double ms = w->site_ms[i] / s->n;
        if (i != AT_NOISE) f.site += ms;
        printf("round,site,%s,%s,%.3f,%.3f\n", step_name[i], key, ms, least[i]);
    }
    printf("round,site,all but noise,%s,%.3f,%.3f\n", key, f.site, f.least_site);
    for (size_t i = 0; i <= PHASE_DONE; i++) {
        f.server += w->server_ms[i];
        f.least_server += least_server[i];
        printf("round,coordinator,%s,%s,%.3f,%.3f\n", phase_name[i], key, w->server_ms[i],
               least_server[i]);
    }
    printf("round,coordinator,all,%s,%.3f,%.3f\n", key, f.server, f.least_server);
    return f;
}

static void print_goal(const struct world *w, const char *what, double measured, double goal)
{
    const struct setting *s = &w->set;
    if (goal > 0)
        printf("goal,%s; %u sites %s d = %llu %u %% lost,%.4g,%.4g,%s\n", what, s->n,
               s->ring ? "ring" : "complete", (unsigned long long)s->d, s->lost, measured, goal,
               measured <= goal ? "yes" : "no");
}

/* Taking so many pads away from the sum, in ms. */
static double take_ms(const struct world *w, size_t n_pads)
{
    struct total total = {0};
    struct opened opened = {0};
    struct pad *pad = calloc(n_pads, sizeof *pad);
    if (pad == NULL) bench_must(STATUS_NOMEM);
    for (size_t i = 0; i < n_pads; i++) pad[i].sign = 1;
    bench_must(total_new(&total, w->set.d));
    const struct mask_how mask = world_how(w);
    const double before = bench_seconds();
    bench_must(mask_take(&opened, &total, pad, n_pads, &mask, 0));
    const double ms = 1e3 * (bench_seconds() - before);
    opened_free(&opened);
    free(pad);
    return ms;
}

/* Some goals are for a graph in which a site has 25 pads; ours is complete, so its surplus is taken
 * off, but for the agreements. */
#define THIN_PADS 25

static void print_goals(const struct world *w, const struct figures *f)
{
    const struct setting *s = &w->set;
    print_goal(w, "site ms but noise", f->site, s->site_goal_ms);
    print_goal(w, "coordinator ms", f->server, s->server_goal_ms);
    if (s->opening_goal_ms > 0) {
        const double opening =
            w->server_ms[PHASE_COLLECT] + w->server_ms[PHASE_REVEAL] + w->server_ms[PHASE_DONE];
        const size_t thin =
            bits_count(&w->round.survivors) + (size_t)THIN_PADS * round_recovered(&w->round);
        print_goal(w, "coordinator ms from input to sum", opening, s->opening_goal_ms);
        print_goal(w, "the same if a site had 25 pads",
                   opening - take_ms(w, w->taken_pads) + take_ms(w, thin), s->opening_goal_ms);
    }
    if (s->d < 1000000) return;
    if (s->n <= 100) print_goal(w, "upload over payload", (double)w->up / payload_of(s), 1.005);
    const double active =
        w->site_ms[AT_SURVIVORS] + w->site_ms[AT_QUORUM] + w->server_ms[PHASE_CONFIRM];
    print_goal(w, "active security at most % of CPU", 100 * active / (f->site * s->n + f->server),
               5);
}

static void print_world(const struct world *w, const struct floors *floors)
{
    const struct setting *s = &w->set;
    char key[96];
    snprintf(key, sizeof key, "%u,%s,%u,%llu,%llu,%u,%s", s->n, s->ring ? "ring" : "complete",
             s->ring ? w->round.plan.params.k : s->n - 1, (unsigned long long)w->pads - 1,
             (unsigned long long)s->d, s->lost,
             s->cipher == MASK_CHACHA20 ? "chacha20" : "aes256-ctr");
    const struct figures f = print_phases(w, key, floors);
    printf("bytes,site,up,%s,%llu,%.4f\n", key, (unsigned long long)w->up,
           (double)w->up / payload_of(s));
    printf("bytes,site,down,%s,%llu,\n", key, (unsigned long long)w->down);
    print_goals(w, &f);
    fflush(stdout);
}

/* What is measured always, and what with --full. */
static const struct setting table[] = {
    {20, 2, false, 100000, 10, MASK_CHACHA20, 24, 0, 0, 0},
    {20, 2, false, 1000000, 0, MASK_CHACHA20, 24, 0, 0, 0},
    {20, 2, false, 1000000, 30, MASK_CHACHA20, 24, 0, 0, 0},
    {20, 2, false, 10000000, 20, MASK_AES256_CTR, 24, 400, 800, 0},
    {128, 6, false, 100000, 0, MASK_AES256_CTR, 32, 0, 0, 0},
    {128, 6, false, 1000000, 10, MASK_AES256_CTR, 32, 0, 0, 350},
    {128, 6, false, 1000000, 30, MASK_CHACHA20, 32, 0, 0, 0},
};
static const struct setting full[] = {
    {20, 2, false, 100000, 0, MASK_AES256_CTR, 24, 0, 0, 0},
    {20, 2, false, 100000, 30, MASK_AES256_CTR, 24, 0, 0, 0},
    {20, 2, false, 1000000, 10, MASK_AES256_CTR, 24, 0, 0, 0},
    {20, 2, false, 10000000, 0, MASK_AES256_CTR, 24, 0, 0, 0},
    {20, 2, false, 10000000, 10, MASK_AES256_CTR, 24, 0, 0, 0},
    {20, 2, false, 10000000, 30, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 100000, 10, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 100000, 30, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 1000000, 0, MASK_AES256_CTR, 25, 0, 0, 0},
    {128, 6, false, 10000000, 0, MASK_AES256_CTR, 27, 0, 0, 0},
    {128, 6, false, 10000000, 10, MASK_AES256_CTR, 27, 0, 0, 0},
    {128, 6, false, 10000000, 30, MASK_AES256_CTR, 27, 0, 0, 0},
    {1000, 50, false, 100000, 0, MASK_AES256_CTR, 26, 250, 0, 0},
    {1000, 50, false, 100000, 10, MASK_AES256_CTR, 26, 250, 6000, 0},
    {1000, 50, false, 100000, 30, MASK_AES256_CTR, 26, 250, 15000, 0},
    {1000, 50, true, 100000, 0, MASK_AES256_CTR, 26, 0, 0, 0},
    {1000, 50, true, 100000, 10, MASK_AES256_CTR, 26, 0, 800, 0},
    {1000, 50, true, 100000, 30, MASK_AES256_CTR, 26, 0, 0, 0},
    {1000, 50, true, 1000000, 0, MASK_AES256_CTR, 28, 150, 0, 0},
    {1000, 50, true, 1000000, 10, MASK_AES256_CTR, 28, 0, 0, 0},
    {1000, 50, true, 1000000, 30, MASK_AES256_CTR, 28, 0, 0, 0},
    {1000, 50, true, 10000000, 0, MASK_AES256_CTR, 30, 0, 0, 0},
    {1000, 50, true, 10000000, 10, MASK_AES256_CTR, 30, 0, 0, 0},
    {1000, 50, true, 10000000, 30, MASK_AES256_CTR, 30, 0, 0, 0},
};

/* Rows are picked by a part of "sites,graph,d,lost %,cipher". */
static bool picked(const struct setting *s, const char *pick)
{
    char name[NAME_BYTES];
    name_of(name, s);
    return strstr(name, pick) != NULL;
}

static void measure(const struct setting *set, size_t n, const char *pick,
                    const struct floors *floors)
{
    for (size_t i = 0; i < n; i++) {
        if (!mask_available(set[i].cipher) || !picked(&set[i], pick)) continue;
        static struct world w;
        world_open(&w, &set[i]);
        world_run(&w);
        print_world(&w, floors);
        world_close(&w);
    }
}

int main(int argc, char **argv)
{
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const bool all = argc > 1 && strcmp(argv[1], "--full") == 0;
    const char *pick = argc > 2 ? argv[2] : "";
    struct floors floors = {.pass = pass_ns()};
    for (enum mask_cipher c = 0; c < MASK_CIPHERS; c++)
        if (mask_available(c)) floors.pad[c] = pad_ns(c);
    printf("# floor: a pad in the cache, ns an element: chacha20 %.3f, aes256-ctr %.3f; memory, ns "
           "a byte: %.3f\n"
           "what,party,phase,sites,graph,holders,pads,d,lost %%,cipher,CPU ms or bytes,"
           "floor ms or bytes over payload\n",
           floors.pad[MASK_CHACHA20], floors.pad[MASK_AES256_CTR], floors.pass);
    measure(table, quick ? 1 : sizeof table / sizeof *table, pick, &floors);
    if (all) measure(full, sizeof full / sizeof *full, pick, &floors);
    return 0;
}
