/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/schedule_steps.h"

uint32_t schedule_evaluations(const struct study *study, uint32_t trained)
{
    const uint32_t every = study->evaluation.every, count = study->rounds.count;
    if (study->evaluation.mode == STUDY_EVALUATION_NONE) return 0;
    if (every == 0) return trained < count ? 0 : 1;
    return trained < count ? trained / every : (count + every - 1) / every;
}

uint32_t schedule_refinements(const struct study *study, uint32_t trained)
{
    const uint32_t every = study->pruning.refine_every, count = study->rounds.count;
    if (every == 0) return 0;
    return (trained < count ? trained : count - 1) / every;
}

uint32_t schedule_steps(const struct study *study, enum step step)
{
    switch (step) {
    case STEP_EXPLORE:
        return study->pruning.mode != STUDY_PRUNING_NONE &&
                       study->pruning.mask == STUDY_MASK_EXPLORED
                   ? 1
                   : 0;
    case STEP_TRAIN:
        return study->rounds.count;
    case STEP_EVALUATE:
        return schedule_evaluations(study, study->rounds.count);
    case STEP_VOTE:
        return study->pruning.mask == STUDY_MASK_EXPLORED
                   ? schedule_refinements(study, study->rounds.count)
                   : 0;
    default:
        return 0;
    }
}

double schedule_sampling(const struct study *study, enum step step)
{
    const bool draws = study->privacy.unit == STUDY_PATIENT && step != STEP_EVALUATE;
    return draws ? study->privacy.sampling : 1;
}

uint64_t schedule_size(const struct study *study, enum step step, uint64_t kept)
{
    return step == STEP_TRAIN ? pick_count(kept, study->rounds.coordinates) : kept;
}

double schedule_step_multiplier(const struct schedule *schedule, enum step step)
{
    const struct study *study = schedule->study;
    switch (step) {
    case STEP_EXPLORE:
        return schedule->z * study->privacy.exploration_ratio;
    case STEP_EVALUATE:
        return schedule->z * study->evaluation.ratio;
    case STEP_VOTE:
        return schedule->z * study->pruning.refine_ratio;
    default:
        return schedule->z;
    }
}

enum status schedule_count_grid(struct grid *out, const struct study *study, uint32_t certain,
                                uint32_t n_sites, uint32_t sigma)
{
    const enum count_unit unit =
        study->privacy.unit == STUDY_PATIENT ? COUNT_RECORDS : COUNT_SHARES;
    return count_plan(out, unit, certain, n_sites, sigma, study->secagg.bits);
}

enum status schedule_evaluation_grid(struct grid *out, const struct schedule *schedule)
{
    const struct params *params = &schedule->params;
    const uint32_t certain = params_honest(params);
    uint32_t sigma = 0;
    TRY(schedule_count_grid(out, schedule->study, certain, params->n, 0));
    TRY(account_share(&sigma, schedule_step_multiplier(schedule, STEP_EVALUATE), out->norm2,
                      certain));
    return schedule_count_grid(out, schedule->study, certain, params->n, sigma);
}

uint64_t schedule_room(const struct schedule *schedule)
{
    struct grid grid = {0};
    if (schedule_steps(schedule->study, STEP_EVALUATE) == 0) return 0;
    if (schedule->study->privacy.unit == STUDY_SITE) return COUNT_MAX;
    return schedule_evaluation_grid(&grid, schedule) == STATUS_OK ? count_room(&grid) : 0;
}
