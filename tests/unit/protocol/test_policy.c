/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/check.h"

#define STUDY "study: {id: s}\nprivacy: {sampling: 0.1, records: 60000}\n"

static struct settings_error why;

static struct policy policy_of(const char *text)
{
    struct policy policy = {0};
    CHECK_OK(policy_parse(&policy, (struct view){(const uint8_t *)text, strlen(text)}, &why));
    return policy;
}

static struct study study_of(const char *text)
{
    struct study study = {0};
    CHECK_OK(study_parse(&study, (struct view){(const uint8_t *)text, strlen(text)}, &why));
    return study;
}

/* The rule stands alone in line 2 of a policy. */
static void refused_by(const char *rule, const char *study_text)
{
    char text[128];
    snprintf(text, sizeof text, "# the hospital's\n%s\n", rule);
    struct policy policy = policy_of(text);
    struct study study = study_of(study_text);
    CHECK(!policy_allows(&policy, &study, &why));
    CHECK_NUMBER(2, why.line);
    CHECK(why.key != NULL && strncmp(rule, why.key, strlen(why.key)) == 0);
    CHECK(strncmp(why.text, rule, strlen(rule)) == 0);
}

static void a_default_study_passes_a_default_policy(void)
{
    struct policy policy = policy_of("");
    struct study study = study_of(STUDY);
    CHECK(policy_allows(&policy, &study, &why));
}

static void limits_are_reached_before_they_refuse(void)
{
    struct policy policy =
        policy_of("max_epsilon: 3\nmax_delta: 1e-5\nmin_sites: 5\nmin_contributors: 3\n"
                  "min_collusion: 1\nallow_rehearsal: false\nrequire_unit: patient\n"
                  "models: [mlp]\nmax_parameters: 199210\nlifetime_epsilon: 3\n"
                  "lifetime_delta: 1e-6\ndata_set: chest X-rays\nledger: /srv/ledger.db\n");
    struct study study = study_of(STUDY);
    CHECK(policy_allows(&policy, &study, &why));
    for (unsigned i = 0; i < POLICY_RULES; i++) CHECK_NUMBER(i + 1, policy.line[i]);
}

static void each_rule_refuses_by_its_line(void)
{
    refused_by("max_epsilon: 2.9", STUDY);
    refused_by("max_delta: 9e-06", STUDY);
    refused_by("min_sites: 6", STUDY);
    refused_by("min_contributors: 4", STUDY);
    refused_by("min_collusion: 2", STUDY);
    refused_by("require_unit: site", STUDY);
    refused_by("max_parameters: 199209", STUDY);
    refused_by("lifetime_epsilon: 2.9", STUDY);
    refused_by("require_unit: patient", "study: {id: s}\nprivacy: {unit: site}\n");
    refused_by("allow_rehearsal: false", "study: {id: s, rehearsal: true}\n"
                                         "privacy: {unit: site}\n");
}

static void only_listed_models_are_trained(void)
{
    struct policy policy = policy_of("models: [cnn]\n");
    struct study mlp = study_of(STUDY),
                 cnn = study_of(STUDY "model: {kind: cnn, hidden: [4, 8]}\n");
    CHECK(!policy_allows(&policy, &mlp, &why));
    CHECK(why.line == 1 && strcmp(why.key, "models") == 0);
    CHECK(policy_allows(&policy, &cnn, &why));
    policy = policy_of("models: [mlp, cnn]\n");
    CHECK(policy_allows(&policy, &mlp, &why) && policy_allows(&policy, &cnn, &why));
    const struct study twocnn = study_of(STUDY "model: {kind: twocnn, hidden: [4, 8, 16]}\n");
    CHECK(!policy_allows(&policy, &twocnn, &why));
    policy = policy_of("models: [twocnn]\n");
    CHECK(policy_allows(&policy, &twocnn, &why) && !policy_allows(&policy, &cnn, &why));
    const char *other = "models: [mlp, rnn]\n";
    CHECK_STATUS(STATUS_RANGE,
                 policy_parse(&policy, (struct view){(const uint8_t *)other, strlen(other)}, &why));
    CHECK_NUMBER(1, why.line);
}

static void a_default_rule_refuses_without_a_line(void)
{
    struct policy policy = policy_of("");
    struct study study = study_of(STUDY "sites: {colluding: 0}\n");
    CHECK(!policy_allows(&policy, &study, &why));
    CHECK_NUMBER(0, why.line);
    CHECK(strcmp(why.key, "min_collusion") == 0);
}

static void an_allowed_rehearsal_may_have_no_noise(void)
{
    struct policy policy = policy_of("allow_rehearsal: true\n");
    struct study study = study_of("study: {id: s, rehearsal: true}\n"
                                  "privacy: {unit: site, epsilon: .inf}\n");
    CHECK(policy_allows(&policy, &study, &why));
}

static void a_ledger_is_the_site_s_own_unless_it_is_named(void)
{
    struct policy policy = policy_of("");
    CHECK(strcmp(policy.ledger, "ledger.db") == 0 && strcmp(policy.data_set, "records") == 0);
    policy = policy_of("ledger: /srv/ledger.db\ndata_set: chest X-rays\n");
    CHECK(strcmp(policy.ledger, "/srv/ledger.db") == 0);
    CHECK(strcmp(policy.data_set, "chest X-rays") == 0);
}

static void the_lower_limit_counts_for_a_study_and_none_for_one_without_noise(void)
{
    struct policy policy =
        policy_of("max_epsilon: 2.5\nlifetime_epsilon: 7\nlifetime_delta: 1e-6\n");
    struct study study = study_of(STUDY);
    struct books_limits limits = policy_limits(&policy, &study);
    CHECK_CLOSE(2.5, limits.study, 0);
    CHECK_CLOSE(7, limits.lifetime, 0);
    CHECK_CLOSE(1e-6, limits.lifetime_delta, 0);
    study.privacy.epsilon = 2;
    limits = policy_limits(&policy, &study);
    CHECK_CLOSE(2, limits.study, 0);
    study.privacy.epsilon = (double)INFINITY;
    limits = policy_limits(&policy, &study);
    CHECK(isinf(limits.study) && isinf(limits.lifetime));
    CHECK_NUMBER(STUDY_PATIENT, policy_protects(&policy));
    policy = policy_of("require_unit: site\n");
    CHECK_NUMBER(STUDY_SITE, policy_protects(&policy));
}

static void a_refusal_names_the_limit_and_its_line_and_never_rounds_down(void)
{
    struct policy policy = policy_of("max_epsilon: 2.5\n\n\nlifetime_epsilon: 4\n");
    struct study study = study_of(STUDY);
    const struct books_refusal lifetime = {true, 4, 4.12300001}, own = {false, 2.5, 2.6};
    policy_refusal(&why, &policy, &study, &lifetime);
    CHECK_NUMBER(4, why.line);
    CHECK(strcmp(why.text,
                 "lifetime_epsilon 4.0000 would be exceeded: 4.1231 after this release") == 0);
    policy_refusal(&why, &policy, &study, &own);
    CHECK_NUMBER(1, why.line);
    CHECK(strncmp(why.text, "max_epsilon 2.5000 would", 24) == 0);
    policy = policy_of("");
    policy_refusal(&why, &policy, &study, &own);
    CHECK(why.line == 0 && why.key == NULL);
    CHECK(strncmp(why.text, "the study's epsilon 2.5000", 26) == 0);
}

static void an_empty_policy_is_the_default_one(void)
{
    struct policy policy = {0}, other = {0};
    CHECK_OK(policy_parse(&policy, (struct view){0}, &why));
    CHECK_OK(policy_parse(&other, (struct view){(const uint8_t *)"#\n", 2}, &why));
    CHECK(policy.max_epsilon == 3 && other.max_epsilon == 3);
}

static void bad_policies_are_refused(void)
{
    struct policy policy, before;
    memset(&policy, 0x5a, sizeof policy);
    memcpy(&before, &policy, sizeof policy);
    const char *unknown = "max_epsilon: 1\nmin_hospitals: 3\n", *wide = "max_epsilon: .inf\n";
    CHECK_STATUS(
        STATUS_FORMAT,
        policy_parse(&policy, (struct view){(const uint8_t *)unknown, strlen(unknown)}, &why));
    CHECK_STATUS(STATUS_RANGE,
                 policy_parse(&policy, (struct view){(const uint8_t *)wide, strlen(wide)}, &why));
    CHECK_NUMBER(1, why.line);
    CHECK_STATUS(STATUS_IO, policy_read(&policy, "/nowhere", &why));
    CHECK_BYTES(&before, &policy, sizeof policy);
}

static void a_file_is_read(void)
{
    char path[] = "/tmp/veilsum-policy-XXXXXX";
    int file = mkstemp(path);
    CHECK(write(file, "min_sites: 7\n", 13) == 13);
    struct policy policy = {0};
    CHECK_OK(policy_read(&policy, path, &why));
    CHECK_NUMBER(7, policy.min_sites);
    close(file);
    unlink(path);
}

static void the_ledger_is_absolute_or_within_the_folder(void)
{
    char path[FILE_PATH_MAX];
    struct policy policy = {.ledger = "ledger.db"};
    CHECK_OK(policy_ledger(path, "/a", &policy));
    CHECK(strcmp(path, "/a/ledger.db") == 0);
    memcpy(policy.ledger, "/b/c", 5);
    CHECK_OK(policy_ledger(path, "/a", &policy));
    CHECK(strcmp(path, "/b/c") == 0);
}

int main(void)
{
    RUN(a_default_study_passes_a_default_policy);
    RUN(limits_are_reached_before_they_refuse);
    RUN(each_rule_refuses_by_its_line);
    RUN(only_listed_models_are_trained);
    RUN(a_default_rule_refuses_without_a_line);
    RUN(an_allowed_rehearsal_may_have_no_noise);
    RUN(a_ledger_is_the_site_s_own_unless_it_is_named);
    RUN(the_lower_limit_counts_for_a_study_and_none_for_one_without_noise);
    RUN(a_refusal_names_the_limit_and_its_line_and_never_rounds_down);
    RUN(an_empty_policy_is_the_default_one);
    RUN(bad_policies_are_refused);
    RUN(a_file_is_read);
    RUN(the_ledger_is_absolute_or_within_the_folder);
    return check_done();
}
