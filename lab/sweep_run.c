/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs which row, and what is said meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crew.h"
#include "lab/ranks.h"
#include "lab/sweep.h"

struct queue {
    struct sweep *sweep;
    struct ranks ranks;
    uint32_t next, out; /* the first row that may wait; rows that other ranks have */
    unsigned told;      /* ranks that know that there are no more */
    uint32_t n, over, failed;
    uint32_t before; /* over when we began */
    uint64_t begun_ms;
    bool broken; /* nothing can be written or started any more */
};

static void pause_shortly(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static uint32_t take(struct queue *q)
{
    struct sweep *s = q->sweep;
    while (q->next < s->n_rows && s->row[q->next].state != ROW_WAITING) q->next++;
    if (q->next == s->n_rows || q->broken || command_stopped()) return RANKS_NO_ROW;
    s->row[q->next].state = ROW_RUNNING;
    return q->next++;
}

static void break_off(struct queue *q, const char *what, enum status status)
{
    if (!q->broken) (void)sweep_fail(what, status);
    q->broken = true;
}

/* A row is over: take it down, and say how far we are. */
static void enter(struct queue *q, uint32_t row)
{
    struct sweep *s = q->sweep;
    errno = 0;
    enum status status = book_enter(s, row);
    if (status == STATUS_OK) status = book_write(s);
    if (status != STATUS_OK) {
        break_off(q, "results.csv", status);
        return;
    }
    q->over++;
    q->failed += s->row[row].state == ROW_FAILED;
    const double seconds = (double)(command_now_ms() - q->begun_ms) / 1e3;
    const double left = seconds / (q->over - q->before) * (q->n - q->over);
    fprintf(stderr, "sweep: %04u %s, %u of %u over", row + 1,
            s->row[row].state == ROW_DONE ? "done" : "failed", q->over, q->n);
    if (q->failed > 0) fprintf(stderr, ", %u failed", q->failed);
    fprintf(stderr, left < 120 ? ", about %.0f s left\n" : ", about %.0f min left\n",
            left < 120 ? left : left / 60);
}

/* A place for one row at a time: free while its folder is empty. Whether there was one. */
static bool work(struct queue *q, struct job *job)
{
    bool over = false;
    errno = 0;
    if (job->folder[0] == 0) {
        const uint32_t row = take(q);
        if (row == RANKS_NO_ROW) return false;
        const enum status status = job_begin(job, q->sweep, row);
        if (status != STATUS_OK) break_off(q, job->folder, status);
    }
    const enum status status = q->broken ? STATUS_OK : job_poll(job, &over);
    if (status != STATUS_OK) break_off(q, job->folder, status);
    if (!over && !q->broken && !command_stopped()) return true;
    if (over && !q->broken && !command_stopped()) enter(q, job->row);
    job_stop(job);
    job->folder[0] = 0;
    return true;
}

static void answer(struct queue *q)
{
    unsigned who = 0;
    uint32_t done = RANKS_NO_ROW;
    bool failed = false;
    while (ranks_asked(&q->ranks, &who, &done, &failed)) {
        if (failed) q->broken = true; /* it has said why */
        if (done != RANKS_NO_ROW) q->out--;
        if (done != RANKS_NO_ROW && !failed) enter(q, done);
        const uint32_t row = take(q);
        ranks_give(who, row);
        if (row == RANKS_NO_ROW)
            q->told++;
        else
            q->out++;
    }
}

static enum exit_code lead(struct queue *q, unsigned jobs)
{
    struct job job[CREW_MAX] = {0};
    for (unsigned busy = 1; busy > 0 || q->told + 1 < q->ranks.n;) {
        busy = 0;
        for (unsigned i = 0; i < jobs; i++) busy += work(q, &job[i]);
        answer(q);
        if (command_stopped() && q->ranks.n > 1) ranks_abort(EXIT_FAILED);
        if (busy > 0 || q->ranks.n > 1) pause_shortly();
    }
    if (command_stopped()) fprintf(stderr, "sweep: stopped; the same command goes on\n");
    fprintf(stderr, "sweep: %u of %u rows over, %u failed; see %s/results.csv\n", q->over, q->n,
            q->failed, q->sweep->folder);
    return q->broken || command_stopped() ? EXIT_FAILED : EXIT_OK;
}

static enum exit_code follow(struct queue *q)
{
    struct job job = {0};
    uint32_t row = RANKS_NO_ROW;
    ranks_ask(RANKS_NO_ROW, false);
    for (;;) {
        while (!ranks_answered(&row)) {
            if (command_stopped()) ranks_abort(EXIT_FAILED);
            pause_shortly();
        }
        if (row == RANKS_NO_ROW) return q->broken ? EXIT_FAILED : EXIT_OK;
        bool over = false;
        errno = 0;
        enum status status = job_begin(&job, q->sweep, row);
        while (status == STATUS_OK && !over) {
            status = job_poll(&job, &over);
            if (command_stopped()) {
                job_stop(&job);
                ranks_abort(EXIT_FAILED);
            }
            if (!over) pause_shortly();
        }
        if (status != STATUS_OK) break_off(q, job.folder, status);
        job_stop(&job);
        ranks_ask(row, q->broken);
    }
}

enum exit_code sweep_run(struct sweep *s, unsigned jobs, bool retry)
{
    struct queue q = {.sweep = s};
    const enum status status = ranks_join(&q.ranks);
    if (status != STATUS_OK) {
        fprintf(stderr, "sweep: mpirun started it, and %s\n",
                status == STATUS_STATE ? "this program was built without MPI"
                                       : "MPI does not begin");
        return EXIT_FAILED;
    }
    enum exit_code code = EXIT_OK;
    if (q.ranks.own > 0) {
        code = follow(&q);
    } else {
        code = book_open(s, retry);
        if (code == EXIT_OK) { /* a row may have ended without it */
            const enum status written = book_write(s);
            if (written != STATUS_OK) code = sweep_fail("results.csv", written);
        }
        if (code != EXIT_OK && q.ranks.n > 1) ranks_abort((int)code);
        q.n = s->n_rows;
        for (uint32_t i = 0; i < s->n_rows; i++) {
            q.over += s->row[i].state == ROW_DONE || s->row[i].state == ROW_FAILED;
            q.failed += s->row[i].state == ROW_FAILED;
        }
        q.before = q.over;
        q.begun_ms = command_now_ms();
        if (code == EXIT_OK) code = lead(&q, q.ranks.n > 1 ? 1 : jobs);
    }
    ranks_leave(&q.ranks);
    return code;
}
