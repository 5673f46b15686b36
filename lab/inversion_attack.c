/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/inversion_step.h"

/* All that the attacks of one round share. */
struct scene {
    struct inversion *inversion;
    const struct capture *capture;
    const struct round *round;
    struct rng *rng;
    float *record;    /* one, as pixels in [0, 1] */
    float *vector;    /* of the model */
    size_t noise_row; /* the first of this round in the stage of noise */
};

static void keep_picture(struct inversion_stage *stage, const struct scene *scene,
                         const struct gallery *pictures, size_t best)
{
    const size_t floats = pictures->floats;
    if (stage->shown == INVERSION_SHOWN) return;
    const size_t at = floats * stage->shown++;
    memcpy(stage->original.pixel + at, scene->record, floats * sizeof(float));
    memcpy(stage->picture.pixel + at, pictures->pixel + best * floats, floats * sizeof(float));
}

/* Row k of this round and stage. */
static void compare(struct inversion_stage *stage, const struct scene *scene, size_t k,
                    const struct gallery *pictures, const struct dataset *data, uint32_t record)
{
    const struct inversion_stage *noise = &scene->inversion->stage[INVERSION_NOISE];
    const bool member = k < scene->capture->n_records;
    data_floats(scene->record, data, record, 1, 0, 1);
    const struct likeness likeness = likeness_of(scene->record, scene->inversion->guess, pictures);
    stage->row[stage->n++] = (struct inversion_row){
        .round = scene->round->plan.round,
        .record = record,
        .member = member,
        .likeness = likeness,
        .chance =
            likeness_gain(stage == noise ? &likeness : &noise->row[scene->noise_row + k].likeness)};
    if (member) keep_picture(stage, scene, pictures, likeness.best);
}

static enum status make_room(struct inversion_stage *stage, const struct scene *scene)
{
    const size_t more = scene->capture->n_records + INVERSION_OTHERS;
    struct inversion_row *row = realloc(stage->row, (stage->n + more) * sizeof *row);
    if (row == NULL) return STATUS_NOMEM;
    stage->row = row;
    if (stage->original.n > 0) return STATUS_OK;
    const size_t floats = dataset_floats(&scene->inversion->other);
    TRY(gallery_new(&stage->original, INVERSION_SHOWN, floats));
    return gallery_new(&stage->picture, INVERSION_SHOWN, floats);
}

static enum status make_pictures(struct gallery *out, const struct scene *scene)
{
    const struct capture *c = scene->capture;
    if (leak_by_formula(&c->local->model.spec))
        return leak_dense(out, c->local, scene->vector, c->known);
    return leak_match(out, c->local, scene->vector, c->known, c->n_records,
                      scene->inversion->options.steps, scene->rng);
}

static enum status attack_stage(const struct scene *scene, unsigned s, const struct noised *value)
{
    const struct inversion *inversion = scene->inversion;
    struct inversion_stage *stage = &scene->inversion->stage[s];
    const struct capture *capture = scene->capture;
    AUTO(gallery_free) struct gallery pictures = {0};
    TRY(make_room(stage, scene));
    TRY(capture_decode(scene->vector, capture, value, scene->round));
    TRY(make_pictures(&pictures, scene));
    size_t k = 0;
    for (; k < capture->n_records; k++)
        compare(stage, scene, k, &pictures, &capture->local->data, capture->record[k]);
    const size_t first = (size_t)inversion->rounds * INVERSION_OTHERS;
    for (size_t i = 0; i < INVERSION_OTHERS; i++, k++)
        compare(stage, scene, k, &pictures, &inversion->other,
                (uint32_t)((first + i) % inversion->other.n));
    return STATUS_OK;
}

static enum status attack_noise(const struct scene *scene)
{
    AUTO(noised_free) struct noised noise = {0};
    TRY(noised_new(&noise, scene->capture->n));
    rng_bytes(scene->rng, noise.value, noise.n * sizeof *noise.value);
    return attack_stage(scene, INVERSION_NOISE, &noise);
}

enum status inversion_attack(struct inversion *inversion, const struct capture *capture,
                             const struct round *round, struct rng *rng)
{
    const struct noised *masked = &capture->value[CAPTURE_MASKED];
    AUTO(inversion_release)
    float *record = calloc(dataset_floats(&inversion->other), sizeof *record);
    AUTO(inversion_release)
    float *vector = calloc(capture->local->model.layout.n, sizeof *vector);
    if (record == NULL || vector == NULL) return STATUS_NOMEM;
    const struct scene scene = {.inversion = inversion,
                                .capture = capture,
                                .round = round,
                                .rng = rng,
                                .record = record,
                                .vector = vector,
                                .noise_row = inversion->stage[INVERSION_NOISE].n};
    TRY(attack_noise(&scene));
    for (unsigned s = 0; s < CAPTURE_STAGES; s++)
        if (capture->value[s].n > 0) TRY(attack_stage(&scene, s, &capture->value[s]));
    inversion->uniform =
        fmin(inversion->uniform, likeness_uniform(masked->value, masked->n, round->plan.grid.bits));
    inversion->rounds++;
    return STATUS_OK;
}
