/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: study_parse and policy_parse. What was accepted passes the checks and stays within its
 * bounds; what was refused says why. */
#include <string.h>

#include "protocol/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct view text = {.at = data, .n = size};
    if (size > SETTINGS_FILE_BYTES_MAX) return 0;
    struct study study;
    struct settings_error why;
    if (study_parse(&study, text, &why) == STATUS_OK) {
        REQUIRE(study_check(&study, &why) == STATUS_OK);
        REQUIRE(memchr(study.study.id, 0, sizeof study.study.id) != NULL);
        REQUIRE(memchr(study.study.title, 0, sizeof study.study.title) != NULL);
        REQUIRE(study.model.spec.n_hidden <= LAYOUT_HIDDEN_MAX);
        REQUIRE(2 * study.sites.threshold > study.sites.expected + study.sites.colluding);
    } else {
        REQUIRE(why.text[0] != '\0');
    }
    struct policy policy;
    if (policy_parse(&policy, text, &why) != STATUS_OK) REQUIRE(why.text[0] != '\0');
    return 0;
}
