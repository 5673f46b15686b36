/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reason.h"

#include <string.h>

#include "tests/lib/check.h"

static const enum reason all[] = {
#define NAME(name, number, status, id, what, fix) REASON_##name,
    REASON_MAP(NAME)
#undef NAME
};
#define COUNT (sizeof all / sizeof *all)

static void every_number_and_id_is_given_once(void)
{
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < i; j++) {
            CHECK(all[i] != all[j]);
            CHECK(strcmp(reason_id(all[i]), reason_id(all[j])) != 0);
        }
}

static void every_reason_says_what_and_what_to_do(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(strlen(reason_what(all[i])) > 0);
        CHECK(strlen(reason_fix(all[i])) > 0);
    }
}

static void an_id_is_capitals_behind_an_e(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        const char *id = reason_id(all[i]);
        if (all[i] == REASON_NONE) continue;
        CHECK(strncmp(id, "E-", 2) == 0);
        CHECK(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(id));
    }
}

static void only_none_means_success(void)
{
    for (size_t i = 0; i < COUNT; i++)
        CHECK((reason_status(all[i]) == STATUS_OK) == (all[i] == REASON_NONE));
}

static void texts_belong_to_their_reason(void)
{
    CHECK(strcmp(reason_id(REASON_FORK), "E-PLAN-FORK") == 0);
    CHECK(strncmp(reason_what(REASON_FORK), "the plan continues", 18) == 0);
    CHECK(strncmp(reason_fix(REASON_FORK), "do not continue", 15) == 0);
    CHECK_STATUS(STATUS_AUTH, reason_status(REASON_FORK));
    CHECK_STATUS(STATUS_BUDGET, reason_status(REASON_BUDGET));
}

/* Numbers travel between versions. */
static void numbers_stay_as_they_are(void)
{
    CHECK_NUMBER(0, REASON_NONE);
    CHECK_NUMBER(1, REASON_MEMORY);
    CHECK_NUMBER(16, REASON_BUDGET);
    CHECK_NUMBER(32, REASON_SEGMENTS);
    CHECK_NUMBER(36, REASON_POSITIONS);
    CHECK_NUMBER(37, REASON_GRAPH);
    CHECK_NUMBER(38, REASON_ISOLATED);
    CHECK_NUMBER(40, REASON_NET_REFUSED);
    CHECK_NUMBER(44, REASON_KEY_FILE);
    CHECK_NUMBER(45, REASON_NET_PROXY);
    CHECK_NUMBER(46, REASON_BACKBONE);
}

static void an_unknown_number_is_answered(void)
{
    const enum reason unknown = (enum reason)65535;
    CHECK(strcmp(reason_id(unknown), "E-UNKNOWN") == 0);
    CHECK(strlen(reason_what(unknown)) > 0);
    CHECK(strlen(reason_fix(unknown)) > 0);
    CHECK_STATUS(STATUS_FORMAT, reason_status(unknown));
}

int main(void)
{
    RUN(every_number_and_id_is_given_once);
    RUN(every_reason_says_what_and_what_to_do);
    RUN(an_id_is_capitals_behind_an_e);
    RUN(only_none_means_success);
    RUN(texts_belong_to_their_reason);
    RUN(numbers_stay_as_they_are);
    RUN(an_unknown_number_is_answered);
    return check_done();
}
