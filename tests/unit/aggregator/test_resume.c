/* SPDX-License-Identifier: Apache-2.0 */
/* A coordinator that loses its memory at the end of each phase has the same round again. */
#include "aggregator/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aggregator/show.h"
#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/liar.h"

static char folder[] = "/tmp/veilsum-resume-XXXXXX";
static struct resume resume;
static enum phase before;
static size_t noted[JOURNAL_KINDS], restored;

static void forget(void)
{
    static const char *const name[] = {"journal.db", "journal.db-wal", "journal.db-shm",
                                       "totals-1"};
    resume_close(&resume);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[FILE_PATH_MAX];
        CHECK_OK(file_path(path, sizeof path, folder, name[i]));
        (void)unlink(path);
    }
}

static enum status restore(const struct arena *a, struct round *round)
{
    AUTO(tale_free) struct tale tale = {0};
    struct course course = {0};
    CHECK_OK(bits_new(&tale.banned, a->n));
    resume_close(&resume);
    CHECK_OK(resume_open(&resume, folder, &a->manifest));
    TRY(resume_restore(&resume, &course, &tale, round, &a->round.config, 5000000));
    CHECK_NUMBER(a->round.plan.round, tale.last_round);
    return STATUS_OK;
}

/* In the same phase, with the same letters for the same sites. */
static void comes_back(const struct arena *a)
{
    AUTO(round_free) struct round round = {0};
    CHECK_OK(restore(a, &round));
    CHECK_NUMBER(a->round.phase, round.phase);
    for (uint32_t v = 0; v < a->n && round.phase == a->round.phase; v++) {
        AUTO(buffer_free) struct buffer want = {0}, got = {0};
        const enum status status = round_letter(&want, &a->round, v);
        CHECK_STATUS(status, round_letter(&got, &round, v));
        CHECK_NUMBER(want.n, got.n);
        if (want.n == got.n && want.n > 0) CHECK_BYTES(want.at, got.at, want.n);
        CHECK_NUMBER(a->round.site[v].out, round.site[v].out);
        CHECK_NUMBER(a->round.site[v].away, round.site[v].away);
    }
    restored++;
}

/* As the coordinator's event loop: of an input that was counted only the signed digest. */
static void note(struct arena *a, uint32_t from, struct view message)
{
    const enum phase now = a->round.phase;
    enum journal_kind kind = from == OUTBOX_SERVER ? JOURNAL_DEADLINE
                             : message.n == 0      ? JOURNAL_GONE
                                                   : JOURNAL_MESSAGE;
    struct masked_input masked = {0};
    if (msg_kind_of(message) == MSG_MASKED) {
        CHECK_OK(masked_read(&masked, message, &a->round.plan, from));
        message = masked.digest;
    }
    if (before < PHASE_REVEAL) {
        CHECK_OK(resume_note(&resume, kind, kind == JOURNAL_DEADLINE ? 0 : from, message));
        noted[kind]++;
    }
    if (now != before && now < PHASE_DONE) {
        CHECK_OK(resume_phase(&resume, &a->round, before <= PHASE_COLLECT && now > PHASE_COLLECT));
        comes_back(a);
    }
    before = now;
}

static void begin(struct arena *a, enum liar_world world)
{
    liar_open(a, world);
    CHECK_OK(resume_open(&resume, folder, &a->manifest));
    arena_begin(a);
    CHECK_OK(resume_begin(&resume, &a->round));
    comes_back(a);
    a->round_spy = note;
    before = a->round.phase;
    restored = 0;
    for (size_t i = 0; i < JOURNAL_KINDS; i++) noted[i] = 0;
}

static void run(struct arena *a)
{
    arena_run(a);
    CHECK_NUMBER(PHASE_DONE, a->round.phase);
    CHECK(restored >= 4);
    forget();
}

static void a_round_comes_back_after_each_phase(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        begin(&a, world);
        run(&a);
        CHECK(noted[JOURNAL_MESSAGE] > 0 && noted[JOURNAL_GONE] == 0);
    }
}

static void a_site_that_was_gone_is_gone_again(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        begin(&a, world);
        a.dead[LIAR] = true;
        arena_gone(&a, LIAR);
        run(&a);
        CHECK_NUMBER(1, noted[JOURNAL_GONE]);
    }
}

static void a_site_that_came_back_is_back_again(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        begin(&a, world);
        struct silence silence = {MSG_ADVERT, 1U << LIAR};
        a.filter = liar_silence;
        a.context = &silence;
        arena_gone(&a, LIAR);
        round_back(&a.round, LIAR);
        CHECK_OK(resume_note(&resume, JOURNAL_BACK, LIAR, (struct view){0}));
        run(&a);
    }
}

/* As after it was started anew. */
static void a_site_that_was_put_out_is_out_again(void)
{
    for (enum liar_world world = 0; world < LIAR_WORLDS; world++) {
        AUTO(arena_close) struct arena a = {0};
        AUTO(outbox_free) struct outbox out = {0};
        begin(&a, world);
        a.dead[LIAR] = true;
        CHECK_OK(round_out(&a.round, LIAR, a.now_ms, &out));
        CHECK_OK(resume_note(&resume, JOURNAL_OUT, LIAR, (struct view){0}));
        run(&a);
    }
}

static void a_phase_that_was_late_is_over_again(void)
{
    static const enum msg_kind kinds[] = {MSG_ADVERT, MSG_SHARES, MSG_MASKED};
    for (size_t i = 0; i < 6; i++) {
        AUTO(arena_close) struct arena a = {0};
        begin(&a, i % 2);
        struct silence silence = {kinds[i / 2], 1U << LIAR};
        a.filter = liar_silence;
        a.context = &silence;
        run(&a);
        CHECK(noted[JOURNAL_DEADLINE] > 0);
    }
}

static void totals_that_were_changed_are_refused(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(buffer_free) struct buffer totals = {0};
    AUTO(round_free) struct round round = {0};
    char path[FILE_PATH_MAX];
    begin(&a, LIAR_COMPLETE);
    while (a.round.phase <= PHASE_COLLECT) REQUIRE(arena_step(&a));
    CHECK_OK(file_path(path, sizeof path, folder, "totals-1"));
    CHECK_OK(file_read(&totals, path, 1000));
    totals.at[3] ^= 1;
    CHECK_OK(file_write(path, buffer_view(&totals), 0600));
    CHECK_STATUS(STATUS_FORMAT, restore(&a, &round));
    CHECK_OK(file_write(path, (struct view){totals.at, totals.n - 1}, 0600));
    CHECK_STATUS(STATUS_FORMAT, restore(&a, &round));
    CHECK(unlink(path) == 0);
    CHECK_STATUS(STATUS_IO, restore(&a, &round));
    CHECK(round.site == NULL);
    forget();
}

/* --- the trail's end of a round ----------------------------------------------------------------
 */

static const struct pen *pen_of(const struct arena *a)
{
    static struct pen pen;
    pen = (struct pen){.identity = a->coordinator.identity, .ledger = {9, {{1}}}};
    return &pen;
}

/* The trail has n entries, the last one of this kind. */
static void has_entries(uint64_t n, enum trail_kind kind, struct trail_end *end)
{
    char path[FILE_PATH_MAX];
    AUTO(db_close) struct db *db = NULL;
    AUTO(db_rows_free) struct db_rows *rows = NULL;
    struct trail_entry entry = {0};
    bool more = false;
    CHECK_OK(file_path(path, sizeof path, folder, "journal.db"));
    CHECK_OK(db_look(&db, path));
    CHECK_OK(db_ask(&rows, db, "SELECT bytes FROM trail ORDER BY number DESC", 0, NULL));
    CHECK_OK(db_next(rows, &more));
    CHECK(more == (n > 0));
    if (!more) return;
    CHECK_OK(trail_entry_read(&entry, db_blob(rows, 0)));
    CHECK_NUMBER(n, entry.number);
    CHECK(entry.kind == kind && entry.ledger.n == 9);
    if (kind == TRAIL_END) CHECK_OK(trail_end_read(end, entry.body));
}

static void end_round(const struct arena *a)
{
    AUTO(buffer_free) struct buffer shown = {0};
    const struct view course = {(const uint8_t *)"course", 6};
    CHECK_OK(show_round(&shown, &a->round));
    CHECK_OK(journal_end(resume.journal, buffer_view(&a->round.result_bytes), course, pen_of(a),
                         buffer_view(&shown)));
}

static void a_round_ends_in_the_trail_once_it_is_settled(void)
{
    static const enum reason why[] = {REASON_NONE, REASON_DEADLINE};
    for (size_t i = 0; i < 2; i++) {
        AUTO(arena_close) struct arena a = {0};
        struct trail_end end = {0};
        begin(&a, LIAR_COMPLETE);
        CHECK_OK(resume_settled(&resume, &a.manifest, pen_of(&a)));
        has_entries(0, TRAIL_END, &end);
        arena_run(&a);
        if (why[i] != REASON_NONE) a.round.phase = PHASE_FAILED;
        a.round.why = why[i];
        end_round(&a);
        has_entries(1, TRAIL_ROUND, &end);
        for (int again = 0; again < 2; again++) {
            CHECK_OK(resume_settled(&resume, &a.manifest, pen_of(&a)));
            has_entries(2, TRAIL_END, &end);
            CHECK(end.round == 1 && end.why == why[i]);
        }
        forget();
    }
}

int main(void)
{
    REQUIRE(mkdtemp(folder) != NULL);
    RUN(a_round_comes_back_after_each_phase);
    RUN(a_site_that_was_gone_is_gone_again);
    RUN(a_site_that_came_back_is_back_again);
    RUN(a_site_that_was_put_out_is_out_again);
    RUN(a_phase_that_was_late_is_over_again);
    RUN(totals_that_were_changed_are_refused);
    RUN(a_round_ends_in_the_trail_once_it_is_settled);
    (void)rmdir(folder);
    return check_done();
}
