/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab sweep: arguments. */
#include "lab/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crew.h"
#include "base/option.h"
#include "lab/commands.h"

struct options {
    const char *file, *folder;
    unsigned jobs;
    bool retry;
};

/* Seen from anywhere: the rows' processes work in folders of their own. */
static enum status whole_path(char out[static FILE_PATH_MAX], const char *path)
{
    char here[FILE_PATH_MAX];
    if (path[0] == '/') {
        if (strlen(path) >= FILE_PATH_MAX) return STATUS_RANGE;
        memcpy(out, path, strlen(path) + 1);
        return STATUS_OK;
    }
    if (getcwd(here, sizeof here) == NULL) return STATUS_IO;
    return file_path(out, FILE_PATH_MAX, here, path);
}

enum exit_code sweep_command(int argc, char **argv)
{
    static const char doc[] =
        "Play a study at each point of a grid (veilsum-lab simulate), each in a process and a "
        "folder of its own. What is over stays: the same command goes on where it was stopped or "
        "killed. Rows that cannot be or that fail stay as rows, with the reason.\v"
        "Exit codes: 0 all rows are over, also failed ones; 2 the sweep file, or it is not the one "
        "that the folder was begun with; 1 stopped, or the disk is full.\n\n"
        "Examples:\n"
        "  veilsum-lab sweep sweep.yaml -o runs/ -j2\n"
        "  mpirun -n 4 veilsum-lab sweep sweep.yaml -o runs/\n"
        "  veilsum-lab status runs/\n"
        "  veilsum-lab rerun runs/0031/manifest.json\n\n"
        "docs/sweeps.md explains the file.\n";
    struct options o = {.folder = "runs", .jobs = command_threads(CREW_MAX)};
    const struct option_row row[] = {
        option_out(&o.folder, "DIR", "Folder of the runs, made where there is none (runs)"),
        {"jobs", "N", "Rows at a time, each of one thread (one per processor)", 'j',
         .count = &o.jobs, .least = 1, .most = CREW_MAX},
        {"retry", NULL, "Run rows again that failed", 'r', .given = &o.retry},
        {NULL, "FILE", .needed = true, .text = &o.file},
        {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    AUTO(sweep_free) struct sweep sweep = {0};
    command_catch_stop();
    enum exit_code code = sweep_read(&sweep, o.file);
    if (code != EXIT_OK) return code;
    const enum status status = whole_path(sweep.folder, o.folder);
    return status == STATUS_OK ? sweep_run(&sweep, o.jobs, o.retry) : sweep_fail(o.folder, status);
}
