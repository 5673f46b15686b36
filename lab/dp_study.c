/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab dp study: what the plan of a study costs, by whom it is attacked, who dropped out and
 * how it is counted. Noise, norm and coordinates are those that the sites will be sent. */
#include <math.h>
#include <stdio.h>

#include "dp/account.h"
#include "dp/lattice.h"
#include "dp/pld.h"
#include "dp/renyi.h"
#include "lab/dp.h"
#include "protocol/books.h"
#include "protocol/schedule.h"

struct study_cost {
    const char *path;
    uint32_t sites; /* 0: as many as the study expects */
    bool json;
    struct study study;
    struct layout layout;
    struct schedule schedule;
    struct release release[STEP_COUNT]; /* on the grid before pruning, with the first clip */
    struct release worst[STEP_COUNT];   /* on whatever grid */
    uint32_t times[STEP_COUNT];         /* 0: the study has no such step */
};

/* What an adversary faces. */
struct seen {
    const struct study_cost *study;
    struct release release[STEP_COUNT];
    uint32_t shares[STEP_COUNT];
    double sigma[STEP_COUNT]; /* of a share, in units of the grid before pruning; 0: no noise */
    double delta;             /* what is left of it beside the sampler's part */
};

/* One line of the table; infinite where a way of counting has nothing to say. */
struct line {
    const char *adversary;
    uint32_t dropouts, shares;
    double gate, lattice, pld, published;
};

static enum status plan_all(struct study_cost *c, struct settings_error *why)
{
    TRY(layout_of(&c->layout, &c->study.model.spec));
    if (c->sites == 0) c->sites = c->study.sites.expected;
    TRY(schedule_of(&c->schedule, &c->study, &c->layout, c->sites, why));
    AUTO(bits_free) struct bits keep = {0};
    AUTO(bits_free) struct bits cohort = {0};
    TRY(bits_new(&keep, c->layout.n));
    TRY(bits_new(&cohort, c->sites));
    bits_fill(&keep);
    bits_fill(&cohort);
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++) {
        c->times[step] = schedule_steps(&c->study, step);
        if (c->times[step] == 0) continue;
        AUTO(plan_free) struct plan plan = {0};
        TRY(schedule_plan(&plan, &c->schedule, step, 0, &keep, 0, &cohort));
        c->release[step] = schedule_release(&plan, schedule_certain(&plan));
        c->worst[step] = schedule_worst(&c->schedule, &plan);
    }
    return STATUS_OK;
}

/* Who does not know `shares` of the noise; 0: who does not know that of one site, alone. */
static void look(struct seen *out, const struct study_cost *c, uint32_t shares)
{
    *out = (struct seen){.study = c};
    for (int step = 0; step < STEP_COUNT; step++) {
        if (c->times[step] == 0) continue;
        struct release *r = &out->release[step];
        *r = c->worst[step];
        if (shares > 0)
            r->n_shares = shares;
        else
            *r = adversary_release(ADVERSARY_UNMASKED, r, c->schedule.params.c);
        out->shares[step] = r->n_shares;
        /* The same noise in fewer, larger shares: of a block no more than m are certain, and no
         * others count for what a share has at least. */
        if (c->study.allocation.mode != STUDY_ALLOCATION_NONE && step == STEP_TRAIN && shares > 0)
            out->shares[step] = c->schedule.params.m;
        if (r->sigma == 0) continue;
        /* No share has less than NOISE_SIGMA_MIN. */
        const double ratio = (double)c->release[step].norm2 / (double)r->norm2 *
                             (double)r->n_shares / (double)out->shares[step];
        out->sigma[step] = fmax((double)r->sigma * sqrt(ratio), (double)NOISE_SIGMA_MIN);
    }
}

/* The curve of whole orders that the sites' ledgers add up. */
static double by_gate(const struct seen *seen)
{
    const struct study_cost *c = seen->study;
    struct account account = {0};
    for (int step = 0; step < STEP_COUNT; step++)
        if (c->times[step] > 0 &&
            account_add(&account, &seen->release[step], c->times[step]) != STATUS_OK)
            return (double)INFINITY;
    return account_epsilon_at(&account, c->schedule.order, seen->delta);
}

/* Releases as those of the continuous noise that bounds the sum of the shares. */
static size_t continuous(struct mechanism list[static STEP_COUNT], const struct seen *seen)
{
    size_t n = 0;
    for (int step = 0; step < STEP_COUNT; step++) {
        const struct release *r = &seen->release[step];
        if (seen->study->times[step] == 0) continue;
        const double variance = lattice_sum_continuous(seen->sigma[step], seen->shares[step]);
        const double norm2 = (double)seen->study->release[step].norm2;
        list[n++] = (struct mechanism){.kind = MECHANISM_GAUSSIAN,
                                       .noise = sqrt(variance / norm2),
                                       .shift = 1,
                                       .shares = 1,
                                       .sampling = r->sampling,
                                       .times = seen->study->times[step]};
    }
    return n;
}

/* Over real orders: the constant of the lattice, or, where records are sampled, the curve of the
 * continuous noise. */
static double by_lattice(const struct seen *seen)
{
    const struct study_cost *c = seen->study;
    struct mechanism list[STEP_COUNT];
    const size_t n = continuous(list, seen);
    double least = (double)INFINITY;
    if (list[0].sampling < 1.0)
        return renyi_epsilon(&least, list, n, seen->delta) == STATUS_OK ? least : (double)INFINITY;
    for (double t = log(1e-3); t < log(1e4); t += 0.005) {
        const double a = 1.0 + exp(t);
        double rdp = 0.0;
        for (int step = 0; step < STEP_COUNT; step++)
            if (c->times[step] > 0)
                rdp += (double)c->times[step] * (double)c->release[step].norm2 *
                       lattice_sum_constant(a, seen->sigma[step], seen->shares[step]);
        least = fmin(least, renyi_convert(a, rdp, seen->delta));
    }
    return least;
}

static double by_pld(const struct seen *seen)
{
    struct mechanism list[STEP_COUNT];
    const size_t n = continuous(list, seen);
    double epsilon = (double)INFINITY;
    return pld_epsilon(&epsilon, list, n, seen->delta, 1e-6) == STATUS_OK ? epsilon
                                                                          : (double)INFINITY;
}

/* Kairouz, Liu, Steinke 2021, proposition 14; nothing was published for sampled records. */
static double by_publication(const struct seen *seen)
{
    const struct study_cost *c = seen->study;
    struct account account = {0};
    for (int step = 0; step < STEP_COUNT; step++) {
        const struct release *r = &c->release[step];
        const double norm = sqrt((double)r->norm2), dim = (double)r->dim;
        if (c->times[step] == 0) continue;
        if (r->sampling < 1.0) return (double)INFINITY;
        for (size_t k = 0; k < RDP_ORDERS; k++)
            account.rdp[k] += (double)c->times[step] *
                              renyi_published_gaussian((double)RDP_ORDER[k], seen->sigma[step],
                                                       (double)seen->shares[step], norm,
                                                       renyi_published_l1(norm, dim), dim);
    }
    return account_epsilon(&account, seen->delta);
}

/* By one way of counting, with what a table of the sampler takes of delta at that epsilon. */
static double count(double (*by)(const struct seen *), struct seen seen)
{
    const struct study_cost *c = seen.study;
    const double delta = c->study.privacy.delta;
    const struct books_sampler sampler = {delta - c->schedule.delta, c->study.privacy.epsilon};
    for (int step = 0; step < STEP_COUNT; step++)
        if (c->times[step] > 0 && seen.sigma[step] == 0) return (double)INFINITY;
    double taken = books_sampler_due(sampler, 0);
    for (;;) {
        seen.delta = delta - taken;
        if (!(seen.delta > 0)) return (double)INFINITY;
        const double epsilon = by(&seen), due = books_sampler_due(sampler, epsilon);
        if (due <= taken || isinf(epsilon)) return account_rounded(epsilon);
        taken = due * (1 + 1e-6);
    }
}

#define LINES_MAX 7

/* Nobody drops out, or as many as may; everybody else gives away what they know, at the end. */
static void lines_of(struct line line[static LINES_MAX], size_t *n, char with[static 32],
                     const struct study_cost *c)
{
    const struct params *p = &c->schedule.params;
    /* What is taken away again counts for nobody, whoever survives; nor does, where blocks are
     * allocated, who survives elsewhere. */
    const bool certain = c->study.privacy.dropouts == STUDY_XNOISE ||
                         c->study.allocation.mode != STUDY_ALLOCATION_NONE;
    (void)snprintf(with, 32, "server and %u site%s", p->c, p->c == 1 ? "" : "s");
    const struct {
        const char *name;
        uint32_t known;
    } who[] = {{"model reader", 0}, {"server", 0}, {with, p->c}};
    *n = 0;
    for (size_t k = 0; k < 3; k++)
        for (int worst = 0; worst <= (p->n > p->quorum); worst++) {
            const uint32_t stay = worst ? p->quorum : p->n;
            const uint32_t shares = certain ? params_honest(p) : stay - who[k].known;
            line[(*n)++] =
                (struct line){.adversary = who[k].name, .dropouts = p->n - stay, .shares = shares};
        }
    line[(*n)++] = (struct line){
        .adversary = "everybody but one site", .dropouts = p->n - p->quorum, .shares = 1};
    for (size_t i = 0; i < *n; i++) {
        struct seen seen;
        look(&seen, c, i + 1 < *n ? line[i].shares : 0);
        line[i].shares = seen.shares[STEP_TRAIN];
        line[i].gate = count(by_gate, seen);
        line[i].lattice = count(by_lattice, seen);
        line[i].pld = count(by_pld, seen);
        line[i].published = count(by_publication, seen);
    }
}

static const char *const step_name[STEP_COUNT] = {"exploration", "training", "evaluation", "vote"};

static enum exit_code print_json(const struct study_cost *c, const struct line *line, size_t n)
{
    const char *unit = study_unit_name(c->study.privacy.unit);
    json_t *costs = json_array(), *releases = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(
            costs,
            json_pack("{s:s, s:i, s:i, s:s, s:s, s:f, s:o, s:o, s:o, s:o}", "adversary",
                      line[i].adversary, "dropouts", (int)line[i].dropouts, "noise_shares",
                      (int)line[i].shares, "unit", unit, "adjacency", "add or remove one", "delta",
                      c->study.privacy.delta, "epsilon_gate", dp_real(line[i].gate),
                      "epsilon_lattice", dp_real(line[i].lattice), "epsilon_pld",
                      dp_real(line[i].pld), "epsilon_published", dp_real(line[i].published)));
    for (int step = 0; step < STEP_COUNT; step++) {
        const struct release *r = &c->release[step];
        if (c->times[step] > 0)
            (void)json_array_append_new(
                releases, json_pack("{s:s, s:i, s:i, s:I, s:I, s:f}", "step", step_name[step],
                                    "times", (int)c->times[step], "sigma", (int)r->sigma, "norm2",
                                    (json_int_t)r->norm2, "coordinates", (json_int_t)r->dim,
                                    "sampling", r->sampling));
    }
    const struct params *p = &c->schedule.params;
    return dp_print_json(json_pack(
        "{s:i, s:s, s:i, s:i, s:i, s:f, s:f, s:i, s:o, s:o}", "schema_version", 1, "study",
        c->study.study.id, "sites", (int)p->n, "threshold", (int)p->quorum, "collusion", (int)p->c,
        "target_epsilon", c->study.privacy.epsilon, "noise_multiplier", c->schedule.z, "order",
        (int)RDP_ORDER[c->schedule.order], "releases", releases, "costs", costs));
}

static void print_epsilon(double epsilon)
{
    if (isfinite(epsilon))
        printf("  %9.4f", epsilon);
    else
        printf("  %9s", "-");
}

static enum exit_code print_text(const struct study_cost *c, const struct line *line, size_t n)
{
    const struct params *p = &c->schedule.params;
    printf("study %s: %u sites, threshold %u, at most %u colluding; noise multiplier %.4f\n",
           c->study.study.id, p->n, p->quorum, p->c, account_multiplier_rounded(c->schedule.z));
    for (int step = 0; step < STEP_COUNT; step++) {
        const struct release *r = &c->release[step];
        if (c->times[step] > 0)
            printf("  %-11s %6u times, %llu coordinates, contribution norm %.1f grid units,\n"
                   "              noise of one site %u grid units, sampling %g\n",
                   step_name[step], c->times[step], (unsigned long long)r->dim,
                   sqrt((double)r->norm2), r->sigma, r->sampling);
    }
    printf("\n%-23s %8s %6s  %9s  %9s  %9s  %9s  %-7s  %-17s  %s\n", "epsilon against", "dropouts",
           "shares", "gate", "lattice", "pld", "published", "unit", "adjacency", "delta");
    for (size_t i = 0; i < n; i++) {
        printf("%-23s %8u %6u", line[i].adversary, line[i].dropouts, line[i].shares);
        print_epsilon(line[i].gate);
        print_epsilon(line[i].lattice);
        print_epsilon(line[i].pld);
        print_epsilon(line[i].published);
        printf("  %-7s  %-17s  %g\n", study_unit_name(c->study.privacy.unit), "add or remove one",
               c->study.privacy.delta);
    }
    printf(
        "\nAll are upper bounds, for all rounds together, none failing. Noise is what is due, not\n"
        "what it is rounded up to; lattice and pld on the grid before pruning, with the first "
        "clip.\n"
        "dropouts   sites assumed to leave in every round, and their noise with them\n"
        "shares     sites whose noise the adversary does not know, in a block that is allocated "
        "the\n"
        "           fewest with which it opens; with dropouts: xnoise the\n"
        "           fewest that there can be, for more is taken away; and alone a site keeps\n"
        "           only a part of its own\n"
        "gate       what sites stop at: Renyi at order %u, fixed before the first round\n"
        "lattice    Renyi at the best real order, with nothing paid per coordinate\n"
        "pld        the distribution of the loss, the tightest, for a list fixed in advance\n"
        "published  Kairouz, Liu, Steinke 2021, proposition 14; not for sampled records\n",
        RDP_ORDER[c->schedule.order]);
    return EXIT_OK;
}

enum exit_code dp_study_command(int argc, char **argv)
{
    static const char doc[] =
        "Say what a study costs with the noise that its sites will be told to add, for each "
        "adversary, without and with dropouts, by four ways of counting.\v"
        "Examples:\n"
        "  veilsum-lab dp study --study study.yaml\n"
        "  veilsum-lab dp study --study study.yaml --sites 12 --format json\n\n"
        "`veilsum-lab dp --help` explains the words.\n";
    struct study_cost c = {0};
    const struct option_row row[] = {option_study(&c.path, "The study file"),
                                     {"sites", "N",
                                      "Sites that take part (as many as the study expects)",
                                      .count = &c.sites, .least = 1, .most = PARAMS_SITES_MAX},
                                     option_format(&c.json),
                                     {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    struct settings_error why = {0};
    if (study_read(&c.study, c.path, &why) != STATUS_OK) {
        fprintf(stderr, "%s:%u: %s\n", c.path, why.line, why.text);
        return EXIT_REFUSED;
    }
    if (isinf(c.study.privacy.epsilon)) {
        fprintf(stderr, "%s: a study with epsilon .inf adds no noise: nothing is bounded\n",
                c.path);
        return EXIT_REFUSED;
    }
    struct line line[LINES_MAX];
    size_t n = 0;
    char with[32];
    enum status status = plan_all(&c, &why);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s: it cannot be planned for %u sites: %s (%s)\n", c.path, c.sites,
                why.text[0] != '\0' ? why.text : "the ring is too narrow for its noise",
                status_text(status));
        return EXIT_REFUSED;
    }
    lines_of(line, &n, with, &c);
    return c.json ? print_json(&c, line, n) : print_text(&c, line, n);
}
