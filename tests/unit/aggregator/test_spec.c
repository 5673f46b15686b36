/* SPDX-License-Identifier: Apache-2.0 */
/* What the coordinator's journal keeps is what protocol/SPEC.md says. */
#include <stdlib.h>
#include <unistd.h>

#include "aggregator/resume.h"
#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/small.h"
#include "tests/unit/protocol/spec.h"

#define N 5

static const struct outer outer[] = {{"N", N}, {NULL, 0}};
static char folder[] = "/tmp/veilsum-spec-XXXXXX";

/* Of a round that failed, so that no file is written beside the journal. */
static void keep(const struct course *course, struct tale *tale, struct view state,
                 struct journal_past *past)
{
    const struct manifest manifest = {.n = 0};
    struct resume resume = {0};
    CHECK_OK(resume_open(&resume, folder, &manifest));
    static const uint8_t identity[SIGN_SEED_BYTES] = {1};
    const struct pen pen = {.identity = identity};
    struct round round = {
        .config = {.manifest = &manifest}, .plan = {.round = 1}, .phase = PHASE_FAILED};
    write_u8(&round.plan_bytes, 1);
    CHECK_OK(resume_begin(&resume, &round));
    CHECK_OK(resume_end(&resume, &round, course, tale, state, &pen));
    CHECK_OK(journal_restore(resume.journal, past));
    buffer_free(&round.plan_bytes);
    resume_close(&resume);
}

static void course_is_as_described(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    AUTO(course_free) struct course course = {.study = &study, .explored = true};
    CHECK_OK(layout_of(&course.layout, &study.model.spec));
    course.velocity = calloc(course.layout.n, sizeof *course.velocity);
    REQUIRE(course.velocity != NULL);
    course.velocity[3] = 1;
    course.refine = (struct refine){.done = 3, .n = 2, .value = calloc(2, sizeof(float))};
    REQUIRE(course.refine.value != NULL);
    course.refine.value[1] = 4;
    AUTO(tale_free) struct tale tale = {0};
    const uint8_t bytes[] = {1, 2, 3}, explored = 1;
    const struct hash state = hash_of("state", (struct view){bytes, sizeof bytes});
    struct hash_state velocity;
    hash_start(&velocity, "velocity");
    hash_add(&velocity, course.velocity, course.layout.n * sizeof *course.velocity);
    hash_add(&velocity, course.refine.value, course.refine.n * sizeof *course.refine.value);
    const struct hash of_velocity = hash_end(&velocity);
    PUT("model round", "u32", tale.model_round);
    want("explored", "u8", &explored, 1);
    PUT("trained", "u32", course.trained);
    PUT("evaluated", "u32", course.evaluated);
    PUT("refined", "u32", course.refine.done);
    want("state", "hash", state.bytes, HASH_BYTES);
    want("velocity", "hash", of_velocity.bytes, HASH_BYTES);
    PUT("failures", "u32", tale.failures);
    PUT("burnt", "u32", tale.burnt);
    uint64_t banned = 0x16;
    (void)put_bits("banned", N, &banned);
    CHECK_OK(bits_new(&tale.banned, N));
    tale.banned.word[0] = banned;
    AUTO(journal_past_free) struct journal_past past = {0};
    keep(&course, &tale, (struct view){bytes, sizeof bytes}, &past);
    check_table("COURSE", buffer_view(&past.course));
}

static void inputs_are_as_described(void)
{
    (void)check_kind("MESSAGE", JOURNAL_MESSAGE);
    (void)check_kind("GONE", JOURNAL_GONE);
    (void)check_kind("DEADLINE", JOURNAL_DEADLINE);
    (void)check_kind("OUT", JOURNAL_OUT);
    (void)check_kind("BACK", JOURNAL_BACK);
    check_all_kinds_were_used(JOURNAL_KINDS - 1);
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 2 && mkdtemp(folder) != NULL);
    CHECK(spec_open(argv[1], "## 6. Messages", outer));
    CHECK(spec_kinds("### COURSE", "| kind | entry | site | bytes |"));
    RUN(course_is_as_described);
    RUN(inputs_are_as_described);
    spec_close();
    static const char *const name[] = {"journal.db", "journal.db-wal", "journal.db-shm"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[FILE_PATH_MAX];
        CHECK_OK(file_path(path, sizeof path, folder, name[i]));
        (void)unlink(path);
    }
    (void)rmdir(folder);
    return check_done();
}
