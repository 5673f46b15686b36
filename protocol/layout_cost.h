/* SPDX-License-Identifier: Apache-2.0 */
/* What a model computes for one record, forward: multiply-accumulates of its products of matrices.
 * A tensor of weights counts rows * cols for each place where it is applied: once where it is
 * dense, at each place of the map that a convolution makes, for each token, for each step of an
 * LSTM. Attention's own products count too; biases, norms, pools and tables that rows are taken
 * from do not. Under adapters the frozen weights are computed like any others. */
#ifndef PROTOCOL_LAYOUT_COST_H
#define PROTOCOL_LAYOUT_COST_H

#include "protocol/layout.h"

/* spec has a layout. All blocks of a transformer count. */
uint64_t layout_macs(const struct model_spec *spec);

/* Of what is computed when these coordinates are kept: the model that layout_shrink makes, in which
 * single weights that are pruned are zeros and count. As layout_shrink. */
MUST_USE enum status layout_macs_kept(uint64_t *out, const struct model_spec *spec,
                                      const struct layout *full, const struct bits *keep);

#endif
