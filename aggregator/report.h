/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_REPORT_H
#define AGGREGATOR_REPORT_H

#include "aggregator/run.h"
#include "aggregator/spend.h"

/* Say what a round in PHASE_DONE gave, after it was applied and accounted for: a line on standard
 * error and, with events, an object on standard output. After an exploration, a vote and the last
 * round report_cost follows. Part of the program: it prints. */
void report_round(const struct coordinator *c, const struct spend *spend, const struct round *round,
                  uint64_t bytes_up, bool events);

/* Say what a site computes and sends in a training round at what is kept now, beside the unpruned
 * model, in the same two ways. Nothing where the study does not prune. */
void report_cost(const struct coordinator *c, bool events);

/* In a rehearsal, write the opened sums of a round into the coordinator's folder: sums-N,
 * little-endian words, segment after segment. STATUS_IO. */
MUST_USE enum status report_sums(const struct coordinator *c, const struct round *round);

/* Write what an evaluation gave into the coordinator's folder: evaluation-N.json, N its number from
 * 0 on, the object that report_round prints. Nothing for other rounds. STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status report_evaluation(const struct coordinator *c, const struct round *round);

/* Nobody waits without knowing for whom. */
void report_waiting(const struct coordinator *c, const struct round *round);

#endif
