/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time and bytes of whole rounds without transport, by party and phase, as CSV, and goals with
 * what was measured. bench_round [--quick | --full [PART]] picks rounds whose
 * "sites,graph,d,lost %,cipher" has the part.
 *
 * All sites run the shipping state machine and all messages are real, but for the vectors: only the
 * first site grows all its pads, and is timed; of the others' pads, those that would cancel in the
 * sum are left out on both ends, so that a thousand sites fit one machine. The sums are checked.
 * Site figures are means over all sites, except input and noise: those of the first. */
#include <math.h>
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
    double site_goal_ms, server_goal_ms, opening_goal_ms; /* 0: none */
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

/* The clip that the grid's power of two fits best, so that the ring can be as narrow as the round's
 * figures say. */
static double clip_of(uint64_t d)
{
    int exponent = 0;
    return 2 * frexp(GRID_FINENESS * sqrt((double)d), &exponent) * (1 + 1e-9);
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
    must(grid_plan(&plan.grid, clip_of(set->d), set->d, set->n, 4, set->bits));
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

/* What no round can undercut: ns an element for growing and adding a pad on a block in the cache,
 * and ns a byte for reading and writing memory. */
struct floors {
    double pad[MASK_CIPHERS], pass;
};

static double pass_ns(void)
{
    enum { BYTES = 32 << 20, TIMES = 5 };
    uint8_t *from = malloc(BYTES), *to = malloc(BYTES);
    if (from == NULL || to == NULL) must(STATUS_NOMEM);
    memset(from, 1, BYTES);
    memset(to, 2, BYTES);
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        const double before = cpu_ms();
        memcpy(to, from, BYTES);
        from[i] = to[BYTES - 1];
        const double ns = (cpu_ms() - before) * 1e6 / BYTES;
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
        must(noised_new(&in, N));
        const double before = cpu_ms();
        must(mask_add(&out, &in, pad, PADS, &mask, 0));
        const double ns = (cpu_ms() - before) * 1e6 / ((double)N * PADS);
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
    if (pad == NULL) must(STATUS_NOMEM);
    for (size_t i = 0; i < n_pads; i++) pad[i].sign = 1;
    must(total_new(&total, w->set.d));
    const struct mask_how mask = how(w);
    const double before = cpu_ms();
    must(mask_take(&opened, &total, pad, n_pads, &mask, 0));
    const double ms = cpu_ms() - before;
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
    {20, 2, false, 10000000, 30, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 100000, 10, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 100000, 30, MASK_AES256_CTR, 24, 0, 0, 0},
    {128, 6, false, 1000000, 0, MASK_AES256_CTR, 25, 0, 0, 0},
    {128, 6, false, 10000000, 10, MASK_AES256_CTR, 27, 0, 0, 0},
    {1000, 50, false, 100000, 0, MASK_AES256_CTR, 26, 250, 0, 0},
    {1000, 50, false, 100000, 10, MASK_AES256_CTR, 26, 250, 6000, 0},
    {1000, 50, false, 100000, 30, MASK_AES256_CTR, 26, 250, 15000, 0},
    {1000, 50, true, 100000, 0, MASK_AES256_CTR, 26, 0, 0, 0},
    {1000, 50, true, 100000, 10, MASK_AES256_CTR, 26, 0, 800, 0},
    {1000, 50, true, 100000, 30, MASK_AES256_CTR, 26, 0, 0, 0},
    {1000, 50, true, 1000000, 0, MASK_AES256_CTR, 28, 150, 0, 0},
    {1000, 50, true, 1000000, 10, MASK_AES256_CTR, 28, 0, 0, 0},
    {1000, 50, true, 10000000, 0, MASK_AES256_CTR, 30, 0, 0, 0},
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
        open_world(&w, &set[i]);
        run_round(&w);
        print_world(&w, floors);
        close_world(&w);
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
