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

/* The page about an inversion with this for a picture. */
static struct page *with_picture(const char *image)
{
    AUTO(buffer_free) struct buffer text = {0};
    static const char head[] = "{\"audit\": \"inversion\", \"stages\": [{\"name\": \"plain\", "
                               "\"psnr_mean\": 70.5, \"image\": \"";
    write_bytes(&text, head, sizeof head - 1);
    write_bytes(&text, image, strlen(image));
    write_bytes(&text, "\"}]}", 5);
    return about((const char *)text.at);
}

/* A picture of one pixel begins and ends like this. */
#define HEAD "iVBORw0KGgoAAAANSUhEUgAA"
#define TAIL "AAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

static void only_pictures_are_shown_as_pictures(void)
{
    static const char *const good[] = {PIXEL, HEAD "AAEAAAABCAAA" TAIL, HEAD "IAAAACAACAAA" TAIL};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct page *page = with_picture(good[i]);
        AUTO(buffer_free) struct buffer source = {0};
        page_print(&source, "src=\"data:image/png;base64,%s\"", good[i]);
        write_u8(&source, 0);
        CHECK(says(page, (const char *)source.at) && says(page, "70.50"));
        done(page);
    }
    static const char *const bad[] = {
        "iFBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAA" TAIL, /* another first byte */
        "iVBORw0KGgoAAAANSUhEUwAAAAEAAAABCAAA" TAIL, /* another first part */
        HEAD "AAAAAAABCAAA" TAIL,                    /* a side of 0 pixels */
        HEAD "AAEAAAAACAAA" TAIL,                    /* the other */
        HEAD "IAEAAAABCAAA" TAIL,                    /* one of 8193 */
        HEAD "AAEAACABCAAA" TAIL,                    /* the other */
        HEAD "AAEAAAABCAAAA" TAIL,                   /* no four characters */
        HEAD "AAEAAAABCAA=" TAIL,                    /* what is no digit */
        HEAD "AAEAAAABCAA\\\"" TAIL,
        HEAD "AAEAAAABCAAA", /* cut off */
        ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct page *page = with_picture(bad[i]);
        CHECK(!says(page, "<img") && says(page, "There is no picture"));
        done(page);
    }
}

static void a_picture_without_end_is_not_shown(void)
{
    AUTO(buffer_free) struct buffer image = {0};
    write_bytes(&image, PIXEL, 88);
    for (size_t i = 88; i < (size_t)4 << 20; i += 4) write_bytes(&image, "AAAA", 4);
    write_u8(&image, 0);
    struct page *page = with_picture((const char *)image.at);
    CHECK(says(page, "<img"));
    done(page);
    image.n--;
    write_bytes(&image, "AAAA", 5);
    page = with_picture((const char *)image.at);
    CHECK(!says(page, "<img") && says(page, "There is no picture"));
    done(page);
}

static void documents_of_one_kind_have_files_of_their_own(void)
{
    AUTO(page_free) struct page page = {0};
    struct report_audit audit[3] = {{.file = "a.json"}, {.file = "b.json"}, {.file = "c.json"}};
    for (size_t i = 0; i < 3; i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "{\"audit\": \"%s\", \"bounds\": [{\"method\": \"m\", "
                       "\"epsilon_lower_bound\": 0.%zu}], \"attacks\": [{\"roc\": [[0, 0.%zu]]}], "
                       "\"stages\": [{}], \"checks\": [{}]}",
                       i == 1 ? "mia" : "canary", i + 1, i + 1);
        audit[i].document = parsed(text);
    }
    report_audits(&page, audit, 3, "folder");
    CHECK_OK(page_status(&page));
    CHECK(file_says(&page, "canary-bounds.csv", "\"m\",0.1,"));
    CHECK(file_says(&page, "mia-bounds.csv", "\"m\",0.2,"));
    CHECK(file_says(&page, "canary-2-bounds.csv", "\"m\",0.3,"));
    CHECK(file_says(&page, "mia-roc.csv", ",0,0.2,"));
    CHECK(file_says(&page, "canary-2-roc.csv", ",0,0.3,"));
    CHECK(says(&page, "canary-2-points.csv") && says(&page, "canary-2-stages.csv") &&
          says(&page, "canary-2-checks.csv"));
    for (size_t i = 0; i < page.n_files; i++)
        for (size_t k = 0; k < i; k++) CHECK(strcmp(page.file[i].name, page.file[k].name) != 0);
    for (size_t i = 0; i < 3; i++) document_free(&audit[i].document);
}

static void as_many_audits_as_are_read_have_all_their_files(void)
{
    AUTO(page_free) struct page page = {0};
    static struct report_audit audit[REPORT_AUDITS_MAX];
    for (size_t i = 0; i < REPORT_AUDITS_MAX; i++)
        audit[i].document =
            parsed("{\"audit\": \"mechanism\", \"bounds\": [{}], \"attacks\": [{\"roc\": [[1, "
                   "1]]}], \"stages\": [{}], \"checks\": [{}]}");
    report_audits(&page, audit, REPORT_AUDITS_MAX, "folder");
    CHECK_OK(page_status(&page));
    CHECK_NUMBER(1 + 5 * REPORT_AUDITS_MAX, page.n_files);
    CHECK(says(&page, "mechanism-64-checks.csv"));
    for (size_t i = 0; i < REPORT_AUDITS_MAX; i++) document_free(&audit[i].document);
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
    CHECK_OK(runs_compare(runs));
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
    CHECK(file_says(page, "blocks.csv", "\"0001\",1,1,4\n\"0001\",1,2,0\n"));
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

/* Runs of so many methods, with so many seeds of each. */
static void add_methods(struct runs *runs, int methods, int seeds, const char *result)
{
    for (int i = 0; i < methods * seeds; i++) {
        char settings[100];
        (void)snprintf(settings, sizeof settings, "{\"method\": \"m%d\", \"seed\": %d}", i / seeds,
                       i % seeds);
        add(runs, settings, DONE, result);
    }
}

static void what_a_figure_leaves_out_is_said_and_in_its_file(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(20, sizeof(struct run))};
    add_methods(&runs, 10, 2,
                "{\"result\": {\"accuracy\": 0.5}, \"bytes_per_site\": {\"up\": 7}, \"per_site\": "
                "[{\"records\": 3, \"accuracy\": 0.5}, {\"records\": 4, \"accuracy\": 0.25}]}");
    struct page *page = about_runs(&runs);
    CHECK(says(page, "2 more series are not drawn") && !says(page, "3 more series"));
    CHECK(!says(page, "4 more series")); /* series, not runs */
    CHECK(says(page, ": m8; m9."));
    CHECK(file_says(page, "bytes.csv", "\"m9\",7,0.5,0.5,0.5,2\n"));
    CHECK(file_says(page, "fairness-own.csv", "\"m9\",4,0.25,"));
    done(page);
}

static void many_settings_stay_apart(void)
{
    enum { METHODS = 1100 };
    AUTO(runs_free) struct runs runs = {.run = calloc(METHODS, sizeof(struct run))};
    add_methods(&runs, METHODS, 1,
                "{\"result\": {\"accuracy\": 0.5}, \"per_site\": [{\"records\": 3, "
                "\"accuracy\": 0.5}]}");
    struct page *page = about_runs(&runs);
    CHECK(says(page, "1092 more series are not drawn"));
    CHECK(file_says(page, "fairness-own.csv", "\"m1099\",3,0.5,"));
    CHECK(!file_says(page, "fairness-own.csv", "\"m0\",3,0.5,,,\n\"m0\""));
    done(page);
}

/* Work must not grow with the square or the cube of the runs: it would not end. Those without
 * privacy come first. */
static void thousands_of_runs_of_which_some_have_no_privacy_end(void)
{
    enum { METHODS = 2500 };
    AUTO(runs_free) struct runs runs = {.run = calloc(2 * METHODS, sizeof(struct run))};
    add_methods(&runs, METHODS, 1,
                "{\"result\": {\"accuracy\": 0.5}, \"rounds\": [{\"round\": 1, \"accuracy\": 0.4}, "
                "{\"round\": 2, \"accuracy\": 0.5}, {\"round\": 3, \"accuracy\": 0.5}]}");
    add_methods(&runs, METHODS, 1,
                "{\"result\": {\"accuracy\": 0.5}, \"privacy\": {\"unit\": \"site\", \"limit\": "
                "{\"server_and_colluding_sites\": 2.5}}}");
    struct page *page = about_runs(&runs);
    CHECK_NUMBER(1, runs.n_kinds);
    CHECK(runs.run[0].again == METHODS && runs.run[METHODS].cell == 0);
    CHECK(file_says(page, "learning.csv", "\"m2499\",3,0.5,"));
    CHECK(file_says(page, "summary.csv", "\"m2499\",2,0,0.5,0,"));
    done(page);
}

static void kinds_of_epsilon_are_all_numbered(void)
{
    enum { KINDS = 40 };
    AUTO(runs_free) struct runs runs = {.run = calloc(2 * KINDS + 1, sizeof(struct run))};
    add(&runs, "{\"method\": \"none\"}", DONE, "{\"result\": {\"accuracy\": 0.5}}");
    for (int i = 0; i < 2 * KINDS; i++) {
        char settings[100], result[300];
        (void)snprintf(settings, sizeof settings, "{\"method\": \"m%d\"}", i % KINDS);
        (void)snprintf(result, sizeof result,
                       "{\"result\": {\"accuracy\": 0.5}, \"privacy\": {\"unit\": \"unit %d\", "
                       "\"limit\": {\"server_and_colluding_sites\": 2.5}}}",
                       i % KINDS);
        add(&runs, settings, DONE, result);
    }
    struct page *page = about_runs(&runs);
    CHECK_NUMBER(KINDS, runs.n_kinds);
    CHECK(runs.run[0].kind == 0 && runs.run[1].kind == 1 && runs.run[80].kind == 40);
    CHECK(file_says(page, "summary.csv", "\"m39\",2,0,0.5,0,,,,,2.5,,,,40\n"));
    CHECK(file_says(page, "summary.csv", "\"none\",1,0,0.5,,,,,,,,,,\n"));
    CHECK(file_says(page, "kinds.csv", "40,\"unit unit 39, adjacency"));
    CHECK(says(page, "Only the first 8 kinds have figures"));
    done(page);
}

static void blocks_of_all_runs_are_in_the_numbers(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(6, sizeof(struct run))};
    AUTO(buffer_free) struct buffer wide = {0};
    page_print(&wide, "{\"result\": {\"accuracy\": 0.5}, \"sites\": 70, \"allocation\": "
                      "{\"min_holders\": 2, \"rounds_held\": [[1");
    for (int i = 1; i < 70; i++) page_print(&wide, ",%d", i);
    page_print(&wide, "]]}}");
    write_u8(&wide, 0);
    for (int i = 0; i < 6; i++) add(&runs, "{\"method\": \"fedra\"}", DONE, (const char *)wide.at);
    struct page *page = about_runs(&runs);
    CHECK(says(page, "Blocks held in run 0004") && !says(page, "Blocks held in run 0005"));
    CHECK(says(page, "2 more runs allocate blocks and are not drawn"));
    CHECK(says(page, "1 of 1 blocks and 60 of 70 sites are drawn"));
    CHECK(says(page, "site 1 to 60"));
    CHECK(file_says(page, "blocks.csv", "\"0001\",1,1,1\n"));
    CHECK(file_says(page, "blocks.csv", "\"0006\",1,70,69\n"));
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
    RUN(a_picture_without_end_is_not_shown);
    RUN(documents_of_one_kind_have_files_of_their_own);
    RUN(as_many_audits_as_are_read_have_all_their_files);
    RUN(lists_without_end_are_cut);
    RUN(seeds_are_averaged_and_failures_listed);
    RUN(units_do_not_share_a_figure);
    RUN(what_a_figure_leaves_out_is_said_and_in_its_file);
    RUN(many_settings_stay_apart);
    RUN(thousands_of_runs_of_which_some_have_no_privacy_end);
    RUN(kinds_of_epsilon_are_all_numbered);
    RUN(blocks_of_all_runs_are_in_the_numbers);
    RUN(hostile_runs_stay_words_and_numbers);
    return check_done();
}
