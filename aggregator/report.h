/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_REPORT_H
#define AGGREGATOR_REPORT_H

#include "aggregator/run.h"

/* Say what a round in PHASE_DONE gave, after it was applied and accounted for: a line on standard
 * error and, with events, an object on standard output. Part of the program: it prints. */
void report_round(const struct coordinator *c, const struct round *round, uint64_t bytes_up,
                  bool events);

#endif
