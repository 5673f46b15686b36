/* SPDX-License-Identifier: Apache-2.0 */
/* What the documents of one run say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/runs.h"

#define WHO "server_and_colluding_sites"

/* An epsilon; null is infinity. */
static double epsilon_at(const json_t *document, const char *path)
{
    const json_t *member = document_at(document, path);
    const double x = document_number(document, path);
    return json_is_null(member) ? (double)INFINITY : x >= 0 ? x : (double)NAN;
}

static double epsilon_setting(const json_t *settings)
{
    const json_t *member = document_at(settings, "epsilon");
    const char *word = json_string_value(member);
    if (word != NULL) return strstr(word, "inf") != NULL ? (double)INFINITY : (double)NAN;
    return document_number(settings, "epsilon");
}

static double share(double part, double whole)
{
    return whole > 0 && part >= 0 && part <= whole ? part / whole : (double)NAN;
}

static double rate(double x)
{
    return x >= 0 && x <= 1 ? x : (double)NAN;
}

/* Everything that an epsilon needs beside it to mean something. */
static void fill_privacy(struct run *run, const json_t *settings, const json_t *result)
{
    const json_t *privacy = document_at(result, "privacy");
    run->target = run->limit = run->spent = (double)NAN;
    if (!json_is_object(privacy)) return;
    document_text(run->unit, sizeof run->unit, privacy, "unit");
    document_text(run->adjacency, sizeof run->adjacency, privacy, "adjacency");
    char delta[DOCUMENT_DIGITS_MAX];
    document_digits(delta, privacy, "delta");
    (void)snprintf(run->frame, sizeof run->frame,
                   "unit %s, adjacency: %s, delta %s, against the server with %u colluding site(s)",
                   run->unit, run->adjacency, delta, document_count(privacy, "colluding"));
    run->limit = epsilon_at(privacy, "limit." WHO);
    run->spent = epsilon_at(privacy, "spent." WHO);
    /* fmax takes the other one when one is not a number */
    run->target = fmax(epsilon_setting(settings), run->limit);
}

static struct run_point point_of(const json_t *row)
{
    return (struct run_point){document_count(row, "round"), rate(document_number(row, "accuracy")),
                              epsilon_at(row, "epsilon." WHO)};
}

static bool is_told(const json_t *row)
{
    const struct run_point p = point_of(row);
    return !isnan(p.accuracy) || !isnan(p.epsilon);
}

/* Of many rounds that say something, evenly spaced ones up to the last. */
static enum status fill_curve(struct run *run, const json_t *rounds)
{
    size_t told = 0, seen = 0;
    for (size_t i = 0; i < json_array_size(rounds); i++) told += is_told(json_array_get(rounds, i));
    const size_t step = told / RUNS_CURVE_MAX + 1;
    if (told == 0) return STATUS_OK;
    run->curve = calloc(told / step + 1, sizeof *run->curve);
    if (run->curve == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < json_array_size(rounds); i++) {
        const json_t *row = json_array_get(rounds, i);
        if (!is_told(row) || (told - ++seen) % step != 0) continue;
        run->curve[run->n_curve] = point_of(row);
        if (!isnan(run->curve[run->n_curve++].accuracy)) run->scored++;
    }
    return STATUS_OK;
}

static void fill_rounds(struct run *run, const json_t *rounds, double parameters)
{
    for (size_t i = 0; i < json_array_size(rounds); i++) {
        const json_t *row = json_array_get(rounds, i);
        if (document_at(row, "opened") != NULL) {
            run->rounds++;
            run->opened += document_true(row, "opened");
        }
        const double kept = share(document_number(row, "kept"), parameters);
        if (isfinite(kept)) run->kept = kept;
    }
}

/* result.per_site: [{records, accuracy, test: {accuracy}}, ...]. */
static enum status fill_sites(struct run *run, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (n == 0 || n > RUNS_SITES_MAX) return STATUS_OK;
    run->site = calloc(n, sizeof *run->site);
    if (run->site == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i);
        const struct run_site site = {document_number(one, "records"),
                                      rate(document_number(one, "accuracy")),
                                      rate(document_number(one, "test.accuracy"))};
        if (site.records >= 0) run->site[run->n_sites++] = site;
    }
    return STATUS_OK;
}

/* result.allocation: {min_holders, rounds_held: [[site 1, site 2, ...] of block 1, ...]}. */
static enum status fill_blocks(struct run *run, const json_t *allocation)
{
    const json_t *list = document_at(allocation, "rounds_held");
    const size_t blocks = json_array_size(list), sites = run->sites;
    if (blocks == 0 || blocks > RUNS_BLOCKS_MAX || sites == 0 || sites > RUNS_SITES_MAX)
        return STATUS_OK;
    size_t said = 0;
    for (size_t b = 0; b < blocks; b++) said += json_array_size(json_array_get(list, b));
    if (8 * said < blocks * sites) return STATUS_OK; /* memory follows from what is there */
    run->held = calloc(blocks * sites, sizeof *run->held);
    if (run->held == NULL) return STATUS_NOMEM;
    run->blocks = (uint32_t)blocks;
    run->min_holders = document_count(allocation, "min_holders");
    for (size_t b = 0; b < blocks; b++)
        for (size_t v = 0; v < sites; v++) {
            const double held = json_number_value(json_array_get(json_array_get(list, b), v));
            run->held[b * sites + v] = held > 0 && held < 1e9 ? (uint32_t)held : 0;
        }
    return STATUS_OK;
}

static void fill_state(struct run *run, const json_t *manifest, const json_t *status,
                       const json_t *result)
{
    char state[16], why[200];
    document_text(state, sizeof state, status, "state");
    document_text(why, sizeof why, status, "why");
    if (why[0] == 0) document_text(why, sizeof why, result, "stop");
    if (run->why[0] != 0) {
        run->state = RUN_UNREADABLE;
    } else if (manifest == NULL || status == NULL) {
        run->state = RUN_UNREADABLE;
        (void)snprintf(run->why, sizeof run->why, "it has no %s.json",
                       manifest == NULL ? "manifest" : "status");
    } else if (strcmp(state, "running") == 0) {
        run->state = RUN_RUNNING;
        (void)snprintf(run->why, sizeof run->why, "it was running when this was written");
    } else if (strcmp(state, "done") != 0) {
        run->state = RUN_FAILED;
        (void)snprintf(run->why, sizeof run->why, "exit %u: %s", document_count(status, "exit"),
                       why[0] == 0 ? "it left no reason" : why);
    } else if (!isfinite(rate(document_number(result, "result.accuracy")))) {
        run->state = RUN_FAILED;
        (void)snprintf(run->why, sizeof run->why, "it has no result%s%s", why[0] == 0 ? "" : ": ",
                       why);
    }
}

/* A text, or an object of several. */
static void fill_build(struct run *run, const json_t *build)
{
    char *text = json_dumps(build, JSON_ENCODE_ANY | JSON_COMPACT);
    document_cut(run->build, sizeof run->build, text == NULL ? "" : text);
    free(text);
}

static void fill_attacks(struct run *run, const json_t *mia, const json_t *canary)
{
    run->attack_tpr = (double)NAN;
    for (size_t i = 0; i < document_length(mia, "attacks", 8); i++) {
        const json_t *attack = json_array_get(document_at(mia, "attacks"), i);
        for (size_t j = 0; j < document_length(attack, "points", 64); j++) {
            const json_t *p = json_array_get(document_at(attack, "points"), j);
            if (fabs(document_number(p, "fpr_target") - 0.01) < 1e-9)
                run->attack_tpr = fmax(run->attack_tpr, rate(document_number(p, "tpr")));
        }
    }
    run->attack_bound = document_number(canary, "headline.epsilon_lower_bound");
}

enum status runs_fill(struct run *run, json_t *const document[static RUN_DOCUMENTS])
{
    const json_t *manifest = document[RUN_MANIFEST], *result = document[RUN_RESULT];
    json_t *settings = json_object_get(manifest, "parameters");
    if (json_is_object(settings)) run->settings = json_incref(settings);
    document_text(run->method, sizeof run->method, settings, "method");
    if (run->method[0] == 0) document_text(run->method, sizeof run->method, result, "method");
    document_text(run->version, sizeof run->version, result, "version");
    document_text(run->commit, sizeof run->commit, manifest, "commit");
    fill_build(run, document_at(manifest, "build"));
    document_text(run->data_hash, sizeof run->data_hash, result, "data_hash");
    if (json_is_string(document_at(result, "initial")))
        document_text(run->initial_hash, sizeof run->initial_hash, result, "initial_hash");
    else if (json_is_null(document_at(result, "initial")))
        (void)snprintf(run->initial_hash, sizeof run->initial_hash, "drawn from the seed");
    run->accuracy = rate(document_number(result, "result.accuracy"));
    run->balanced = rate(document_number(result, "result.balanced"));
    run->auc = rate(document_number(result, "result.auc"));
    run->bytes_up = document_number(result, "bytes_per_site.up");
    run->dropout = rate(document_number(result, "dropout"));
    run->sites = document_count(result, "sites");
    run->kept = (double)NAN;
    fill_privacy(run, settings, result);
    fill_state(run, manifest, document[RUN_STATUS], result);
    fill_attacks(run, document[RUN_MIA], document[RUN_CANARY]);
    const json_t *rounds = document_at(result, "rounds");
    fill_rounds(run, rounds, document_number(result, "parameters"));
    TRY(fill_curve(run, rounds));
    TRY(fill_sites(run, document_at(result, "per_site")));
    return fill_blocks(run, document_at(result, "allocation"));
}
