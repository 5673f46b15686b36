/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab status: how a sweep stands, from its folder alone. */
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "lab/commands.h"
#include "lab/sweep.h"

static void print_row(const char *folder, uint32_t row)
{
    json_t *status = run_document(folder, "status.json");
    const char *state = json_string_value(json_object_get(status, "state"));
    const char *why = json_string_value(json_object_get(status, "why"));
    if (state != NULL && strcmp(state, "done") != 0)
        printf("%04u  %-8s  %s\n", row + 1, state, why == NULL ? "" : why);
    json_decref(status);
}

enum exit_code status_command(int argc, char **argv)
{
    static const char doc[] = "Say how many rows of a sweep are over, which run and which failed, "
                              "and why. A row that was killed stands as running.";
    const char *path = NULL;
    const struct option_row argument[] = {{NULL, "DIR", .needed = true, .text = &path}, {0}};
    option_read(&(struct option_table){.row = argument, .doc = doc}, argc, argv);
    struct sweep sweep = {0};
    json_t *asked = run_document(path, "sweep.json");
    const json_int_t n = json_integer_value(json_object_get(asked, "rows"));
    json_decref(asked);
    if (n < 1 || n > SWEEP_ROWS_MAX || strlen(path) >= sizeof sweep.folder) {
        fprintf(stderr, "status: %s is no sweep's folder\n", path);
        return EXIT_USAGE;
    }
    memcpy(sweep.folder, path, strlen(path) + 1);
    uint32_t count[ROW_FAILED + 1] = {0};
    for (uint32_t row = 0; row < (uint32_t)n; row++) {
        char folder[FILE_PATH_MAX];
        if (run_folder(folder, &sweep, row) != STATUS_OK) return sweep_fail(path, STATUS_RANGE);
        count[run_state(folder)]++;
        print_row(folder, row);
    }
    printf("%u of %u rows over: %u done, %u failed; %u running or killed, %u not begun\n",
           count[ROW_DONE] + count[ROW_FAILED], (uint32_t)n, count[ROW_DONE], count[ROW_FAILED],
           count[ROW_RUNNING], count[ROW_WAITING]);
    return EXIT_OK;
}
