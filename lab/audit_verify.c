/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab audit verify: the transcript audit as a command. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "lab/audit.h"
#include "lab/verdict.h"
#include "lab/verify.h"

/* Sentences that are made here, besides those that always hold. */
enum { SENTENCES_MAX = 2 * CHECK_COUNT + 16, SENTENCE_BYTES = 700 };

struct arguments {
    const char **path; /* borrowed from argv */
    uint32_t n;
    bool json;
    const char *out, *pin;
};

struct sentences {
    const char *at[SENTENCES_MAX + 1]; /* NULL ends them */
    size_t n;
};

static const char *const check_name[CHECK_COUNT] = {
    [CHECK_SIGNATURES] = "signatures", [CHECK_PARTIES] = "parties",
    [CHECK_PLANS] = "plans",           [CHECK_GRID] = "grid",
    [CHECK_QUORUM] = "quorum",         [CHECK_ONCE] = "once",
    [CHECK_NOISE] = "noise",           [CHECK_BYTES] = "bytes",
    [CHECK_HEADS] = "heads",           [CHECK_EPSILON] = "epsilon"};

static const char *const never_shown[] = {
    "whether the records are what they are said to be, and how many of them are of one patient",
    "whether a site trained as the program does: its messages look the same if it did not",
    "what the model has memorised: see audit canary and audit mia",
    "whether kept coordinates and adaptive clips followed from the sums: sites compared, and keep "
    "no "
    "copy",
    "whole rounds that were cut off the end of a log and are remembered by no other party",
    "a history that a party wrote anew with its own key, where no other party remembers another",
};

/* --- the report --------------------------------------------------------------------------------
 */

static void add(struct sentences *s, const char *sentence)
{
    if (s->n < SENTENCES_MAX) s->at[s->n++] = sentence;
}

/* Whose evidence would be needed, in one sentence. */
static void name_missing(char out[static SENTENCE_BYTES], const struct verify *v)
{
    const struct manifest *m = &v->party[0].manifest;
    size_t at = (size_t)snprintf(out, SENTENCE_BYTES, "what these know, for they were not given:%s",
                                 v->leader == NULL ? " the coordinator" : "");
    for (uint32_t i = 0; i < m->n; i++) {
        bool given = false;
        for (size_t k = 0; k < v->n; k++)
            given = given || (!v->party[k].leads && v->party[k].member == i);
        if (!given && at < SENTENCE_BYTES)
            at += (size_t)snprintf(out + at, SENTENCE_BYTES - at, " %s", m->member[i].name);
    }
}

static void summarise(struct verdict *verdict, const struct verify *v)
{
    const size_t room = sizeof verdict->summary;
    bool all = v->whole;
    for (int i = 0; i < CHECK_COUNT; i++) all = all && !v->found[i].open;
    verdict->finding = all ? FINDING_PASS : FINDING_OPEN;
    if (all)
        (void)snprintf(verdict->summary, room,
                       "VERIFIED. All that the coordinator and %zu sites kept of %zu rounds holds, "
                       "and agrees.",
                       v->n - 1, v->n_facts);
    else
        (void)snprintf(verdict->summary, room,
                       "What %zu parties kept of %zu rounds holds and agrees, but not everything "
                       "could be looked at.",
                       v->n, v->n_facts);
    for (int i = CHECK_COUNT - 1; i >= 0; i--) {
        if (v->found[i].faults == 0) continue;
        verdict->finding = FINDING_FAIL;
        (void)snprintf(verdict->summary, room, "NOT VERIFIED. %s: %s", check_name[i],
                       v->found[i].what);
    }
}

static json_t *checks_json(const struct verify *v)
{
    json_t *list = json_array();
    for (int i = 0; i < CHECK_COUNT; i++) {
        const struct looked *f = &v->found[i];
        json_t *ok = f->faults > 0 ? json_false() : f->open ? json_null() : json_true();
        json_t *counts = f->counts == NULL ? json_object() : json_incref(f->counts);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:o, s:s, s:I, s:o}", "name", check_name[i], "ok", ok, "what",
                            f->what, "faults", (json_int_t)f->faults, "counts", counts));
    }
    return json_pack("{s:o}", "checks", list);
}

static void print_checks(const struct verify *v)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        const struct looked *f = &v->found[i];
        printf("%-5s %-11s %s",
               f->faults > 0 ? "FAIL"
               : f->open     ? "-"
                             : "ok",
               check_name[i], f->what);
        if (f->faults > 1) printf(" (and %u more)", f->faults - 1);
        printf("\n");
    }
}

static enum exit_code report(const struct verify *v, const struct arguments *a)
{
    struct sentences shows = {.n = 0}, hides = {.n = 0};
    char missing[SENTENCE_BYTES];
    for (int i = 0; i < CHECK_COUNT; i++) {
        const struct looked *f = &v->found[i];
        if (f->faults > 0 || (f->open && verify_failed(v))) continue;
        add(f->open ? &hides : &shows, f->what);
    }
    AUTO(verdict_free) struct verdict verdict = {.audit = "verify", .details = checks_json(v)};
    summarise(&verdict, v);
    if (verdict.finding != FINDING_FAIL && !v->whole) {
        name_missing(missing, v);
        add(&hides, missing);
    }
    for (size_t i = 0; i < sizeof never_shown / sizeof *never_shown; i++)
        add(&hides, never_shown[i]);
    char adversary[64];
    adversary_name(adversary, sizeof adversary, ADVERSARY_COLLUSION, v->study.sites.colluding);
    const struct verdict_claim claim = {.epsilon = v->study.privacy.epsilon,
                                        .delta = v->study.privacy.delta,
                                        .unit = study_unit_name(v->study.privacy.unit),
                                        .adjacency = "add or remove one",
                                        .adversary = adversary,
                                        .dropouts = "those that happened"};
    if (v->n_facts > 0 && isfinite(v->study.privacy.epsilon)) verdict.claim = &claim;
    verdict.shows = shows.at;
    verdict.does_not_show = hides.at;
    if (!a->json) print_checks(v);
    return verdict_report(&verdict, a->json, a->out);
}

static enum status read_all(struct verify *v, const struct arguments *a, const char **lacks)
{
    v->party = calloc(a->n, sizeof *v->party);
    if (v->party == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < a->n; i++) {
        *lacks = a->path[i];
        TRY(verify_party(v, a->path[i]));
        if (v->party[i].secrets)
            fprintf(stderr,
                    "%s holds secret keys: hand over what `veilsum-client evidence` or "
                    "`veilsum-aggregator evidence` writes\n",
                    a->path[i]);
    }
    *lacks = "the evidence";
    return STATUS_OK;
}

enum exit_code audit_verify(int argc, char **argv)
{
    static const char doc[] =
        "Check what the parties of a study kept: signatures and chains, the same plans everywhere, "
        "quorums, noise, budgets, bytes. Each DIR is the folder of the coordinator or of a site, "
        "or "
        "the file that their `evidence` command writes. Nothing is asked of anybody, and no secret "
        "is needed. Exit code 6 when something does not hold.\v"
        "Examples:\n"
        "  veilsum-lab audit verify coordinator.evidence st-anna.evidence uni-klinik.evidence\n"
        "  veilsum-lab audit verify demo/coordinator demo/site-* --format json\n";
    static struct verify verify; /* large */
    struct arguments a = {.path = calloc((size_t)argc, sizeof *a.path)};
    if (a.path == NULL) return EXIT_FAILED;
    const struct option_row row[] = {
        {"pin", "HEX", "The manifest's hash that the sites pinned (manifest.pin)", .text = &a.pin},
        option_format(&a.json),
        option_out(&a.out, "DIR", "Also write DIR/verify.json"),
        {NULL, "DIR...", .needed = true, .list = a.path, .count = &a.n, .most = argc},
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    const char *lacks = NULL;
    enum status status = read_all(&verify, &a, &lacks);
    if (status == STATUS_OK) status = verify_all(&verify, a.pin);
    enum exit_code code = status == STATUS_IO ? EXIT_DATA : EXIT_FAILED;
    if (status == STATUS_OK)
        code = report(&verify, &a);
    else
        fprintf(stderr, "%s: %s\n", lacks, status_text(status));
    verify_free(&verify);
    free(a.path);
    return code;
}
