/* SPDX-License-Identifier: Apache-2.0 */
/* Child programs: started, read line by line, killed. */
#ifndef LAB_PROCESS_H
#define LAB_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"

struct process {
    pid_t pid; /* 0: not running */
    int out;   /* its standard output; -1: closed */
    struct buffer line;
    int status; /* of waitpid, once it ended */
};

/* Start a program; standard error is appended to log, standard input is empty. It dies with us.
 * STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status process_start(struct process *out, char *const *argv, const char *log);

/* The same in a folder, from which output and log are seen; standard output replaces the file
 * output. It is in a process group of its own, and when we die it gets SIGTERM: a signal for all of
 * us reaches it through us, and it can clean up. */
MUST_USE enum status process_start_in(struct process *out, char *const *argv, const char *folder,
                                      const char *output, const char *log);

/* Run a program to its end; its output goes to log. STATUS_IO when it does not exit with 0. */
MUST_USE enum status process_run(char *const *argv, const char *log);

/* Take what can be read without waiting; a complete line (without its end) is returned in *line,
 * which is valid until the next call. False when there is none yet; end of output closes out. */
bool process_line(struct process *process, const char **line);

/* SIGKILL, and reap. */
void process_kill(struct process *process);
/* SIGTERM, wait up to timeout_ms, then SIGKILL; closes the pipe. */
void process_end(struct process *process, int timeout_ms);
/* Reap if it ended; true when it runs no more. */
bool process_ended(struct process *process);

#endif
