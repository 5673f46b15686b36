/* SPDX-License-Identifier: Apache-2.0 */
/* The page about audits: for each, first a verdict in plain words, then the claim, the evidence,
 * what it shows and what it does not, and how to repeat it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp/account.h"
#include "lab/report.h"
#include "lab/sheet.h"

enum { TEXT = 1200, KIND = 24, FILES = 48, CHECKS = 10000 };

static const struct {
    const char *audit, *title;
} titles[] = {
    {"mechanism", "The mechanism: canaries through encoder, noise, masks and server"},
    {"canary", "Canaries: made-up records in the training data"},
    {"mia", "Membership: telling who was in the training data"},
    {"inversion", "Inversion: rebuilding records from what a site sends"},
    {"verify", "Transcripts: what the parties wrote down"},
};

static void term(struct page *page, const char *name, const char *text)
{
    page_print(&page->html, "<dt>%s</dt><dd>", name);
    page_text(&page->html, text[0] == 0 ? "not said" : text);
    page_print(&page->html, "</dd>\n");
}

static void term_text(struct page *page, const char *name, const json_t *d, const char *path)
{
    char text[TEXT];
    document_text(text, sizeof text, d, path);
    term(page, name, text);
}

static double claimed(const json_t *d)
{
    const double x = document_number(d, "claim.epsilon");
    return x >= 0 ? x : (double)NAN;
}

static double proved(const json_t *d)
{
    return document_number(d, "headline.epsilon_lower_bound");
}

enum check_result { CHECK_PASSED, CHECK_OPEN, CHECK_FAILED };

/* null: there was nothing to check it with. */
static enum check_result check_result(const json_t *check)
{
    const json_t *ok = document_at(check, "ok");
    return json_is_true(ok) ? CHECK_PASSED : json_is_null(ok) ? CHECK_OPEN : CHECK_FAILED;
}

/* The verdict that its own numbers allow: a document that says "pass" of a refuted claim does not
 * get a green box. */
static const char *verdict_of(const json_t *d, bool *contradicts)
{
    char verdict[16];
    document_text(verdict, sizeof verdict, d, "verdict");
    bool all = true, looked = true;
    for (size_t i = 0; i < document_length(d, "checks", CHECKS); i++) {
        const enum check_result is = check_result(json_array_get(document_at(d, "checks"), i));
        all = all && is != CHECK_FAILED;
        looked = looked && is == CHECK_PASSED;
    }
    const bool passed = strcmp(verdict, "pass") == 0;
    *contradicts = passed && (proved(d) > claimed(d) || !all);
    if (*contradicts || strcmp(verdict, "fail") == 0) return "fail";
    return passed && looked ? "pass" : "inconclusive";
}

static void verdict_box(struct page *page, const json_t *d)
{
    struct buffer *out = &page->html;
    bool contradicts = false;
    const char *verdict = verdict_of(d, &contradicts);
    page_print(out, "<div class=\"verdict %s\"><strong>%s</strong>", verdict,
               strcmp(verdict, "pass") == 0   ? "\xE2\x9C\x93 Passed"
               : strcmp(verdict, "fail") == 0 ? "\xE2\x9C\x97 Failed"
                                              : "? Undecided");
    char summary[TEXT];
    document_text(summary, sizeof summary, d, "summary");
    page_element(page, "p", summary[0] == 0 ? "The document has no summary." : summary);
    if (contradicts)
        page_print(out, "<p>The file says that the audit passed, and its own numbers or checks say "
                        "that it did not: do not rely on it, repeat the audit.</p>");
    page_print(out, "</div>\n");
}

static void claim_box(struct page *page, const json_t *d)
{
    struct buffer *out = &page->html;
    if (isnan(claimed(d))) {
        page_print(out, "<p>No epsilon was tested.</p>\n");
    } else {
        char delta[DOCUMENT_DIGITS_MAX];
        document_digits(delta, d, "claim.delta");
        page_print(out,
                   "<h3>The claim that was tested</h3><dl><dt>epsilon</dt><dd>at most %.4f</dd>\n",
                   account_rounded(claimed(d)));
        term(page, "delta", delta);
        term_text(page, "unit", d, "claim.unit");
        term_text(page, "adjacency", d, "claim.adjacency");
        term_text(page, "against", d, "claim.adversary");
        term_text(page, "dropouts", d, "claim.dropouts");
        page_print(out, "</dl>\n");
    }
    if (isnan(proved(d))) return;
    char method[64], confidence[DOCUMENT_DIGITS_MAX];
    document_text(method, sizeof method, d, "headline.method");
    document_digits(confidence, d, "headline.confidence");
    page_print(
        out,
        "<p>Evidence: epsilon is at least <b>%.4f</b> with confidence %s, by the method that "
        "was declared before the run: ",
        floor(proved(d) * 1e4) / 1e4, confidence);
    page_text(out, method);
    page_print(out, ".</p>\n");
}

static void check_list(struct page *page, const json_t *d, const char *files)
{
    static const char *const heads[] = {"", "check", "what", "counts", NULL};
    static const char *const sign[] = {[CHECK_PASSED] = "\xE2\x9C\x93",
                                       [CHECK_OPEN] = "not looked at",
                                       [CHECK_FAILED] = "\xE2\x9C\x97 failed"};
    const json_t *checks = document_at(d, "checks");
    if (!json_is_array(checks)) return;
    AUTO(sheet_free) struct sheet sheet = {0};
    char name[PAGE_NAME_MAX - 4];
    (void)snprintf(name, sizeof name, "%s-checks", files);
    page_print(&page->html, "<h3>The checks</h3>\n");
    sheet_begin(&sheet, page, name, heads);
    for (size_t i = 0; i < document_length(d, "checks", CHECKS); i++) {
        const json_t *check = json_array_get(checks, i);
        char text[TEXT];
        sheet_text(&sheet, sign[check_result(check)]);
        document_text(text, sizeof text, check, "name");
        sheet_text(&sheet, text);
        document_text(text, sizeof text, check, "what");
        sheet_text(&sheet, text);
        char *counts = json_dumps(document_at(check, "counts"), JSON_ENCODE_ANY | JSON_COMPACT);
        document_cut(text, 200, counts == NULL ? "" : counts);
        free(counts);
        sheet_text(&sheet, text);
    }
    sheet_end(&sheet, NULL, "By veilsum-lab audit verify, from the files of the parties alone.");
}

static void sentences(struct page *page, const char *title, const json_t *d, const char *path)
{
    const size_t n = document_length(d, path, 50);
    if (n == 0) return;
    page_print(&page->html, "<h3>%s</h3><ul>\n", title);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(document_at(d, path), i));
        char cut[TEXT];
        document_cut(cut, sizeof cut, text == NULL ? "" : text);
        page_element(page, "li", cut);
    }
    page_print(&page->html, "</ul>\n");
}

static void repeat_box(struct page *page, const json_t *d, const char *file, const char *audit)
{
    char version[40];
    document_text(version, sizeof version, d, "version");
    page_print(&page->html,
               "<p class=\"soft\">To repeat it: <code>veilsum-lab audit %s "
               "--out DIR</code> with the same study and data",
               audit);
    const double seed = document_number(d, "seed");
    if (!isnan(seed)) page_print(&page->html, " and <code>--seed %.0f</code>", seed);
    page_print(&page->html, "; <code>--help</code> lists the options. This is ");
    page_text(&page->html, file);
    page_print(&page->html, ", written by veilsum ");
    page_text(&page->html, version);
    page_print(&page->html, ". Nobody has signed it: it says what its author ran.</p>\n");
}

static const char *kind_title(const json_t *d, char kind[static KIND])
{
    document_text(kind, KIND, d, "audit");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(kind, titles[i].audit) == 0) return titles[i].title;
    return NULL;
}

/* What the files of audit i are named by: its kind, and which of that kind it is. */
static void name_files(char out[static FILES], const struct report_audit *audit, size_t i)
{
    char kind[KIND], other[KIND];
    size_t which = 1;
    (void)kind_title(audit[i].document, kind);
    for (size_t k = 0; k < i; k++) {
        (void)kind_title(audit[k].document, other);
        which += strcmp(other, kind) == 0;
    }
    if (which == 1)
        (void)snprintf(out, FILES, "%s", kind);
    else
        (void)snprintf(out, FILES, "%s-%zu", kind, which);
}

static void write_audit(struct page *page, const struct report_audit *audit, const char *files)
{
    const json_t *d = audit->document;
    char kind[KIND];
    const char *title = kind_title(d, kind);
    if (title == NULL) return;
    page_element(page, "h2", title);
    verdict_box(page, d);
    claim_box(page, d);
    page_print(&page->html, "<div class=\"figures\">\n");
    report_bounds(page, d, files);
    report_roc(page, d, files);
    page_figures_end(page);
    report_stages(page, d, files);
    check_list(page, d, files);
    sentences(page, "What this shows", d, "shows");
    sentences(page, "What it does not show", d, "does_not_show");
    repeat_box(page, d, audit->file, kind);
}

/* All verdicts at a glance, and the files that are none. */
static void overview(struct page *page, const struct report_audit *audit, size_t n)
{
    static const char *const heads[] = {"audit", "verdict", "file", NULL};
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet_begin(&sheet, page, "audits", heads);
    for (size_t i = 0; i < n; i++) {
        char kind[KIND];
        bool contradicts = false;
        const char *title = kind_title(audit[i].document, kind);
        sheet_text(&sheet, title == NULL ? "none that is known here" : title);
        sheet_text(&sheet, audit[i].document == NULL ? "unreadable: too large, or no JSON object"
                           : title == NULL           ? "-"
                                                     : verdict_of(audit[i].document, &contradicts));
        sheet_text(&sheet, audit[i].file);
    }
    sheet_end(&sheet, NULL, "From the audits' own documents, checked against their own numbers.");
}

void report_audits(struct page *page, const struct report_audit *audit, size_t n,
                   const char *folder)
{
    page_begin(page, "Privacy audits");
    page_print(&page->html, "<p>%zu documents of <code>", n);
    page_text(&page->html, folder);
    page_print(&page->html,
               "</code>, by <code>veilsum-lab report</code> %s. An audit that passes found nothing "
               "against the claim; it does not prove the claim. Bounds are rounded down, claims "
               "up.</p>\n",
               VEILSUM_VERSION);
    overview(page, audit, n);
    for (size_t i = 0; i < n; i++) {
        char files[FILES];
        name_files(files, audit, i);
        write_audit(page, &audit[i], files);
    }
    page_end(page);
}
