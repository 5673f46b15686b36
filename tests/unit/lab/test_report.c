/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/tame.h"

#define EVIL "\"</td></svg><script>alert(1)</script><img src=x onerror=alert(1)>\\u202e'\""
#define PIXEL                                                                                      \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

static json_t *parsed(const char *text)
{
    json_t *d = NULL;
    CHECK_OK(document_parse(&d, (struct view){(const uint8_t *)text, strlen(text)}));
    return d;
}

/* --- audits ------------------------------------------------------------------------------------
 */

/* The page about one document, which is freed. */
static struct page *about(const char *text)
{
    struct page *page = calloc(1, sizeof *page);
    struct report_audit audit = {.file = "a.json", .document = parsed(text)};
    report_audits(page, &audit, 1, "folder");
    document_free(&audit.document);
    CHECK_OK(page_status(page));
    CHECK(tame_page(buffer_view(&page->html)));
    return page;
}

static void done(struct page *page)
{
    page_free(page);
    free(page);
}

static bool says(const struct page *page, const char *text)
{
    return tame_says(buffer_view(&page->html), text);
}

static const struct page_file *file(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->n_files; i++)
        if (strcmp(page->file[i].name, name) == 0) return &page->file[i];
    CHECK(false);
    return &page->file[0];
}

static bool file_says(const struct page *page, const char *name, const char *text)
{
    return tame_says(buffer_view(&file(page, name)->bytes), text);
}

#define CLAIM                                                                                      \
    "\"claim\": {\"epsilon\": 1.80001, \"delta\": 1e-5, \"unit\": \"patient\", \"adjacency\": "    \
    "\"add or remove one\", \"adversary\": \"server\", \"dropouts\": \"none\"}"
#define HEADLINE(x)                                                                                \
    "\"headline\": {\"method\": \"gdp\", \"epsilon_lower_bound\": " x ", \"confidence\": 0.95}"

static void a_verdict_comes_first_and_numbers_round_to_the_safe_side(void)
{
    struct page *page = about(
        "{\"audit\": \"mechanism\", \"verdict\": \"pass\", \"summary\": \"All is well.\", " CLAIM
        ", " HEADLINE(
            "1.71239") ", \"bounds\": [{\"method\": \"gdp\", \"epsilon_lower_bound\": "
                       "1.71239, \"headline\": true, \"holds_for\": \"Gaussian\"}, {\"method\": "
                       "\"one-run\"}], \"seed\": 7, "
                       "\"shows\": [\"this\", 7], \"does_not_show\": [\"that\"]}");
    CHECK(says(page, "verdict pass") && says(page, "All is well."));
    CHECK(says(page, "at most 1.8001") && says(page, "1.7123") && !says(page, "1.7124"));
    CHECK(says(page, "declared before the run") && says(page, "--seed 7"));
    CHECK(says(page, "<dd>patient") && says(page, "<dd>add or remove one"));
    CHECK(says(page, "<li>this") && says(page, "<li>that"));
    done(page);
}

static void a_verdict_that_its_numbers_refute_is_not_believed(void)
{
    struct page *page =
        about("{\"audit\": \"canary\", \"verdict\": \"pass\", " CLAIM ", " HEADLINE("1.9") "}");
    CHECK(says(page, "verdict fail") && says(page, "do not rely on it"));
    done(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"pass\", \"checks\": [{\"ok\": true}, "
                 "{\"ok\": 1}]}");
    CHECK(says(page, "verdict fail") && says(page, "do not rely on it"));
    done(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"pass\", \"checks\": [{\"ok\": true}, "
                 "{\"ok\": null}]}");
    CHECK(says(page, "verdict inconclusive") && says(page, "not looked at") &&
          !says(page, "do not rely"));
    done(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"PASS\"}");
    CHECK(says(page, "verdict inconclusive") && !says(page, "verdict pass"));
    done(page);
}

static void words_of_others_stay_words(void)
{
    struct page *page =
        about("{\"audit\": \"mechanism\", \"verdict\": " EVIL ", \"summary\": " EVIL
              ", \"version\": " EVIL ", \"claim\": {\"epsilon\": 1, \"delta\": " EVIL
              ", \"unit\": " EVIL ", \"adjacency\": " EVIL ", \"adversary\": " EVIL
              ", \"dropouts\": " EVIL "}, \"headline\": {\"method\": " EVIL
              ", \"epsilon_lower_bound\": 0.5}, \"bounds\": [{\"method\": " EVIL
              ", \"holds_for\": " EVIL "}], \"attacks\": [{\"name\": " EVIL
              ", \"roc\": [[0.5, 0.5]], \"points\": [" EVIL "]}], \"stages\": [{\"name\": " EVIL
              ", \"image\": " EVIL "}], \"checks\": [{\"name\": " EVIL ", \"what\": " EVIL
              ", \"counts\": {" EVIL ": " EVIL "}}], \"shows\": [" EVIL "]}");
    CHECK(!says(page, "<script") && says(page, "&lt;script&gt;"));
    done(page);
    page = about("{\"audit\": " EVIL "}");
    CHECK(says(page, "none that is known here"));
    done(page);
}

static void only_pictures_are_shown_as_pictures(void)
{
    struct page *page = about("{\"audit\": \"inversion\", \"stages\": [{\"name\": \"plain\", "
                              "\"psnr_mean\": 70.5, \"image\": \"" PIXEL "\"}]}");
    CHECK(says(page, "src=\"data:image/png;base64," PIXEL "\"") && says(page, "70.50"));
    done(page);
    static const char *const bad[] = {
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+"
        "kcQAAAABJRU5Erk\\\"gg==",
        "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7R0lGODlhAQABAIAAAAAAAP==",
        "iVBORw0KGgoAAAANSUhEUgAA//"
        "8AAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
        "iVBORw0KGgoAAAANSUhEUgAAAAAAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+"
        "kcQAAAABJRU5ErkJggg==",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJg="
        "g==",
        "iVBORw0KGgoAAAANSUhEUg==",
        ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{\"audit\": \"inversion\", \"stages\": [{\"image\": \"%s\"}]}", bad[i]);
        page = about(text);
        CHECK(!says(page, "<img") && says(page, "There is no picture"));
        done(page);
    }
}

static void lists_without_end_are_cut(void)
{
    AUTO(buffer_free) struct buffer text = {0};
    page_print(&text, "{\"audit\": \"mia\", \"attacks\": [{\"roc\": [");
    for (int i = 0; i < 200000; i++) page_print(&text, "[0.5, 0.5],");
    page_print(&text, "[]]}], \"checks\": [");
    for (int i = 0; i < 200000; i++) page_print(&text, "{},");
    page_print(&text, "{}]}");
    write_u8(&text, 0);
    struct page *page = about((const char *)text.at);
    CHECK(page->html.n < 400000 && file(page, "mia-roc.csv")->bytes.n < 20000);
    done(page);
}

/* --- runs --------------------------------------------------------------------------------------
 */

static void add(struct runs *runs, const char *settings, const char *status, const char *result)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "{\"parameters\": %s}", settings);
    json_t *d[RUN_DOCUMENTS] = {parsed(text), parsed(status), parsed(result)};
    struct run *run = &runs->run[runs->n++];
    (void)snprintf(run->name, sizeof run->name, "%04zu", runs->n);
    CHECK_OK(runs_fill(run, d));
    for (size_t i = 0; i < RUN_DOCUMENTS; i++) document_free(&d[i]);
}

static struct page *about_runs(struct runs *runs)
{
    struct page *page = calloc(1, sizeof *page);
    runs_compare(runs);
    report_runs(page, runs, "folder");
    CHECK_OK(page_status(page));
    CHECK(tame_page(buffer_view(&page->html)));
    return page;
}

#define DONE "{\"state\": \"done\"}"

static void seeds_are_averaged_and_failures_listed(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(8, sizeof(struct run))};
    static const double accuracy[] = {0.80, 0.82, 0.84};
    char result[2048], settings[200];
    for (int seed = 0; seed < 3; seed++) {
        (void)snprintf(
            result, sizeof result,
            "{\"version\": \"1\", \"sites\": 2, \"dropout\": 0.2, \"result\": {\"accuracy\": %f}, "
            "\"privacy\": {\"unit\": \"site\", \"adjacency\": \"add\", \"delta\": 1e-5, "
            "\"colluding\": 2, \"limit\": {\"server_and_colluding_sites\": 2.5}, \"spent\": "
            "{\"server_and_colluding_sites\": %f}}, \"bytes_per_site\": {\"up\": 1000}, "
            "\"parameters\": 10, \"rounds\": [{\"round\": 1, \"opened\": true, \"kept\": 10, "
            "\"accuracy\": 0.5, \"epsilon\": {\"server_and_colluding_sites\": 0.50001}}, "
            "{\"round\": 2, \"opened\": true, \"kept\": 5, \"accuracy\": 0.8, \"epsilon\": "
            "{\"server_and_colluding_sites\": %f}}], \"per_site\": [{\"records\": 5, "
            "\"accuracy\": 0.5}], \"allocation\": {\"min_holders\": 2, \"rounds_held\": [[4, 0]]}}",
            accuracy[seed], 1 + 0.10001 * seed, 1.3 - 0.10001 * seed);
        (void)snprintf(settings, sizeof settings,
                       "{\"method\": \"m\", \"epsilon\": 3, \"dropout\": 0.2, \"seed\": %d}", seed);
        add(&runs, settings, DONE, result);
    }
    add(&runs, "{\"method\": \"local-only\", \"seed\": 0}", DONE,
        "{\"result\": {\"accuracy\": 0.6}, \"per_site\": [{\"records\": 30, \"accuracy\": 1, "
        "\"test\": {\"accuracy\": 0.55}}]}");
    add(&runs, "{\"method\": \"m\", \"epsilon\": 1, \"seed\": 0}",
        "{\"state\": \"failed\", \"exit\": 5, \"why\": \"E-POLICY\"}", "{}");
    struct page *page = about_runs(&runs);
    CHECK(says(page, "5 runs: 4 finished, 1 failed"));
    CHECK(
        file_says(page, "failed.csv", "\"0005\",\"m, epsilon 1\",\"failed\",\"exit 5: E-POLICY\""));
    CHECK(file_says(page, "summary.csv", "\"m, epsilon 3, dropout 0.2\",3,0,0.82,0.04968"));
    CHECK(file_says(page, "summary.csv", ",2.5,1.2001,1000,0.5,1\n"));
    CHECK(file_says(page, "accuracy-1.csv", "\"m, dropout 0.2\",3,0.82,0.77"));
    CHECK(file_says(page, "accuracy-1.csv", "\"local-only\",,0.6,"));
    CHECK(file_says(page, "budget-1.csv", "\"limit 2.5000\",,2.5"));
    CHECK(file_says(page, "budget-1.csv", "\"m, epsilon 3, dropout 0.2\",2,1.3,"));
    CHECK(file_says(page, "budget-1.csv", "\"m, epsilon 3, dropout 0.2\",1,0.5001,"));
    CHECK(file_says(page, "dropouts-rounds.csv", "\"m, epsilon 3\",0.2,1,"));
    CHECK(file_says(page, "fairness-own.csv", ",5,0.5,"));
    CHECK(file_says(page, "fairness-test.csv", "\"local-only\",30,0.55,,,\n"));
    CHECK(file_says(page, "fairness-test.csv", "\"m, epsilon 3, dropout 0.2\",,0.82,"));
    CHECK(file_says(page, "blocks-0001.csv", "1,1,4\n1,2,0\n"));
    CHECK(
        says(page, "unit site, adjacency: add, delta 1e-05, against the server with 2 colluding"));
    done(page);
}

static void units_do_not_share_a_figure(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(3, sizeof(struct run))};
    static const char *const unit[] = {"site", "patient", "site"};
    for (size_t i = 0; i < 3; i++) {
        char result[400];
        (void)snprintf(
            result, sizeof result,
            "{\"result\": {\"accuracy\": 0.5}, \"privacy\": {\"unit\": \"%s\", \"limit\": "
            "{\"server_and_colluding_sites\": 2.5}}}",
            unit[i]);
        add(&runs, "{\"method\": \"m\"}", DONE, result);
    }
    struct page *page = about_runs(&runs);
    CHECK(!says(page, "accuracy-3.csv"));
    CHECK(file_says(page, "accuracy-1.csv", "\"m\",2.5,0.5,0.5,0.5,2\n"));
    CHECK(file_says(page, "accuracy-2.csv", "\"m\",2.5,0.5,,,1\n"));
    done(page);
}

static void hostile_runs_stay_words_and_numbers(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(4, sizeof(struct run))};
    add(&runs, "{\"method\": " EVIL ", " EVIL ": " EVIL ", \"epsilon\": -1e300}",
        "{\"state\": \"failed\", \"why\": " EVIL "}",
        "{\"result\": {\"accuracy\": 1e308}, \"version\": " EVIL ", \"data_hash\": " EVIL "}");
    add(&runs, "{\"epsilon\": " EVIL ", \"a\": [], \"b\": {}, \"c\": 1e300}", DONE,
        "{\"result\": {\"accuracy\": 1}, \"sites\": 4000000000, \"privacy\": {\"unit\": " EVIL
        ", \"adjacency\": " EVIL ", \"delta\": 1e300, \"limit\": {\"server_and_colluding_sites\": "
        "-5}}, \"bytes_per_site\": {\"up\": 1e15}, \"allocation\": {\"rounds_held\": [[1], 2]}, "
        "\"rounds\": [1, [], {\"accuracy\": -1}, {\"round\": -4, \"accuracy\": 1, \"epsilon\": "
        "3}]}");
    add(&runs, "[]", DONE, "{}");
    struct page *page = about_runs(&runs);
    CHECK(!says(page, "<script") && !says(page, "nan"));
    done(page);
}

int main(void)
{
    RUN(a_verdict_comes_first_and_numbers_round_to_the_safe_side);
    RUN(a_verdict_that_its_numbers_refute_is_not_believed);
    RUN(words_of_others_stay_words);
    RUN(only_pictures_are_shown_as_pictures);
    RUN(lists_without_end_are_cut);
    RUN(seeds_are_averaged_and_failures_listed);
    RUN(units_do_not_share_a_figure);
    RUN(hostile_runs_stay_words_and_numbers);
    return check_done();
}
