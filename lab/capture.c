/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "protocol/schedule.h"

void capture_clear(struct capture *capture)
{
    for (enum capture_stage s = 0; s < CAPTURE_STAGES; s++) noised_free(&capture->value[s]);
    if (capture->record != NULL)
        secret_wipe(capture->record, capture->n_records * sizeof *capture->record);
    free(capture->record);
    free(capture->place);
    free(capture->known);
    *capture = (struct capture){.site = capture->site};
}

void capture_free(struct capture *capture)
{
    capture_clear(capture);
}

/* Of one of the site's layers, what pruning left and the round is about: as client/train.c takes
 * them. */
static enum status find_in_layer(struct capture *capture, const struct plan *plan, uint32_t l,
                                 const struct hash *roster)
{
    const struct layout *layout = &capture->local->model.layout;
    const struct bits *kept = &capture->local->shrunk.kept;
    const uint32_t s = schedule_layer(layout, plan, l);
    if (s == LAYOUT_NONE) return STATUS_RANGE;
    struct pick pick;
    schedule_pick(&pick, plan, l, layout_segment_size(layout, s, kept), roster);
    const uint64_t first = layout_segment_first(layout, s);
    const uint64_t end = first + layout_segment_size(layout, s, NULL);
    for (uint64_t i = first; i < end; i++) {
        if (!bits_has(kept, i) || !pick_next(&pick)) continue;
        capture->known[i] = 1;
        capture->place[capture->n++] = (uint32_t)i;
    }
    return STATUS_OK;
}

static enum status find_places(struct capture *capture, const struct session *session)
{
    const struct plan *plan = &session->plan;
    const size_t n = capture->local->model.layout.n;
    capture->place = calloc(n, sizeof *capture->place);
    capture->known = calloc(n, sizeof *capture->known);
    if (capture->place == NULL || capture->known == NULL) return STATUS_NOMEM;
    for (uint32_t l = 0; l < schedule_layers(plan); l++)
        if (bits_has(&plan->segment[l].members, capture->site))
            TRY(find_in_layer(capture, plan, l, &session->roster_hash));
    return capture->n > 0 ? STATUS_OK : STATUS_RANGE;
}

/* Without its noise, and which records it is made of: those that the site's generator picked. */
static enum status take_plain(struct capture *capture, const struct fleet_input *input)
{
    struct noised *plain = &capture->value[CAPTURE_PLAIN];
    struct local *local = capture->local;
    for (size_t i = 0; i < capture->n; i++)
        plain->value[i] = input->put_in->value[i] - input->noise->value[i];
    struct rng rng = *input->then;
    const bool whole = local->study->privacy.unit == STUDY_SITE;
    capture->n_records = local_sample(local, whole ? 1 : input->site->session.plan.sampling, &rng);
    rng_wipe(&rng);
    capture->record = calloc(capture->n_records + 1, sizeof *capture->record);
    if (capture->record == NULL) return STATUS_NOMEM;
    memcpy(capture->record, local->pick, capture->n_records * sizeof *capture->record);
    return STATUS_OK;
}

static enum status read_masked(struct capture *capture, const struct plan *plan, struct view letter)
{
    struct masked_input masked = {0};
    TRY(masked_read(&masked, letter, plan, capture->site));
    size_t at = 0;
    for (uint32_t l = 0; l < schedule_layers(plan); l++) {
        if (!bits_has(&plan->segment[l].members, capture->site)) continue;
        /* Behind a segment stands its checksum, which no attack needs. */
        AUTO(noised_free) struct noised body = {0};
        TRY(noised_new(&body, plan->segment[l].dim + 1));
        struct reader reader = reader_of(masked.body[l]);
        read_packed(&reader, body.value, body.n, plan->grid.bits);
        TRY(reader_end(&reader));
        memcpy(capture->value[CAPTURE_MASKED].value + at, body.value,
               plan->segment[l].dim * sizeof *body.value);
        at += plan->segment[l].dim;
    }
    return at == capture->n ? STATUS_OK : STATUS_RANGE;
}

enum status capture_watch(void *context, uint32_t site, const struct fleet_input *input)
{
    struct capture *capture = context;
    const struct plan *plan = &input->site->session.plan;
    if (site != capture->site || plan->step != STEP_TRAIN) return STATUS_OK;
    capture_clear(capture);
    capture->local = &input->site->local;
    TRY(find_places(capture, &input->site->session));
    /* A clip's count may stand behind the layers. */
    if (capture->n > input->put_in->n || input->noise->n != input->put_in->n) return STATUS_RANGE;
    for (enum capture_stage s = CAPTURE_PLAIN; s <= CAPTURE_NOISED; s++)
        TRY(noised_new(&capture->value[s], capture->n));
    memcpy(capture->value[CAPTURE_NOISED].value, input->put_in->value,
           capture->n * sizeof *input->put_in->value);
    TRY(take_plain(capture, input));
    TRY(read_masked(capture, plan, input->letter));
    capture->taken = true;
    return STATUS_OK;
}

enum status capture_sum(struct capture *capture, const struct fleet *fleet)
{
    const struct round *round = &fleet->round;
    AUTO(noised_free) struct noised sum = {0};
    if (!capture->taken || round->phase != PHASE_DONE) return STATUS_OK;
    TRY(noised_new(&sum, capture->n));
    size_t at = 0;
    for (uint32_t l = 0; l < schedule_layers(&round->plan); l++) {
        const struct segment *segment = &round->plan.segment[l];
        if (!bits_has(&segment->members, capture->site)) continue;
        if (!bits_has(&round->opened_set, l)) return STATUS_OK;
        memcpy(sum.value + at, round->opened[l].value, segment->dim * sizeof *sum.value);
        at += segment->dim;
    }
    capture->value[CAPTURE_SUM] = sum;
    sum = (struct noised){0};
    return STATUS_OK;
}

/* The next n elements, one segment, as floats. */
static enum status decode_segment(float *out, const struct capture *capture, const uint32_t *value,
                                  const struct round *round, uint32_t l)
{
    const size_t n = round->plan.segment[l].dim;
    AUTO(opened_free) struct opened opened = {0};
    TRY(opened_new(&opened, n));
    memcpy(opened.value, value, n * sizeof *value);
    struct mean mean = {.n = n, .value = out};
    TRY(grid_decode(&mean, &opened, &round->plan.grid, 1));
    if (!schedule_rotates(capture->local->study, round->plan.step)) return STATUS_OK;
    AUTO(rotate_free) struct rotate rotate = {0};
    TRY(schedule_rotate(&rotate, &round->plan, l, &round->roster_hash));
    rotate_back(&rotate, out);
    return STATUS_OK;
}

enum status capture_decode(float *out, const struct capture *capture, const struct noised *value,
                           const struct round *round)
{
    REQUIRE(value->n == capture->n);
    AUTO(mean_free) struct mean all = {0};
    TRY(mean_new(&all, capture->n));
    size_t at = 0;
    for (uint32_t l = 0; l < schedule_layers(&round->plan); l++) {
        if (!bits_has(&round->plan.segment[l].members, capture->site)) continue;
        TRY(decode_segment(all.value + at, capture, value->value + at, round, l));
        at += round->plan.segment[l].dim;
    }
    memset(out, 0, capture->local->model.layout.n * sizeof *out);
    for (size_t i = 0; i < capture->n; i++) out[capture->place[i]] = all.value[i];
    return STATUS_OK;
}
