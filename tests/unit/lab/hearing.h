/* SPDX-License-Identifier: Apache-2.0 */
/* Annals before the transcript audit, and what it found. */
#ifndef TESTS_UNIT_LAB_HEARING_H
#define TESTS_UNIT_LAB_HEARING_H

#include "lab/verify.h"
#include "tests/unit/lab/annals.h"

/* Who hands over what they keep: a bit for each. */
enum {
    HEARING_LEADER = 1u << ANNALS_LEADER,
    HEARING_SITES = HEARING_LEADER - 1,
    HEARING_ALL = HEARING_LEADER | HEARING_SITES
};

extern struct annals annals;
extern struct verify found; /* of the last audit */

void hearing_open(void);
void hearing_close(void);

/* Annals of a study anew, not made yet; in the second one units may be pruned, in the third they
 * are chosen anew after two training rounds. */
void hearing_begin(void);
void hearing_begin_pruned(void);
void hearing_begin_refined(const char *mask);
void hearing_audit(uint32_t parties);

/* Nothing stands against it, and nothing is open. */
void hearing_holds(void);
/* This check alone has faults, and says so in these words. */
void hearing_faulty(enum check check, const char *words);
/* Whether a terminal and a document can take it. */
bool hearing_is_plain(const char *text);

#endif
