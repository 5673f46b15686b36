/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a study that look at more than one key. */
#include <math.h>
#include <string.h>

#include "dp/xnoise.h"
#include "protocol/allocate.h"
#include "protocol/study.h"

/* Above PARAMS_COMPLETE_MAX sites a ring has to fit the threshold. */
static enum status check_ring(const struct study *s, struct settings_error *why)
{
    const uint32_t n = s->sites.expected, c = s->sites.colluding, quorum = s->sites.threshold;
    uint32_t k = 0, t = 0;
    if (n <= PARAMS_COMPLETE_MAX || params_ring(&k, &t, n, c, quorum) == STATUS_OK)
        return STATUS_OK;
    const uint32_t least = params_ring_quorum(n, c);
    if (least == 0)
        return settings_refuse(why, "sites", "colluding",
                               "colluding: among %u sites that share along a ring, %u are too "
                               "many whatever the threshold",
                               n, c);
    return settings_refuse(why, "sites", "threshold",
                           "threshold: %u of %u sites are too few to share along a ring with %u "
                           "colluding; the smallest that is enough is %u",
                           quorum, n, c, least);
}

static enum status check_sites(const struct study *s, struct settings_error *why)
{
    uint32_t n = s->sites.expected, c = s->sites.colluding, t = s->sites.threshold;
    if (c >= n)
        return settings_refuse(why, "sites", "colluding",
                               "colluding: %u of %u sites may conspire, so nobody is protected", c,
                               n);
    if (t < params_threshold(n, c))
        return settings_refuse(why, "sites", "threshold",
                               "threshold: %u is not above half of expected + colluding (%u + %u); "
                               "two groups of sites could open different sums",
                               t, n, c);
    if (t > n)
        return settings_refuse(why, "sites", "threshold",
                               "threshold: %u is more than the %u sites expected", t, n);
    if (s->sites.min_contributors + c > t)
        return settings_refuse(why, "sites", "min_contributors",
                               "min_contributors: %u with %u colluding is more than the threshold "
                               "%u, so a permitted round could be too small",
                               s->sites.min_contributors, c, t);
    return check_ring(s, why);
}

static enum status check_unit(const struct study *s, struct settings_error *why)
{
    bool patient = s->privacy.unit == STUDY_PATIENT;
    bool sampling = s->privacy.sampling > 0, records = s->privacy.records > 0;
    if (patient && !sampling)
        return settings_refuse(why, "privacy", "sampling",
                               "sampling: required for unit patient (share of records per round)");
    if (patient && !records)
        return settings_refuse(why, "privacy", "records",
                               "records: required for unit patient (public expected total)");
    if (!patient && sampling)
        return settings_refuse(why, "privacy", "sampling",
                               "sampling: has no meaning for unit site; every site takes part");
    if (!patient && records)
        return settings_refuse(why, "privacy", "records", "records: has no meaning for unit site");
    return STATUS_OK;
}

/* Noise that is taken away again is shared among all sites, part by part, and drawn twice. */
static enum status check_dropouts(const struct study *s, struct settings_error *why)
{
    const uint32_t n = s->sites.expected, quorum = s->sites.threshold;
    if (s->privacy.dropouts != STUDY_XNOISE) return STATUS_OK;
    if (n > PARAMS_COMPLETE_MAX)
        return settings_refuse(why, "privacy", "dropouts",
                               "dropouts: xnoise needs a complete graph, of at most %d sites",
                               PARAMS_COMPLETE_MAX);
    if (n - quorum > XNOISE_REMOVABLE_MAX)
        return settings_refuse(why, "privacy", "dropouts",
                               "dropouts: xnoise allows for %d dropouts, and with a threshold of "
                               "%u there may be %u",
                               XNOISE_REMOVABLE_MAX, quorum, n - quorum);
    if (s->privacy.sampler != NOISE_EXACT)
        return settings_refuse(why, "privacy", "sampler",
                               "sampler: only exact with dropouts: xnoise");
    return STATUS_OK;
}

static enum status check_privacy(const struct study *s, struct settings_error *why)
{
    TRY(check_unit(s, why));
    TRY(check_dropouts(s, why));
    if (!s->study.rehearsal && isinf(s->privacy.epsilon))
        return settings_refuse(why, "privacy", "epsilon",
                               "epsilon: .inf protects nobody; only for study.rehearsal: true");
    if (!s->study.rehearsal && s->privacy.epsilon > STUDY_EPSILON_MAX)
        return settings_refuse(why, "privacy", "epsilon",
                               "epsilon: %g protects nobody; the largest accepted is %d",
                               s->privacy.epsilon, STUDY_EPSILON_MAX);
    uint32_t people = s->privacy.unit == STUDY_PATIENT ? s->privacy.records : s->sites.expected;
    if (s->privacy.delta * people >= 1)
        return settings_refuse(why, "privacy", "delta",
                               "delta: %g is unsafe for %u %ss: publishing one of them whole would "
                               "satisfy it; take less than %.3g",
                               s->privacy.delta, people, study_unit_name(s->privacy.unit),
                               1.0 / people);
    if (!s->privacy.adaptive_clip && s->privacy.clip_count_noise > 0)
        return settings_refuse(why, "privacy", "clip_count_noise",
                               "clip_count_noise: has no meaning without adaptive_clip: true");
    return STATUS_OK;
}

/* What is chosen anew is units, by votes or by what prunefl sees in the round before. */
static enum status check_refinement(const struct study *s, struct settings_error *why)
{
    const uint32_t every = s->pruning.refine_every;
    const bool prunefl = s->pruning.mask == STUDY_MASK_PRUNEFL;
    const bool votes = s->pruning.mask == STUDY_MASK_EXPLORED;
    if (every == 0 && !prunefl) return STATUS_OK;
    if (s->pruning.mode != STUDY_PRUNING_PRIVATE || (!prunefl && !votes))
        return settings_refuse(why, "pruning", prunefl ? "mask" : "refine_every",
                               "%s: only with mode: private and mask: explored or prunefl",
                               prunefl ? "mask: prunefl" : "refine_every");
    if (every < (prunefl ? 2 : 1) || every >= s->rounds.count)
        return settings_refuse(
            why, "pruning", "refine_every",
            "refine_every: %u is not from %d on and below the %u training rounds", every,
            prunefl ? 2 : 1, s->rounds.count);
    return STATUS_OK;
}

static enum status check_pruning(const struct study *s, struct settings_error *why)
{
    if (s->pruning.mode == STUDY_PRUNING_NONE && s->pruning.mask != STUDY_MASK_EXPLORED)
        return settings_refuse(why, "pruning", "mask", "mask: has no meaning with mode: none");
    if (s->pruning.score != STUDY_SCORE_SQUARED &&
        (s->pruning.mode == STUDY_PRUNING_NONE || s->pruning.mask != STUDY_MASK_EXPLORED))
        return settings_refuse(why, "pruning", "score",
                               "score: only where there is an exploration");
    if (!s->study.rehearsal && s->pruning.mode == STUDY_PRUNING_PAPER &&
        s->pruning.mask == STUDY_MASK_EXPLORED)
        return settings_refuse(
            why, "pruning", "mode",
            "mode: paper explores without noise; only for study.rehearsal: true");
    return check_refinement(s, why);
}

static enum status check_transformer(const struct model_spec *spec, struct settings_error *why)
{
    const bool transformer = layout_has_blocks(spec);
    if (spec->exits && !transformer)
        return settings_refuse(why, "model", "exits",
                               "exits: only a transformer has blocks to end at");
    if (!transformer) return STATUS_OK;
    if (spec->patch == 0 || spec->height % spec->patch != 0 || spec->width % spec->patch != 0)
        return settings_refuse(why, "model", "patch",
                               "patch: %u does not divide an image of %u x %u", spec->patch,
                               spec->height, spec->width);
    if (spec->kind == MODEL_VIT && (spec->heads == 0 || spec->dim % spec->heads != 0))
        return settings_refuse(why, "model", "heads", "heads: %u do not divide dim: %u",
                               spec->heads, spec->dim);
    return STATUS_OK;
}

static enum status check_lstm(const struct study *s, struct settings_error *why)
{
    const struct model_spec *spec = &s->model.spec;
    if (spec->kind != MODEL_LSTM) return STATUS_OK;
    if (spec->n_hidden < 2)
        return settings_refuse(why, "model", "hidden",
                               "hidden: an lstm has its embedding and at least one layer's units");
    if (spec->channels != 1 || spec->height != 1)
        return settings_refuse(why, "model", "height",
                               "height: an lstm reads one row of `width` characters");
    if (s->model.pixel_mean != 0 || s->model.pixel_deviation != 1)
        return settings_refuse(why, "model", "pixel_mean",
                               "pixel_mean: characters are numbers, not brightness; leave out "
                               "pixel_mean and pixel_deviation");
    return STATUS_OK;
}

static enum status check_backbone(const struct study *s, struct settings_error *why)
{
    const char *backbone = s->model.backbone;
    if (backbone[strspn(backbone, "0123456789abcdef")] != '\0')
        return settings_refuse(why, "model", "backbone",
                               "backbone: a hash has 64 digits 0-9 and a-f; veilsum-lab weights "
                               "prints a file's");
    if (backbone[0] != '\0' && s->model.spec.rank == 0)
        return settings_refuse(why, "model", "backbone",
                               "backbone: has no meaning without a rank; everything is trained");
    return STATUS_OK;
}

static enum status check_model(const struct study *s, struct settings_error *why)
{
    const struct model_spec *spec = &s->model.spec;
    TRY(check_transformer(spec, why));
    TRY(check_backbone(s, why));
    if (spec->kind == MODEL_MLP && spec->n_hidden == 0)
        return settings_refuse(why, "model", "hidden", "hidden: needs at least one layer");
    if (spec->kind == MODEL_CNN && spec->n_hidden != 2)
        return settings_refuse(why, "model", "hidden",
                               "hidden: a cnn has the channels of its two convolutions");
    if (spec->kind == MODEL_TWOCNN && spec->n_hidden != 3)
        return settings_refuse(why, "model", "hidden",
                               "hidden: a twocnn has the channels of its two convolutions and the "
                               "units of its dense layer");
    TRY(check_lstm(s, why));
    struct layout layout;
    if (layout_of(&layout, spec) != STATUS_OK)
        return settings_refuse(why, "model", NULL,
                               "model: too large, or an image too small for its convolutions");
    if (layout.n_groups == 0 && s->pruning.mode != STUDY_PRUNING_NONE)
        return settings_refuse(why, "pruning", "mode",
                               "mode: only none for a model that has no hidden units to prune");
    return STATUS_OK;
}

/* Sites that can hold all blocks, when all of them come. */
static uint32_t full_sites(const struct study *s, uint32_t blocks)
{
    uint32_t full = 0;
    for (uint32_t v = 0; v < s->sites.expected; v++)
        full += s->allocation.capacities[v % s->allocation.n_capacities] >= blocks;
    return full;
}

/* Of who may hold what, and how many of them there must be. */
static enum status check_holders(const struct study *s, uint32_t blocks, struct settings_error *why)
{
    const uint32_t least = s->sites.min_contributors + s->sites.colluding;
    const uint32_t holders = s->allocation.min_holders;
    if (s->allocation.n_capacities == 0)
        return settings_refuse(why, "allocation", "capacities", "capacities: needs at least one");
    if (holders < least)
        return settings_refuse(why, "allocation", "min_holders",
                               "min_holders: %u is below min_contributors + colluding, %u, under "
                               "which no site gives its part of a block",
                               holders, least);
    if (holders > s->sites.threshold)
        return settings_refuse(why, "allocation", "min_holders",
                               "min_holders: %u is more than the threshold %u, so a permitted "
                               "round could have too few sites for any block",
                               holders, s->sites.threshold);
    if (s->allocation.mode != STUDY_ALLOCATION_EXCLUSIVE) return STATUS_OK;
    if (s->allocation.dynamic)
        return settings_refuse(why, "allocation", "dynamic",
                               "dynamic: mode exclusive needs to know who can hold all");
    if (s->privacy.adaptive_clip)
        return settings_refuse(why, "privacy", "adaptive_clip",
                               "adaptive_clip: not in mode exclusive, where not every site has a "
                               "norm to be counted");
    if (full_sites(s, blocks) < holders)
        return settings_refuse(why, "allocation", "mode",
                               "mode: exclusive needs %u sites that can hold all %u blocks, and "
                               "there are %u",
                               holders, blocks, full_sites(s, blocks));
    return STATUS_OK;
}

static enum status check_allocation(const struct study *s, struct settings_error *why)
{
    if (s->allocation.mode == STUDY_ALLOCATION_NONE) return STATUS_OK;
    struct layout layout;
    TRY(layout_of(&layout, &s->model.spec));
    const uint32_t blocks = allocate_blocks(&layout);
    if (blocks == 0)
        return settings_refuse(why, "allocation", "mode",
                               "mode: only a transformer has blocks to allocate");
    if (s->privacy.dropouts == STUDY_XNOISE)
        return settings_refuse(why, "privacy", "dropouts",
                               "dropouts: xnoise needs all sites in every segment, so that there "
                               "is no allocation");
    if (s->allocation.empty != STUDY_EMPTY_KEEP && s->allocation.mode != STUDY_ALLOCATION_PAPER)
        return settings_refuse(why, "allocation", "empty",
                               "empty: has no meaning but in mode paper");
    if (s->allocation.empty == STUDY_EMPTY_LEAST &&
        (uint64_t)s->rounds.count * s->sites.expected > ALLOCATE_HISTORY_MAX)
        return settings_refuse(why, "allocation", "empty",
                               "empty: least looks back on every round, which is too long with "
                               "more than %d rounds times sites",
                               ALLOCATE_HISTORY_MAX);
    return check_holders(s, blocks, why);
}

static enum status check_id(const struct study *s, struct settings_error *why)
{
    const char *id = s->study.id;
    if (id[0] == '\0') return settings_refuse(why, "study", "id", "id: required, the study's name");
    if (id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return settings_refuse(why, "study", "id", "id: only a-z, 0-9 and -");
    return STATUS_OK;
}

static enum status check_deadlines(const struct study *s, struct settings_error *why)
{
    if (s->deadlines.release_ms >= s->deadlines.input_ms)
        return settings_refuse(why, "deadlines", "release_ms",
                               "release_ms: %u is not before the input's deadline, input_ms: %u",
                               s->deadlines.release_ms, s->deadlines.input_ms);
    return STATUS_OK;
}

static enum status check_evaluation(const struct study *s, struct settings_error *why)
{
    if (s->evaluation.every > s->rounds.count)
        return settings_refuse(why, "evaluation", "every",
                               "every: %u is more than the %u training rounds", s->evaluation.every,
                               s->rounds.count);
    return STATUS_OK;
}

static enum status check_rounds(const struct study *s, struct settings_error *why)
{
    if (s->rounds.coordinates < 1 && s->pruning.mask == STUDY_MASK_PRUNEFL)
        return settings_refuse(why, "rounds", "coordinates",
                               "coordinates: not with mask: prunefl, which goes by the updates of "
                               "all coordinates in every round");
    if (s->rounds.local_optimizer == STUDY_ADAM && s->rounds.local_momentum > 0)
        return settings_refuse(why, "rounds", "local_momentum",
                               "local_momentum: has no meaning for adam, which has its own");
    if (s->rounds.local_learning_rate * pow(s->rounds.local_rate_decay, s->rounds.count) < 1e-30)
        return settings_refuse(why, "rounds", "local_rate_decay",
                               "local_rate_decay: %g leaves nothing of the local rate after %u "
                               "rounds",
                               s->rounds.local_rate_decay, s->rounds.count);
    return STATUS_OK;
}

enum status study_check(const struct study *study, struct settings_error *why)
{
    TRY(check_id(study, why));
    TRY(check_sites(study, why));
    TRY(check_model(study, why));
    TRY(check_deadlines(study, why));
    TRY(check_rounds(study, why));
    TRY(check_evaluation(study, why));
    TRY(check_allocation(study, why));
    TRY(check_pruning(study, why));
    return check_privacy(study, why);
}
