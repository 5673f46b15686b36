/* SPDX-License-Identifier: Apache-2.0 */
/* Sites and a coordinator that have keys and a manifest, and nothing to say but what is given them.
 */
#include "lab/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "protocol/link.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/small.h"
#include "tests/unit/lab/posted.h"

enum { SITES = 5, QUICK_MS = 100 };

static struct study study;
static struct schedule schedule;
static struct layout layout;
static struct keyfile coordinator, site[SITES], stranger;
static struct member member[SITES];
static struct manifest manifest = {.n = SITES, .member = member};
static void make_keys(void)
{
    struct settings_error why = {0};
    struct rng rng = {0};
    rng_numbered(&rng, 1);
    small_study(&study, STUDY_SITE, MODEL_MLP);
    CHECK_OK(layout_of(&layout, &study.model.spec));
    CHECK_OK(schedule_of(&schedule, &study, &layout, SITES, &why));
    CHECK_OK(keyfile_make(&coordinator, "coordinator", &rng));
    CHECK_OK(keyfile_make(&stranger, "stranger", &rng));
    member_of(&manifest.coordinator, &coordinator, false);
    for (uint32_t v = 0; v < SITES; v++) {
        char name[16];
        (void)snprintf(name, sizeof name, "site-%u", v + 1);
        CHECK_OK(keyfile_make(&site[v], name, &rng));
        member_of(&member[v], &site[v], false);
    }
}

static struct courier *open_courier(uint32_t quiet_ms)
{
    struct courier *courier = NULL;
    CHECK_OK(courier_open(&courier, &manifest, &coordinator, &schedule, quiet_ms));
    REQUIRE(courier != NULL);
    return courier;
}

static struct buffer letter_of(size_t n, uint8_t first)
{
    struct buffer letter = {0};
    for (size_t i = 0; i < n; i++) write_u8(&letter, (uint8_t)(first + i % 251));
    CHECK_OK(letter.status);
    return letter;
}

static void check_down(struct courier *courier, uint32_t v, size_t n, uint8_t first)
{
    AUTO(buffer_free) struct buffer was = letter_of(n, first), letter = letter_of(n, first);
    CHECK_OK(courier_down(courier, v, &letter));
    CHECK_NUMBER(was.n, letter.n);
    CHECK_BYTES(was.at, letter.at, n);
}

static void check_up(struct courier *courier, uint32_t v, size_t n, uint8_t first)
{
    AUTO(buffer_free) struct buffer was = letter_of(n, first), letter = letter_of(n, first);
    AUTO(blob_free) struct blob *blob = NULL;
    struct view came = {0};
    CHECK_OK(blob_of(&blob, &letter));
    CHECK_OK(courier_up(courier, v, blob, &came));
    CHECK_NUMBER(n, came.n);
    CHECK_BYTES(was.at, came.at, n);
    CHECK((came.at == blob_view(blob).at) == (courier == NULL));
}

static void a_letter_arrives_as_it_was(void)
{
    AUTO(courier_free) struct courier *courier = open_courier(COURIER_QUIET_MS);
    const size_t most = schedule_message_bytes(&schedule), length[] = {1, 70000, most};
    for (uint32_t v = 0; v < SITES; v++) CHECK_OK(courier_join(courier, v, &site[v]));
    posted = (struct posted){0};
    size_t all = 0;
    for (size_t i = 0; i < 3; i++)
        for (uint32_t v = 0; v < SITES; v++) {
            check_down(courier, v, length[i], (uint8_t)(10 * i + v));
            check_up(courier, v, length[i], (uint8_t)(50 * i + v));
            all += 2 * length[i];
        }
    CHECK_NUMBER(all, posted.bytes); /* each once, and by the transport */
    CHECK(courier_trouble(courier)[0] == 0);
    AUTO(buffer_free) struct buffer larger = letter_of(most + 1, 0);
    CHECK_STATUS(STATUS_RANGE, courier_down(courier, 0, &larger));
    CHECK_NUMBER(0, larger.n);
}

static void no_letter_is_none(void)
{
    AUTO(courier_free) struct courier *courier = open_courier(COURIER_QUIET_MS);
    struct buffer none = {0};
    posted = (struct posted){0};
    CHECK_OK(courier_join(courier, 0, &site[0]));
    CHECK_OK(courier_down(courier, 0, &none));
    CHECK_NUMBER(0, posted.messages);
}

static void without_a_wire_bytes_stay_where_they_are(void)
{
    posted = (struct posted){0};
    CHECK_OK(courier_join(NULL, 0, &site[0]));
    check_down(NULL, 0, 5, 1);
    check_up(NULL, 0, 5, 1);
    CHECK_OK(courier_leave(NULL, 0));
    CHECK_NUMBER(0, posted.messages);
    CHECK(courier_trouble(NULL)[0] == 0);
}

/* Twice: nothing of an earlier connection comes out of a later one. */
static void who_left_comes_back_and_gets_what_is_new(void)
{
    AUTO(courier_free) struct courier *courier = open_courier(COURIER_QUIET_MS);
    for (uint32_t v = 0; v < SITES; v++) CHECK_OK(courier_join(courier, v, &site[v]));
    posted = (struct posted){0};
    for (uint8_t i = 0; i < 3; i++) {
        check_down(courier, 1, 70000, (uint8_t)(100 + i));
        check_up(courier, 1, 70000, i);
        CHECK_OK(courier_leave(courier, 1));
        CHECK_OK(courier_leave(courier, 1));
        CHECK_NUMBER(i + 1, posted.ended);
        CHECK_NUMBER(0, posted.unfinished);
        check_down(courier, 2, 10, i); /* the others do not notice */
        CHECK_OK(courier_join(courier, 1, &site[1]));
        CHECK_OK(courier_join(courier, 1, &site[1]));
    }
    CHECK_NUMBER(3, posted.connections);
    check_up(courier, 1, 9, 200);
    check_down(courier, 1, 9, 201);
}

static void a_letter_that_is_lost_is_told_and_not_waited_for(void)
{
    AUTO(courier_free) struct courier *courier = open_courier(COURIER_QUIET_MS);
    AUTO(buffer_free) struct buffer letter = letter_of(9, 1), other = letter_of(9, 1);
    AUTO(blob_free) struct blob *blob = NULL;
    struct view came = {0};
    CHECK_OK(blob_of(&blob, &other));
    CHECK_OK(courier_join(courier, 1, &site[1]));
    posted = (struct posted){.messages = 1, .lose_after = 1};
    CHECK_STATUS(STATUS_IO, courier_down(courier, 1, &letter));
    CHECK_STATUS(STATUS_IO, courier_up(courier, 1, blob, &came));
    posted = (struct posted){0};
    CHECK(letter.n == 0 && came.n == 0);
    CHECK(strstr(courier_trouble(courier), "site-2 lost a message") != NULL);
    CHECK(strstr(courier_trouble(courier), "for 60 s") != NULL);
}

static void who_has_another_key_does_not_get_in(void)
{
    AUTO(courier_free) struct courier *courier = open_courier(QUICK_MS);
    CHECK_STATUS(STATUS_IO, courier_join(courier, 2, &stranger));
    CHECK(strstr(courier_trouble(courier), "site-3 did not get through") != NULL);
}

static void too_few_open_files_are_told(void)
{
    struct rlimit before, few;
    struct courier *courier = NULL;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    few.rlim_cur = few.rlim_max = 100;
    /* The upper limit cannot be raised again: a child of ours would be needed. So it is the last.
     */
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK_STATUS(STATUS_IO, courier_open(&courier, &manifest, &coordinator, &schedule, QUICK_MS));
    CHECK(courier == NULL);
}

static void a_key_that_stands_twice_is_refused(void)
{
    struct courier *courier = NULL;
    const struct member was = member[2];
    member[2] = member[0];
    CHECK_STATUS(STATUS_RANGE,
                 courier_open(&courier, &manifest, &coordinator, &schedule, QUICK_MS));
    CHECK(courier == NULL);
    member[2] = was;
}

static void out_of_memory_leaves_nothing(void)
{
    OOM_EACH {
        struct courier *courier = NULL;
        enum status status =
            courier_open(&courier, &manifest, &coordinator, &schedule, COURIER_QUIET_MS);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (courier != NULL));
        courier_free(&courier);
    }
    AUTO(courier_free) struct courier *courier = open_courier(COURIER_QUIET_MS);
    CHECK_OK(courier_join(courier, 0, &site[0]));
    OOM_EACH {
        AUTO(buffer_free) struct buffer letter = {0};
        write_bytes(&letter, "letter", 6);
        enum status status = letter.status;
        if (status == STATUS_OK) status = courier_down(courier, 0, &letter);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK_NUMBER(oom_hit() ? 0 : 6, letter.n);
    }
}

int main(void)
{
    make_keys();
    RUN(a_letter_arrives_as_it_was);
    RUN(no_letter_is_none);
    RUN(without_a_wire_bytes_stay_where_they_are);
    RUN(who_left_comes_back_and_gets_what_is_new);
    RUN(a_letter_that_is_lost_is_told_and_not_waited_for);
    RUN(who_has_another_key_does_not_get_in);
    RUN(a_key_that_stands_twice_is_refused);
    RUN(out_of_memory_leaves_nothing);
    RUN(too_few_open_files_are_told);
    return check_done();
}
