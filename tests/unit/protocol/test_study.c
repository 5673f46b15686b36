/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

/* The shortest study of each unit. */
#define SITE_UNIT "study: {id: s}\nprivacy:\n  unit: site\n"
#define PATIENT_UNIT "study: {id: s}\nprivacy:\n  sampling: 0.1\n  records: 60000\n"

static struct settings_error why;

static struct view view_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

static struct study study_of(const char *text)
{
    struct study study = {0};
    CHECK_OK(study_parse(&study, view_of(text), &why));
    return study;
}

/* Refused with this status at this line, for a reason that has these words; out is untouched. */
static void refused(const char *text, enum status status, unsigned line, const char *words)
{
    struct study study, before;
    memset(&study, 0x5a, sizeof study);
    memcpy(&before, &study, sizeof study);
    CHECK_STATUS(status, study_parse(&study, view_of(text), &why));
    CHECK_NUMBER(line, why.line);
    CHECK(strstr(why.text, words) != NULL);
    if (strstr(why.text, words) == NULL) printf("  %s\n  said: %s\n", text, why.text);
    CHECK_BYTES(&before, &study, sizeof study);
}

static void defaults_stand_where_keys_are_absent(void)
{
    struct study s = study_of(PATIENT_UNIT);
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
    s = study_of(SITE_UNIT);
    CHECK_CLOSE(1, s.evaluation.ratio, 0);
}

static void every_key_reaches_its_member(void)
{
    struct study s =
        study_of("schema: 1\n"
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
                 "rounds: {count: 7, learning_rate: 0.25, momentum: 0.125,\n"
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

static void transformers_have_keys_of_their_own(void)
{
    const char *sizes = SITE_UNIT "pruning: {mode: none}\n"
                                  "model: {kind: vit, height: 32, width: 24, patch: 8, dim: 48,\n"
                                  "        depth: 5, heads: 6, mlp: 96, tokens_mlp: 7, rank: 2,\n"
                                  "        alpha: 3.5, freeze_a: true}\n";
    const struct model_spec m = study_of(sizes).model.spec;
    CHECK(m.kind == MODEL_VIT && m.patch == 8 && m.dim == 48 && m.depth == 5 && m.heads == 6);
    CHECK(m.mlp == 96 && m.tokens_mlp == 7 && m.rank == 2 && m.freeze_a);
    CHECK_CLOSE(3.5, m.alpha, 0);
    const struct model_spec d =
        study_of(SITE_UNIT "pruning: {mode: none}\nmodel: {kind: mixer}\n").model.spec;
    CHECK(d.kind == MODEL_MIXER && d.patch == 7 && d.dim == 64 && d.depth == 12 && d.heads == 4);
    CHECK(d.mlp == 128 && d.tokens_mlp == 64 && d.rank == 0 && !d.freeze_a);
    CHECK_CLOSE(8, d.alpha, 0);
}

static void backbone_is_a_hash_and_goes_with_a_rank(void)
{
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FROZEN SITE_UNIT "pruning: {mode: none}\nmodel:\n  kind: vit\n"
    CHECK(strcmp(study_of(FROZEN "  rank: 2\n  backbone: " HASH "\n").model.backbone, HASH) == 0);
    refused(FROZEN "  backbone: " HASH "\n", STATUS_RANGE, 7, "without a rank");
    refused(FROZEN "  rank: 2\n  backbone: 0" HASH "\n", STATUS_RANGE, 8, "");
    refused(FROZEN "  rank: 2\n  backbone: abc\n", STATUS_RANGE, 8, "");
    refused(FROZEN "  rank: 2\n  backbone: "
                   "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n",
            STATUS_RANGE, 8, "64 digits");
#undef FROZEN
#undef HASH
}

static void transformers_that_cannot_be_are_refused(void)
{
#define WHOLE SITE_UNIT "pruning: {mode: none}\nmodel:\n  kind: vit\n"
    refused(WHOLE "  patch: 5\n", STATUS_RANGE, 7, "28 x 28");
    refused(WHOLE "  height: 32\n  patch: 14\n", STATUS_RANGE, 8, "32 x 28");
    refused(WHOLE "  heads: 5\n", STATUS_RANGE, 7, "dim: 64");
    CHECK_NUMBER(MODEL_MIXER, study_of(SITE_UNIT "pruning: {mode: none}\n"
                                                 "model: {kind: mixer, heads: 5}\n")
                                  .model.spec.kind);
    refused(WHOLE "  depth: 25\n", STATUS_RANGE, 7, "depth");
    refused(WHOLE "  alpha: 0\n", STATUS_RANGE, 7, "alpha");
    refused(WHOLE "  dim: 65535\n  heads: 1\n", STATUS_RANGE, 5, "too large");
    refused(SITE_UNIT "model: {kind: vit}\npruning:\n  mode: private\n", STATUS_RANGE, 6,
            "no hidden units");
    refused(SITE_UNIT "model: {kind: mixer}\n", STATUS_RANGE, 0, "no hidden units");
}

static void an_lstm_reads_a_row_of_characters(void)
{
#define LSTM SITE_UNIT "pruning: {mode: none}\nmodel: {kind: lstm, height: 1, classes: 80"
    const struct model_spec m = study_of(LSTM ", width: 80, hidden: [8, 256, 256]}\n").model.spec;
    CHECK(m.kind == MODEL_LSTM && m.n_hidden == 3 && m.width == 80 && m.channels == 1);
    refused(LSTM ",\n  hidden: [8]}\n", STATUS_RANGE, 6, "embedding");
    refused(LSTM ",\n  channels: 3}\n", STATUS_RANGE, 5, "one row");
    refused(SITE_UNIT "pruning: {mode: none}\nmodel:\n  kind: lstm\n  height: 2\n", STATUS_RANGE, 7,
            "one row");
    refused(LSTM ",\n  pixel_mean: 0.5}\n", STATUS_RANGE, 6, "brightness");
    refused(LSTM ",\n  pixel_deviation: 0.5}\n", STATUS_RANGE, 5, "brightness");
    refused(LSTM ",\n  width: 4096, hidden: [8, 300]}\n", STATUS_RANGE, 5, "too large");
    refused(SITE_UNIT "model: {kind: lstm, height: 1}\npruning:\n  mode: private\n", STATUS_RANGE,
            6, "no hidden units");
}

static void local_steps_are_plain_unless_said(void)
{
    struct study s = study_of(SITE_UNIT "rounds: {local_momentum: 0.25}");
    CHECK_CLOSE(0.25, s.rounds.local_momentum, 0);
    s = study_of(SITE_UNIT);
    CHECK(s.rounds.local_optimizer == STUDY_SGD && s.rounds.local_momentum == 0);
    CHECK(s.rounds.local_decay == 0 && s.rounds.local_clip == 0 && s.rounds.proximal == 0);
    CHECK_CLOSE(1, s.rounds.local_rate_decay, 0);
}

static void local_steps_that_contradict_themselves_are_refused(void)
{
    refused(SITE_UNIT "rounds: {local_optimizer: adam,\n  local_momentum: 0.9}\n", STATUS_RANGE, 5,
            "adam");
    refused(SITE_UNIT "rounds: {count: 200,\n  local_rate_decay: 0.5}\n", STATUS_RANGE, 5,
            "200 rounds");
    refused(SITE_UNIT "rounds: {local_momentum: 1}\n", STATUS_RANGE, 4, "local_momentum");
}

#define BLOCKS SITE_UNIT "pruning: {mode: none}\nmodel: {kind: vit, rank: 2}\nallocation:\n"

static void blocks_are_allocated_by_a_section_of_their_own(void)
{
    const struct study d = study_of(BLOCKS "  mode: private\n");
    static const uint32_t capacities[] = {12, 10, 8, 6, 4, 3};
    CHECK(d.allocation.mode == STUDY_ALLOCATION_PRIVATE && !d.allocation.dynamic);
    CHECK_NUMBER(6, d.allocation.n_capacities);
    CHECK_BYTES(capacities, d.allocation.capacities, sizeof capacities);
    CHECK(d.allocation.min_holders == 4 && d.allocation.empty == STUDY_EMPTY_KEEP);
    const struct study s = study_of(BLOCKS "  mode: paper\n  capacities: [5, 2]\n"
                                           "  dynamic: true\n  min_holders: 5\n  empty: least\n");
    CHECK(s.allocation.mode == STUDY_ALLOCATION_PAPER && s.allocation.dynamic);
    CHECK(s.allocation.n_capacities == 2 && s.allocation.capacities[1] == 2);
    CHECK(s.allocation.min_holders == 5 && s.allocation.empty == STUDY_EMPTY_LEAST);
    CHECK_NUMBER(STUDY_ALLOCATION_NONE, study_of(SITE_UNIT).allocation.mode);
    CHECK_NUMBER(STUDY_ALLOCATION_EXCLUSIVE,
                 study_of(BLOCKS "  mode: exclusive\n  capacities: [12, 3]\n").allocation.mode);
}

static void allocations_that_protect_or_serve_nobody_are_refused(void)
{
    refused(SITE_UNIT "allocation: {mode: paper}\n", STATUS_RANGE, 4, "transformer");
    refused(BLOCKS "  mode: paper\n  min_holders: 3\n", STATUS_RANGE, 8, "colluding, 4");
    refused(BLOCKS "  mode: paper\n  min_holders: 6\n", STATUS_RANGE, 8, "threshold 5");
    refused(BLOCKS "  mode: private\n  empty: repair\n", STATUS_RANGE, 8, "mode paper");
    refused(BLOCKS "  mode: paper\n  empty: least\nrounds: {count: 40000}\n", STATUS_RANGE, 8,
            "too long");
    refused(BLOCKS "  mode: exclusive\n", STATUS_RANGE, 7, "there are 2");
    refused(BLOCKS "  mode: exclusive\n  capacities: [12]\n  dynamic: true\n", STATUS_RANGE, 9,
            "who can hold all");
    refused("study: {id: s}\npruning: {mode: none}\nmodel: {kind: vit, rank: 2}\n"
            "allocation: {mode: exclusive, capacities: [12]}\n"
            "privacy: {unit: site, adaptive_clip: true}\n",
            STATUS_RANGE, 5, "norm");
    refused("study: {id: s}\npruning: {mode: none}\nmodel: {kind: vit, rank: 2}\n"
            "allocation: {mode: private}\nprivacy: {unit: site, dropouts: xnoise}\n",
            STATUS_RANGE, 5, "every segment");
    refused(BLOCKS "  mode: private\n  capacities: [0]\n", STATUS_RANGE, 8, "capacities");
    struct study study = study_of(BLOCKS "  mode: private\n");
    study.allocation.n_capacities = 0;
    CHECK_STATUS(STATUS_RANGE, study_check(&study, &why));
}

static void the_hash_is_of_the_exact_bytes(void)
{
    struct study a = study_of(SITE_UNIT), b = study_of(SITE_UNIT " ");
    struct hash want = hash_of("study", view_of(SITE_UNIT));
    CHECK(hash_equal(&a.hash, &want));
    CHECK(!hash_equal(&a.hash, &b.hash));
}

#define XNOISE SITE_UNIT "  dropouts: xnoise\n"

static void noise_is_taken_away_where_the_study_says_so(void)
{
    CHECK_NUMBER(STUDY_PESSIMISTIC, study_of(SITE_UNIT).privacy.dropouts);
    CHECK_NUMBER(STUDY_PESSIMISTIC,
                 study_of(SITE_UNIT "  dropouts: pessimistic\n").privacy.dropouts);
    CHECK_NUMBER(STUDY_XNOISE, study_of(XNOISE).privacy.dropouts);
    CHECK_NUMBER(STUDY_XNOISE,
                 study_of(XNOISE "sites: {expected: 200, threshold: 136}\n").privacy.dropouts);
    refused(SITE_UNIT "  dropouts: never\n", STATUS_RANGE, 4, "xnoise");
    refused(XNOISE "  sampler: table\n", STATUS_RANGE, 5, "exact");
    refused(XNOISE "  delta: 1e-6\nsites: {expected: 200, threshold: 135}\n", STATUS_RANGE, 4,
            "64 dropouts");
    refused(XNOISE "  delta: 1e-6\nsites: {expected: 600, threshold: 540}\n", STATUS_RANGE, 4,
            "complete graph");
}

static void unknown_keys_are_refused(void)
{
    refused(SITE_UNIT "  sensitivity: 0.1\n", STATUS_FORMAT, 4, "sensitivity");
    refused(SITE_UNIT "noise:\n  sigma: 1\n", STATUS_FORMAT, 4, "noise");
}

static void what_is_not_one_plain_document_is_refused(void)
{
    refused(SITE_UNIT "  delta: 1e-5\n  delta: 1e-6\n", STATUS_FORMAT, 4, "delta");
    refused(SITE_UNIT "sites: {expected: 20}\nprivacy: {delta: 0.06}\n", STATUS_FORMAT, 5, "seen");
    refused(SITE_UNIT "---\nstudy: {id: t}\n", STATUS_FORMAT, 0, "documents after first");
    refused("study: {id: &a s, title: *a}\n", STATUS_FORMAT, 1, "alias");
    refused("study: {id: s\n", STATUS_FORMAT, 1, "");
    refused("[study]\n", STATUS_FORMAT, 0, "MAPPING");
    refused("study: 3\n", STATUS_FORMAT, 1, "MAPPING");
    refused(SITE_UNIT "model: {hidden: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\n", STATUS_FORMAT, 4, "8");
}

static void only_plain_numbers_are_numbers(void)
{
    static const char *const bad[] = {
        "nan",   "inf", "-.inf", "-1",  "+1", "0x8", "1e",
        "1e999", "two", "''",    "1 2", "8.", "8.0", "-18446744073709551608"};
    char text[128];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, SITE_UNIT "sites:\n  expected: %s\n", bad[i]);
        refused(text, STATUS_RANGE, 5, "expected");
        if (i >= 11 && i <= 12) continue; /* these two are good enough for a real number */
        snprintf(text, sizeof text, SITE_UNIT "  clip: %s\n", bad[i]);
        refused(text, STATUS_RANGE, 4, "clip");
    }
    CHECK_NUMBER(10, study_of(SITE_UNIT "sites: {expected: 010}\n").sites.expected);
}

static void values_out_of_range_are_refused(void)
{
    refused(SITE_UNIT "  epsilon: 0\n", STATUS_RANGE, 4, "epsilon");
    refused(SITE_UNIT "  clip: .inf\n", STATUS_RANGE, 4, "clip");
    refused(SITE_UNIT "  unit: nobody\n", STATUS_FORMAT, 3, "unit");
    refused("privacy: {unit: hospital}\nstudy: {id: s}\n", STATUS_RANGE, 1, "patient, site");
    refused(SITE_UNIT "schema: 2\n", STATUS_RANGE, 4, "schema");
    refused(SITE_UNIT "secagg:\n  bits: 33\n", STATUS_RANGE, 5, "bits");
    refused(SITE_UNIT "secagg:\n  bits: 15\n", STATUS_RANGE, 5, "bits");
    CHECK_NUMBER(16, study_of(SITE_UNIT "secagg: {bits: 16}\n").secagg.bits);
    refused(SITE_UNIT "  rounding: down\n", STATUS_RANGE, 4, "nearest, stochastic");
    refused(SITE_UNIT "  rotation: dct\n", STATUS_RANGE, 4, "none, hadamard");
    refused(SITE_UNIT "pruning:\n  units: 1\n", STATUS_RANGE, 5, "units");
    refused(SITE_UNIT "pruning:\n  weights: 1.0\n", STATUS_RANGE, 5, "weights");
    refused(SITE_UNIT "rounds:\n  momentum: 1\n", STATUS_RANGE, 5, "momentum");
    refused(SITE_UNIT "rounds:\n  decay: 1.1\n", STATUS_RANGE, 5, "decay");
    refused("study:\n  id: s\n  rehearsal: yes\n", STATUS_RANGE, 3, "false, true");
    refused("study:\n  id: S 1\n", STATUS_RANGE, 2, "a-z");
    refused("study:\n  id: a\n  title: \"a\\nb\"\n", STATUS_RANGE, 3, "control");
    refused("study:\n  id: a23456789012345678901234567890123\n", STATUS_RANGE, 2, "bytes");
    refused("privacy: {unit: site}\n", STATUS_RANGE, 0, "id");
    refused("", STATUS_RANGE, 0, "id");
}

static void thresholds_must_fit(void)
{
    refused(SITE_UNIT "sites:\n  threshold: 4\n", STATUS_RANGE, 5, "half"); /* (8 + 1) / 2 = 4.5 */
    CHECK_NUMBER(5, study_of(SITE_UNIT "sites: {threshold: 5}\n").sites.threshold);
    CHECK_NUMBER(8, study_of(SITE_UNIT "sites: {threshold: 8}\n").sites.threshold);
    refused(SITE_UNIT "sites:\n  threshold: 9\n", STATUS_RANGE, 5, "more than the 8");
    refused(SITE_UNIT "sites:\n  colluding: 8\n", STATUS_RANGE, 5, "nobody");
    refused(SITE_UNIT "sites:\n  colluding: 7\n", STATUS_RANGE, 4, "min_contributors");
    refused(SITE_UNIT "sites:\n  min_contributors: 5\n", STATUS_RANGE, 5, "min_contributors");
    CHECK_NUMBER(4, study_of(SITE_UNIT "sites: {min_contributors: 4}\n").sites.min_contributors);
}

static void many_sites_need_a_threshold_with_a_ring(void)
{
    static const char sites[] =
        SITE_UNIT "sites: {expected: 600, colluding: 60, min_contributors: 3";
    char text[256];
    snprintf(text, sizeof text, "%s}\n", sites);
    /* The default of 331 is enough for a complete graph alone. */
    refused(text, STATUS_RANGE, 4, "331 of 600 sites are too few");
    CHECK(strstr(why.text, "is 396") != NULL);
    snprintf(text, sizeof text, "%s, threshold: 395}\n", sites);
    refused(text, STATUS_RANGE, 4, "is 396");
    snprintf(text, sizeof text, "%s, threshold: 396}\n", sites);
    CHECK_NUMBER(396, study_of(text).sites.threshold);
    CHECK_NUMBER(257, study_of(SITE_UNIT "sites: {expected: 512}\n").sites.threshold);
    refused(SITE_UNIT "sites:\n  expected: 2000\n  colluding: 1950\n", STATUS_RANGE, 6, "too many");
    refused(SITE_UNIT "sites:\n  expected: 2049\n", STATUS_RANGE, 5, "2048");
}

static void inputs_leave_before_their_deadline(void)
{
    refused(SITE_UNIT "deadlines:\n  release_ms: 600000\n", STATUS_RANGE, 5, "600000");
    refused(SITE_UNIT "deadlines: {input_ms: 10,\n  release_ms: 10}\n", STATUS_RANGE, 5,
            "not before");
    CHECK_NUMBER(599999,
                 study_of(SITE_UNIT "deadlines: {release_ms: 599999}\n").deadlines.release_ms);
}

static void the_unit_decides_which_keys_belong(void)
{
    refused("study: {id: s}\nprivacy:\n  records: 60000\n", STATUS_RANGE, 2, "sampling");
    refused("study: {id: s}\nprivacy:\n  sampling: 0.1\n", STATUS_RANGE, 2, "records");
    refused(SITE_UNIT "  sampling: 0.1\n", STATUS_RANGE, 4, "no meaning");
    refused(SITE_UNIT "  records: 60000\n", STATUS_RANGE, 4, "no meaning");
}

static void unsafe_privacy_is_refused(void)
{
    refused(PATIENT_UNIT "  delta: 1.7e-5\n", STATUS_RANGE, 5, "60000 patients");
    refused(SITE_UNIT "  delta: 0.06\nsites: {expected: 20}\n", STATUS_RANGE, 4, "20 sites");
    refused(SITE_UNIT "  epsilon: .inf\n", STATUS_RANGE, 4, "rehearsal");
    refused(SITE_UNIT "  epsilon: 101\n", STATUS_RANGE, 4, "nobody");
    refused(SITE_UNIT "pruning:\n  mode: paper\n", STATUS_RANGE, 5, "without noise");
    refused(SITE_UNIT "  clip_count_noise: 3\n", STATUS_RANGE, 4, "adaptive_clip: true");
    refused(SITE_UNIT "  clip_quantile: 1\n", STATUS_RANGE, 4, "clip_quantile");
    refused(SITE_UNIT "  clip_rate: 0\n", STATUS_RANGE, 4, "clip_rate");
    struct study s = study_of("study: {id: s, rehearsal: true}\npruning: {mode: paper}\n"
                              "privacy: {unit: site, epsilon: .inf}\n");
    CHECK_NUMBER(STUDY_PRUNING_PAPER, s.pruning.mode);
}

static void evaluations_that_cannot_be_are_refused(void)
{
    refused(SITE_UNIT "evaluation:\n  every: 51\n", STATUS_RANGE, 5, "50 training rounds");
    refused(SITE_UNIT "evaluation:\n  ratio: 0\n", STATUS_RANGE, 5, "ratio");
    refused(SITE_UNIT "evaluation:\n  mode: public\n", STATUS_RANGE, 5, "mode");
}

static void prunings_that_cannot_be_are_refused(void)
{
    struct study s = study_of(SITE_UNIT "pruning: {mask: prunefl, refine_every: 49}\n");
    CHECK(s.pruning.mask == STUDY_MASK_PRUNEFL && s.pruning.refine_every == 49);
    CHECK_NUMBER(STUDY_MASK_RANDOM, study_of(SITE_UNIT "pruning: {mask: random}\n").pruning.mask);
    /* Nothing of a data set is in it, so that it needs no noise. */
    s = study_of(SITE_UNIT "pruning: {mode: paper, mask: magnitude}\n");
    CHECK_NUMBER(STUDY_MASK_MAGNITUDE, s.pruning.mask);
    CHECK_NUMBER(STUDY_SCORE_SQUARED, s.pruning.score);
    CHECK_NUMBER(STUDY_SCORE_SNIP, study_of(SITE_UNIT "pruning: {score: snip}\n").pruning.score);
    CHECK_NUMBER(STUDY_SCORE_AGREEMENT,
                 study_of(SITE_UNIT "pruning: {score: agreement}\n").pruning.score);
    refused(SITE_UNIT "pruning:\n  score: loss\n", STATUS_RANGE, 5, "squared, snip, taylor");
    refused(SITE_UNIT "pruning:\n  mask: random\n  score: snip\n", STATUS_RANGE, 6,
            "an exploration");
    refused(SITE_UNIT "pruning:\n  mode: none\n  score: taylor\n", STATUS_RANGE, 6,
            "an exploration");
    refused(SITE_UNIT "pruning:\n  mask: secret\n", STATUS_RANGE, 5, "explored, random");
    refused(SITE_UNIT "pruning:\n  mode: none\n  mask: random\n", STATUS_RANGE, 6, "no meaning");
    refused(SITE_UNIT "pruning:\n  mask: prunefl\n", STATUS_RANGE, 4, "from 2 on");
    refused(SITE_UNIT "pruning:\n  mask: prunefl\n  refine_every: 1\n", STATUS_RANGE, 6, "from 2");
    refused(SITE_UNIT "pruning:\n  mask: prunefl\n  refine_every: 50\n", STATUS_RANGE, 6,
            "50 training");
    refused(SITE_UNIT "pruning:\n  mask: random\n  refine_every: 5\n", STATUS_RANGE, 6,
            "explored or prunefl");
    s = study_of(SITE_UNIT "pruning: {refine_every: 1, refine_share: 0.25, refine_ratio: 3}\n");
    CHECK_NUMBER(1, s.pruning.refine_every);
    CHECK_CLOSE(0.25, s.pruning.refine_share, 0);
    CHECK_CLOSE(3, s.pruning.refine_ratio, 0);
    refused(SITE_UNIT "pruning:\n  refine_every: 50\n", STATUS_RANGE, 5, "50 training");
    refused(SITE_UNIT "pruning:\n  refine_share: 0\n", STATUS_RANGE, 5, "refine_share");
    refused(SITE_UNIT "pruning:\n  refine_ratio: 0\n", STATUS_RANGE, 5, "refine_ratio");
    refused(SITE_UNIT "pruning:\n  mask: prunefl\n  mode: paper\n  refine_every: 5\n", STATUS_RANGE,
            5, "mode: private");
}

static void models_that_cannot_be_are_refused(void)
{
    refused(SITE_UNIT "model:\n  hidden: []\n", STATUS_FORMAT, 5, "entries");
    refused(SITE_UNIT "model:\n  kind: twocnn\n  hidden: [8, 16]\n", STATUS_RANGE, 6, "dense");
    refused(SITE_UNIT "model:\n  kind: twocnn\n  hidden: [8, 16, 32]\n  width: 5\n", STATUS_RANGE,
            4, "too small");
    refused(SITE_UNIT "model:\n  hidden: [200, 0]\n", STATUS_RANGE, 5, "hidden");
    refused(SITE_UNIT "model:\n  kind: cnn\n  hidden: [8]\n", STATUS_RANGE, 6, "convolutions");
    refused(SITE_UNIT "model:\n  kind: cnn\n  height: 8\n", STATUS_RANGE, 4, "too small");
    refused(SITE_UNIT "model:\n  hidden: [65535, 65535]\n", STATUS_RANGE, 4, "too large");
}

static void a_study_changed_in_memory_is_checked(void)
{
    struct study s = study_of(SITE_UNIT);
    CHECK_OK(study_check(&s, &why));
    s.sites.threshold = 2;
    CHECK_STATUS(STATUS_RANGE, study_check(&s, &why));
    CHECK(strcmp(why.section, "sites") == 0 && strcmp(why.key, "threshold") == 0);
    s = study_of(SITE_UNIT);
    s.model.spec.n_hidden = 0;
    CHECK_STATUS(STATUS_RANGE, study_check(&s, &why));
    CHECK(strcmp(why.section, "model") == 0 && strcmp(why.key, "hidden") == 0);
}

static void a_file_is_read_whole_or_refused(void)
{
    char path[] = "/tmp/veilsum-study-XXXXXX";
    int file = mkstemp(path);
    CHECK(write(file, SITE_UNIT, sizeof SITE_UNIT - 1) == sizeof SITE_UNIT - 1);
    struct study s = {0}, same = study_of(SITE_UNIT);
    CHECK_OK(study_read(&s, path, &why));
    CHECK(hash_equal(&s.hash, &same.hash));
    CHECK(ftruncate(file, SETTINGS_FILE_BYTES_MAX + 1) == 0);
    CHECK_STATUS(STATUS_RANGE, study_read(&s, path, &why));
    close(file);
    unlink(path);
    CHECK_STATUS(STATUS_IO, study_read(&s, path, &why));
    CHECK_STATUS(STATUS_IO, study_read(&s, "/tmp", &why));
    CHECK(strstr(why.text, "/tmp cannot be read") != NULL);
}

static void out_of_memory_leaves_nothing(void)
{
    OOM_EACH {
        struct study s = {0};
        enum status status = study_parse(&s, view_of(SITE_UNIT "model: {hidden: [3, 4]}\n"), &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK_NUMBER(status == STATUS_OK ? 3 : 0, s.model.spec.hidden[0]);
    }
}

int main(void)
{
    RUN(defaults_stand_where_keys_are_absent);
    RUN(every_key_reaches_its_member);
    RUN(transformers_have_keys_of_their_own);
    RUN(backbone_is_a_hash_and_goes_with_a_rank);
    RUN(transformers_that_cannot_be_are_refused);
    RUN(an_lstm_reads_a_row_of_characters);
    RUN(local_steps_are_plain_unless_said);
    RUN(local_steps_that_contradict_themselves_are_refused);
    RUN(blocks_are_allocated_by_a_section_of_their_own);
    RUN(allocations_that_protect_or_serve_nobody_are_refused);
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
    RUN(prunings_that_cannot_be_are_refused);
    RUN(models_that_cannot_be_are_refused);
    RUN(a_study_changed_in_memory_is_checked);
    RUN(a_file_is_read_whole_or_refused);
    RUN(out_of_memory_leaves_nothing);
    return check_done();
}
