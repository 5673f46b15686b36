/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/report.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/lab/leaf.h"

#define PIXEL                                                                                      \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

/* The page about one document, which is freed. */
static struct page *about(const char *text)
{
    struct page *page = leaf_new();
    struct report_audit audit = {.file = "a.json", .document = leaf_parse(text)};
    report_audits(page, &audit, 1, "folder");
    document_free(&audit.document);
    leaf_check(page);
    return page;
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
    CHECK(leaf_says(page, "verdict pass") && leaf_says(page, "All is well."));
    CHECK(leaf_says(page, "at most 1.8001") && leaf_says(page, "1.7123") &&
          !leaf_says(page, "1.7124"));
    CHECK(leaf_says(page, "declared before the run") && leaf_says(page, "--seed 7"));
    CHECK(leaf_says(page, "<dd>patient") && leaf_says(page, "<dd>add or remove one"));
    CHECK(leaf_says(page, "<li>this") && leaf_says(page, "<li>that"));
    leaf_free(page);
}

static void a_verdict_that_its_numbers_refute_is_not_believed(void)
{
    struct page *page =
        about("{\"audit\": \"canary\", \"verdict\": \"pass\", " CLAIM ", " HEADLINE("1.9") "}");
    CHECK(leaf_says(page, "verdict fail") && leaf_says(page, "do not rely on it"));
    leaf_free(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"pass\", \"checks\": [{\"ok\": true}, "
                 "{\"ok\": 1}]}");
    CHECK(leaf_says(page, "verdict fail") && leaf_says(page, "do not rely on it"));
    leaf_free(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"pass\", \"checks\": [{\"ok\": true}, "
                 "{\"ok\": null}]}");
    CHECK(leaf_says(page, "verdict inconclusive") && leaf_says(page, "not looked at") &&
          !leaf_says(page, "do not rely"));
    leaf_free(page);
    page = about("{\"audit\": \"verify\", \"verdict\": \"PASS\"}");
    CHECK(leaf_says(page, "verdict inconclusive") && !leaf_says(page, "verdict pass"));
    leaf_free(page);
}

static void words_of_others_stay_words(void)
{
    struct page *page = about(
        "{\"audit\": \"mechanism\", \"verdict\": " LEAF_EVIL ", \"summary\": " LEAF_EVIL
        ", \"version\": " LEAF_EVIL ", \"claim\": {\"epsilon\": 1, \"delta\": " LEAF_EVIL
        ", \"unit\": " LEAF_EVIL ", \"adjacency\": " LEAF_EVIL ", \"adversary\": " LEAF_EVIL
        ", \"dropouts\": " LEAF_EVIL "}, \"headline\": {\"method\": " LEAF_EVIL
        ", \"epsilon_lower_bound\": 0.5}, \"bounds\": [{\"method\": " LEAF_EVIL
        ", \"holds_for\": " LEAF_EVIL "}], \"attacks\": [{\"name\": " LEAF_EVIL
        ", \"roc\": [[0.5, 0.5]], \"points\": [" LEAF_EVIL "]}], \"stages\": [{\"name\": " LEAF_EVIL
        ", \"image\": " LEAF_EVIL "}], \"checks\": [{\"name\": " LEAF_EVIL ", \"what\": " LEAF_EVIL
        ", \"counts\": {" LEAF_EVIL ": " LEAF_EVIL "}}], \"shows\": [" LEAF_EVIL "]}");
    CHECK(!leaf_says(page, "<script") && leaf_says(page, "&lt;script&gt;"));
    leaf_free(page);
    page = about("{\"audit\": " LEAF_EVIL "}");
    CHECK(leaf_says(page, "none that is known here"));
    leaf_free(page);
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
        CHECK(leaf_says(page, (const char *)source.at) && leaf_says(page, "70.50"));
        leaf_free(page);
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
        CHECK(!leaf_says(page, "<img") && leaf_says(page, "There is no picture"));
        leaf_free(page);
    }
}

static void a_picture_without_end_is_not_shown(void)
{
    AUTO(buffer_free) struct buffer image = {0};
    write_bytes(&image, PIXEL, 88);
    for (size_t i = 88; i < (size_t)4 << 20; i += 4) write_bytes(&image, "AAAA", 4);
    write_u8(&image, 0);
    struct page *page = with_picture((const char *)image.at);
    CHECK(leaf_says(page, "<img"));
    leaf_free(page);
    image.n--;
    write_bytes(&image, "AAAA", 5);
    page = with_picture((const char *)image.at);
    CHECK(!leaf_says(page, "<img") && leaf_says(page, "There is no picture"));
    leaf_free(page);
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
        audit[i].document = leaf_parse(text);
    }
    report_audits(&page, audit, 3, "folder");
    CHECK_OK(page_status(&page));
    CHECK(leaf_file_says(&page, "canary-bounds.csv", "\"m\",0.1,"));
    CHECK(leaf_file_says(&page, "mia-bounds.csv", "\"m\",0.2,"));
    CHECK(leaf_file_says(&page, "canary-2-bounds.csv", "\"m\",0.3,"));
    CHECK(leaf_file_says(&page, "mia-roc.csv", ",0,0.2,"));
    CHECK(leaf_file_says(&page, "canary-2-roc.csv", ",0,0.3,"));
    CHECK(leaf_says(&page, "canary-2-points.csv") && leaf_says(&page, "canary-2-stages.csv") &&
          leaf_says(&page, "canary-2-checks.csv"));
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
            leaf_parse("{\"audit\": \"mechanism\", \"bounds\": [{}], \"attacks\": [{\"roc\": [[1, "
                       "1]]}], \"stages\": [{}], \"checks\": [{}]}");
    report_audits(&page, audit, REPORT_AUDITS_MAX, "folder");
    CHECK_OK(page_status(&page));
    CHECK_NUMBER(1 + 5 * REPORT_AUDITS_MAX, page.n_files);
    CHECK(leaf_says(&page, "mechanism-64-checks.csv"));
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
    CHECK(page->html.n < 400000 && leaf_file(page, "mia-roc.csv")->bytes.n < 20000);
    leaf_free(page);
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
    return check_done();
}
