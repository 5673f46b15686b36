/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_RUN_H
#define AGGREGATOR_RUN_H

#include <stdbool.h>

#include "aggregator/course.h"
#include "base/command.h"

struct coordinator {
    const char *folder; /* for state-N and, in rehearsals, sums-N */
    struct keyfile key; /* secret */
    struct manifest manifest;
    struct study study;
    struct course course; /* not moved after course_new */
    unsigned threads;     /* for pads */
};

/* Lead the study from the first round to the last over one listening socket.
 * events: print one JSON object per step on standard output. Returns the program's exit code. */
enum exit_code run_study(struct coordinator *coordinator, const char *endpoint, bool events);

#endif
