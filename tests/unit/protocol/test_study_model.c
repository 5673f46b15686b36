/* SPDX-License-Identifier: Apache-2.0 */
/* What a study file says of its model, and of how it is trained, pruned and dealt out in blocks. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/protocol/clerk.h"

static void transformers_have_keys_of_their_own(void)
{
    const char *sizes = CLERK_SITE "pruning: {mode: none}\n"
                                   "model: {kind: vit, height: 32, width: 24, patch: 8, dim: 48,\n"
                                   "        depth: 5, heads: 6, mlp: 96, tokens_mlp: 7, rank: 2,\n"
                                   "        alpha: 3.5, freeze_a: true, exits: true}\n";
    const struct model_spec m = clerk_read(sizes).model.spec;
    CHECK(m.kind == MODEL_VIT && m.patch == 8 && m.dim == 48 && m.depth == 5 && m.heads == 6);
    CHECK(m.mlp == 96 && m.tokens_mlp == 7 && m.rank == 2 && m.freeze_a && m.exits);
    CHECK_CLOSE(3.5, m.alpha, 0);
    const struct model_spec d =
        clerk_read(CLERK_SITE "pruning: {mode: none}\nmodel: {kind: mixer}\n").model.spec;
    CHECK(d.kind == MODEL_MIXER && d.patch == 7 && d.dim == 64 && d.depth == 12 && d.heads == 4);
    CHECK(d.mlp == 128 && d.tokens_mlp == 64 && d.rank == 0 && !d.freeze_a && !d.exits);
    CHECK_CLOSE(8, d.alpha, 0);
}

static void backbone_is_a_hash_and_goes_with_a_rank(void)
{
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FROZEN CLERK_SITE "pruning: {mode: none}\nmodel:\n  kind: vit\n"
    CHECK(strcmp(clerk_read(FROZEN "  rank: 2\n  backbone: " HASH "\n").model.backbone, HASH) == 0);
    clerk_refuses(FROZEN "  backbone: " HASH "\n", STATUS_RANGE, 7, "without a rank");
    clerk_refuses(FROZEN "  rank: 2\n  backbone: 0" HASH "\n", STATUS_RANGE, 8, "");
    clerk_refuses(FROZEN "  rank: 2\n  backbone: abc\n", STATUS_RANGE, 8, "");
    clerk_refuses(FROZEN "  rank: 2\n  backbone: "
                         "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n",
                  STATUS_RANGE, 8, "64 digits");
#undef FROZEN
#undef HASH
}

static void transformers_that_cannot_be_are_refused(void)
{
#define WHOLE CLERK_SITE "pruning: {mode: none}\nmodel:\n  kind: vit\n"
    clerk_refuses(WHOLE "  patch: 5\n", STATUS_RANGE, 7, "28 x 28");
    clerk_refuses(WHOLE "  height: 32\n  patch: 14\n", STATUS_RANGE, 8, "32 x 28");
    clerk_refuses(CLERK_SITE "model:\n  exits: true\n", STATUS_RANGE, 5, "only a transformer");
    clerk_refuses(WHOLE "  heads: 5\n", STATUS_RANGE, 7, "dim: 64");
    CHECK_NUMBER(MODEL_MIXER, clerk_read(CLERK_SITE "pruning: {mode: none}\n"
                                                    "model: {kind: mixer, heads: 5}\n")
                                  .model.spec.kind);
    clerk_refuses(WHOLE "  depth: 25\n", STATUS_RANGE, 7, "depth");
    clerk_refuses(WHOLE "  alpha: 0\n", STATUS_RANGE, 7, "alpha");
    clerk_refuses(WHOLE "  dim: 65535\n  heads: 1\n", STATUS_RANGE, 5, "too large");
    clerk_refuses(CLERK_SITE "model: {kind: vit}\npruning:\n  mode: private\n", STATUS_RANGE, 6,
                  "no hidden units");
    clerk_refuses(CLERK_SITE "model: {kind: mixer}\n", STATUS_RANGE, 0, "no hidden units");
}

static void an_lstm_reads_a_row_of_characters(void)
{
#define LSTM CLERK_SITE "pruning: {mode: none}\nmodel: {kind: lstm, height: 1, classes: 80"
    const struct model_spec m = clerk_read(LSTM ", width: 80, hidden: [8, 256, 256]}\n").model.spec;
    CHECK(m.kind == MODEL_LSTM && m.n_hidden == 3 && m.width == 80 && m.channels == 1);
    clerk_refuses(LSTM ",\n  hidden: [8]}\n", STATUS_RANGE, 6, "embedding");
    clerk_refuses(LSTM ",\n  channels: 3}\n", STATUS_RANGE, 5, "one row");
    clerk_refuses(CLERK_SITE "pruning: {mode: none}\nmodel:\n  kind: lstm\n  height: 2\n",
                  STATUS_RANGE, 7, "one row");
    clerk_refuses(LSTM ",\n  pixel_mean: 0.5}\n", STATUS_RANGE, 6, "brightness");
    clerk_refuses(LSTM ",\n  pixel_deviation: 0.5}\n", STATUS_RANGE, 5, "brightness");
    clerk_refuses(LSTM ",\n  width: 4096, hidden: [8, 300]}\n", STATUS_RANGE, 5, "too large");
    clerk_refuses(CLERK_SITE "model: {kind: lstm, height: 1}\npruning:\n  mode: private\n",
                  STATUS_RANGE, 6, "no hidden units");
}

static void local_steps_are_plain_unless_said(void)
{
    struct study s = clerk_read(CLERK_SITE "rounds: {local_momentum: 0.25}");
    CHECK_CLOSE(0.25, s.rounds.local_momentum, 0);
    s = clerk_read(CLERK_SITE);
    CHECK(s.rounds.local_optimizer == STUDY_SGD && s.rounds.local_momentum == 0);
    CHECK(s.rounds.local_decay == 0 && s.rounds.local_clip == 0 && s.rounds.proximal == 0);
    CHECK_CLOSE(1, s.rounds.local_rate_decay, 0);
}

static void local_steps_that_contradict_themselves_are_refused(void)
{
    clerk_refuses(CLERK_SITE "rounds: {local_optimizer: adam,\n  local_momentum: 0.9}\n",
                  STATUS_RANGE, 5, "adam");
    clerk_refuses(CLERK_SITE "rounds: {count: 200,\n  local_rate_decay: 0.5}\n", STATUS_RANGE, 5,
                  "200 rounds");
    clerk_refuses(CLERK_SITE "rounds: {local_momentum: 1}\n", STATUS_RANGE, 4, "local_momentum");
}

#define BLOCKS CLERK_SITE "pruning: {mode: none}\nmodel: {kind: vit, rank: 2}\nallocation:\n"

static void blocks_are_allocated_by_a_section_of_their_own(void)
{
    const struct study d = clerk_read(BLOCKS "  mode: private\n");
    static const uint32_t capacities[] = {12, 10, 8, 6, 4, 3};
    CHECK(d.allocation.mode == STUDY_ALLOCATION_PRIVATE && !d.allocation.dynamic);
    CHECK_NUMBER(6, d.allocation.n_capacities);
    CHECK_BYTES(capacities, d.allocation.capacities, sizeof capacities);
    CHECK(d.allocation.min_holders == 4 && d.allocation.empty == STUDY_EMPTY_KEEP);
    const struct study s = clerk_read(BLOCKS "  mode: paper\n  capacities: [5, 2]\n"
                                             "  dynamic: true\n  min_holders: 5\n  empty: least\n");
    CHECK(s.allocation.mode == STUDY_ALLOCATION_PAPER && s.allocation.dynamic);
    CHECK(s.allocation.n_capacities == 2 && s.allocation.capacities[1] == 2);
    CHECK(s.allocation.min_holders == 5 && s.allocation.empty == STUDY_EMPTY_LEAST);
    CHECK_NUMBER(STUDY_ALLOCATION_NONE, clerk_read(CLERK_SITE).allocation.mode);
    CHECK_NUMBER(STUDY_ALLOCATION_EXCLUSIVE,
                 clerk_read(BLOCKS "  mode: exclusive\n  capacities: [12, 3]\n").allocation.mode);
}

static void allocations_that_protect_or_serve_nobody_are_refused(void)
{
    clerk_refuses(CLERK_SITE "allocation: {mode: paper}\n", STATUS_RANGE, 4, "transformer");
    clerk_refuses(BLOCKS "  mode: paper\n  min_holders: 3\n", STATUS_RANGE, 8, "colluding, 4");
    clerk_refuses(BLOCKS "  mode: paper\n  min_holders: 6\n", STATUS_RANGE, 8, "threshold 5");
    clerk_refuses(BLOCKS "  mode: private\n  empty: repair\n", STATUS_RANGE, 8, "mode paper");
    clerk_refuses(BLOCKS "  mode: paper\n  empty: least\nrounds: {count: 40000}\n", STATUS_RANGE, 8,
                  "too long");
    clerk_refuses(BLOCKS "  mode: exclusive\n", STATUS_RANGE, 7, "there are 2");
    clerk_refuses(BLOCKS "  mode: exclusive\n  capacities: [12]\n  dynamic: true\n", STATUS_RANGE,
                  9, "who can hold all");
    clerk_refuses("study: {id: s}\npruning: {mode: none}\nmodel: {kind: vit, rank: 2}\n"
                  "allocation: {mode: exclusive, capacities: [12]}\n"
                  "privacy: {unit: site, adaptive_clip: true}\n",
                  STATUS_RANGE, 5, "norm");
    clerk_refuses("study: {id: s}\npruning: {mode: none}\nmodel: {kind: vit, rank: 2}\n"
                  "allocation: {mode: private}\nprivacy: {unit: site, dropouts: xnoise}\n",
                  STATUS_RANGE, 5, "every segment");
    clerk_refuses(BLOCKS "  mode: private\n  capacities: [0]\n", STATUS_RANGE, 8, "capacities");
    struct study study = clerk_read(BLOCKS "  mode: private\n");
    study.allocation.n_capacities = 0;
    CHECK_STATUS(STATUS_RANGE, study_check(&study, &clerk_why));
}

static void prunings_that_cannot_be_are_refused(void)
{
    struct study s = clerk_read(CLERK_SITE "pruning: {mask: prunefl, refine_every: 49}\n");
    CHECK(s.pruning.mask == STUDY_MASK_PRUNEFL && s.pruning.refine_every == 49);
    CHECK_NUMBER(STUDY_MASK_RANDOM,
                 clerk_read(CLERK_SITE "pruning: {mask: random}\n").pruning.mask);
    /* Nothing of a data set is in it, so that it needs no noise. */
    s = clerk_read(CLERK_SITE "pruning: {mode: paper, mask: magnitude}\n");
    CHECK_NUMBER(STUDY_MASK_MAGNITUDE, s.pruning.mask);
    CHECK_NUMBER(STUDY_SCORE_SQUARED, s.pruning.score);
    s = clerk_read("study: {id: s, rehearsal: true}\nprivacy: {unit: site}\n"
                   "pruning: {mode: paper}\n");
    CHECK(s.pruning.score == STUDY_SCORE_SQUARED && s.privacy.exploration_clip == 1);
    s = clerk_read(CLERK_SITE "pruning: {mode: private}\n");
    CHECK(s.pruning.score == STUDY_SCORE_TAYLOR && s.privacy.exploration_clip == 0.001);
    CHECK_NUMBER(STUDY_SCORE_SNIP, clerk_read(CLERK_SITE "pruning: {score: snip}\n").pruning.score);
    CHECK_NUMBER(STUDY_SCORE_AGREEMENT,
                 clerk_read(CLERK_SITE "pruning: {score: agreement}\n").pruning.score);
    clerk_refuses(CLERK_SITE "pruning:\n  score: loss\n", STATUS_RANGE, 5, "squared, snip, taylor");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: random\n  score: snip\n", STATUS_RANGE, 6,
                  "an exploration");
    clerk_refuses(CLERK_SITE "pruning:\n  mode: none\n  score: taylor\n", STATUS_RANGE, 6,
                  "an exploration");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: secret\n", STATUS_RANGE, 5, "explored, random");
    clerk_refuses(CLERK_SITE "pruning:\n  mode: none\n  mask: random\n", STATUS_RANGE, 6,
                  "no meaning");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: prunefl\n", STATUS_RANGE, 4, "from 2 on");
    clerk_refuses(CLERK_SITE "pruning: {mask: prunefl, refine_every: 5}\n"
                             "rounds:\n  coordinates: 0.5\n",
                  STATUS_RANGE, 6, "all coordinates");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: prunefl\n  refine_every: 1\n", STATUS_RANGE, 6,
                  "from 2");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: prunefl\n  refine_every: 50\n", STATUS_RANGE, 6,
                  "50 training");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: random\n  refine_every: 5\n", STATUS_RANGE, 6,
                  "explored or prunefl");
    s = clerk_read(CLERK_SITE "pruning: {refine_every: 1, refine_share: 0.25, refine_ratio: 3}\n");
    CHECK_NUMBER(1, s.pruning.refine_every);
    CHECK_CLOSE(0.25, s.pruning.refine_share, 0);
    CHECK_CLOSE(3, s.pruning.refine_ratio, 0);
    clerk_refuses(CLERK_SITE "pruning:\n  refine_every: 50\n", STATUS_RANGE, 5, "50 training");
    clerk_refuses(CLERK_SITE "pruning:\n  refine_share: 0\n", STATUS_RANGE, 5, "refine_share");
    clerk_refuses(CLERK_SITE "pruning:\n  refine_ratio: 0\n", STATUS_RANGE, 5, "refine_ratio");
    clerk_refuses(CLERK_SITE "pruning:\n  mask: prunefl\n  mode: paper\n  refine_every: 5\n",
                  STATUS_RANGE, 5, "mode: private");
}

static void models_that_cannot_be_are_refused(void)
{
    clerk_refuses(CLERK_SITE "model:\n  hidden: []\n", STATUS_FORMAT, 5, "entries");
    clerk_refuses(CLERK_SITE "model:\n  kind: twocnn\n  hidden: [8, 16]\n", STATUS_RANGE, 6,
                  "dense");
    clerk_refuses(CLERK_SITE "model:\n  kind: twocnn\n  hidden: [8, 16, 32]\n  width: 5\n",
                  STATUS_RANGE, 4, "too small");
    clerk_refuses(CLERK_SITE "model:\n  hidden: [200, 0]\n", STATUS_RANGE, 5, "hidden");
    clerk_refuses(CLERK_SITE "model:\n  kind: cnn\n  hidden: [8]\n", STATUS_RANGE, 6,
                  "convolutions");
    clerk_refuses(CLERK_SITE "model:\n  kind: cnn\n  height: 8\n", STATUS_RANGE, 4, "too small");
    clerk_refuses(CLERK_SITE "model:\n  hidden: [65535, 65535]\n", STATUS_RANGE, 4, "too large");
}

int main(void)
{
    RUN(transformers_have_keys_of_their_own);
    RUN(backbone_is_a_hash_and_goes_with_a_rank);
    RUN(transformers_that_cannot_be_are_refused);
    RUN(an_lstm_reads_a_row_of_characters);
    RUN(local_steps_are_plain_unless_said);
    RUN(local_steps_that_contradict_themselves_are_refused);
    RUN(blocks_are_allocated_by_a_section_of_their_own);
    RUN(allocations_that_protect_or_serve_nobody_are_refused);
    RUN(prunings_that_cannot_be_are_refused);
    RUN(models_that_cannot_be_are_refused);
    return check_done();
}
