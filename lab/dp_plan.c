/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab dp plan: the noise that a study needs, and what dropouts and collusion make of it.
 * The same account as at the sites (dp/account.h), so that a study can be written from it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "dp/pld.h"
#include "lab/dp.h"

struct plan {
    double epsilon, delta, dropout, sampling;
    uint32_t rounds, sites, threshold, collusion;
    bool json;
    /* found */
    double z;
    uint32_t order;
};

/* Sites that stay when the expected part leaves. */
static uint32_t staying(const struct plan *p)
{
    return p->sites - (uint32_t)ceil(p->dropout * (double)p->sites - 1e-9);
}

static void check(void *values, struct argp_state *state)
{
    const struct plan *p = values;
    if (p->epsilon == 0.0 || p->delta == 0.0 || p->rounds == 0 || p->sites == 0 ||
        p->threshold == 0)
        argp_error(state,
                   "--target-epsilon, --delta, --rounds, --sites and --threshold are needed");
    if (p->threshold > p->sites)
        argp_error(state, "--threshold %u: at most the %u sites", p->threshold, p->sites);
    if (p->collusion >= p->threshold)
        argp_error(state, "--collusion %u: fewer than the threshold of %u, or no noise is left",
                   p->collusion, p->threshold);
    if (staying(p) < p->threshold)
        argp_error(state,
                   "--dropout %g leaves %u of %u sites: lower --threshold, no round would end",
                   p->dropout, staying(p), p->sites);
}

/* What `rounds` cost at the plan's order when `shares` noise shares are unknown to the adversary.
 */
static double cost(const struct plan *p, uint32_t rounds, uint32_t shares)
{
    const double z2 = p->z * p->z * (double)shares / (double)(p->threshold - p->collusion);
    struct account account = {0};
    account.rdp[p->order] =
        (double)rounds * rdp_sampled_gaussian(RDP_ORDER[p->order], z2, p->sampling);
    return account_rounded(account_epsilon_at(&account, p->order, p->delta));
}

/* The same rounds, reported afterwards by the tightest accountant; infinite when it cannot say. */
static double cost_reported(const struct plan *p, uint32_t shares)
{
    const double z = p->z * sqrt((double)shares / (double)(p->threshold - p->collusion));
    const struct mechanism m = {MECHANISM_GAUSSIAN, z, 1, 1, p->sampling, false, p->rounds};
    double epsilon = (double)INFINITY;
    if (pld_epsilon(&epsilon, &m, 1, p->delta, 1e-5) != STATUS_OK) return (double)INFINITY;
    return account_rounded(epsilon);
}

static enum exit_code print_json(const struct plan *p)
{
    const uint32_t honest = p->threshold - p->collusion, stay = staying(p);
    const double n = (double)p->sites, t = (double)p->threshold, h = (double)honest;
    json_t *survivors = json_array();
    for (uint32_t s = p->sites; s >= p->threshold; s--)
        (void)json_array_append_new(survivors,
                                    json_pack("{s:i, s:o, s:o}", "sites_that_stayed", (int)s,
                                              "epsilon_server", dp_real(cost(p, p->rounds, s)),
                                              "epsilon_server_and_colluding_sites",
                                              dp_real(cost(p, p->rounds, s - p->collusion))));
    json_t *document = json_pack(
        "{s:i, s:f, s:f, s:f, s:o, s:f, s:i, s:i, s:i, s:i, s:f, s:f, s:s, s:s, s:i}",
        "schema_version", 1, "noise_multiplier", p->z, "noise_multiplier_per_site", p->z / sqrt(h),
        "noise_multiplier_expected", p->z * sqrt((double)stay / h), "epsilon",
        dp_real(cost(p, p->rounds, honest)), "delta", p->delta, "rounds", (int)p->rounds, "sites",
        (int)p->sites, "threshold", (int)p->threshold, "collusion", (int)p->collusion, "dropout",
        p->dropout, "sampling", p->sampling, "unit", DP_UNIT, "adjacency", "add or remove one",
        "order", (int)RDP_ORDER[p->order]);
    REQUIRE(document != NULL);
    (void)json_object_set_new(
        document, "per_round",
        json_pack("{s:f, s:o, s:f}", "rdp",
                  rdp_sampled_gaussian(RDP_ORDER[p->order], p->z * p->z, p->sampling),
                  "epsilon_of_one_round_alone", dp_real(cost(p, 1, honest)), "epsilon_share",
                  p->epsilon / (double)p->rounds));
    (void)json_object_set_new(document, "extra_noise",
                              json_pack("{s:f, s:f, s:f}", "dropouts", sqrt(n / t), "collusion",
                                        sqrt(t / h), "both", sqrt(n / h)));
    (void)json_object_set_new(
        document, "epsilon_by_adversary",
        json_pack("{s:o, s:o, s:o, s:o}", "server", dp_real(cost(p, p->rounds, p->threshold)),
                  "server_and_colluding_sites", dp_real(cost(p, p->rounds, honest)), "model_reader",
                  dp_real(cost(p, p->rounds, p->threshold)), "all_but_one_site",
                  dp_real(cost(p, p->rounds, 1))));
    (void)json_object_set_new(document, "epsilon_expected",
                              dp_real(cost(p, p->rounds, stay - p->collusion)));
    (void)json_object_set_new(document, "epsilon_reported_by_pld",
                              dp_real(cost_reported(p, stay - p->collusion)));
    (void)json_object_set_new(document, "by_survivors", survivors);
    return dp_print_json(document);
}

static enum exit_code print_text(const struct plan *p)
{
    const uint32_t honest = p->threshold - p->collusion, stay = staying(p);
    const double n = (double)p->sites, t = (double)p->threshold, h = (double)honest;
    printf("noise multiplier            %10.4f   that %u honest sites guarantee\n"
           "  each site adds            %10.4f   times the largest norm of one contribution\n"
           "  when %5u sites stay      %10.4f   in the sum, all noise together\n"
           "rounds                      %10u   all of them: epsilon %.4f at delta %g\n"
           "  one round alone           %10.4f   (epsilon / rounds: %.4f)\n\n",
           account_multiplier_rounded(p->z), honest, account_multiplier_rounded(p->z / sqrt(h)),
           stay, account_multiplier_rounded(p->z * sqrt((double)stay / h)), p->rounds,
           cost(p, p->rounds, honest), p->delta, cost(p, 1, honest),
           p->epsilon / (double)p->rounds);
    printf("What protection costs, as more noise in the sum when all stay:\n"
           "  dropouts down to %u of %u    %8.1f %%\n  %u colluding site(s)         %8.1f %%\n"
           "  both                        %8.1f %%\n\n",
           p->threshold, p->sites, 100.0 * (sqrt(n / t) - 1.0), p->collusion,
           100.0 * (sqrt(t / h) - 1.0), 100.0 * (sqrt(n / h) - 1.0));
    printf("sites that stay   epsilon of the server   with %u colluding site(s)\n", p->collusion);
    for (uint32_t s = p->sites; s >= p->threshold; s--) {
        if (s < p->sites && s > p->threshold && s != stay && p->sites - p->threshold > 20) continue;
        printf("%15u   %21.4f   %23.4f%s\n", s, cost(p, p->rounds, s),
               cost(p, p->rounds, s - p->collusion), s == stay ? "   expected" : "");
    }
    const double reported = cost_reported(p, stay - p->collusion);
    if (isfinite(reported))
        printf("\nA report afterwards (pld) will say %.4f when %u sites stay in every round.\n",
               reported, stay);
    printf("If the pads fail, or all other sites collude, one site's noise is left: epsilon %.4f\n"
           "unit:      %s\nadjacency: add or remove one\n",
           cost(p, p->rounds, 1), DP_UNIT);
    return EXIT_OK;
}

enum exit_code dp_plan_command(int argc, char **argv)
{
    static const char doc[] =
        "Say how much noise a study needs, and what dropouts and collusion cost.\v"
        "Examples:\n"
        "  veilsum-lab dp plan --target-epsilon 3 --delta 1e-5 --rounds 30 --sites 10 "
        "--threshold 7 --collusion 2 --dropout 0.1\n"
        "  veilsum-lab dp plan --target-epsilon 1 --delta 1e-6 --rounds 100 --sites 8 "
        "--threshold 6 --sampling 0.02 --format json\n\n"
        "`veilsum-lab dp --help` explains the words.\n";
    struct plan p = {.sampling = 1.0};
    const struct option_row row[] = {
        {"target-epsilon", "E", "What all rounds together may cost", .number = &p.epsilon,
         .least = 1e-6, .most = 1e4},
        {"delta", "D", "Chance with which the bound may fail", .number = &p.delta, .least = 1e-100,
         .most = 0.999},
        {"rounds", "R", "Rounds, each with the same noise", .count = &p.rounds, .least = 1,
         .most = 1e6},
        {"sites", "N", "Sites that begin a round", .count = &p.sites, .least = 1, .most = 65536},
        {"threshold", "T", "Sites that must stay, or there is no result", .count = &p.threshold,
         .least = 1, .most = 65536},
        {"collusion", "C", "Sites that tell the server their noise (0)", .count = &p.collusion,
         .most = 65536},
        {"dropout", "P", "Part of the sites that is expected to leave (0)", .number = &p.dropout,
         .most = 0.999},
        {"sampling", "Q", "Chance that a record takes part in a round (1)", .number = &p.sampling,
         .least = 1e-9, .most = 1},
        option_format(&p.json),
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc, .check = check, .values = &p}, argc,
                argv);
    const struct account_goal goal = {
        .epsilon = p.epsilon, .delta = p.delta, .sampling = p.sampling, .rounds = p.rounds};
    if (account_calibrate(&p.z, &p.order, &goal) != STATUS_OK) {
        fprintf(stderr, "dp plan: no noise up to a million times the norm is enough: raise "
                        "--target-epsilon or --delta, or plan fewer rounds\n");
        return EXIT_REFUSED;
    }
    return p.json ? print_json(&p) : print_text(&p);
}
