/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/check.h"
#include "tests/unit/lab/leaf.h"

static void add(struct runs *runs, const char *settings, const char *status, const char *result)
{
    char text[4096];
    (void)snprintf(text, sizeof text, "{\"parameters\": %s}", settings);
    json_t *d[RUN_DOCUMENTS] = {leaf_parse(text), leaf_parse(status), leaf_parse(result)};
    struct run *run = &runs->run[runs->n++];
    (void)snprintf(run->name, sizeof run->name, "%04zu", runs->n);
    CHECK_OK(runs_fill(run, d));
    for (size_t i = 0; i < RUN_DOCUMENTS; i++) document_free(&d[i]);
}

static struct page *about_runs(struct runs *runs)
{
    struct page *page = leaf_new();
    CHECK_OK(runs_compare(runs));
    report_runs(page, runs, "folder");
    leaf_check(page);
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
    CHECK(leaf_says(page, "5 runs: 4 finished, 1 failed"));
    CHECK(leaf_file_says(page, "failed.csv",
                         "\"0005\",\"m, epsilon 1\",\"failed\",\"exit 5: E-POLICY\""));
    CHECK(leaf_file_says(page, "summary.csv", "\"m, epsilon 3, dropout 0.2\",3,0,0.82,0.04968"));
    CHECK(leaf_file_says(page, "summary.csv", ",2.5,1.2001,1000,0.5,1\n"));
    CHECK(leaf_file_says(page, "accuracy-1.csv", "\"m, dropout 0.2\",3,0.82,0.77"));
    CHECK(leaf_file_says(page, "accuracy-1.csv", "\"local-only\",,0.6,"));
    CHECK(leaf_file_says(page, "budget-1.csv", "\"limit 2.5000\",,2.5"));
    CHECK(leaf_file_says(page, "budget-1.csv", "\"m, epsilon 3, dropout 0.2\",2,1.3,"));
    CHECK(leaf_file_says(page, "budget-1.csv", "\"m, epsilon 3, dropout 0.2\",1,0.5001,"));
    CHECK(leaf_file_says(page, "dropouts-rounds.csv", "\"m, epsilon 3\",0.2,1,"));
    CHECK(leaf_file_says(page, "fairness-own.csv", ",5,0.5,"));
    CHECK(leaf_file_says(page, "fairness-test.csv", "\"local-only\",30,0.55,,,\n"));
    CHECK(leaf_file_says(page, "fairness-test.csv", "\"m, epsilon 3, dropout 0.2\",,0.82,"));
    CHECK(leaf_file_says(page, "blocks.csv", "\"0001\",1,1,4\n\"0001\",1,2,0\n"));
    CHECK(leaf_says(page,
                    "unit site, adjacency: add, delta 1e-05, against the server with 2 colluding"));
    leaf_free(page);
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
    CHECK(!leaf_says(page, "accuracy-3.csv"));
    CHECK(leaf_file_says(page, "accuracy-1.csv", "\"m\",2.5,0.5,0.5,0.5,2\n"));
    CHECK(leaf_file_says(page, "accuracy-2.csv", "\"m\",2.5,0.5,,,1\n"));
    leaf_free(page);
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
    CHECK(leaf_says(page, "2 more series are not drawn") && !leaf_says(page, "3 more series"));
    CHECK(!leaf_says(page, "4 more series")); /* series, not runs */
    CHECK(leaf_says(page, ": m8; m9."));
    CHECK(leaf_file_says(page, "bytes.csv", "\"m9\",7,0.5,0.5,0.5,2\n"));
    CHECK(leaf_file_says(page, "fairness-own.csv", "\"m9\",4,0.25,"));
    leaf_free(page);
}

static void many_settings_stay_apart(void)
{
    enum { METHODS = 1100 };
    AUTO(runs_free) struct runs runs = {.run = calloc(METHODS, sizeof(struct run))};
    add_methods(&runs, METHODS, 1,
                "{\"result\": {\"accuracy\": 0.5}, \"per_site\": [{\"records\": 3, "
                "\"accuracy\": 0.5}]}");
    struct page *page = about_runs(&runs);
    CHECK(leaf_says(page, "1092 more series are not drawn"));
    CHECK(leaf_file_says(page, "fairness-own.csv", "\"m1099\",3,0.5,"));
    CHECK(!leaf_file_says(page, "fairness-own.csv", "\"m0\",3,0.5,,,\n\"m0\""));
    leaf_free(page);
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
    CHECK(leaf_file_says(page, "learning.csv", "\"m2499\",3,0.5,"));
    CHECK(leaf_file_says(page, "summary.csv", "\"m2499\",2,0,0.5,0,"));
    leaf_free(page);
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
    CHECK(leaf_file_says(page, "summary.csv", "\"m39\",2,0,0.5,0,,,,,2.5,,,,40\n"));
    CHECK(leaf_file_says(page, "summary.csv", "\"none\",1,0,0.5,,,,,,,,,,\n"));
    CHECK(leaf_file_says(page, "kinds.csv", "40,\"unit unit 39, adjacency"));
    CHECK(leaf_says(page, "Only the first 8 kinds have figures"));
    leaf_free(page);
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
    CHECK(leaf_says(page, "Blocks held in run 0004") &&
          !leaf_says(page, "Blocks held in run 0005"));
    CHECK(leaf_says(page, "2 more runs allocate blocks and are not drawn"));
    CHECK(leaf_says(page, "1 of 1 blocks and 60 of 70 sites are drawn"));
    CHECK(leaf_says(page, "site 1 to 60"));
    CHECK(leaf_file_says(page, "blocks.csv", "\"0001\",1,1,1\n"));
    CHECK(leaf_file_says(page, "blocks.csv", "\"0006\",1,70,69\n"));
    leaf_free(page);
}

/* A short text can claim many numbers. */
static void numbers_of_blocks_have_an_end(void)
{
    enum { BLOCKS = 512, SITES = 2048 };
    AUTO(runs_free) struct runs runs = {.run = calloc(2, sizeof(struct run))};
    AUTO(buffer_free) struct buffer huge = {0};
    page_print(&huge,
               "{\"result\": {\"accuracy\": 0.5}, \"sites\": %d, \"allocation\": "
               "{\"min_holders\": 2, \"rounds_held\": [[0",
               SITES);
    for (int b = 0; b < BLOCKS; b++) {
        if (b > 0) page_print(&huge, ",[0");
        for (int i = 1; i < SITES / 8; i++) page_print(&huge, ",0");
        page_print(&huge, "]");
    }
    page_print(&huge, "]}}");
    write_u8(&huge, 0);
    for (int i = 0; i < 2; i++) add(&runs, "{\"method\": \"fedra\"}", DONE, (const char *)huge.at);
    struct page *page = about_runs(&runs);
    CHECK(leaf_says(page, "1 runs are left out of the CSV file"));
    CHECK(leaf_file_says(page, "blocks.csv", "\"0001\",512,2048,0\n"));
    CHECK(!leaf_file_says(page, "blocks.csv", "\"0002\",1,1,0\n"));
    leaf_free(page);
}

static void hostile_runs_stay_words_and_numbers(void)
{
    AUTO(runs_free) struct runs runs = {.run = calloc(4, sizeof(struct run))};
    add(&runs, "{\"method\": " LEAF_EVIL ", " LEAF_EVIL ": " LEAF_EVIL ", \"epsilon\": -1e300}",
        "{\"state\": \"failed\", \"why\": " LEAF_EVIL "}",
        "{\"result\": {\"accuracy\": 1e308}, \"version\": " LEAF_EVIL ", \"data_hash\": " LEAF_EVIL
        "}");
    add(&runs, "{\"epsilon\": " LEAF_EVIL ", \"a\": [], \"b\": {}, \"c\": 1e300}", DONE,
        "{\"result\": {\"accuracy\": 1}, \"sites\": 4000000000, \"privacy\": {\"unit\": " LEAF_EVIL
        ", \"adjacency\": " LEAF_EVIL
        ", \"delta\": 1e300, \"limit\": {\"server_and_colluding_sites\": "
        "-5}}, \"bytes_per_site\": {\"up\": 1e15}, \"allocation\": {\"rounds_held\": [[1], 2]}, "
        "\"rounds\": [1, [], {\"accuracy\": -1}, {\"round\": -4, \"accuracy\": 1, \"epsilon\": "
        "3}]}");
    add(&runs, "[]", DONE, "{}");
    struct page *page = about_runs(&runs);
    CHECK(!leaf_says(page, "<script") && !leaf_says(page, "nan"));
    leaf_free(page);
}

int main(void)
{
    RUN(seeds_are_averaged_and_failures_listed);
    RUN(units_do_not_share_a_figure);
    RUN(what_a_figure_leaves_out_is_said_and_in_its_file);
    RUN(many_settings_stay_apart);
    RUN(thousands_of_runs_of_which_some_have_no_privacy_end);
    RUN(kinds_of_epsilon_are_all_numbered);
    RUN(blocks_of_all_runs_are_in_the_numbers);
    RUN(numbers_of_blocks_have_an_end);
    RUN(hostile_runs_stay_words_and_numbers);
    return check_done();
}
