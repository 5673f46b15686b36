/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that mpirun started to share the rows of a sweep. The first, rank 0, leads: it hands
 * rows out one by one, so that a slow one holds up nobody. They see the same folders. */
#ifndef LAB_RANKS_H
#define LAB_RANKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A row of the sweep, or none. */
#define RANKS_NO_ROW UINT32_MAX

struct ranks {
    unsigned own, n; /* n is 1 where nobody else was started */
};

/* Join the others, if mpirun started us, and hide from our children that it did.
 * STATUS_STATE  it did, and this program was built without MPI. */
MUST_USE enum status ranks_join(struct ranks *out);
/* Leave in good order, once everybody was told that there are no more rows. */
void ranks_leave(const struct ranks *ranks);
/* End all processes of all ranks at once, because this one stops. */
_Noreturn void ranks_abort(int code);

/* Rank 0: whether another asks for a row now; done is the one it brings back, or RANKS_NO_ROW, and
 * failed whether it cannot go on. Each must be answered with ranks_give. */
bool ranks_asked(const struct ranks *ranks, unsigned *who, uint32_t *done, bool *failed);
void ranks_give(unsigned who, uint32_t row);

/* Others: bring a row back and ask for the next, without waiting; whether there is an answer. */
void ranks_ask(uint32_t done, bool failed);
bool ranks_answered(uint32_t *row);

#endif
