/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/terms.h"

#include <math.h>
#include <string.h>

/* More studies than that do not fit in any limit: sigma would be out of reach. */
#define STUDIES_MAX 1024

/* Repeat the study's rounds until calibration asks for as much noise as the study has: so many
 * studies fill the lifetime, and their best order is its. */
static enum status lifetime_order(uint32_t *order, const struct schedule *schedule,
                                  const struct lifetime *lifetime)
{
    const struct study *study = schedule->study;
    const bool halved = study->privacy.unit != lifetime->unit; /* twice the sensitivity */
    const double own = halved ? schedule->z / 2 : schedule->z;
    struct account_goal goal = {
        .epsilon = lifetime->epsilon,
        .delta = lifetime->delta,
        .sampling = study->privacy.unit == STUDY_PATIENT ? study->privacy.sampling : 1};
    if (isinf(lifetime->epsilon)) {
        *order = schedule->order;
        return STATUS_OK;
    }
    double z = 0;
    for (uint32_t studies = 1; studies <= STUDIES_MAX && !(z > own); studies *= 2) {
        goal.rounds = studies * study->rounds.count;
        TRY(account_calibrate(&z, order, &goal));
        if (!(own > 0)) break;
    }
    return STATUS_OK;
}

enum status terms_of(struct terms *out, const struct schedule *schedule,
                     const struct hash *manifest, const struct lifetime *lifetime)
{
    const struct study *study = schedule->study;
    if (!ledger_name_valid(lifetime->data_set)) return STATUS_RANGE;
    struct terms terms = {
        .set = {.kind = LEDGER_OPEN,
                .unit = lifetime->unit,
                .epsilon = lifetime->epsilon,
                .delta = lifetime->delta},
        .study = {.kind = LEDGER_STUDY,
                  .manifest = *manifest,
                  .unit = study->privacy.unit,
                  .order = schedule->order,
                  .epsilon = study->privacy.epsilon,
                  .delta = study->privacy.delta,
                  .sampler_delta = study->privacy.delta - schedule->delta,
                  .colluding = study->sites.colluding},
    };
    TRY(lifetime_order(&terms.set.order, schedule, lifetime));
    memcpy(terms.set.data_set, lifetime->data_set, strlen(lifetime->data_set) + 1);
    memcpy(terms.study.data_set, terms.set.data_set, sizeof terms.set.data_set);
    memcpy(terms.study.study, study->study.id, sizeof terms.study.study);
    *out = terms;
    return STATUS_OK;
}
