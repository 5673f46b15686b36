/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time and bytes of whole rounds without transport, by party and phase, as CSV.
 *
 * All sites run the shipping state machine and all messages are real, but for the vectors: only the
 * first site grows all its pads, and is timed; of the others' pads, those that would cancel in the
 * sum are left out on both ends, so that a thousand sites fit one machine. The sums are checked.
 * Site figures are means over all sites, except input and noise: those of the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aggregator/round.h"
#include "client/session.h"
#include "crypto/keyfile.h"
#include "dp/noise.h"

struct setting {
    uint32_t n, c;
    bool ring;
    uint64_t d;
    uint32_t lost; /* per cent, after they dealt their shares */
    enum mask_cipher cipher;
    unsigned bits;
    const char *goal;
};

enum step_of {
    AT_PLAN,
    AT_ROSTER,
    AT_POSITIONS,
    AT_INBOX,
    AT_NOISE,
    AT_INPUT,
    AT_SURVIVORS,
    AT_QUORUM,
    AT_RESULT,
    AT_COUNT
};
static const char *const step_name[AT_COUNT] = {"plan",  "roster",    "positions", "inbox", "noise",
                                                "input", "survivors", "quorum",    "result"};
static const char *const phase_name[PHASE_COUNT] = {
    [PHASE_KEYS] = "keys",       [PHASE_POSITIONS] = "positions", [PHASE_SHARES] = "shares",
    [PHASE_COLLECT] = "collect", [PHASE_CONFIRM] = "confirm",     [PHASE_REVEAL] = "reveal",
    [PHASE_DONE] = "unmask"};

struct world {
    struct setting set;
    struct rng rng;
    struct manifest manifest;
    struct keyfile coordinator, *key;
    struct session *session;
    struct round round;
    uint64_t now_ms, up, down; /* bytes of the first site */
    double site_ms[AT_COUNT], server_ms[PHASE_COUNT];
    uint32_t *sum; /* of what survivors put in */
    uint64_t pads; /* of the first site, and of the coordinator */
    uint64_t taken_pads;
};

static void must(enum status status)
{
    if (status == STATUS_OK) return;
    fprintf(stderr, "bench_round: %s\n", status_text(status));
    exit(1);
}

static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool lost(const struct world *w, uint32_t v)
{
    return v > 0 && (uint64_t)(v * 37 % 100) < w->set.lost;
}

static void open_world(struct world *w, const struct setting *set)
{
    *w = (struct world){.set = *set, .now_ms = 1000};
    rng_numbered(&w->rng, 1);
    struct manifest *m = &w->manifest;
    *m = (struct manifest){.n = set->n,
                           .epoch = 1,
                           .n_governors = 1,
                           .governors_needed = 1,
                           .floor = {.m = 1, .max_epsilon = 100, .max_delta = 1e-3}};
    must(keyfile_make(&w->coordinator, "coordinator", &w->rng));
    member_of(&m->coordinator, &w->coordinator, true);
    memcpy(m->governor[0], m->coordinator.identity, SIGN_PUBLIC_BYTES);
    m->member = calloc(set->n, sizeof *m->member);
    w->key = calloc(set->n, sizeof *w->key);
    w->session = calloc(set->n, sizeof *w->session);
    w->sum = calloc(set->d, sizeof *w->sum);
    if (m->member == NULL || w->key == NULL || w->session == NULL || w->sum == NULL)
        must(STATUS_NOMEM);
    for (uint32_t v = 0; v < set->n; v++) {
        char name[16];
        snprintf(name, sizeof name, "site-%u", v);
        must(keyfile_make(&w->key[v], name, &w->rng));
        member_of(&m->member[v], &w->key[v], true);
    }
    for (uint32_t v = 0; v < set->n; v++) {
        const struct session_config config = {
            .manifest = m, .self = v, .rng = &w->rng, .identity = w->key[v].identity, .threads = 1};
        must(session_new(&w->session[v], &config));
    }
}

static void close_world(struct world *w)
{
    for (uint32_t v = 0; v < w->set.n; v++) session_free(&w->session[v]);
    round_free(&w->round);
    manifest_free(&w->manifest);
    free(w->session);
    free(w->key);
    free(w->sum);
}

static void begin(struct world *w)
{
    const struct setting *set = &w->set;
    struct params params = {.n = set->n, .c = set->c, .m = 1};
    params.quorum = params.t = params_threshold(set->n, set->c);
    if (set->ring) {
        params.quorum = set->n - set->n * (set->lost < 10 ? 10 : set->lost + 1) / 100;
        must(params_ring(&params.k, &params.t, set->n, set->c, params.quorum));
    }
    struct plan plan = {.round = 1,
                        .step = STEP_TRAIN,
                        .params = params,
                        .sampling = 1,
                        .cipher = set->cipher,
                        .n_segments = 1};
    plan.manifest = manifest_hash(&w->manifest);
    plan.study = w->manifest.study;
    plan.state = hash_of("state", (struct view){0});
    for (size_t i = 0; i < WAIT_COUNT; i++) plan.wait_ms[i] = 1000;
    must(bits_new(&plan.cohort, set->n));
    bits_fill(&plan.cohort);
    plan.segment[0] = (struct segment){
        .name = "all", .dim = set->d, .degree = params_segment_degree(&params, set->n)};
    must(bits_copy(&plan.segment[0].members, &plan.cohort));
    must(grid_plan(&plan.grid, 1, set->d, set->n, 4, set->bits));
    const struct round_config config = {.manifest = &w->manifest,
                                        .identity = w->coordinator.identity};
    must(round_start(&w->round, &config, &plan, w->now_ms));
    w->round.threads = 1;
}

/* One letter to a site, and what it answers to the coordinator; both timed. */
static void exchange(struct world *w, uint32_t v, struct view letter, enum step_of step)
{
    AUTO(outbox_free) struct outbox out = {0}, notes = {0};
    double before = cpu_ms();
    must(session_message(&w->session[v], letter, w->now_ms, &out));
    w->site_ms[step] += cpu_ms() - before;
    if (v == 0) w->down += letter.n;
    for (size_t i = 0; i < out.n_letters; i++) {
        const struct view answer = blob_view(out.letter[i].bytes);
        const enum phase phase = w->round.phase;
        if (v == 0) w->up += answer.n;
        before = cpu_ms();
        enum status status = round_message(&w->round, v, answer, w->now_ms, &notes);
        if (status != STATUS_STATE) must(status); /* late: enough have answered */
        w->server_ms[phase == PHASE_REVEAL && w->round.phase == PHASE_DONE ? PHASE_DONE : phase] +=
            cpu_ms() - before;
    }
}

static void letters(struct world *w, enum step_of step, const struct bits *to)
{
    const enum phase phase = w->round.phase;
    /* All letters are of one phase, and the answers come after them: as over a network. */
    struct buffer *letter = calloc(w->set.n, sizeof *letter);
    if (letter == NULL) must(STATUS_NOMEM);
    for (uint32_t v = 0; v < w->set.n; v++) {
        if (!bits_has(to, v)) continue;
        const double before = cpu_ms();
        must(round_letter(&letter[v], &w->round, v));
        w->server_ms[phase == PHASE_DONE ? PHASE_REVEAL : phase] += cpu_ms() - before;
    }
    for (uint32_t v = 0; v < w->set.n; v++) {
        if (letter[v].n > 0) exchange(w, v, buffer_view(&letter[v]), step);
        buffer_free(&letter[v]);
    }
    free(letter);
}

static void open_round(struct world *w)
{
    AUTO(buffer_free) struct buffer opening = {0};
    const struct opening all = {.plan = buffer_view(&w->round.plan_bytes)};
    opening_write(&opening, &all);
    must(opening.status);
    for (uint32_t v = 0; v < w->set.n; v++) exchange(w, v, buffer_view(&opening), AT_PLAN);
}

static void noised_of(struct world *w, struct noised *noised, uint32_t v)
{
    const size_t d = w->set.d;
    must(noised_new(noised, d + 1));
    const uint32_t ring = UINT32_MAX >> (32 - w->set.bits);
    for (size_t i = 0; i < d; i++) noised->value[i] = (uint32_t)(v * 2654435761u + i) >> 12;
    for (size_t i = 0; i < d; i++) noised->value[d] += noised->value[i];
    for (size_t i = 0; i < d; i++) w->sum[i] = (w->sum[i] + noised->value[i]) & ring;
}

static struct mask_how how(const struct world *w)
{
    return (struct mask_how){.cipher = w->set.cipher, .bits = w->set.bits, .threads = 1};
}

/* What the first site does with its vector, all pads included; thrown away. */
static void time_input(struct world *w)
{
    struct encoded encoded = {0};
    struct noised noised = {0};
    struct masked masked = {0};
    struct pad *pad = NULL;
    size_t n_pads = 0;
    must(encoded_new(&encoded, w->set.d));
    struct noise noise = {0};
    double before = cpu_ms();
    must(noise_draw(&noise, w->set.d, 1000, NOISE_EXACT, &w->rng));
    must(noise_add(&noised, &encoded, &noise));
    w->site_ms[AT_NOISE] = (cpu_ms() - before) * w->set.n;
    const struct mask_how mask = how(w);
    before = cpu_ms();
    must(session_pads(&w->session[0], 0, &pad, &n_pads));
    must(mask_add(&masked, &noised, pad, n_pads, &mask, 0));
    w->site_ms[AT_INPUT] = (cpu_ms() - before) * w->set.n;
    w->pads = n_pads;
    free(pad);
    masked_free(&masked);
    encoded_free(&encoded);
}

/* Only the pads that do not cancel: the own one, and those towards lost sites. */
static size_t pads_left(const struct world *w, uint32_t v, struct pad *pad)
{
    const struct session *s = &w->session[v];
    size_t kept = 1, at = 1;
    for (uint32_t u = 0; u < w->set.n; u++) {
        if (u == v || !bits_has(&s->dealers, u) || !graph_linked(&s->pads[0], v, u)) continue;
        if (lost(w, u)) pad[kept++] = pad[at];
        at++;
    }
    return kept;
}

static void put_in(struct world *w, uint32_t v)
{
    struct session *s = &w->session[v];
    AUTO(outbox_free) struct outbox out = {0}, notes = {0};
    struct noised noised = {0};
    struct masked part[MSG_SEGMENTS_MAX] = {{0}};
    struct pad *pad = NULL;
    size_t n_pads = 0;
    noised_of(w, &noised, v);
    must(session_pads(s, 0, &pad, &n_pads));
    n_pads = pads_left(w, v, pad);
    w->taken_pads += n_pads;
    const struct mask_how mask = how(w);
    must(mask_add(&part[0], &noised, pad, n_pads, &mask, 0));
    free(pad);
    double before = cpu_ms();
    must(session_input(s, part, w->now_ms, &out));
    if (v == 0) w->site_ms[AT_INPUT] += (cpu_ms() - before) * w->set.n;
    masked_free(&part[0]);
    const struct view message = blob_view(out.letter[0].bytes);
    if (v == 0) w->up += message.n;
    before = cpu_ms();
    must(round_message(&w->round, v, message, w->now_ms, &notes));
    w->server_ms[PHASE_COLLECT] += cpu_ms() - before;
}

static void collect(struct world *w)
{
    time_input(w);
    for (uint32_t v = 0; v < w->set.n; v++)
        if (!lost(w, v)) put_in(w, v);
    AUTO(outbox_free) struct outbox notes = {0};
    w->now_ms += 2000;
    const double before = cpu_ms();
    if (w->round.phase == PHASE_COLLECT) must(round_deadline(&w->round, w->now_ms, &notes));
    w->server_ms[PHASE_COLLECT] += cpu_ms() - before;
}

static void run_round(struct world *w)
{
    begin(w);
    open_round(w);
    if (w->set.ring) {
        letters(w, AT_ROSTER, &w->round.adverts);
        letters(w, AT_POSITIONS, &w->round.placed);
    } else {
        letters(w, AT_ROSTER, &w->round.adverts);
    }
    letters(w, AT_INBOX, &w->round.dealers);
    collect(w);
    letters(w, AT_SURVIVORS, &w->round.survivors);
    letters(w, AT_QUORUM, &w->round.survivors);
    letters(w, AT_RESULT, &w->round.survivors);
    if (w->round.phase != PHASE_DONE ||
        memcmp(w->round.opened[0].value, w->sum, w->set.d * sizeof *w->sum) != 0) {
        fprintf(stderr, "bench_round: the sum is wrong (%s)\n", reason_id(w->round.why));
        exit(1);
    }
}

/* ns an element that a pad costs on a block in the cache: what no round can undercut. */
static double floor_ns(enum mask_cipher cipher)
{
    enum { N = 1 << 14, PADS = 64, TIMES = 8 };
    static struct pad pad[PADS];
    const struct mask_how mask = {.cipher = cipher, .bits = 32, .threads = 1};
    for (size_t i = 0; i < PADS; i++) pad[i] = (struct pad){.key = {(uint8_t)i}, .sign = 1};
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        struct noised in = {0};
        struct masked out = {0};
        must(noised_new(&in, N));
        const double before = cpu_ms();
        must(mask_add(&out, &in, pad, PADS, &mask, 0));
        const double ns = (cpu_ms() - before) * 1e6 / ((double)N * PADS);
        if (ns < best) best = ns;
        masked_free(&out);
    }
    return best;
}

static void print_world(const struct world *w, double floor)
{
    const struct setting *s = &w->set;
    char key[96];
    snprintf(key, sizeof key, "%u,%s,%u,%llu,%u,%s", s->n, s->ring ? "ring" : "complete",
             s->ring ? w->round.plan.params.k : s->n - 1, (unsigned long long)s->d, s->lost,
             s->cipher == MASK_CHACHA20 ? "chacha20" : "aes256-ctr");
    double site = 0, server = 0;
    for (size_t i = 0; i < AT_COUNT; i++) {
        const double ms = w->site_ms[i] / s->n;
        const double least = i == AT_INPUT ? floor * (double)(w->pads * s->d) / 1e6 : 0;
        if (i != AT_NOISE) site += ms;
        printf("round,site,%s,%s,%.3f,%.3f\n", step_name[i], key, ms, least);
    }
    printf("round,site,all but noise,%s,%.3f,%.3f\n", key, site,
           floor * (double)(w->pads * s->d) / 1e6);
    for (size_t i = 0; i <= PHASE_DONE; i++) {
        const double least = i == PHASE_DONE ? floor * (double)(w->taken_pads * s->d) / 1e6 : 0;
        server += w->server_ms[i];
        printf("round,coordinator,%s,%s,%.3f,%.3f\n", phase_name[i], key, w->server_ms[i], least);
    }
    printf("round,coordinator,all,%s,%.3f,%.3f\n", key, server,
           floor * (double)(w->taken_pads * s->d) / 1e6);
    const double payload = (double)(s->d * s->bits) / 8;
    printf("bytes,site,up,%s,%llu,%.4f\n", key, (unsigned long long)w->up, (double)w->up / payload);
    printf("bytes,site,down,%s,%llu,\n", key, (unsigned long long)w->down);
    if (s->goal != NULL) printf("# goal for %s: %s\n", key, s->goal);
    fflush(stdout);
}

/* The last one of each pair of columns: what is measured always, what with --full. */
static const struct setting table[] = {
    {20, 2, false, 100000, 10, MASK_CHACHA20, 24, NULL},
    {20, 2, false, 1000000, 0, MASK_CHACHA20, 24, NULL},
    {20, 2, false, 1000000, 30, MASK_CHACHA20, 24, NULL},
    {20, 2, false, 10000000, 20, MASK_AES256_CTR, 24,
     "site at most 400 ms, coordinator at most 800 ms"},
    {128, 6, false, 100000, 0, MASK_AES256_CTR, 32, NULL},
    {128, 6, false, 1000000, 10, MASK_AES256_CTR, 32, "coordinator at most 350 ms with 25 pads"},
    {128, 6, false, 1000000, 30, MASK_CHACHA20, 32, NULL},
};
static const struct setting full[] = {
    {20, 2, false, 100000, 0, MASK_AES256_CTR, 24, NULL},
    {20, 2, false, 100000, 30, MASK_AES256_CTR, 24, NULL},
    {20, 2, false, 1000000, 10, MASK_AES256_CTR, 24, NULL},
    {20, 2, false, 10000000, 0, MASK_AES256_CTR, 24, NULL},
    {20, 2, false, 10000000, 30, MASK_AES256_CTR, 24, NULL},
    {128, 6, false, 100000, 10, MASK_AES256_CTR, 24, NULL},
    {128, 6, false, 100000, 30, MASK_AES256_CTR, 24, NULL},
    {128, 6, false, 1000000, 0, MASK_AES256_CTR, 24, NULL},
    {128, 6, false, 10000000, 10, MASK_AES256_CTR, 24, NULL},
    {1000, 50, false, 100000, 0, MASK_AES256_CTR, 26, "site at most 250 ms"},
    {1000, 50, false, 100000, 10, MASK_AES256_CTR, 26,
     "site at most 250 ms, coordinator at most 6000 ms"},
    {1000, 50, false, 100000, 30, MASK_AES256_CTR, 26, "coordinator at most 15000 ms"},
    {1000, 50, true, 100000, 0, MASK_AES256_CTR, 26, NULL},
    {1000, 50, true, 100000, 10, MASK_AES256_CTR, 26, "coordinator at most 800 ms with k = 96"},
    {1000, 50, true, 100000, 30, MASK_AES256_CTR, 26, NULL},
    {1000, 50, true, 1000000, 0, MASK_AES256_CTR, 26, "site at most 150 ms with k = 96"},
    {1000, 50, true, 1000000, 10, MASK_AES256_CTR, 26, NULL},
    {1000, 50, true, 10000000, 0, MASK_AES256_CTR, 26, NULL},
};

static void measure(const struct setting *set, size_t n, const double *floor)
{
    for (size_t i = 0; i < n; i++) {
        if (!mask_available(set[i].cipher)) continue;
        static struct world w;
        open_world(&w, &set[i]);
        run_round(&w);
        print_world(&w, floor[set[i].cipher]);
        close_world(&w);
    }
}

int main(int argc, char **argv)
{
    const bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const bool all = argc > 1 && strcmp(argv[1], "--full") == 0;
    double floor[MASK_CIPHERS] = {0};
    for (enum mask_cipher c = 0; c < MASK_CIPHERS; c++)
        if (mask_available(c)) floor[c] = floor_ns(c);
    printf("# floor: keystream grown and added in the cache, ns an element: chacha20 %.3f, "
           "aes256-ctr %.3f\n"
           "what,party,phase,sites,graph,neighbours,d,lost %%,cipher,CPU ms or bytes,"
           "floor ms or bytes over payload\n",
           floor[MASK_CHACHA20], floor[MASK_AES256_CTR]);
    measure(table, quick ? 1 : sizeof table / sizeof *table, floor);
    if (all) measure(full, sizeof full / sizeof *full, floor);
    return 0;
}
