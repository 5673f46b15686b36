/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAB_INIT_H
#define LAB_INIT_H

#include "client/model/model.h"

/* Write a state file with everything kept and weights drawn from a public seed.
 * STATUS_IO, STATUS_NOMEM. */
MUST_USE enum status init_write(const struct model *model, uint64_t seed, const char *path);

#endif
