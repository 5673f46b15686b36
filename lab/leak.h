/* SPDX-License-Identifier: Apache-2.0 */
/* Gradient inversion: what an attacker who sees a vector takes for pictures of the records that it
 * was made of. The attacker knows the study, the model and its weights, and how many records there
 * were. */
#ifndef LAB_LEAK_H
#define LAB_LEAK_H

#include "client/local.h"

/* Pictures of `floats` pixels in [0, 1], a record's order; owned. */
struct gallery {
    size_t n, floats;
    float *pixel;
};
/* n pictures of zeros. STATUS_RANGE  more than LEAK_FLOATS_MAX. STATUS_NOMEM. out is untouched. */
#define LEAK_FLOATS_MAX (UINT64_C(1) << 28)
MUST_USE enum status gallery_new(struct gallery *out, size_t n, size_t floats);
void gallery_free(struct gallery *gallery);

/* Which attack of this file reads such a model, if any does. */
bool leak_by_formula(const struct model_spec *spec);
bool leak_by_search(const struct model_spec *spec);

/* By a formula, of a model that begins with a dense layer: unit i of its gradient is
 *   dW_i = sum over records of delta_i x,  db_i = sum of delta_i,
 * so that dW_i / db_i is the picture itself for a unit that one record alone has moved, whatever
 * the scale (Zhu et al. 2019; Geiping et al. 2020, proposition 3.1). The pictures of the LEAK_UNITS
 * units with the largest |db_i|, and first that of all units together, the x that fits dW = db x'
 * best, which is also taken for what is not known of a single unit. Sign and scale of the vector do
 * not matter.
 *
 * vector  local->model.layout.n floats; zero where nothing is known.
 * known   as many: 1 where something is, else 0.
 *
 * STATUS_RANGE  no such model, or too large. STATUS_NOMEM. out is untouched then. */
#define LEAK_UNITS 256
MUST_USE enum status leak_dense(struct gallery *out, const struct local *local, const float *vector,
                                const float *known);

/* By search, of a model that begins with convolutions: as many pictures as there were records, but
 * LEAK_SEARCHED at most, whose gradient points where the vector does. From dark grey with grain on,
 * `steps` steps of Adam along the signs of the slope of
 *   1 - cos(gradient, vector) + 0.1 * mean difference of neighbouring pixels
 * with pixels kept in [0, 1] (Geiping et al. 2020). Labels are those that fit the last layer's bias
 * best, exactly so for one record; no more is known of them. The records' gradients are taken to be
 * clipped alike, which makes no difference to a single one. The scale of the vector does not
 * matter, its sign does: what a site sends is where the loss falls.
 *
 * vector, known as above.
 *
 * STATUS_RANGE  no such model, no record, or too large. STATUS_NOMEM. out is untouched then. */
#define LEAK_SEARCHED 16
MUST_USE enum status leak_match(struct gallery *out, const struct local *local, const float *vector,
                                const float *known, size_t n_records, uint32_t steps,
                                struct rng *rng);

#endif
