/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of held-out records on the integer road: for each class, how many records of it a model
 * got right and how many wrong. A record moves one of these cells by one step, and no float is
 * near: the bound of dp/SPEC.md, "counts", is the whole argument. */
#ifndef DP_COUNT_H
#define DP_COUNT_H

#include "base/stage.h"
#include "dp/grid.h"

/* Cells of a class: first all rights, then all wrongs. */
#define COUNT_KINDS 2
/* Records that one site may count. */
#define COUNT_MAX (UINT64_C(1) << 24)

/* What a contribution is: a record, or all that a site counted, as shares of its records. */
enum count_unit { COUNT_RECORDS, COUNT_SHARES };

/* The grid of an evaluation. `scale` is the step: the smallest power of two that is at least
 * sqrt(certain) times 16 (records: sigma, a whole number, is then fine enough) or 256 (shares,
 * which are cut to whole numbers); norm2 = step^2.
 *
 * certain  noise shares that no adversary knows; sigma follows from it and norm2.
 *
 * STATUS_RANGE  as grid_plan; out is untouched. */
MUST_USE enum status count_plan(struct grid *out, enum count_unit unit, uint32_t certain,
                                uint32_t n_sites, uint32_t sigma, unsigned bits);

/* Records that one cell of a site can hold; more are counted as that many. Unit records. */
uint64_t count_room(const struct grid *grid);

/* A site's integer sum: step * in[i], at most the grid's cap (records), or
 * floor(step * in[i] / sum of in), zero when nothing was counted (shares).
 *
 * in  n > 0 cells of at most COUNT_MAX altogether, or it is a bug; secret.
 *
 * STATUS_NOMEM  out is untouched. */
MUST_USE enum status count_encode(struct encoded *out, const uint32_t *in, size_t n,
                                  enum count_unit unit, const struct grid *grid);

#endif
