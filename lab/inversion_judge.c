/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "lab/inversion.h"

const char *inversion_stage_name(unsigned stage)
{
    static const char *const name[INVERSION_STAGES] = {[CAPTURE_PLAIN] = "plain",
                                                       [CAPTURE_MASKED] = "masked",
                                                       [CAPTURE_NOISED] = "noised",
                                                       [CAPTURE_SUM] = "sum",
                                                       [INVERSION_NOISE] = "noise"};
    return name[stage];
}

/* The rows of a stage, apart. */
struct columns {
    double *rise, *other; /* above the floor, of members and of others */
    double *psnr, *floor; /* of members */
    size_t members, others;
};

static void columns_free(struct columns *c)
{
    free(c->rise);
    free(c->other);
    free(c->psnr);
    free(c->floor);
}

static enum status columns_of(struct columns *c, const struct inversion_stage *stage)
{
    c->rise = calloc(stage->n + 1, sizeof *c->rise);
    c->other = calloc(stage->n + 1, sizeof *c->other);
    c->psnr = calloc(stage->n + 1, sizeof *c->psnr);
    c->floor = calloc(stage->n + 1, sizeof *c->floor);
    if (c->rise == NULL || c->other == NULL || c->psnr == NULL || c->floor == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < stage->n; i++) {
        const struct inversion_row *row = &stage->row[i];
        const double rise = likeness_gain(&row->likeness) - row->chance;
        if (!row->member) {
            c->other[c->others++] = rise;
            continue;
        }
        c->rise[c->members] = rise;
        c->psnr[c->members] = row->likeness.psnr;
        c->floor[c->members++] = row->likeness.guess + row->chance;
    }
    return STATUS_OK;
}

static double largest(const double *value, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, value[i]);
    return most;
}

static enum status judge_stage(struct inversion_stage *stage)
{
    AUTO(columns_free) struct columns c = {0};
    TRY(columns_of(&c, stage));
    stage->members = c.members;
    stage->psnr = likeness_mean(c.psnr, c.members);
    stage->floor = likeness_mean(c.floor, c.members);
    stage->best = largest(c.psnr, c.members);
    stage->found = 0;
    for (size_t i = 0; i < c.members; i++) stage->found += c.rise[i] > INVERSION_DB;
    TRY(likeness_compare(&stage->p, c.rise, c.members, c.other, c.others));
    stage->above = stage->p < INVERSION_ALARM ||
                   largest(c.rise, c.members) > largest(c.other, c.others) + INVERSION_DB;
    return STATUS_OK;
}

enum status inversion_judge(struct inversion *inversion)
{
    const struct inversion_stage *stage = inversion->stage;
    for (unsigned s = 0; s < INVERSION_STAGES; s++) TRY(judge_stage(&inversion->stage[s]));
    /* The least of so many chances (Bonferroni). */
    inversion->masked_uniform = inversion->uniform * inversion->rounds >= INVERSION_ALARM;
    inversion->finding = FINDING_PASS;
    /* What finds no record without protection is no witness of it. */
    if (!stage[CAPTURE_PLAIN].above || stage[CAPTURE_PLAIN].found == 0 ||
        stage[CAPTURE_SUM].members == 0)
        inversion->finding = FINDING_OPEN;
    if (stage[CAPTURE_MASKED].above || stage[CAPTURE_NOISED].above || stage[CAPTURE_SUM].above ||
        !inversion->masked_uniform)
        inversion->finding = FINDING_FAIL;
    return STATUS_OK;
}
