/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/policy.h"

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
                  "models: [mlp]\nmax_parameters: 199210\n");
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
    const char *other = "models: [mlp, vit]\n";
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

int main(void)
{
    RUN(a_default_study_passes_a_default_policy);
    RUN(limits_are_reached_before_they_refuse);
    RUN(each_rule_refuses_by_its_line);
    RUN(only_listed_models_are_trained);
    RUN(a_default_rule_refuses_without_a_line);
    RUN(an_allowed_rehearsal_may_have_no_noise);
    RUN(bad_policies_are_refused);
    RUN(a_file_is_read);
    return check_done();
}
