/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommand says about a study, and which ones it refuses. */
#include "aggregator/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aggregator/spend.h"
#include "base/file.h"
#include "tests/lib/check.h"

#define STUDY_OF(hidden)                                                                           \
    "schema: 1\n"                                                                                  \
    "study:\n  id: small\n"                                                                        \
    "sites:\n  expected: 5\n  colluding: 1\n  min_contributors: 3\n"                               \
    "model:\n  kind: mlp\n  height: 8\n  width: 8\n  classes: 3\n  hidden: [" hidden "]\n"         \
    "rounds:\n  count: 7\n"                                                                        \
    "privacy:\n  unit: site\n"
#define STUDY STUDY_OF("8")

static char path[] = "/tmp/veilsum-check-XXXXXX";
static struct buffer said, complained;

static void take(struct buffer *out, const char *name)
{
    out->n = 0;
    CHECK_OK(file_read(out, name, 1 << 16));
    write_u8(out, 0);
}

/* Run `check`, and keep what it says on both streams. */
static enum exit_code check_with(int argc, const char *argument)
{
    static char program[] = "veilsum-aggregator check";
    char out[] = "/tmp/veilsum-check-XXXXXX", err[] = "/tmp/veilsum-check-XXXXXX", words[64];
    char *argv[] = {program, words, NULL};
    (void)snprintf(words, sizeof words, "%s", argument);
    const int to[2] = {mkstemp(out), mkstemp(err)};
    fflush(stdout);
    const int old[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    REQUIRE(dup2(to[0], STDOUT_FILENO) >= 0 && dup2(to[1], STDERR_FILENO) >= 0);
    const enum exit_code code = check_command(argc, argv);
    fflush(stdout);
    REQUIRE(dup2(old[0], STDOUT_FILENO) >= 0 && dup2(old[1], STDERR_FILENO) >= 0);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(old[i]);
    }
    take(&said, out);
    take(&complained, err);
    unlink(out);
    unlink(err);
    return code;
}

static enum exit_code check_study(const char *text)
{
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, strlen(text)}, 0600));
    return check_with(2, path);
}

static bool says(const struct buffer *text, const char *part)
{
    const bool found = strstr((const char *)text->at, part) != NULL;
    if (!found) printf("no \"%s\" in:\n%s\n", part, (const char *)text->at);
    return found;
}

static void a_clip_that_adapts_is_told_its_price(void)
{
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\n  delta: 1e-5\n  adaptive_clip: true\n"
                                            "  clip_count_noise: 20\n"));
    CHECK(says(&said, "ok  training   548 coordinates in "));
    CHECK(says(&said, "the clip adapts: of the norm its count has "));
    CHECK_NUMBER(EXIT_REFUSED,
                 check_study(STUDY "  epsilon: 3\n  delta: 1e-5\n  adaptive_clip: true\n"));
    CHECK(says(&complained, "it cannot be planned: clip_count_noise: the clip's count"));
}

static void a_study_is_told_what_follows_from_it(void)
{
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\n  delta: 1e-5\n"));
    CHECK(says(&said, "sites      5, of them 1 may collude; T = "));
    CHECK(says(&said, "graph      complete: all hold shares of all, t = "));
    CHECK(says(&said, "ok  exploring"));
    CHECK(says(&said, "ok  training   547 coordinates in "));
    CHECK(says(&said, "unit site, adding or removing one, 7 rounds, 0 evaluations, 0 votes, "
                      "fewest survivors in each, no round failing\n"));
    CHECK_NUMBER(1, complained.n);
}

/* Each epsilon has its delta and its adversary; those of whoever holds no noise are within the
 * budget; and none is rounded down. */
static void every_epsilon_is_that_of_its_adversary(void)
{
    struct study study = {0};
    struct settings_error why = {0};
    struct layout layout = {0};
    struct schedule schedule = {0};
    AUTO(bits_free) struct bits keep = {0};
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\n  delta: 1e-5\n"));
    CHECK_OK(study_read(&study, path, &why));
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, 5, &why));
    CHECK_OK(bits_new(&keep, layout.n));
    bits_fill(&keep);
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        double epsilon = 0;
        char name[64], line[160];
        double printed = 0;
        adversary_name(name, sizeof name, who, 1);
        CHECK_OK(spend_worst(&epsilon, &schedule, who, &keep));
        (void)snprintf(line, sizeof line, " at delta 1e-05 against: %s\n", name);
        CHECK(says(&said, line));
        const char *at = strstr((const char *)said.at, line);
        while (at != NULL && at[-1] != ' ') at--;
        CHECK(at != NULL && sscanf(at, "%lf", &printed) == 1);
        CHECK(printed >= epsilon && printed <= epsilon + 1e-4);
        CHECK(printed <= 3.0001 || who == ADVERSARY_UNMASKED);
    }
}

/* Never above what the grid has. */
static void noise_is_rounded_down(void)
{
    for (int epsilon = 1; epsilon <= 9; epsilon++) {
        struct study study = {0};
        struct settings_error why = {0};
        struct layout layout = {0};
        struct schedule schedule = {0};
        AUTO(bits_free) struct bits keep = {0}, cohort = {0};
        AUTO(plan_free) struct plan plan = {0};
        char text[512];
        double printed = 0;
        (void)snprintf(text, sizeof text, STUDY "  epsilon: %d\n  delta: 1e-5\n", epsilon);
        CHECK_NUMBER(EXIT_OK, check_study(text));
        CHECK_OK(study_read(&study, path, &why));
        CHECK_OK(layout_of(&layout, &study.model.spec));
        CHECK_OK(schedule_of(&schedule, &study, &layout, 5, &why));
        CHECK_OK(bits_new(&keep, layout.n));
        CHECK_OK(bits_new(&cohort, 5));
        bits_fill(&keep);
        bits_fill(&cohort);
        CHECK_OK(schedule_plan(&plan, &schedule, STEP_TRAIN, 0, &keep, 0, &cohort));
        const double exact = (double)plan.grid.sigma * sqrt((double)schedule_certain(&plan)) /
                             sqrt((double)plan.grid.norm2);
        const char *at = strstr((const char *)said.at, "training");
        if (at != NULL) at = strstr(at, "multiplier ");
        CHECK(at != NULL && sscanf(at, "multiplier %lf from", &printed) == 1);
        CHECK(printed <= exact && printed > exact - 1.0001e-4);
    }
}

/* A block may open with the fewest; the noise of a round is that of its thinnest block. */
static void what_a_block_may_open_with_is_said(void)
{
    static const char vit[] =
        "schema: 1\nstudy: {id: small}\n"
        "sites: {expected: 9, colluding: 1, threshold: 8, min_contributors: 2}\n"
        "model: {kind: vit, height: 8, width: 8, classes: 3, patch: 4, dim: 8, depth: 4, heads: 2, "
        "mlp: 8}\nprivacy: {unit: site, epsilon: 3}\npruning: {mode: none}\n%s";
    static const struct {
        const char *allocation, *sum, *noise;
    } cases[] = {
        {"", "at least 7 honest contributors", "from 7 certain shares"},
        {"allocation: {mode: private, capacities: [4, 2, 1]}\n", "at least 2 honest contributors",
         "from 3 certain shares"},
        {"allocation: {mode: all-large, capacities: [4, 2, 1]}\n", "at least 2 honest contributors",
         "from 7 certain shares"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, vit, cases[i].allocation);
        CHECK_NUMBER(EXIT_OK, check_study(text));
        CHECK(says(&said, cases[i].sum));
        CHECK(says(&said, cases[i].noise));
    }
}

static void a_study_without_pruning_is_not_explored(void)
{
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\npruning:\n  mode: none\n"));
    CHECK(strstr((const char *)said.at, "exploring") == NULL);
    CHECK(says(&said, "ok  training"));
}

/* 64-8-3, half of the units, and of the 256 weights left before them a fifth. */
static void work_and_bytes_are_told_with_what_pruning_leaves(void)
{
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\n"));
    CHECK(says(&said,
               "ok  work       536 multiply-accumulates a record, forward; a site sends 2196 "
               "bytes a training round\n"));
    CHECK(says(&said, "pruned, exactly 268 (50.0 %) and 904 (41.2 %)\n"));
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\npruning:\n  mode: none\n"));
    CHECK(says(&said, "ok  work       536 multiply-accumulates a record"));
    CHECK(strstr((const char *)said.at, "pruned") == NULL);
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\npruning:\n  mode: paper\n"
                                            "  mask: random\n"));
    CHECK(says(&said, "pruned, at most 268 (50.0 %) and 1108 (50.5 %)\n"));
}

static void evaluations_are_told_where_there_are_some(void)
{
    CHECK_NUMBER(EXIT_OK, check_study(STUDY "  epsilon: 3\nevaluation:\n  mode: private\n"
                                            "  every: 3\n"));
    CHECK(says(&said, "ok  evaluating 6 coordinates in 1 segments"));
    CHECK(says(&said, "7 rounds, 3 evaluations"));
    CHECK_NUMBER(EXIT_REFUSED,
                 check_study(STUDY "  epsilon: 0.5\nsecagg:\n  bits: 16\npruning:\n  mode: none\n"
                                   "evaluation:\n  mode: private\n"));
    CHECK(says(&complained, "too few for the noise of an evaluation"));
}

static void a_file_that_is_no_study_is_refused_with_its_line(void)
{
    CHECK_NUMBER(EXIT_REFUSED, check_study(STUDY "  epsilon: -3\n"));
    CHECK(says(&complained, "E-STUDY  "));
    CHECK(says(&complained, path));
    CHECK(says(&complained, ":18: "));
    CHECK_NUMBER(1, said.n);
    CHECK_NUMBER(EXIT_REFUSED, check_with(2, "/no/such/file"));
    CHECK(says(&complained, "E-STUDY  /no/such/file"));
}

static void a_ring_too_narrow_is_refused_with_what_helps(void)
{
    CHECK_NUMBER(EXIT_REFUSED, check_study(STUDY_OF("4000") "  epsilon: 3\nsecagg:\n  bits: 16\n"));
    CHECK(says(&complained, "bits: 16 are too few"));
    CHECK(says(&complained, "it cannot be planned"));
    CHECK_NUMBER(EXIT_OK, check_study(STUDY_OF("4000") "  epsilon: 3\nsecagg:\n  bits: 20\n"));
}

/* The numbers are those of the plan, rounded up. */
static void rounding_and_wrap_are_said(unsigned bits)
{
    struct study study = {0};
    struct settings_error why = {0};
    struct layout layout = {0};
    struct schedule schedule = {0};
    AUTO(bits_free) struct bits keep = {0}, cohort = {0};
    AUTO(plan_free) struct plan plan = {0};
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        STUDY "  epsilon: 3\n  delta: 1e-5\npruning:\n  mode: none\nsecagg:\n  bits: %u\n", bits);
    CHECK_NUMBER(EXIT_OK, check_study(text));
    CHECK_OK(study_read(&study, path, &why));
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, 5, &why));
    CHECK_OK(bits_new(&keep, layout.n));
    CHECK_OK(bits_new(&cohort, 5));
    bits_fill(&keep);
    bits_fill(&cohort);
    CHECK_OK(schedule_plan(&plan, &schedule, STEP_TRAIN, 0, &keep, 0, &cohort));
    const double more = 100 * (grid_cost(&plan.grid, study.privacy.clip) - 1);
    const double wrap = grid_wrap(&plan.grid, layout.n, 5);
    const char *at = strstr((const char *)said.at, "rounding costs");
    double said_more = 0, said_wrap = 0;
    CHECK(at != NULL && sscanf(at,
                               "rounding costs %lf %% more noise; a sum wraps with a chance "
                               "below %lg",
                               &said_more, &said_wrap) == 2);
    CHECK(said_more >= more && said_more < more + 0.02);
    CHECK(said_wrap >= wrap && said_wrap < 1.2 * wrap && said_wrap < 1e-26);
}

static void what_a_narrow_ring_costs_is_said_and_never_rounded_down(void)
{
    for (unsigned bits = 16; bits <= 32; bits++) rounding_and_wrap_are_said(bits);
}

static void without_a_file_the_usage_is_shown(void)
{
    CHECK_NUMBER(EXIT_USAGE, check_with(1, ""));
    CHECK(says(&complained, "Usage: veilsum-aggregator check STUDY"));
    CHECK_NUMBER(EXIT_OK, check_with(2, "--help"));
    CHECK(says(&said, "Usage: veilsum-aggregator check STUDY"));
}

int main(void)
{
    const int fd = mkstemp(path);
    REQUIRE(fd >= 0 && close(fd) == 0);
    RUN(a_study_is_told_what_follows_from_it);
    RUN(a_clip_that_adapts_is_told_its_price);
    RUN(every_epsilon_is_that_of_its_adversary);
    RUN(noise_is_rounded_down);
    RUN(what_a_block_may_open_with_is_said);
    RUN(a_study_without_pruning_is_not_explored);
    RUN(work_and_bytes_are_told_with_what_pruning_leaves);
    RUN(evaluations_are_told_where_there_are_some);
    RUN(a_file_that_is_no_study_is_refused_with_its_line);
    RUN(a_ring_too_narrow_is_refused_with_what_helps);
    RUN(what_a_narrow_ring_costs_is_said_and_never_rounded_down);
    RUN(without_a_file_the_usage_is_shown);
    unlink(path);
    buffer_free(&said);
    buffer_free(&complained);
    return check_done();
}
