/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/booth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/booth_step.h"

/* How much longer than its bias a canary's gradient is, and than the clip at least. */
#define CANARY_LENGTH 1000.0
/* Enough for the hidden unit to be on. */
#define CANARY_BIAS 0x1p-10F
/* How much a wide canary must gain by rounding before it is used in place of narrow ones. */
#define WIDE_GAIN 1.05
/* Idle directions for each canary: what more of them tell of false alarms does not matter. */
#define IDLE_MOST 32u

/* --- what is trained ---------------------------------------------------------------------------
 */

/* Pixels are from 0 to CANARY_LENGTH clips, and one step of plain descent is the training of a
 * site: whatever the optimizer, what it gives is clipped. */
static void set_model(struct study *study, uint32_t coordinates)
{
    const double length = fmax(1, study->privacy.clip) * CANARY_LENGTH;
    study->model.spec = (struct model_spec){.kind = MODEL_MLP,
                                            .channels = 1,
                                            .height = 1,
                                            .width = coordinates - 1,
                                            .classes = 2,
                                            .n_hidden = 1,
                                            .hidden = {1}};
    study->model.pixel_mean = 0;
    study->model.pixel_deviation = 1 / length;
    study->pruning.mode = STUDY_PRUNING_NONE;
    study->allocation.mode = STUDY_ALLOCATION_NONE;
    study->rounds.coordinates = 1;
    study->rounds.local_epochs = 1;
    study->rounds.local_batch = 1;
    study->rounds.local_learning_rate = 1;
    study->rounds.local_optimizer = STUDY_SGD;
    study->rounds.local_momentum = study->rounds.local_decay = study->rounds.local_clip = 0;
    study->rounds.local_rate_decay = 1;
    study->rounds.proximal = 0;
    study->deadlines.release_ms = 0;
}

/* fc1: the pixels' weights, then a bias; fc2: one weight for each class, which pull apart. */
static enum status set_state(struct booth *booth)
{
    const uint32_t pixels = booth->study.model.spec.width;
    TRY(state_new(&booth->state, booth->layout.n));
    booth->state.weight[pixels] = CANARY_BIAS;
    booth->state.weight[pixels + 1] = -1;
    booth->state.weight[pixels + 2] = 1;
    return STATUS_OK;
}

/* Pixels of equal brightness come to lie just above the middle between two grid points, where
 * rounding to the nearest lengthens them most. */
static void choose_width(struct booth *booth)
{
    const struct study *study = &booth->study;
    const struct grid grid = schedule_grid(&booth->plan);
    const double r = grid.scale * study->privacy.clip, pixels = study->model.spec.width;
    booth->width = 1;
    booth->reach = r;
    if (study->privacy.rounding != GRID_NEAREST || schedule_rotates(study, STEP_TRAIN)) return;
    double best = WIDE_GAIN * r;
    for (double half = 0.5; half < r && half < 16; half += 1) {
        const double each = half * (1 + 0x1p-10), wide = fmin(floor(r * r / (each * each)), pixels);
        const double reach = rint(r / sqrt(wide)) * sqrt(wide);
        if (reach <= best) continue;
        best = booth->reach = reach;
        booth->width = (uint32_t)wide;
    }
}

/* --- the round ---------------------------------------------------------------------------------
 */

/* The study's own multiplier, which is calibrated for all of its releases. */
static enum status plan_round(struct booth *booth, const struct study *study, bool sampled,
                              struct settings_error *why)
{
    struct layout layout;
    TRY(layout_of(&layout, &study->model.spec));
    TRY(schedule_of(&booth->schedule, study, &layout, booth->n, why));
    TRY(layout_of(&booth->layout, &booth->study.model.spec));
    booth->schedule.study = &booth->study;
    booth->schedule.layout = &booth->layout;
    AUTO(bits_free) struct bits keep = {0};
    AUTO(bits_free) struct bits cohort = {0};
    TRY(bits_new(&keep, booth->layout.n));
    TRY(bits_new(&cohort, booth->n));
    bits_fill(&keep);
    bits_fill(&cohort);
    const enum status status =
        schedule_plan(&booth->plan, &booth->schedule, STEP_TRAIN, 0, &keep, 0, &cohort);
    if (status == STATUS_RANGE)
        return settings_refuse(why, "secagg", "bits",
                               "bits: the ring is too narrow for a vector of so many coordinates");
    TRY(status);
    if (!sampled) booth->plan.sampling = 1;
    return STATUS_OK;
}

static enum status check_study(const struct study *study, bool sampled, struct settings_error *why)
{
    if (isinf(study->privacy.epsilon))
        return settings_refuse(why, "privacy", "epsilon",
                               "epsilon: .inf adds no noise: there is nothing to audit");
    if (sampled && !(study->privacy.unit == STUDY_PATIENT && study->privacy.sampling < 1))
        return settings_refuse(why, "privacy", "sampling",
                               "sampling: the study draws no sample of its records");
    return STATUS_OK;
}

/* --- keys --------------------------------------------------------------------------------------
 */

static enum status make_manifest(struct booth *booth)
{
    struct manifest *m = &booth->manifest;
    const bool aes = mask_available(MASK_AES256_CTR);
    manifest_begin(m, &booth->study);
    TRY(keyfile_make(&booth->coordinator, "coordinator", &booth->rng));
    member_of(&m->coordinator, &booth->coordinator, aes);
    m->member = calloc(booth->n, sizeof *m->member);
    if (m->member == NULL) return STATUS_NOMEM;
    for (m->n = 0; m->n < booth->n; m->n++) {
        char name[32];
        struct keyfile *key = &booth->site[m->n].key;
        (void)snprintf(name, sizeof name, "site-%u", m->n + 1);
        TRY(keyfile_make(key, name, &booth->rng));
        member_of(&m->member[m->n], key, aes);
    }
    return STATUS_OK;
}

static enum status open_site(struct booth *booth, uint32_t v, bool seeded)
{
    struct booth_site *site = &booth->site[v];
    uint8_t seed[RNG_SEED_BYTES];
    rng_bytes(&booth->rng, seed, sizeof seed);
    if (seeded)
        rng_seeded(&site->rng, seed);
    else
        rng_system(&site->rng);
    const struct session_config config = {.manifest = &booth->manifest,
                                          .self = v,
                                          .identity = site->key.identity,
                                          .slack_ms = 1,
                                          .rng = &site->rng};
    TRY(session_new(&site->session, &config));
    TRY(booth_give_room(booth, v));
    return STATUS_OK;
}

static enum status open_sites(struct booth *booth, const struct booth_settings *settings)
{
    booth->site = calloc(booth->n, sizeof *booth->site);
    if (booth->site == NULL) return STATUS_NOMEM;
    TRY(make_manifest(booth));
    for (uint32_t v = 0; v < booth->n; v++) TRY(open_site(booth, v, settings->seeded));
    return settings->real ? courier_open(&booth->courier, &booth->manifest, &booth->coordinator,
                                         &booth->schedule, COURIER_QUIET_MS)
                          : STATUS_OK;
}

enum status booth_open(struct booth *out, const struct study *study,
                       const struct booth_settings *settings, struct settings_error *why)
{
    struct booth *booth = out;
    REQUIRE(settings->coordinates >= BOOTH_COORDINATES_MIN &&
            settings->coordinates <= BOOTH_COORDINATES_MAX);
    *booth = (struct booth){.study = *study, .n = study->sites.expected, .now_ms = 1000};
    if (settings->seeded)
        rng_numbered(&booth->rng, settings->seed);
    else
        rng_system(&booth->rng);
    TRY(check_study(study, settings->sampled, why));
    set_model(&booth->study, settings->coordinates);
    TRY(plan_round(booth, study, settings->sampled, why));
    TRY(set_state(booth));
    booth->honest = params_honest(&booth->plan.params);
    choose_width(booth);
    booth->n_slots = booth->n_canaries = booth->study.model.spec.width / booth->width;
    if (study->privacy.unit == STUDY_SITE && booth->n_slots > booth->honest) {
        const uint32_t others = booth->n_slots - booth->honest, most = IDLE_MOST * booth->honest;
        booth->n_canaries = booth->honest;
        booth->n_idle = others < most ? others : most;
    }
    return open_sites(booth, settings);
}

void booth_close(struct booth *booth)
{
    courier_free(&booth->courier);
    for (uint32_t v = 0; booth->site != NULL && v < booth->n; v++) {
        struct booth_site *site = &booth->site[v];
        session_free(&site->session);
        local_free(&site->local);
        keyfile_wipe(&site->key);
        rng_wipe(&site->rng);
        noise_free(&site->known);
        buffer_free(&site->letter);
        outbox_free(&site->answer);
    }
    free(booth->site);
    round_free(&booth->round);
    history_free(&booth->history);
    state_free(&booth->state);
    plan_free(&booth->plan);
    manifest_free(&booth->manifest);
    keyfile_wipe(&booth->coordinator);
    rng_wipe(&booth->rng);
    *booth = (struct booth){0};
}

struct release booth_release(const struct booth *booth)
{
    return schedule_release(&booth->plan, schedule_certain(&booth->plan));
}

bool booth_is_honest(const struct booth *booth, uint32_t v)
{
    const uint32_t c = booth->plan.params.c;
    return v >= c && v < c + booth->honest;
}

bool booth_falls_silent(const struct booth *booth, uint32_t v)
{
    return v >= booth->plan.params.c + booth->honest;
}
