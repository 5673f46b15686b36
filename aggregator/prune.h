/* SPDX-License-Identifier: Apache-2.0 */
/* From the opened guidance to one global keep set (AutoFLIP, arXiv 2405.10271v2): post-processing
 * of a private sum, so it costs no privacy.
 *
 * Mode private: guidance per unit; per layer the units with the highest guidance stay, then of each
 * hidden layer's remaining weights those that start largest. Mode paper: guidance per parameter,
 * scaled to 0..1 per tensor; units by the mean of their parameters, then one quantile over all
 * parameters of the remaining units, strictly above it stays; a unit that keeps nothing of its own
 * takes the weights that read it along. The last layer's units always stay, and every layer keeps
 * at least one unit and one weight. Ties go to the lower number. */
#ifndef AGGREGATOR_PRUNE_H
#define AGGREGATOR_PRUNE_H

#include "base/bits.h"
#include "protocol/layout.h"
#include "protocol/study.h"

/* guidance  layout_units (private) or layout->n (paper) values; their scale does not matter.
 * weight    initial weights, layout->n.
 * keep      allocated, layout->n bits.
 * STATUS_NOMEM */
MUST_USE enum status prune_keep(struct bits *keep, const struct study *study,
                                const struct layout *layout, const float *guidance,
                                const float *weight);

/* The places of the units in their layers' orders by guidance, from 0 (lowest) to 1; out may be
 * guidance. Both layout_units. STATUS_NOMEM. */
MUST_USE enum status prune_ranks(float *out, const struct layout *layout, const float *guidance);

/* prune_keep by a value of every coordinate: those of a unit are its guidance together.
 * value  layout->n. */
MUST_USE enum status prune_observed(struct bits *keep, const struct study *study,
                                    const struct layout *layout, const float *value,
                                    const float *weight);

/* The keep set of a study that explores nothing, from public values alone: by a draw from the
 * study's hash (mask: random, individual weights too), or by the squares of the initial weights
 * (magnitude, and prunefl before its first refinement). As prune_keep. */
MUST_USE enum status prune_start(struct bits *keep, const struct study *study,
                                 const struct layout *layout, const float *weight);

#endif
