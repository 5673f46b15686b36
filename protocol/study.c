/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults, and the table of keys with their ranges. */
#include "protocol/study.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct study defaults = {
    .schema = 1,
    .sites = {.expected = 8, .colluding = 1, .threshold = 0, .min_contributors = 3},
    .model = {.spec = {.kind = MODEL_MLP,
                       .channels = 1,
                       .height = 28,
                       .width = 28,
                       .classes = 10,
                       .n_hidden = 2,
                       .hidden = {200, 200},
                       .patch = 7,
                       .dim = 64,
                       .depth = 12,
                       .heads = 4,
                       .mlp = 128,
                       .tokens_mlp = 64,
                       .alpha = 8},
              .pixel_mean = 0,
              .pixel_deviation = 1},
    .privacy = {.unit = STUDY_PATIENT,
                .epsilon = 3,
                .delta = 1e-5,
                .clip = 1,
                .exploration_ratio = 1,
                .clip_quantile = 0.5,
                .clip_rate = 0.2},
    .pruning = {.mode = STUDY_PRUNING_PRIVATE,
                .units = 0.5,
                .weights = 0.2,
                .score = STUDY_SCORE_UNSAID,
                .refine_share = 0.5,
                .refine_ratio = 1},
    .allocation = {.n_capacities = 6, .capacities = {12, 10, 8, 6, 4, 3}},
    .rounds = {.count = 50,
               .coordinates = 1,
               .learning_rate = 0.5,
               .momentum = 0.9,
               .local_epochs = 1,
               .local_batch = 50,
               .local_learning_rate = 0.1,
               .local_rate_decay = 1},
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

static const char *const kind_names[] = {"mlp", "cnn", "twocnn", "vit", "mixer", "lstm", NULL};
static const char *const unit_names[] = {"patient", "site", NULL};
static const char *const pruning_names[] = {"private", "paper", "none", NULL};
static const char *const optimizer_names[] = {"sgd", "adam", NULL};
static const char *const allocation_names[] = {"none",      "paper",  "private",   "all-large",
                                               "all-small", "prefix", "exclusive", NULL};
static const char *const empty_names[] = {"keep", "repair", "least", NULL};
static const char *const mask_names[] = {"explored", "random", "magnitude", "prunefl", NULL};
static const char *const score_names[] = {"squared",  "snip",      "taylor",
                                          "gradient", "agreement", NULL};
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
    UINT("model", "patch", model.spec.patch, 1, 4096),
    UINT("model", "dim", model.spec.dim, 1, LARGE),
    UINT("model", "depth", model.spec.depth, 1, LAYOUT_DEPTH_MAX),
    UINT("model", "heads", model.spec.heads, 1, LARGE),
    UINT("model", "mlp", model.spec.mlp, 1, LARGE),
    UINT("model", "tokens_mlp", model.spec.tokens_mlp, 1, LARGE),
    UINT("model", "rank", model.spec.rank, 0, LARGE),
    REAL("model", "alpha", model.spec.alpha, TINY, LARGE),
    BOOL("model", "freeze_a", model.spec.freeze_a),
    BOOL("model", "exits", model.spec.exits),
    TEXT("model", "backbone", model.backbone, 2 * HASH_BYTES, 2 * HASH_BYTES),
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
    CHOICE("pruning", "mask", pruning.mask, mask_names),
    CHOICE("pruning", "score", pruning.score, score_names),
    UINT("pruning", "refine_every", pruning.refine_every, 0, 100000),
    REAL("pruning", "refine_share", pruning.refine_share, TINY, 1),
    REAL("pruning", "refine_ratio", pruning.refine_ratio, 0.01, 1000),
    CHOICE("allocation", "mode", allocation.mode, allocation_names),
    {"allocation", "capacities", SETTING_UINTS, AT(uint32_t, allocation.capacities[0]), 1,
     LAYOUT_SEGMENTS_MAX, NULL, AT(uint32_t, allocation.n_capacities), STUDY_CAPACITIES_MAX},
    BOOL("allocation", "dynamic", allocation.dynamic),
    UINT("allocation", "min_holders", allocation.min_holders, 0, PARAMS_SITES_MAX),
    CHOICE("allocation", "empty", allocation.empty, empty_names),
    UINT("rounds", "count", rounds.count, 1, 100000),
    REAL("rounds", "coordinates", rounds.coordinates, TINY, 1),
    REAL("rounds", "learning_rate", rounds.learning_rate, TINY, 1000),
    REAL("rounds", "momentum", rounds.momentum, 0, BELOW_ONE),
    UINT("rounds", "local_epochs", rounds.local_epochs, 1, 10000),
    UINT("rounds", "local_batch", rounds.local_batch, 1, LARGE),
    REAL("rounds", "local_learning_rate", rounds.local_learning_rate, TINY, 1000),
    CHOICE("rounds", "local_optimizer", rounds.local_optimizer, optimizer_names),
    REAL("rounds", "local_momentum", rounds.local_momentum, 0, 0.9999),
    REAL("rounds", "local_decay", rounds.local_decay, 0, 1000),
    REAL("rounds", "local_clip", rounds.local_clip, 0, 1e6),
    REAL("rounds", "local_rate_decay", rounds.local_rate_decay, TINY, 1),
    REAL("rounds", "proximal", rounds.proximal, 0, 1000),
    REAL("rounds", "decay", rounds.decay, 0, 1),
    CHOICE("evaluation", "mode", evaluation.mode, evaluation_names),
    UINT("evaluation", "every", evaluation.every, 0, 100000),
    REAL("evaluation", "ratio", evaluation.ratio, 0.01, 1000),
    UINT("secagg", "bits", secagg.bits, GRID_BITS_MIN, GRID_BITS_MAX),
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

static const size_t n_keys = sizeof keys / sizeof *keys;

const struct setting *study_keys(size_t *n)
{
    *n = n_keys;
    return keys;
}

/* What follows from other keys, where it was not said. */
static void complete(struct study *s)
{
    if (s->sites.threshold == 0)
        s->sites.threshold = params_threshold(s->sites.expected, s->sites.colluding);
    if (s->allocation.min_holders == 0)
        s->allocation.min_holders = s->sites.min_contributors + s->sites.colluding;
    const bool guided =
        s->pruning.mode == STUDY_PRUNING_PRIVATE && s->pruning.mask == STUDY_MASK_EXPLORED;
    if (s->pruning.score == STUDY_SCORE_UNSAID)
        s->pruning.score = guided ? STUDY_SCORE_TAYLOR : STUDY_SCORE_SQUARED;
    if (s->privacy.exploration_clip == 0) s->privacy.exploration_clip = guided ? 0.001 : 1;
    if (s->evaluation.ratio == 0) s->evaluation.ratio = s->privacy.unit == STUDY_PATIENT ? 4 : 1;
}

enum status study_parse(struct study *out, struct view text, struct settings_error *why)
{
    struct study study = defaults;
    TRY(settings_parse(&study, keys, n_keys, text, why));
    complete(&study);
    enum status status = study_check(&study, why);
    if (status != STATUS_OK) why->line = settings_line(text, why->section, why->key);
    TRY(status);
    study.hash = hash_of("study", text);
    *out = study;
    return STATUS_OK;
}

static enum status change_one(struct study *s, const struct study_change *change,
                              struct settings_error *why)
{
    char text[3 * SETTINGS_TEXT_MAX];
    for (size_t i = 0; i < n_keys; i++) {
        const char *section = keys[i].section;
        if (section == NULL || strcmp(section, change->section) != 0 ||
            strcmp(keys[i].key, change->key) != 0)
            continue;
        const bool list = keys[i].kind == SETTING_UINTS;
        if (strpbrk(change->value, "\"\\[]{}") != NULL) break;
        const int n = snprintf(text, sizeof text, "%s: {%s: %s%s%s}\n", section, change->key,
                               list ? "[" : "\"", change->value, list ? "]" : "\"");
        if (n < 0 || (size_t)n >= sizeof text)
            return settings_refuse(why, section, keys[i].key, "%s: is too long", keys[i].key);
        return settings_parse(s, keys, n_keys, (struct view){(const uint8_t *)text, (size_t)n},
                              why);
    }
    return settings_refuse(why, NULL, NULL, "%.60s.%.60s: %.60s is no key and value of a study",
                           change->section, change->key, change->value);
}

enum status study_vary(struct study *out, struct view text, const struct study_change *change,
                       size_t n, struct settings_error *why)
{
    struct study study = defaults;
    TRY(settings_parse(&study, keys, n_keys, text, why));
    for (size_t i = 0; i < n; i++) {
        const enum study_unit before = study.privacy.unit;
        const enum status status = change_one(&study, &change[i], why);
        why->line = 0; /* the change has none */
        TRY(status);
        if (before == STUDY_SITE || study.privacy.unit == STUDY_PATIENT) continue;
        study.privacy.sampling = 0;
        study.privacy.records = 0;
    }
    complete(&study);
    TRY(study_check(&study, why));
    AUTO(buffer_free) struct buffer written = {0};
    study_write(&written, &study);
    TRY(written.status);
    study.hash = hash_of("study", buffer_view(&written));
    *out = study;
    return STATUS_OK;
}

void study_write(struct buffer *out, const struct study *study)
{
    static const char schema[] = "schema: 1\n";
    write_bytes(out, schema, sizeof schema - 1);
    settings_write(out, study, &defaults, keys, n_keys);
}

enum status study_read(struct study *out, const char *path, struct settings_error *why)
{
    AUTO(buffer_free) struct buffer file = {0};
    TRY(settings_file(&file, path, why));
    return study_parse(out, buffer_view(&file), why);
}
