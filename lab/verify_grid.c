/* SPDX-License-Identifier: Apache-2.0 */
/* Grids, planned once more. All of a plan but its model follows from the study, the cohort and how
 * many coordinates of each layer are kept: so many are kept here too, whichever they are. */
#include "lab/verify.h"

#include <string.h>

/* How many coordinates of a layer are kept, that its segment is as large as this; more than it has
 * where none are as many. */
static uint64_t kept_of(const struct study *study, uint64_t all, uint64_t dim)
{
    uint64_t from = 0, to = all + 1;
    while (from < to) {
        const uint64_t mid = from + (to - from) / 2;
        if (mid == 0 || schedule_size(study, STEP_TRAIN, mid) < dim)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* Keep the first n coordinates of a layer. */
static void keep_first(struct bits *keep, const struct layout *layout, uint32_t segment, uint64_t n)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++) {
        const struct tensor *tensor = &layout->tensor[t];
        if (tensor->segment != segment) continue;
        const uint64_t size = (uint64_t)tensor->rows * tensor->cols;
        for (uint64_t i = 0; i < size && n > 0; i++, n--) bits_set(keep, tensor->offset + i);
    }
}

/* kept[s]: of layer s. A layer that has no segment is pruned away, or a block that is not served.
 */
static void count_kept(uint64_t kept[static LAYOUT_SEGMENTS_MAX], const struct verify *v,
                       const struct plan *plan)
{
    const struct study *study = &v->study;
    const bool served = study->allocation.mode == STUDY_ALLOCATION_NONE;
    const bool whole = plan->step != STEP_TRAIN || study->pruning.mode == STUDY_PRUNING_NONE;
    for (uint32_t s = 0; s < v->layout.n_segments; s++) {
        const uint64_t all = layout_segment_size(&v->layout, s, NULL);
        kept[s] = whole || !served ? all : 0;
        for (uint32_t l = 0; l < plan->n_segments && !whole; l++)
            if (strcmp(plan->segment[l].name, v->layout.segment[s]) == 0)
                kept[s] = kept_of(study, all, plan->segment[l].dim);
    }
}

/* With an adaptive clip the grid is that of a clip which the model alone tells. */
static bool is_adaptive(const struct verify *v, const struct plan *plan)
{
    return plan->step == STEP_TRAIN && v->schedule.clip.noise > 0;
}

static enum status check_grid(struct verify *v, const struct fact *f,
                              const uint64_t kept[static LAYOUT_SEGMENTS_MAX])
{
    AUTO(bits_free) struct bits keep = {0};
    TRY(bits_new(&keep, v->layout.n));
    for (uint32_t s = 0; s < v->layout.n_segments; s++) keep_first(&keep, &v->layout, s, kept[s]);
    const enum reason why = schedule_check(&v->schedule, &f->plan, &keep, 0);
    const bool unknown = is_adaptive(v, &f->plan) && (why == REASON_RING || why == REASON_NOISE);
    if (why == REASON_MEMORY) return STATUS_NOMEM;
    if (why != REASON_NONE && !unknown)
        verify_fault(v, CHECK_GRID, f->from, f->round, "%s: %s", reason_id(why), reason_what(why));
    return STATUS_OK;
}

/* Whether a round trains what is pruned too, so that PruneFL can choose anew from its sum. */
static bool sees_all(const struct verify *v, const struct plan *plan)
{
    return v->study.pruning.mask == STUDY_MASK_PRUNEFL && plan->step == STEP_TRAIN &&
           schedule_refinements(&v->study, plan->step_number + 1) >
               schedule_refinements(&v->study, plan->step_number);
}

/* Whether what is kept may be chosen anew after a round. */
static bool chooses(const struct verify *v, const struct fact *f)
{
    return (f->opened && (f->plan.step == STEP_EXPLORE || f->plan.step == STEP_VOTE)) ||
           sees_all(v, &f->plan);
}

enum status verify_grid(struct verify *v)
{
    uint64_t kept[LAYOUT_SEGMENTS_MAX] = {0}, before[LAYOUT_SEGMENTS_MAX] = {0};
    uint64_t all[LAYOUT_SEGMENTS_MAX] = {0};
    json_int_t adaptive = 0;
    bool known = false; /* before is what a round trains that this one goes on from */
    for (uint32_t s = 0; s < v->layout.n_segments; s++)
        all[s] = layout_segment_size(&v->layout, s, NULL);
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct fact *f = &v->fact[i];
        count_kept(kept, v, &f->plan);
        TRY(check_grid(v, f, kept));
        adaptive += is_adaptive(v, &f->plan);
        if (f->plan.step == STEP_TRAIN && v->study.allocation.mode == STUDY_ALLOCATION_NONE) {
            const bool whole = sees_all(v, &f->plan);
            if (whole && memcmp(kept, all, sizeof kept) != 0)
                verify_fault(v, CHECK_GRID, f->from, f->round,
                             "it leaves out coordinates that are to be chosen from its sum");
            if (known && !whole && memcmp(kept, before, sizeof kept) != 0)
                verify_fault(v, CHECK_GRID, f->from, f->round,
                             "it keeps another number of coordinates than the round before, and "
                             "nothing was opened that chooses them anew");
            memcpy(before, kept, sizeof before);
            known = true;
        }
        if (chooses(v, f)) known = false;
    }
    verify_holds(
        v, CHECK_GRID,
        json_pack("{s:I, s:I}", "plans", (json_int_t)v->n_facts, "adaptive", adaptive),
        "%zu plans have the segments, rounding unit, norm bound and ring that follow from "
        "the study for as many kept coordinates; of %lld only the segments were looked at, "
        "for their clip adapts",
        v->n_facts, (long long)adaptive);
    return STATUS_OK;
}
