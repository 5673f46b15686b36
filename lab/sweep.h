/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab sweep: one simulation for each point of a grid, each in a process and a folder of its
 * own. Private to sweep*.c and rerun.c.
 *
 * A row counts as over by its status.json alone, which is written last: what was killed before is
 * begun anew. All files are written whole or not at all. */
#ifndef LAB_SWEEP_H
#define LAB_SWEEP_H

#include <jansson.h>

#include "base/command.h"
#include "base/file.h"
#include "lab/process.h"
#include "protocol/study.h"

#define SWEEP_VALUES_MAX 64
#define SWEEP_VALUE_MAX 63
#define SWEEP_STUDIES_MAX 16
#define SWEEP_ROWS_MAX 9999
#define SWEEP_ARGUMENTS_MAX 96 /* of simulate, all rows' and a row's own */

/* These stand for every row; where the grid does not name one, there is one value, or NULL: what
 * the study file says. Further axes are keys of a study, "section.key". */
enum sweep_axis {
    AXIS_STUDY, /* number of the study file, in words its path */
    AXIS_METHOD,
    AXIS_EPSILON,
    AXIS_UNIT,
    AXIS_SITES,
    AXIS_PRUNED,
    AXIS_BITS,
    AXIS_PARTITION,
    AXIS_DROPOUT,
    AXIS_SEED,
    AXIS_NAMED
};

struct axis {
    char name[SWEEP_VALUE_MAX + 1];
    uint32_t n;
    char value[SWEEP_VALUES_MAX][SWEEP_VALUE_MAX + 1];
};

enum row_state { ROW_WAITING, ROW_RUNNING, ROW_DONE, ROW_FAILED };

struct row {
    const char **value; /* of each axis; borrowed from the axes */
    enum row_state state;
    char *line; /* of results.csv, once it is over; owned */
};

struct sweep {
    const char *file;
    char folder[FILE_PATH_MAX]; /* absolute */
    int lock;                   /* of it; 0: not held */
    uint32_t n_studies;
    char study[SWEEP_STUDIES_MAX][SETTINGS_TEXT_MAX + 1];
    struct buffer text[SWEEP_STUDIES_MAX]; /* of these files */
    uint32_t n_axes;
    struct axis *axis; /* n_axes: the named, then others; owned */
    size_t n_arguments;
    char *argument[SWEEP_ARGUMENTS_MAX]; /* for all rows; owned */
    uint32_t n_rows;
    struct row *row;     /* n_rows; owned */
    const char **values; /* of all rows; owned */
};

/* --- what is asked (sweep_file.c, sweep_grid.c) --- */

/* Read the sweep file and the study files that it names, and lay out the rows; says what is wrong
 * on standard error. */
MUST_USE enum exit_code sweep_read(struct sweep *out, const char *path);
void sweep_free(struct sweep *sweep);
/* Take what a sweep file says, all but the contents of its studies and the rows; sweep has the
 * file's path, and is to be freed on failure too.
 * STATUS_FORMAT, STATUS_RANGE  why says what is wrong. STATUS_IO  its folder is gone. STATUS_NOMEM.
 */
MUST_USE enum status sweep_parse(struct sweep *sweep, struct view text, struct settings_error *why);

/* All combinations but those that another row already is, the seed changing fastest.
 * STATUS_RANGE  more than SWEEP_ROWS_MAX. STATUS_NOMEM. */
MUST_USE enum status grid_rows(struct sweep *sweep, struct settings_error *why);
#define GRID_METHODS                                                                               \
    "federated, autoflip, random, magnitude, fedra, fedavg, local-only, centralised or top-k"
bool grid_method_known(const char *name);
/* What simulate calls it. */
const char *grid_simulate_method(const char *name);

/* The study of a row. As study_vary. */
MUST_USE enum status grid_study(struct study *out, const struct sweep *sweep, const struct row *row,
                                struct settings_error *why);

/* --- one row (sweep_row.c) --- */

/* A row that is being run. */
struct job {
    uint32_t row;
    char folder[FILE_PATH_MAX];
    struct process process; /* pid 0: it is over */
    uint64_t begun_ms;
    json_t *manifest; /* owned */
};

/* Begin a row: its folder, study, manifest and process. One that cannot be has failed at once.
 * STATUS_IO, STATUS_NOMEM: nothing can be written or started; the sweep cannot go on. */
MUST_USE enum status job_begin(struct job *job, const struct sweep *sweep, uint32_t row);
/* Whether it is over; then its result, manifest and status stand. As job_begin. */
MUST_USE enum status job_poll(struct job *job, bool *over);
/* End it without a status. */
void job_stop(struct job *job);

/* At most SWEEP_ARGUMENTS_MAX of simulate's arguments: it runs in a folder with its study.yaml, by
 * this very program; its document is written to result.json.part there. STATUS_IO. */
MUST_USE enum status run_start(struct process *out, const char *folder, const char *const *argument,
                               size_t n);
/* The document; NULL where it is none. */
json_t *run_result(const char *folder);
/* The last line of what simulate said, into why. */
void run_said(char *why, size_t n, const char *folder);
#define RUN_WHY_MAX 400

/* FOLDER/NNNN, rows counted from 1. */
MUST_USE enum status run_folder(char out[static FILE_PATH_MAX], const struct sweep *sweep,
                                uint32_t row);
/* How a row in a folder stands; ROW_WAITING where it has no status. */
enum row_state run_state(const char *folder);
/* folder/name as JSON, or NULL. */
json_t *run_document(const char *folder, const char *name);
/* Write JSON to folder/name, taking it over. STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status run_write(const char *folder, const char *name, json_t *document);

/* --- all rows (sweep_book.c, sweep_run.c) --- */

/* Write sweep.json, or compare with the one that is there; then take how each row stands. Says on
 * standard error what differs. retry: what failed waits again. */
MUST_USE enum exit_code book_open(struct sweep *sweep, bool retry);
/* A row is over: its line in results.csv. STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status book_enter(struct sweep *sweep, uint32_t row);
MUST_USE enum status book_write(const struct sweep *sweep);

/* Open the book and run what waits, so many rows at a time, and with the ranks that mpirun started
 * one on each. */
MUST_USE enum exit_code sweep_run(struct sweep *sweep, unsigned jobs, bool retry);

/* Say what cannot be written, and why, as far as the system says it. */
enum exit_code sweep_fail(const char *what, enum status status);

#endif
