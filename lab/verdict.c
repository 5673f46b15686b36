/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "dp/account.h"
#include "dp/bound.h"

static const char *const finding_name[FINDING_COUNT] = {
    [FINDING_PASS] = "pass", [FINDING_FAIL] = "fail", [FINDING_OPEN] = "inconclusive"};

void verdict_free(struct verdict *verdict)
{
    json_decref(verdict->details);
    verdict->details = NULL;
}

static json_t *sentences_json(const char *const *sentence)
{
    json_t *list = json_array();
    for (; sentence != NULL && *sentence != NULL; sentence++)
        if (json_array_append_new(list, json_string(*sentence)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *claim_json(const struct verdict_claim *c)
{
    if (c == NULL) return json_null();
    return json_pack("{s:f, s:f, s:s, s:s, s:s, s:s}", "epsilon", account_rounded(c->epsilon),
                     "delta", c->delta, "unit", c->unit, "adjacency", c->adjacency, "adversary",
                     c->adversary, "dropouts", c->dropouts);
}

static json_t *headline_json(const struct verdict_headline *h)
{
    if (h == NULL) return json_null();
    return json_pack("{s:s, s:f, s:f, s:b}", "method", h->method, "epsilon_lower_bound",
                     h->epsilon_lower_bound, "confidence", h->confidence, "at_search_limit",
                     h->epsilon_lower_bound >= BOUND_EPSILON_MAX);
}

static json_t *document(const struct verdict *v)
{
    if (v->details == NULL) return NULL;
    json_t *d = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "schema_version", 1, "version",
        VEILSUM_VERSION, "audit", v->audit, "verdict", finding_name[v->finding], "summary",
        v->summary, "claim", claim_json(v->claim), "headline", headline_json(v->headline), "shows",
        sentences_json(v->shows), "does_not_show", sentences_json(v->does_not_show));
    if (d != NULL && json_object_update_missing(d, v->details) != 0) {
        json_decref(d);
        return NULL;
    }
    return d;
}

static bool write_document(const char *folder, const char *audit, const char *text)
{
    char name[64], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s.json", audit);
    const struct view bytes = {(const uint8_t *)text, strlen(text)};
    (void)mkdir(folder, 0777); /* file_write says if there is none */
    if (file_path(path, sizeof path, folder, name) != STATUS_OK ||
        file_write(path, bytes, 0644) != STATUS_OK) {
        fprintf(stderr, "cannot write %s/%s: is there such a folder, and room on its disk?\n",
                folder, name);
        return false;
    }
    return true;
}

static void print_sentences(const char *title, const char *const *sentence)
{
    if (sentence == NULL || *sentence == NULL) return;
    printf("%s\n", title);
    for (; *sentence != NULL; sentence++) printf("  - %s\n", *sentence);
}

static void print_text(const struct verdict *v)
{
    static const char *const word[FINDING_COUNT] = {
        [FINDING_PASS] = "PASS", [FINDING_FAIL] = "FAIL", [FINDING_OPEN] = "INCONCLUSIVE"};
    printf("\n%s: %s\n", word[v->finding], v->summary);
    if (v->claim != NULL)
        printf("claim:    epsilon %.4f at delta %g, unit %s, %s, against the %s, %s\n",
               account_rounded(v->claim->epsilon), v->claim->delta, v->claim->unit,
               v->claim->adjacency, v->claim->adversary, v->claim->dropouts);
    if (v->headline != NULL)
        printf("evidence: epsilon >= %.*f with confidence %g (%s, declared before the run)\n",
               BOUND_DECIMALS, v->headline->epsilon_lower_bound, v->headline->confidence,
               v->headline->method);
    print_sentences("what this shows:", v->shows);
    print_sentences("what it does not show:", v->does_not_show);
}

enum exit_code verdict_report(const struct verdict *verdict, bool json, const char *folder)
{
    json_t *d = document(verdict);
    char *text = d == NULL ? NULL : json_dumps(d, JSON_INDENT(1) | JSON_REAL_PRECISION(11));
    json_decref(d);
    if (text == NULL) {
        fprintf(stderr, "memory is out: the verdict could not be written\n");
        return EXIT_FAILED;
    }
    if (json)
        printf("%s\n", text);
    else
        print_text(verdict);
    const bool written = folder == NULL || write_document(folder, verdict->audit, text);
    free(text);
    if (!written) return EXIT_FAILED;
    return verdict->finding == FINDING_FAIL ? EXIT_VERIFY : EXIT_OK;
}
