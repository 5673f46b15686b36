/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/clerk.h"

/* The shortest study of patients. */
#define PATIENT_UNIT "study: {id: s}\nprivacy:\n  sampling: 0.1\n  records: 60000\n"

static void defaults_stand_where_keys_are_absent(void)
{
    struct study s = clerk_read(PATIENT_UNIT);
    CHECK(strcmp(s.study.id, "s") == 0 && s.study.title[0] == '\0' && !s.study.rehearsal);
    CHECK(s.sites.expected == 8 && s.sites.colluding == 1 && s.sites.min_contributors == 3);
    CHECK_NUMBER(5, s.sites.threshold); /* floor((8 + 1) / 2) + 1 */
    CHECK(s.model.spec.kind == MODEL_MLP && s.model.spec.n_hidden == 2);
    CHECK(s.model.spec.hidden[0] == 200 && s.model.spec.hidden[1] == 200);
    CHECK_CLOSE(3, s.privacy.epsilon, 0);
    CHECK_CLOSE(1e-5, s.privacy.delta, 0);
    CHECK(s.privacy.unit == STUDY_PATIENT && s.secagg.bits == 32);
    CHECK(!s.privacy.adaptive_clip && s.privacy.clip_count_noise == 0);
    CHECK_CLOSE(0.5, s.privacy.clip_quantile, 0);
    CHECK_CLOSE(0.2, s.privacy.clip_rate, 0);
    CHECK(s.privacy.rounding == GRID_NEAREST && s.privacy.rotation == STUDY_ROTATION_NONE);
    CHECK(s.deadlines.positions_ms == 30000 && s.deadlines.release_ms == 0);
    CHECK(s.evaluation.mode == STUDY_EVALUATION_NONE && s.evaluation.every == 0);
    CHECK(s.pruning.mask == STUDY_MASK_EXPLORED && s.pruning.refine_every == 0);
    CHECK(s.pruning.refine_share == 0.5 && s.pruning.refine_ratio == 1);
    CHECK_CLOSE(4, s.evaluation.ratio, 0); /* a record that is not sampled needs more noise */
    s = clerk_read(CLERK_SITE);
    CHECK_CLOSE(1, s.evaluation.ratio, 0);
}

static void every_key_reaches_its_member(void)
{
    struct study s =
        clerk_read("schema: 1\n"
                   "study: {id: cxr-2027, title: Lungs, rehearsal: true}\n"
                   "sites: {expected: 12, colluding: 2, threshold: 9,\n"
                   "        min_contributors: 4}\n"
                   "model: {kind: cnn, channels: 3, height: 64, width: 32, classes: 2,\n"
                   "        hidden: [8, 16], pixel_mean: 0.3, pixel_deviation: 0.4}\n"
                   "privacy: {unit: patient, epsilon: .inf, delta: 1e-6, clip: 0.5,\n"
                   "          exploration_clip: 0.25, exploration_ratio: 2,\n"
                   "          adaptive_clip: true, clip_quantile: 0.75, clip_rate: 0.1,\n"
                   "          clip_count_noise: 2.5,\n"
                   "          sampling: 0.01, records: 5000, sampler: table,\n"
                   "          rounding: stochastic, rotation: hadamard}\n"
                   "pruning: {mode: none, units: 0.1, weights: 0.7}\n"
                   "rounds: {count: 7, coordinates: 0.375, learning_rate: 0.25, momentum: 0.125,\n"
                   "         local_epochs: 3, local_batch: 10,\n"
                   "         local_learning_rate: 0.75, decay: 0.5,\n"
                   "         local_optimizer: adam, local_decay: 0.0625, local_clip: 10,\n"
                   "         local_rate_decay: 0.99, proximal: 0.03}\n"
                   "evaluation: {mode: private, every: 3, ratio: 12.5}\n"
                   "secagg: {bits: 24, cipher: aes256-ctr}\n"
                   "deadlines: {gather_ms: 11, keys_ms: 12, shares_ms: 13, input_ms: 14,\n"
                   "            confirm_ms: 15, unmask_ms: 16, grace_ms: 17,\n"
                   "            positions_ms: 18, release_ms: 10}\n");
    CHECK(strcmp(s.study.id, "cxr-2027") == 0 && strcmp(s.study.title, "Lungs") == 0);
    CHECK(s.study.rehearsal && s.schema == 1);
    CHECK(s.sites.expected == 12 && s.sites.colluding == 2 && s.sites.threshold == 9);
    CHECK_NUMBER(4, s.sites.min_contributors);
    const struct model_spec *m = &s.model.spec;
    CHECK(m->kind == MODEL_CNN && m->channels == 3 && m->height == 64 && m->width == 32);
    CHECK(m->classes == 2 && m->n_hidden == 2 && m->hidden[0] == 8 && m->hidden[1] == 16);
    CHECK_CLOSE(0.3, s.model.pixel_mean, 0);
    CHECK_CLOSE(0.4, s.model.pixel_deviation, 0);
    CHECK(isinf(s.privacy.epsilon) && s.privacy.unit == STUDY_PATIENT);
    CHECK_CLOSE(1e-6, s.privacy.delta, 0);
    CHECK_CLOSE(0.5, s.privacy.clip, 0);
    CHECK_CLOSE(0.25, s.privacy.exploration_clip, 0);
    CHECK_CLOSE(2, s.privacy.exploration_ratio, 0);
    CHECK(s.privacy.adaptive_clip);
    CHECK_CLOSE(0.75, s.privacy.clip_quantile, 0);
    CHECK_CLOSE(0.1, s.privacy.clip_rate, 0);
    CHECK_CLOSE(2.5, s.privacy.clip_count_noise, 0);
    CHECK_CLOSE(0.01, s.privacy.sampling, 0);
    CHECK_NUMBER(5000, s.privacy.records);
    CHECK_NUMBER(NOISE_TABLE, s.privacy.sampler);
    CHECK_NUMBER(GRID_STOCHASTIC, s.privacy.rounding);
    CHECK_NUMBER(STUDY_ROTATION_HADAMARD, s.privacy.rotation);
    CHECK_NUMBER(STUDY_PRUNING_NONE, s.pruning.mode);
    CHECK_CLOSE(0.1, s.pruning.units, 0);
    CHECK_CLOSE(0.7, s.pruning.weights, 0);
    CHECK(s.rounds.count == 7 && s.rounds.local_epochs == 3 && s.rounds.local_batch == 10);
    CHECK_CLOSE(0.375, s.rounds.coordinates, 0);
    CHECK_CLOSE(0.25, s.rounds.learning_rate, 0);
    CHECK_CLOSE(0.125, s.rounds.momentum, 0);
    CHECK_CLOSE(0.75, s.rounds.local_learning_rate, 0);
    CHECK_CLOSE(0.5, s.rounds.decay, 0);
    CHECK_NUMBER(STUDY_ADAM, s.rounds.local_optimizer);
    CHECK_CLOSE(0.0625, s.rounds.local_decay, 0);
    CHECK_CLOSE(10, s.rounds.local_clip, 0);
    CHECK_CLOSE(0.99, s.rounds.local_rate_decay, 0);
    CHECK_CLOSE(0.03, s.rounds.proximal, 0);
    CHECK(s.evaluation.mode == STUDY_EVALUATION_PRIVATE && s.evaluation.every == 3);
    CHECK_CLOSE(12.5, s.evaluation.ratio, 0);
    CHECK(s.secagg.bits == 24 && s.secagg.cipher == MASK_AES256_CTR);
    CHECK(s.deadlines.gather_ms == 11 && s.deadlines.keys_ms == 12 && s.deadlines.shares_ms == 13);
    CHECK(s.deadlines.input_ms == 14 && s.deadlines.confirm_ms == 15);
    CHECK(s.deadlines.unmask_ms == 16 && s.deadlines.grace_ms == 17);
    CHECK(s.deadlines.positions_ms == 18 && s.deadlines.release_ms == 10);
}

static void the_hash_is_of_the_exact_bytes(void)
{
    struct study a = clerk_read(CLERK_SITE), b = clerk_read(CLERK_SITE " ");
    struct hash want = hash_of("study", clerk_view(CLERK_SITE));
    CHECK(hash_equal(&a.hash, &want));
    CHECK(!hash_equal(&a.hash, &b.hash));
}

#define XNOISE CLERK_SITE "  dropouts: xnoise\n"

static void noise_is_taken_away_where_the_study_says_so(void)
{
    CHECK_NUMBER(STUDY_PESSIMISTIC, clerk_read(CLERK_SITE).privacy.dropouts);
    CHECK_NUMBER(STUDY_PESSIMISTIC,
                 clerk_read(CLERK_SITE "  dropouts: pessimistic\n").privacy.dropouts);
    CHECK_NUMBER(STUDY_XNOISE, clerk_read(XNOISE).privacy.dropouts);
    CHECK_NUMBER(STUDY_XNOISE,
                 clerk_read(XNOISE "sites: {expected: 200, threshold: 136}\n").privacy.dropouts);
    clerk_refuses(CLERK_SITE "  dropouts: never\n", STATUS_RANGE, 4, "xnoise");
    clerk_refuses(XNOISE "  sampler: table\n", STATUS_RANGE, 5, "exact");
    clerk_refuses(XNOISE "  delta: 1e-6\nsites: {expected: 200, threshold: 135}\n", STATUS_RANGE, 4,
                  "64 dropouts");
    clerk_refuses(XNOISE "  delta: 1e-6\nsites: {expected: 600, threshold: 540}\n", STATUS_RANGE, 4,
                  "complete graph");
}

static void unknown_keys_are_refused(void)
{
    clerk_refuses(CLERK_SITE "  sensitivity: 0.1\n", STATUS_FORMAT, 4, "sensitivity");
    clerk_refuses(CLERK_SITE "noise:\n  sigma: 1\n", STATUS_FORMAT, 4, "noise");
}

static void what_is_not_one_plain_document_is_refused(void)
{
    clerk_refuses(CLERK_SITE "  delta: 1e-5\n  delta: 1e-6\n", STATUS_FORMAT, 4, "delta");
    clerk_refuses(CLERK_SITE "sites: {expected: 20}\nprivacy: {delta: 0.06}\n", STATUS_FORMAT, 5,
                  "seen");
    clerk_refuses(CLERK_SITE "---\nstudy: {id: t}\n", STATUS_FORMAT, 0, "documents after first");
    clerk_refuses("study: {id: &a s, title: *a}\n", STATUS_FORMAT, 1, "alias");
    clerk_refuses("study: {id: s\n", STATUS_FORMAT, 1, "");
    clerk_refuses("[study]\n", STATUS_FORMAT, 0, "MAPPING");
    clerk_refuses("study: 3\n", STATUS_FORMAT, 1, "MAPPING");
    clerk_refuses(CLERK_SITE "model: {hidden: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\n", STATUS_FORMAT, 4,
                  "8");
}

static void only_plain_numbers_are_numbers(void)
{
    static const char *const bad[] = {
        "nan",   "inf", "-.inf", "-1",  "+1", "0x8", "1e",
        "1e999", "two", "''",    "1 2", "8.", "8.0", "-18446744073709551608"};
    char text[128];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, CLERK_SITE "sites:\n  expected: %s\n", bad[i]);
        clerk_refuses(text, STATUS_RANGE, 5, "expected");
        if (i >= 11 && i <= 12) continue; /* these two are good enough for a real number */
        snprintf(text, sizeof text, CLERK_SITE "  clip: %s\n", bad[i]);
        clerk_refuses(text, STATUS_RANGE, 4, "clip");
    }
    CHECK_NUMBER(10, clerk_read(CLERK_SITE "sites: {expected: 010}\n").sites.expected);
}

static void values_out_of_range_are_refused(void)
{
    clerk_refuses(CLERK_SITE "  epsilon: 0\n", STATUS_RANGE, 4, "epsilon");
    clerk_refuses(CLERK_SITE "  clip: .inf\n", STATUS_RANGE, 4, "clip");
    clerk_refuses(CLERK_SITE "  unit: nobody\n", STATUS_FORMAT, 3, "unit");
    clerk_refuses("privacy: {unit: hospital}\nstudy: {id: s}\n", STATUS_RANGE, 1, "patient, site");
    clerk_refuses(CLERK_SITE "schema: 2\n", STATUS_RANGE, 4, "schema");
    clerk_refuses(CLERK_SITE "secagg:\n  bits: 33\n", STATUS_RANGE, 5, "bits");
    clerk_refuses(CLERK_SITE "secagg:\n  bits: 7\n", STATUS_RANGE, 5, "bits");
    CHECK_NUMBER(8, clerk_read(CLERK_SITE "secagg: {bits: 8}\n").secagg.bits);
    clerk_refuses(CLERK_SITE "rounds:\n  coordinates: 0\n", STATUS_RANGE, 5, "coordinates");
    clerk_refuses(CLERK_SITE "rounds:\n  coordinates: 1.01\n", STATUS_RANGE, 5, "coordinates");
    CHECK_CLOSE(1, clerk_read(CLERK_SITE).rounds.coordinates, 0);
    clerk_refuses(CLERK_SITE "  rounding: down\n", STATUS_RANGE, 4, "nearest, stochastic");
    clerk_refuses(CLERK_SITE "  rotation: dct\n", STATUS_RANGE, 4, "none, hadamard");
    clerk_refuses(CLERK_SITE "pruning:\n  units: 1\n", STATUS_RANGE, 5, "units");
    clerk_refuses(CLERK_SITE "pruning:\n  weights: 1.0\n", STATUS_RANGE, 5, "weights");
    clerk_refuses(CLERK_SITE "rounds:\n  momentum: 1\n", STATUS_RANGE, 5, "momentum");
    clerk_refuses(CLERK_SITE "rounds:\n  decay: 1.1\n", STATUS_RANGE, 5, "decay");
    clerk_refuses("study:\n  id: s\n  rehearsal: yes\n", STATUS_RANGE, 3, "false, true");
    clerk_refuses("study:\n  id: S 1\n", STATUS_RANGE, 2, "a-z");
    clerk_refuses("study:\n  id: a\n  title: \"a\\nb\"\n", STATUS_RANGE, 3, "control");
    clerk_refuses("study:\n  id: a23456789012345678901234567890123\n", STATUS_RANGE, 2, "bytes");
    clerk_refuses("privacy: {unit: site}\n", STATUS_RANGE, 0, "id");
    clerk_refuses("", STATUS_RANGE, 0, "id");
}

static void thresholds_must_fit(void)
{
    clerk_refuses(CLERK_SITE "sites:\n  threshold: 4\n", STATUS_RANGE, 5,
                  "half"); /* (8 + 1) / 2 = 4.5 */
    CHECK_NUMBER(5, clerk_read(CLERK_SITE "sites: {threshold: 5}\n").sites.threshold);
    CHECK_NUMBER(8, clerk_read(CLERK_SITE "sites: {threshold: 8}\n").sites.threshold);
    clerk_refuses(CLERK_SITE "sites:\n  threshold: 9\n", STATUS_RANGE, 5, "more than the 8");
    clerk_refuses(CLERK_SITE "sites:\n  colluding: 8\n", STATUS_RANGE, 5, "nobody");
    clerk_refuses(CLERK_SITE "sites:\n  colluding: 7\n", STATUS_RANGE, 4, "min_contributors");
    clerk_refuses(CLERK_SITE "sites:\n  min_contributors: 5\n", STATUS_RANGE, 5,
                  "min_contributors");
    CHECK_NUMBER(4, clerk_read(CLERK_SITE "sites: {min_contributors: 4}\n").sites.min_contributors);
}

static void many_sites_need_a_threshold_with_a_ring(void)
{
    static const char sites[] =
        CLERK_SITE "sites: {expected: 600, colluding: 60, min_contributors: 3";
    char text[256];
    snprintf(text, sizeof text, "%s}\n", sites);
    /* The default of 331 is enough for a complete graph alone. */
    clerk_refuses(text, STATUS_RANGE, 4, "331 of 600 sites are too few");
    CHECK(strstr(clerk_why.text, "is 396") != NULL);
    snprintf(text, sizeof text, "%s, threshold: 395}\n", sites);
    clerk_refuses(text, STATUS_RANGE, 4, "is 396");
    snprintf(text, sizeof text, "%s, threshold: 396}\n", sites);
    CHECK_NUMBER(396, clerk_read(text).sites.threshold);
    CHECK_NUMBER(257, clerk_read(CLERK_SITE "sites: {expected: 512}\n").sites.threshold);
    clerk_refuses(CLERK_SITE "sites:\n  expected: 2000\n  colluding: 1950\n", STATUS_RANGE, 6,
                  "too many");
    clerk_refuses(CLERK_SITE "sites:\n  expected: 2049\n", STATUS_RANGE, 5, "2048");
}

static void inputs_leave_before_their_deadline(void)
{
    clerk_refuses(CLERK_SITE "deadlines:\n  release_ms: 600000\n", STATUS_RANGE, 5, "600000");
    clerk_refuses(CLERK_SITE "deadlines: {input_ms: 10,\n  release_ms: 10}\n", STATUS_RANGE, 5,
                  "not before");
    CHECK_NUMBER(599999,
                 clerk_read(CLERK_SITE "deadlines: {release_ms: 599999}\n").deadlines.release_ms);
}

static void the_unit_decides_which_keys_belong(void)
{
    clerk_refuses("study: {id: s}\nprivacy:\n  records: 60000\n", STATUS_RANGE, 2, "sampling");
    clerk_refuses("study: {id: s}\nprivacy:\n  sampling: 0.1\n", STATUS_RANGE, 2, "records");
    clerk_refuses(CLERK_SITE "  sampling: 0.1\n", STATUS_RANGE, 4, "no meaning");
    clerk_refuses(CLERK_SITE "  records: 60000\n", STATUS_RANGE, 4, "no meaning");
}

static void unsafe_privacy_is_refused(void)
{
    clerk_refuses(PATIENT_UNIT "  delta: 1.7e-5\n", STATUS_RANGE, 5, "60000 patients");
    clerk_refuses(CLERK_SITE "  delta: 0.06\nsites: {expected: 20}\n", STATUS_RANGE, 4, "20 sites");
    clerk_refuses(CLERK_SITE "  epsilon: .inf\n", STATUS_RANGE, 4, "rehearsal");
    clerk_refuses(CLERK_SITE "  epsilon: 101\n", STATUS_RANGE, 4, "nobody");
    clerk_refuses(CLERK_SITE "pruning:\n  mode: paper\n", STATUS_RANGE, 5, "without noise");
    clerk_refuses(CLERK_SITE "  clip_count_noise: 3\n", STATUS_RANGE, 4, "adaptive_clip: true");
    clerk_refuses(CLERK_SITE "  clip_quantile: 1\n", STATUS_RANGE, 4, "clip_quantile");
    clerk_refuses(CLERK_SITE "  clip_rate: 0\n", STATUS_RANGE, 4, "clip_rate");
    struct study s = clerk_read("study: {id: s, rehearsal: true}\npruning: {mode: paper}\n"
                                "privacy: {unit: site, epsilon: .inf}\n");
    CHECK_NUMBER(STUDY_PRUNING_PAPER, s.pruning.mode);
}

static void evaluations_that_cannot_be_are_refused(void)
{
    clerk_refuses(CLERK_SITE "evaluation:\n  every: 51\n", STATUS_RANGE, 5, "50 training rounds");
    clerk_refuses(CLERK_SITE "evaluation:\n  ratio: 0\n", STATUS_RANGE, 5, "ratio");
    clerk_refuses(CLERK_SITE "evaluation:\n  mode: public\n", STATUS_RANGE, 5, "mode");
}

static void a_study_changed_in_memory_is_checked(void)
{
    struct study s = clerk_read(CLERK_SITE);
    CHECK_OK(study_check(&s, &clerk_why));
    s.sites.threshold = 2;
    CHECK_STATUS(STATUS_RANGE, study_check(&s, &clerk_why));
    CHECK(strcmp(clerk_why.section, "sites") == 0 && strcmp(clerk_why.key, "threshold") == 0);
    s = clerk_read(CLERK_SITE);
    s.model.spec.n_hidden = 0;
    CHECK_STATUS(STATUS_RANGE, study_check(&s, &clerk_why));
    CHECK(strcmp(clerk_why.section, "model") == 0 && strcmp(clerk_why.key, "hidden") == 0);
}

static void a_file_is_read_whole_or_refused(void)
{
    char path[] = "/tmp/veilsum-study-XXXXXX";
    int file = mkstemp(path);
    CHECK(write(file, CLERK_SITE, sizeof CLERK_SITE - 1) == sizeof CLERK_SITE - 1);
    struct study s = {0}, same = clerk_read(CLERK_SITE);
    CHECK_OK(study_read(&s, path, &clerk_why));
    CHECK(hash_equal(&s.hash, &same.hash));
    CHECK(ftruncate(file, SETTINGS_FILE_BYTES_MAX + 1) == 0);
    CHECK_STATUS(STATUS_RANGE, study_read(&s, path, &clerk_why));
    close(file);
    unlink(path);
    CHECK_STATUS(STATUS_IO, study_read(&s, path, &clerk_why));
    CHECK_STATUS(STATUS_IO, study_read(&s, "/tmp", &clerk_why));
    CHECK(strstr(clerk_why.text, "/tmp cannot be read") != NULL);
}

static void out_of_memory_leaves_nothing(void)
{
    OOM_EACH {
        struct study s = {0};
        enum status status =
            study_parse(&s, clerk_view(CLERK_SITE "model: {hidden: [3, 4]}\n"), &clerk_why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK_NUMBER(status == STATUS_OK ? 3 : 0, s.model.spec.hidden[0]);
    }
}

int main(void)
{
    RUN(defaults_stand_where_keys_are_absent);
    RUN(every_key_reaches_its_member);
    RUN(the_hash_is_of_the_exact_bytes);
    RUN(noise_is_taken_away_where_the_study_says_so);
    RUN(unknown_keys_are_refused);
    RUN(what_is_not_one_plain_document_is_refused);
    RUN(only_plain_numbers_are_numbers);
    RUN(values_out_of_range_are_refused);
    RUN(thresholds_must_fit);
    RUN(many_sites_need_a_threshold_with_a_ring);
    RUN(inputs_leave_before_their_deadline);
    RUN(the_unit_decides_which_keys_belong);
    RUN(unsafe_privacy_is_refused);
    RUN(evaluations_that_cannot_be_are_refused);
    RUN(a_study_changed_in_memory_is_checked);
    RUN(a_file_is_read_whole_or_refused);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
