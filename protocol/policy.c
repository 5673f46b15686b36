/* SPDX-License-Identifier: Apache-2.0 */
/* The site's policy: its keys, and the comparison of a study with it. */
#include "protocol/policy.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "protocol/msg.h"

static const struct policy defaults = {
    .max_epsilon = 3,
    .max_delta = 1e-5,
    .min_sites = 3,
    .min_contributors = 3,
    .min_collusion = 1,
    .models = (UINT32_C(1) << MODEL_KIND_COUNT) - 1,
    .max_parameters = MSG_DIM_MAX,
    .lifetime_epsilon = 10,
    .lifetime_delta = 1e-5,
    .data_set = "records",
    .ledger = "ledger.db",
};

static const char *const unit_names[] = {"any", "patient", "site", NULL};
static const char *const model_names[] = {
    [MODEL_MLP] = "mlp",     [MODEL_CNN] = "cnn",   [MODEL_TWOCNN] = "twocnn", [MODEL_VIT] = "vit",
    [MODEL_MIXER] = "mixer", [MODEL_LSTM] = "lstm", [MODEL_KIND_COUNT] = NULL};

/* The place of each rule in the table and in policy.line. */
enum {
    MAX_EPSILON,
    MAX_DELTA,
    MIN_SITES,
    MIN_CONTRIBUTORS,
    MIN_COLLUSION,
    REHEARSAL,
    UNIT,
    MODELS,
    PARAMETERS,
    LIFETIME_EPSILON,
    LIFETIME_DELTA,
    DATA_SET,
    LEDGER
};

// clang-format off
#define AT(member) offsetof(struct policy, member)
static const struct setting keys[POLICY_RULES] = {
    [MAX_EPSILON] = {NULL, "max_epsilon", SETTING_REAL, AT(max_epsilon), 0, STUDY_EPSILON_MAX, NULL, 0, 0},
    [MAX_DELTA] = {NULL, "max_delta", SETTING_REAL, AT(max_delta), 0, 0.1, NULL, 0, 0},
    [MIN_SITES] = {NULL, "min_sites", SETTING_UINT, AT(min_sites), 2, 1000, NULL, 0, 0},
    [MIN_CONTRIBUTORS] = {NULL, "min_contributors", SETTING_UINT, AT(min_contributors), 2, 1000, NULL, 0, 0},
    [MIN_COLLUSION] = {NULL, "min_collusion", SETTING_UINT, AT(min_collusion), 0, 999, NULL, 0, 0},
    [REHEARSAL] = {NULL, "allow_rehearsal", SETTING_BOOL, AT(allow_rehearsal), 0, 0, NULL, 0, 0},
    [UNIT] = {NULL, "require_unit", SETTING_CHOICE, AT(require_unit), 0, 0, unit_names, 0, 0},
    [MODELS] = {NULL, "models", SETTING_SET, AT(models), 0, 0, model_names, 0, MODEL_KIND_COUNT},
    [PARAMETERS] = {NULL, "max_parameters", SETTING_UINT, AT(max_parameters), 1, MSG_DIM_MAX, NULL, 0, 0},
    [LIFETIME_EPSILON] = {NULL, "lifetime_epsilon", SETTING_REAL, AT(lifetime_epsilon), 0, POLICY_LIFETIME_MAX, NULL, 0, 0},
    [LIFETIME_DELTA] = {NULL, "lifetime_delta", SETTING_REAL, AT(lifetime_delta), 0, 0.1, NULL, 0, 0},
    [DATA_SET] = {NULL, "data_set", SETTING_TEXT, AT(data_set), 1, LEDGER_NAME_MAX, NULL, 0, 0},
    [LEDGER] = {NULL, "ledger", SETTING_TEXT, AT(ledger), 1, POLICY_PATH_MAX, NULL, 0, 0},
};
// clang-format on

enum status policy_parse(struct policy *out, struct view text, struct settings_error *why)
{
    struct policy policy = defaults;
    TRY(settings_parse(&policy, keys, POLICY_RULES, text, why));
    for (size_t i = 0; i < POLICY_RULES; i++)
        policy.line[i] = settings_line(text, NULL, keys[i].key);
    *out = policy;
    return STATUS_OK;
}

enum status policy_read(struct policy *out, const char *path, struct settings_error *why)
{
    AUTO(buffer_free) struct buffer file = {0};
    TRY(settings_file(&file, path, why));
    return policy_parse(out, buffer_view(&file), why);
}

/* Layers can be made to pass single records through a sum. Against a model that is the same for all
 * sites no protocol helps: whether a kind and a size fit the images is the site's to judge. */
static enum status check_model(const struct policy *p, const struct model_spec *spec,
                               struct settings_error *why)
{
    if ((p->models >> spec->kind & 1) == 0)
        return settings_refuse(why, NULL, keys[MODELS].key, "models: the study's %s is not listed",
                               model_names[spec->kind]);
    struct layout layout = {0};
    TRY(layout_of(&layout, spec));
    if (layout.n > p->max_parameters)
        return settings_refuse(why, NULL, keys[PARAMETERS].key,
                               "max_parameters: %u, the study's model has %llu", p->max_parameters,
                               (unsigned long long)layout.n);
    return STATUS_OK;
}

static enum status check(const struct policy *p, const struct study *s, struct settings_error *why)
{
    if (s->study.rehearsal && !p->allow_rehearsal)
        return settings_refuse(why, NULL, keys[REHEARSAL].key,
                               "allow_rehearsal: false, the study is a rehearsal");
    if (!s->study.rehearsal && !(s->privacy.epsilon <= p->max_epsilon))
        return settings_refuse(why, NULL, keys[MAX_EPSILON].key,
                               "max_epsilon: %g, the study asks for %g", p->max_epsilon,
                               s->privacy.epsilon);
    if (!s->study.rehearsal && !(s->privacy.epsilon <= p->lifetime_epsilon))
        return settings_refuse(why, NULL, keys[LIFETIME_EPSILON].key,
                               "lifetime_epsilon: %g, the study alone asks for %g",
                               p->lifetime_epsilon, s->privacy.epsilon);
    if (!(s->privacy.delta <= p->max_delta))
        return settings_refuse(why, NULL, keys[MAX_DELTA].key,
                               "max_delta: %g, the study asks for %g", p->max_delta,
                               s->privacy.delta);
    if (s->sites.threshold < p->min_sites)
        return settings_refuse(why, NULL, keys[MIN_SITES].key,
                               "min_sites: %u, the study's threshold is %u", p->min_sites,
                               s->sites.threshold);
    if (s->sites.min_contributors < p->min_contributors)
        return settings_refuse(why, NULL, keys[MIN_CONTRIBUTORS].key,
                               "min_contributors: %u, the study has %u", p->min_contributors,
                               s->sites.min_contributors);
    if (s->sites.colluding < p->min_collusion)
        return settings_refuse(why, NULL, keys[MIN_COLLUSION].key,
                               "min_collusion: %u, the study withstands %u", p->min_collusion,
                               s->sites.colluding);
    if ((p->require_unit == POLICY_PATIENT && s->privacy.unit != STUDY_PATIENT) ||
        (p->require_unit == POLICY_SITE && s->privacy.unit != STUDY_SITE))
        return settings_refuse(why, NULL, keys[UNIT].key,
                               "require_unit: %s, the study protects the %s",
                               unit_names[p->require_unit], study_unit_name(s->privacy.unit));
    return check_model(p, &s->model.spec, why);
}

bool policy_allows(const struct policy *policy, const struct study *study,
                   struct settings_error *why)
{
    if (check(policy, study, why) == STATUS_OK) return true;
    for (size_t i = 0; i < POLICY_RULES; i++)
        if (why->key == keys[i].key) why->line = policy->line[i];
    return false;
}

struct books_limits policy_limits(const struct policy *policy, const struct study *study)
{
    const double epsilon = study->privacy.epsilon;
    if (isinf(epsilon)) return (struct books_limits){epsilon, epsilon, policy->lifetime_delta};
    return (struct books_limits){.study = fmin(epsilon, policy->max_epsilon),
                                 .lifetime = policy->lifetime_epsilon,
                                 .lifetime_delta = policy->lifetime_delta};
}

enum study_unit policy_protects(const struct policy *policy)
{
    return policy->require_unit == POLICY_SITE ? STUDY_SITE : STUDY_PATIENT;
}

void policy_refusal(struct settings_error *why, const struct policy *policy,
                    const struct study *study, const struct books_refusal *refusal)
{
    const bool lower = policy->max_epsilon < study->privacy.epsilon;
    const size_t rule = refusal->lifetime ? LIFETIME_EPSILON : MAX_EPSILON;
    const bool own = refusal->lifetime || lower;
    *why = (struct settings_error){.line = own ? policy->line[rule] : 0,
                                   .key = own ? keys[rule].key : NULL};
    (void)snprintf(why->text, sizeof why->text,
                   "%s %.4f would be exceeded: %.4f after this release",
                   own ? keys[rule].key : "the study's epsilon", refusal->limit,
                   account_rounded(refusal->after));
}

enum status policy_ledger(char out[static FILE_PATH_MAX], const char *folder,
                          const struct policy *policy)
{
    if (policy->ledger[0] != '/') return file_path(out, FILE_PATH_MAX, folder, policy->ledger);
    _Static_assert(POLICY_PATH_MAX < FILE_PATH_MAX, "a policy's path fits");
    memcpy(out, policy->ledger, strlen(policy->ledger) + 1);
    return STATUS_OK;
}
