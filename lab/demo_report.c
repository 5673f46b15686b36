/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo has shown: a table for people, one JSON document for programs. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dp/account.h"
#include "lab/demo.h"

struct summary {
    const struct demo_round *last;
    double accuracy, kept;
    uint64_t bytes_up, plain;
};

/* Bytes of a typical training round: the largest, so that nothing is hidden in a mean. */
static struct summary summarize(const struct demo *demo)
{
    struct summary s = {.accuracy = -1, .plain = 4 * demo->parameters};
    for (uint32_t i = 0; i < demo->n_rounds; i++) {
        const struct demo_round *row = &demo->round[i];
        s.last = row;
        if (row->accuracy >= 0) s.accuracy = row->accuracy;
        if (!row->explore && row->bytes_up > s.bytes_up) s.bytes_up = row->bytes_up;
        s.kept = (double)row->kept / (double)demo->parameters;
    }
    return s;
}

/* Infinity is null: JSON has no other word for it. */
static json_t *number(double epsilon)
{
    return isfinite(epsilon) ? json_real(account_rounded(epsilon)) : json_null();
}

static json_t *rounds_json(const struct demo *demo)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < demo->n_rounds; i++) {
        const struct demo_round *row = &demo->round[i];
        (void)json_array_append_new(
            rows, json_pack("{s:i, s:s, s:i, s:i, s:o, s:o, s:I, s:I}", "round", (int)row->round,
                            "step", row->explore ? "explore" : "train", "sites",
                            (int)row->survivors, "recovered", (int)row->recovered, "accuracy",
                            row->accuracy < 0 ? json_null() : json_real(row->accuracy), "epsilon",
                            number(row->epsilon), "bytes_up_per_site", (json_int_t)row->bytes_up,
                            "kept", (json_int_t)row->kept));
    }
    return rows;
}

static void print_json(const struct demo *demo, const struct summary *s)
{
    json_t *document = json_pack(
        "{s:i, s:f, s:o, s:o, s:f, s:s, s:s, s:s, s:{s:o, s:o, s:o}, s:f, s:I, s:I, s:i, s:i, s:i,"
        " s:b, s:i, s:f, s:o}",
        "schema_version", 1, "accuracy", s->accuracy, "accuracy_unpruned_nonprivate",
        demo->baseline < 0 ? json_null() : json_real(demo->baseline), "epsilon",
        number(s->last->epsilon), "delta", demo->study.privacy.delta, "unit",
        study_unit_name(demo->study.privacy.unit), "adjacency", "add or remove one", "adversary",
        "server", "epsilon_by_adversary", "server", number(s->last->epsilon),
        "server_and_colluding_sites", number(s->last->epsilon_collusion), "model_reader",
        number(s->last->epsilon_reader), "kept_fraction", s->kept, "bytes_up_per_site_per_round",
        (json_int_t)s->bytes_up, "plain_bytes_per_round", (json_int_t)s->plain, "rounds",
        (int)demo->n_rounds, "sites", (int)demo->options.sites, "dropouts_recovered",
        (int)demo->dropouts_recovered, "sums_exact", demo->sums_exact, "sums_checked",
        (int)demo->sums_checked, "seconds", demo->seconds, "per_round", rounds_json(demo));
    REQUIRE(document != NULL);
    (void)json_object_set_new(document, "epsilon_limit", number(demo->study.privacy.epsilon));
    (void)json_object_set_new(
        document, "epsilon_meaning",
        json_string("spent with the dropouts that happened; epsilon_limit holds whatever happens; "
                    "both for adversaries who do not time the sites"));
    (void)json_object_set_new(document, "colluding", json_integer(demo->study.sites.colluding));
    (void)json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    printf("\n");
    json_decref(document);
}

static void print_row(const struct demo *demo, const struct demo_round *row)
{
    char accuracy[16] = "     -";
    if (row->accuracy >= 0) (void)snprintf(accuracy, sizeof accuracy, "%6.4f", row->accuracy);
    printf("%5u  %-7s %2u/%-2u  %s  %8.4f  %9llu  %9llu  %5.1f%%  %u\n", row->round,
           row->explore ? "explore" : "train", row->survivors, demo->options.sites, accuracy,
           account_rounded(row->epsilon), (unsigned long long)row->bytes_up,
           (unsigned long long)(4 * demo->parameters),
           100 * (double)row->kept / (double)demo->parameters, row->killed ? 1u : row->recovered);
}

static void print_text(const struct demo *demo, const struct summary *s)
{
    printf("\nround  step    sites  accuracy  epsilon   bytes up   plain     kept   recovered\n"
           "                       (test)    (server)  per site   FedAvg    share  dropouts\n");
    for (uint32_t i = 0; i < demo->n_rounds; i++) {
        const struct demo_round *row = &demo->round[i];
        if (row->explore || row->killed || row->accuracy >= 0 ||
            row->survivors < demo->options.sites)
            print_row(demo, row);
    }
    printf("\naccuracy on %zu test images: %.4f", demo->test.n, s->accuracy);
    if (demo->baseline >= 0) printf(" (same model, not private, not pruned: %.4f)", demo->baseline);
    printf(
        "\nepsilon at delta %g, unit %s, adding or removing one, with the dropouts that happened:\n"
        "  %.4f  against the server alone\n  %.4f  against the server with %u colluding site(s)\n"
        "  %.4f  against whoever reads all models\n"
        "  at most %.4f against the server with %u site(s), whoever drops out and whatever fails:\n"
        "  the limit that every site enforces; for adversaries who do not time the sites\n",
        demo->study.privacy.delta, study_unit_name(demo->study.privacy.unit),
        account_rounded(s->last->epsilon), account_rounded(s->last->epsilon_collusion),
        demo->study.sites.colluding, account_rounded(s->last->epsilon_reader),
        demo->study.privacy.epsilon, demo->study.sites.colluding);
    printf("bytes up per site and round: %llu, plain float32 FedAvg unpruned: %llu (%.0f %%)\n"
           "dropouts recovered: %u; %u opened sums compared with what the sites put in: %s\n"
           "%.1f seconds\n",
           (unsigned long long)s->bytes_up, (unsigned long long)s->plain,
           100 * (double)s->bytes_up / (double)s->plain, demo->dropouts_recovered,
           demo->sums_checked, demo->sums_exact ? "all exact" : "NOT EXACT", demo->seconds);
}

void demo_report(const struct demo *demo)
{
    if (demo->n_rounds == 0) return;
    struct summary s = summarize(demo);
    if (demo->options.json)
        print_json(demo, &s);
    else
        print_text(demo, &s);
}
