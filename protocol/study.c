/* SPDX-License-Identifier: Apache-2.0 */
/* Three parts: the defaults, the table of keys with their ranges, and the checks that look at more
 * than one key. */
#include "protocol/study.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "dp/xnoise.h"

static const struct study defaults = {
    .schema = 1,
    .sites = {.expected = 8, .colluding = 1, .threshold = 0, .min_contributors = 3},
    .model = {.spec = {.kind = MODEL_MLP,
                       .channels = 1,
                       .height = 28,
                       .width = 28,
                       .classes = 10,
                       .n_hidden = 2,
                       .hidden = {200, 200}},
              .pixel_mean = 0,
              .pixel_deviation = 1},
    .privacy = {.unit = STUDY_PATIENT,
                .epsilon = 3,
                .delta = 1e-5,
                .clip = 1,
                .exploration_clip = 1,
                .exploration_ratio = 1,
                .clip_quantile = 0.5,
                .clip_rate = 0.2},
    .pruning = {.mode = STUDY_PRUNING_PRIVATE, .units = 0.5, .weights = 0.2},
    .rounds = {.count = 50,
               .learning_rate = 0.5,
               .momentum = 0.9,
               .local_epochs = 1,
               .local_batch = 50,
               .local_learning_rate = 0.1},
    .secagg = {.bits = 32, .cipher = MASK_CHACHA20},
    .deadlines = {.gather_ms = 60000,
                  .keys_ms = 30000,
                  .positions_ms = 30000,
                  .shares_ms = 30000,
                  .input_ms = 600000,
                  .confirm_ms = 30000,
                  .unmask_ms = 30000,
                  .grace_ms = 2000},
};

static const char *const kind_names[] = {"mlp", "cnn", NULL};
static const char *const unit_names[] = {"patient", "site", NULL};
static const char *const pruning_names[] = {"private", "paper", "none", NULL};
static const char *const evaluation_names[] = {"none", "private", NULL};
static const char *const sampler_names[] = {"exact", "table", NULL};
static const char *const rounding_names[] = {"nearest", "stochastic", NULL};
static const char *const rotation_names[] = {"none", "hadamard", NULL};
static const char *const dropouts_names[] = {"pessimistic", "xnoise", NULL};
static const char *const cipher_names[] = {"chacha20", "aes256-ctr", NULL};

// clang-format off
/* The offset of a member; a member of another type than the row says does not compile. */
#define AT(type, member) \
    (offsetof(struct study, member) + 0 * _Generic(((struct study *)0)->member, type: 1))
#define UINT(section, key, member, least, most) \
    {section, key, SETTING_UINT, AT(uint32_t, member), least, most, NULL, 0, 0}
#define REAL(section, key, member, least, most) \
    {section, key, SETTING_REAL, AT(double, member), least, most, NULL, 0, 0}
#define BOOL(section, key, member) \
    {section, key, SETTING_BOOL, AT(bool, member), 0, 0, NULL, 0, 0}
#define TEXT(section, key, member, least, most) \
    {section, key, SETTING_TEXT, AT(char, member[0]), least, most, NULL, 0, 0}
#define CHOICE(section, key, member, names) \
    {section, key, SETTING_CHOICE, AT(unsigned, member), 0, 0, names, 0, 0}
#define DAY_MS 86400000
#define LARGE 65535
#define TINY 1e-9
#define BELOW_ONE (1 - 1e-9)

static const struct setting keys[] = {
    UINT(NULL, "schema", schema, 1, 1),
    TEXT("study", "id", study.id, 1, STUDY_ID_MAX),
    TEXT("study", "title", study.title, 0, STUDY_TITLE_MAX),
    BOOL("study", "rehearsal", study.rehearsal),
    UINT("sites", "expected", sites.expected, 2, PARAMS_SITES_MAX),
    UINT("sites", "colluding", sites.colluding, 0, PARAMS_SITES_MAX),
    UINT("sites", "threshold", sites.threshold, 0, PARAMS_SITES_MAX),
    UINT("sites", "min_contributors", sites.min_contributors, 2, PARAMS_SITES_MAX),
    CHOICE("model", "kind", model.spec.kind, kind_names),
    UINT("model", "channels", model.spec.channels, 1, 16),
    UINT("model", "height", model.spec.height, 1, 4096),
    UINT("model", "width", model.spec.width, 1, 4096),
    UINT("model", "classes", model.spec.classes, 2, 256),
    {"model", "hidden", SETTING_UINTS, AT(uint32_t, model.spec.hidden[0]), 1, LARGE, NULL,
     AT(uint32_t, model.spec.n_hidden), LAYOUT_HIDDEN_MAX},
    REAL("model", "pixel_mean", model.pixel_mean, 0, LARGE),
    REAL("model", "pixel_deviation", model.pixel_deviation, TINY, LARGE),
    CHOICE("privacy", "unit", privacy.unit, unit_names),
    REAL("privacy", "epsilon", privacy.epsilon, 0.01, (double)INFINITY),
    REAL("privacy", "delta", privacy.delta, 1e-15, 0.1),
    REAL("privacy", "clip", privacy.clip, 1e-6, 1e6),
    REAL("privacy", "exploration_clip", privacy.exploration_clip, 1e-6, 1e6),
    REAL("privacy", "exploration_ratio", privacy.exploration_ratio, 0.01, 1000),
    BOOL("privacy", "adaptive_clip", privacy.adaptive_clip),
    REAL("privacy", "clip_quantile", privacy.clip_quantile, TINY, BELOW_ONE),
    REAL("privacy", "clip_rate", privacy.clip_rate, TINY, 10),
    REAL("privacy", "clip_count_noise", privacy.clip_count_noise, 0, 1000000000),
    REAL("privacy", "sampling", privacy.sampling, TINY, 1),
    UINT("privacy", "records", privacy.records, 1, 1000000000),
    CHOICE("privacy", "sampler", privacy.sampler, sampler_names),
    CHOICE("privacy", "rounding", privacy.rounding, rounding_names),
    CHOICE("privacy", "rotation", privacy.rotation, rotation_names),
    CHOICE("privacy", "dropouts", privacy.dropouts, dropouts_names),
    CHOICE("pruning", "mode", pruning.mode, pruning_names),
    REAL("pruning", "units", pruning.units, 0, BELOW_ONE),
    REAL("pruning", "weights", pruning.weights, 0, BELOW_ONE),
    UINT("rounds", "count", rounds.count, 1, 100000),
    REAL("rounds", "learning_rate", rounds.learning_rate, TINY, 1000),
    REAL("rounds", "momentum", rounds.momentum, 0, BELOW_ONE),
    UINT("rounds", "local_epochs", rounds.local_epochs, 1, 10000),
    UINT("rounds", "local_batch", rounds.local_batch, 1, LARGE),
    REAL("rounds", "local_learning_rate", rounds.local_learning_rate, TINY, 1000),
    REAL("rounds", "decay", rounds.decay, 0, 1),
    CHOICE("evaluation", "mode", evaluation.mode, evaluation_names),
    UINT("evaluation", "every", evaluation.every, 0, 100000),
    REAL("evaluation", "ratio", evaluation.ratio, 0.01, 1000),
    UINT("secagg", "bits", secagg.bits, 16, GRID_BITS_MAX),
    CHOICE("secagg", "cipher", secagg.cipher, cipher_names),
    UINT("deadlines", "gather_ms", deadlines.gather_ms, 10, DAY_MS),
    UINT("deadlines", "keys_ms", deadlines.keys_ms, 10, DAY_MS),
    UINT("deadlines", "positions_ms", deadlines.positions_ms, 10, DAY_MS),
    UINT("deadlines", "shares_ms", deadlines.shares_ms, 10, DAY_MS),
    UINT("deadlines", "input_ms", deadlines.input_ms, 10, DAY_MS),
    UINT("deadlines", "release_ms", deadlines.release_ms, 0, DAY_MS),
    UINT("deadlines", "confirm_ms", deadlines.confirm_ms, 10, DAY_MS),
    UINT("deadlines", "unmask_ms", deadlines.unmask_ms, 10, DAY_MS),
    UINT("deadlines", "grace_ms", deadlines.grace_ms, 0, DAY_MS),
};
// clang-format on

const char *study_unit_name(enum study_unit unit)
{
    REQUIRE(unit <= STUDY_SITE);
    return unit_names[unit];
}

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
    if (!s->study.rehearsal && s->pruning.mode == STUDY_PRUNING_PAPER)
        return settings_refuse(
            why, "pruning", "mode",
            "mode: paper explores without noise; only for study.rehearsal: true");
    return STATUS_OK;
}

static enum status check_model(const struct study *s, struct settings_error *why)
{
    const struct model_spec *spec = &s->model.spec;
    if (spec->n_hidden == 0)
        return settings_refuse(why, "model", "hidden", "hidden: needs at least one layer");
    if (spec->kind == MODEL_CNN && spec->n_hidden != 2)
        return settings_refuse(why, "model", "hidden",
                               "hidden: a cnn has the channels of its two convolutions");
    struct layout layout;
    if (layout_of(&layout, spec) != STATUS_OK)
        return settings_refuse(why, "model", NULL,
                               "model: too large, or an image too small for the cnn");
    return STATUS_OK;
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

enum status study_check(const struct study *study, struct settings_error *why)
{
    TRY(check_id(study, why));
    TRY(check_sites(study, why));
    TRY(check_model(study, why));
    TRY(check_deadlines(study, why));
    TRY(check_evaluation(study, why));
    return check_privacy(study, why);
}

enum status study_parse(struct study *out, struct view text, struct settings_error *why)
{
    struct study study = defaults;
    TRY(settings_parse(&study, keys, sizeof keys / sizeof *keys, text, why));
    if (study.sites.threshold == 0)
        study.sites.threshold = params_threshold(study.sites.expected, study.sites.colluding);
    if (study.evaluation.ratio == 0)
        study.evaluation.ratio = study.privacy.unit == STUDY_PATIENT ? 4 : 1;
    enum status status = study_check(&study, why);
    if (status != STATUS_OK) why->line = settings_line(text, why->section, why->key);
    TRY(status);
    study.hash = hash_of("study", text);
    *out = study;
    return STATUS_OK;
}

enum status study_read(struct study *out, const char *path, struct settings_error *why)
{
    AUTO(buffer_free) struct buffer file = {0};
    TRY(settings_file(&file, path, why));
    return study_parse(out, buffer_view(&file), why);
}
