/* SPDX-License-Identifier: Apache-2.0 */
/* The whole audit, on the honest program and on two broken ones: masks or noise left out. */
#include "lab/inversion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "lab/folder.h"
#include "lab/shapes.h"
#include "tests/lib/check.h"

static char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
static bool without_masks, without_noise;
static uint32_t told;
static const char *rounds = ""; /* further keys of that part of the study */
static uint32_t batch = 3;
static unsigned side = 8; /* of a picture */

enum status __real_mask_add(struct masked *out, struct noised *in, const struct pad *pad,
                            size_t n_pads, const struct mask_how *how, uint64_t at);
enum status __wrap_mask_add(struct masked *out, struct noised *in, const struct pad *pad,
                            size_t n_pads, const struct mask_how *how, uint64_t at);
enum status __wrap_mask_add(struct masked *out, struct noised *in, const struct pad *pad,
                            size_t n_pads, const struct mask_how *how, uint64_t at)
{
    return __real_mask_add(out, in, pad, without_masks ? 0 : n_pads, how, at);
}

enum status __real_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng);
enum status __wrap_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng);
enum status __wrap_noise_draw(struct noise *out, size_t n, uint32_t sigma,
                              enum noise_sampler sampler, struct rng *rng)
{
    return __real_noise_draw(out, n, without_noise ? 0 : sigma, sampler, rng);
}

static void write_study(const char *model, const char *privacy, const char *more)
{
    char text[1024];
    const int n = snprintf(text, sizeof text,
                           "schema: 1\nstudy: {id: inversion, rehearsal: true}\n"
                           "sites: {expected: 5, colluding: 1, threshold: 4, min_contributors: 2}\n"
                           "model: {%s, channels: 1, height: %u, width: %u, classes: 3}\n"
                           "privacy: {delta: 1.0e-5, clip: 1, %s}\n%s"
                           "rounds: {count: 10, learning_rate: 0.1%s}\n",
                           model, side, side, privacy, more, rounds);
    CHECK_OK(file_write(path, (struct view){(const uint8_t *)text, (size_t)n}, 0600));
}

static const char mlp[] = "kind: mlp, hidden: [24, 8]",
                  two_cnn[] = "kind: twocnn, hidden: [4, 8, 12]",
                  no_pruning[] = "pruning: {mode: none}\n";

static void count_round(const struct inversion *inversion)
{
    told += inversion->rounds;
}

static enum exit_code audit(struct inversion *inversion, uint64_t seed, size_t n)
{
    const struct inversion_options options = {
        .study = path, .seed = seed, .batch = batch, .rounds = 5, .steps = 60, .tell = count_round};
    struct dataset data = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 3);
    told = 0;
    enum exit_code code = inversion_open(inversion, &options);
    if (code != EXIT_OK) return code;
    CHECK_OK(shapes_draw(&data, &inversion->study.model.spec, n, &rng));
    code = inversion_run(inversion, &data);
    CHECK(data.n == 0);
    return code;
}

static void run(struct inversion *inversion, uint64_t seed)
{
    const enum exit_code code = audit(inversion, seed, 900);
    CHECK_NUMBER(EXIT_OK, code);
    if (code != EXIT_OK) (void)printf("%s\n", inversion->why);
}

/* At their floor: those that leave a site, and those that may be opened. */
static void check_sealed(const struct inversion *inversion)
{
    const struct inversion_stage *stage = inversion->stage;
    for (unsigned s = CAPTURE_MASKED; s < INVERSION_STAGES; s++) {
        CHECK(!stage[s].above && stage[s].found == 0);
        CHECK_NUMBER(stage[CAPTURE_PLAIN].members, stage[s].members);
        CHECK_CLOSE(stage[s].floor.mean, stage[s].psnr.mean, 0.4);
    }
    CHECK(inversion->masked_uniform);
    CHECK_NUMBER(FINDING_PASS, inversion->finding);
}

static void a_plain_update_shows_its_records_and_nothing_else_does(void)
{
    static const char *const privacy[] = {
        "unit: patient, epsilon: 4, sampling: 1, records: 15",
        "unit: patient, epsilon: 4, sampling: 1, records: 15, rotation: hadamard",
        "unit: patient, epsilon: 4, sampling: 1, records: 15, dropouts: xnoise"};
    for (size_t k = 0; k < sizeof privacy / sizeof *privacy; k++) {
        AUTO(inversion_free) struct inversion inversion = {0};
        write_study(mlp, privacy[k], no_pruning);
        run(&inversion, 1);
        const struct inversion_stage *plain = &inversion.stage[CAPTURE_PLAIN];
        CHECK_NUMBER(5, inversion.rounds);
        CHECK_NUMBER(1 + 2 + 3 + 4 + 5, told);
        CHECK(plain->above && plain->members >= 5);
        CHECK(plain->best > 60);
        CHECK(2 * plain->found > plain->members);
        check_sealed(&inversion);
    }
}

/* What a unit lacks another has. */
static void a_share_of_the_coordinates_is_enough(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    rounds = ", coordinates: 0.4";
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15", no_pruning);
    rounds = "";
    run(&inversion, 1);
    CHECK(inversion.stage[CAPTURE_PLAIN].found > 0);
    check_sealed(&inversion);
}

static void pruned_studies_are_attacked_as_they_are_trained(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15, exploration_clip: 1",
                "pruning: {mode: private}\n");
    run(&inversion, 2);
    CHECK(inversion.stage[CAPTURE_PLAIN].found > 0);
    check_sealed(&inversion);
}

/* Of steps on three records the displacement is nearly a gradient. */
static void a_sites_update_is_attacked_as_a_gradient(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    write_study(mlp, "unit: site, epsilon: 8", no_pruning);
    run(&inversion, 1);
    CHECK(inversion.stage[CAPTURE_PLAIN].found > 0);
    CHECK_NUMBER(15, inversion.stage[CAPTURE_PLAIN].members);
    check_sealed(&inversion);
}

/* It finds less than a formula; and as much in what leaves a site, when nothing protects that. */
static void convolutions_are_attacked_by_a_search(void)
{
    side = 16;
    batch = 1;
    for (int k = 0; k < 2; k++) {
        const bool bare = k == 1;
        AUTO(inversion_free) struct inversion inversion = {0};
        write_study(two_cnn,
                    bare ? "unit: patient, epsilon: .inf, sampling: 1, records: 15"
                         : "unit: patient, epsilon: 8, sampling: 1, records: 15",
                    no_pruning);
        without_masks = bare;
        run(&inversion, 1);
        without_masks = false;
        CHECK(inversion.stage[CAPTURE_PLAIN].above);
        if (!bare) check_sealed(&inversion);
        CHECK(inversion.stage[CAPTURE_MASKED].above == bare);
        CHECK_NUMBER(bare ? FINDING_FAIL : FINDING_PASS, inversion.finding);
    }
    side = 8;
    batch = 3;
}

static void missing_masks_are_caught(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15", no_pruning);
    without_masks = true;
    run(&inversion, 1);
    without_masks = false;
    CHECK(!inversion.masked_uniform && inversion.uniform < 1e-6);
    CHECK_NUMBER(FINDING_FAIL, inversion.finding);
}

static void missing_noise_is_caught(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15", no_pruning);
    without_noise = true;
    run(&inversion, 1);
    without_noise = false;
    CHECK(inversion.stage[CAPTURE_NOISED].above && inversion.stage[CAPTURE_NOISED].found > 0);
    CHECK(!inversion.stage[CAPTURE_MASKED].above && inversion.masked_uniform);
    CHECK_NUMBER(FINDING_FAIL, inversion.finding);
}

/* Both at once: what the coordinator receives is the update itself. */
static void nothing_at_all_is_caught_in_what_leaves(void)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    write_study(mlp, "unit: patient, epsilon: .inf, sampling: 1, records: 15", no_pruning);
    without_masks = true;
    run(&inversion, 1);
    without_masks = false;
    CHECK(inversion.stage[CAPTURE_MASKED].above);
    CHECK_NUMBER(inversion.stage[CAPTURE_PLAIN].found, inversion.stage[CAPTURE_MASKED].found);
    CHECK_NUMBER(FINDING_FAIL, inversion.finding);
}

static void a_seed_gives_one_result(void)
{
    AUTO(inversion_free) struct inversion first = {0};
    AUTO(inversion_free) struct inversion again = {0};
    AUTO(inversion_free) struct inversion other = {0};
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15", no_pruning);
    run(&first, 1);
    run(&again, 1);
    run(&other, 2);
    for (unsigned s = 0; s < INVERSION_STAGES; s++) {
        CHECK_CLOSE(first.stage[s].psnr.mean, again.stage[s].psnr.mean, 0);
        CHECK_CLOSE(first.stage[s].p, again.stage[s].p, 0);
    }
    CHECK(first.stage[CAPTURE_MASKED].psnr.mean != other.stage[CAPTURE_MASKED].psnr.mean);
}

/* 20 members that rise by so much above their floors, and 100 others that do not. */
static void fill(struct inversion_stage *stage, double rise)
{
    stage->n = 120;
    stage->row = calloc(stage->n, sizeof *stage->row);
    REQUIRE(stage->row != NULL);
    for (size_t i = 0; i < stage->n; i++)
        stage->row[i] = (struct inversion_row){
            .member = i < 20,
            .likeness = {.guess = 10, .psnr = 10.3 + (i < 20 ? rise : 0) + (double)(i % 10) / 100},
            .chance = 0.3};
}

static enum finding judge(unsigned above, double rise, double uniform)
{
    AUTO(inversion_free) struct inversion inversion = {.uniform = uniform, .rounds = 2};
    for (unsigned s = 0; s < INVERSION_STAGES; s++)
        fill(&inversion.stage[s], s == CAPTURE_PLAIN || s == above ? rise : 0);
    CHECK_OK(inversion_judge(&inversion));
    CHECK_NUMBER(rise > INVERSION_DB ? 20 : 0, inversion.stage[CAPTURE_PLAIN].found);
    return inversion.finding;
}

static void each_stage_has_its_part_in_the_finding(void)
{
    CHECK_NUMBER(FINDING_PASS, judge(CAPTURE_PLAIN, 5, 1));
    CHECK_NUMBER(FINDING_OPEN, judge(CAPTURE_PLAIN, 0.2, 1)); /* by ranks alone */
    CHECK_NUMBER(FINDING_OPEN, judge(CAPTURE_PLAIN, 0, 1));
    for (unsigned s = CAPTURE_MASKED; s <= CAPTURE_SUM; s++) {
        CHECK_NUMBER(FINDING_FAIL, judge(s, 5, 1));
        CHECK_NUMBER(FINDING_FAIL, judge(s, 0.2, 1));
    }
    CHECK_NUMBER(FINDING_FAIL, judge(CAPTURE_PLAIN, 5, INVERSION_ALARM / 3));
}

/* One record of twenty is enough, where ranks see nothing. */
static void one_record_fails_the_audit(void)
{
    AUTO(inversion_free) struct inversion inversion = {.uniform = 1, .rounds = 2};
    for (unsigned s = 0; s < INVERSION_STAGES; s++) fill(&inversion.stage[s], 0);
    inversion.stage[CAPTURE_NOISED].row[7].likeness.psnr += INVERSION_DB + 0.2;
    CHECK_OK(inversion_judge(&inversion));
    CHECK(inversion.stage[CAPTURE_NOISED].p > 0.01);
    CHECK_NUMBER(1, inversion.stage[CAPTURE_NOISED].found);
    CHECK_NUMBER(FINDING_FAIL, inversion.finding);
}

static void check_stops(enum exit_code want, const char *words, size_t records)
{
    AUTO(inversion_free) struct inversion inversion = {0};
    CHECK_NUMBER(want, audit(&inversion, 1, records));
    CHECK(strstr(inversion.why, words) != NULL);
}

static void what_cannot_be_audited_is_said(void)
{
    write_study(mlp, "unit: patient, epsilon: 4, sampling: 1, records: 15", no_pruning);
    check_stops(EXIT_DATA, "needs at least 136", 135);
    check_stops(EXIT_OK, "", 136);
    write_study("kind: vit, patch: 4, dim: 8, depth: 2, heads: 2, mlp: 8", "unit: site",
                no_pruning);
    check_stops(EXIT_REFUSED, "no attack on such a model", 900);
    write_study(mlp, "unit: site, epsilon: -1", no_pruning);
    check_stops(EXIT_REFUSED, ":5: ", 900);
}

int main(void)
{
    CHECK_OK(folder_new(folder, folder_parent(), "inversion"));
    CHECK_OK(file_path(path, sizeof path, folder, "study.yaml"));
    RUN(a_plain_update_shows_its_records_and_nothing_else_does);
    RUN(a_share_of_the_coordinates_is_enough);
    RUN(pruned_studies_are_attacked_as_they_are_trained);
    RUN(a_sites_update_is_attacked_as_a_gradient);
    RUN(convolutions_are_attacked_by_a_search);
    RUN(missing_masks_are_caught);
    RUN(missing_noise_is_caught);
    RUN(nothing_at_all_is_caught_in_what_leaves);
    RUN(a_seed_gives_one_result);
    RUN(each_stage_has_its_part_in_the_finding);
    RUN(one_record_fails_the_audit);
    RUN(what_cannot_be_audited_is_said);
    folder_remove(folder);
    return check_done();
}
