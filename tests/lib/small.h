/* SPDX-License-Identifier: Apache-2.0 */
/* Small studies and small data, made from a seed: what a test of the learning side starts with. */
#ifndef TESTS_LIB_SMALL_H
#define TESTS_LIB_SMALL_H

#include "client/data/data.h"
#include "protocol/state.h"
#include "protocol/study.h"

/* A rehearsal of 5 sites, 1 colluding, without noise, that study_check accepts: three rounds of
 * an MLP 64-12-12-3 on 8x8 images or of the smallest CNN on 16x16, half of the units pruned, or of
 * an LSTM on 9 characters. Nothing that small_data gives rise to is as large as the clips. */
void small_study(struct study *study, enum study_unit unit, enum model_kind kind);

/* The same for six sites that hold 12, 10, 8, 6, 4 and 3 of the 12 blocks of a ViT with adapters on
 * 8x8 images, in mode exclusive 12 and 10 by turns; a block needs three holders. */
void small_allocation(struct study *study, enum study_unit unit, enum study_allocation mode);

/* n records that fit the study's model: each class is a bright blob in a place of its own, on black
 * and with grain (of characters 1 and 2 among 0). Freed by dataset_free. */
void small_data(struct dataset *out, const struct study *study, size_t n, uint64_t seed);

/* Random weights. When pruned, units and weights of the study's model are left out by chance, but
 * never the first unit of a layer, and no bias of a kept unit. */
void small_state(struct state *out, const struct study *study, bool pruned);

#endif
