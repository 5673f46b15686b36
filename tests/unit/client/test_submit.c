/* SPDX-License-Identifier: Apache-2.0 */
#include "client/submit.h"

#include <string.h>

#include "protocol/pads.h"
#include "protocol/removal.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/client/world.h"

enum { MOST = 1000 };

/* All sites of a plan as they stand when they have checked each other's shares: every pair has a
 * secret, every site a seed of its own for each segment. */
struct ring {
    struct world world;
    struct manifest manifest;
    struct rng rng;
    uint8_t identity[SIGN_SEED_BYTES];
    struct session session[WORLD_SITES];
};

static void ring_close(struct ring *ring)
{
    for (size_t v = 0; v < WORLD_SITES; v++) session_free(&ring->session[v]);
    world_close(&ring->world);
}

/* How the sites of a plan mask. */
struct way {
    uint32_t sigma, degree;
    enum mask_cipher cipher;
    unsigned threads;
};

/* Site 4 is no member of segment 1. */
static void ring_open(struct ring *ring, const struct way *way)
{
    *ring = (struct ring){.manifest = {.n = WORLD_SITES}};
    world_open(&ring->world, STUDY_PATIENT, MODEL_MLP, STEP_TRAIN, STUDY_PRUNING_PRIVATE, 1);
    ring->world.plan.grid.sigma = way->sigma;
    ring->world.plan.cipher = way->cipher;
    bits_clear(&ring->world.plan.segment[1].members, 4);
    rng_numbered(&ring->rng, 1);
    const struct hash order = {{1}};
    for (uint32_t v = 0; v < WORLD_SITES; v++) {
        struct session *s = &ring->session[v];
        const struct session_config config = {.manifest = &ring->manifest,
                                              .self = v,
                                              .identity = ring->identity,
                                              .threads = way->threads,
                                              .rng = &ring->rng};
        CHECK_OK(session_new(s, &config));
        CHECK_OK(plan_copy(&s->plan, &ring->world.plan));
        CHECK_OK(bits_copy(&s->dealers, &s->plan.cohort));
        for (uint32_t l = 0; l < s->plan.n_segments; l++)
            CHECK_OK(graph_new(&s->pads[l], &s->plan.segment[l].members, way->degree, &order));
        rng_bytes(&ring->rng, s->self_seed, sizeof s->self_seed);
        s->phase = SESSION_INPUT;
        for (uint32_t u = 0; u < v; u++) {
            rng_bytes(&ring->rng, s->peer[u].shared, KX_SHARED_BYTES);
            memcpy(ring->session[u].peer[v].shared, s->peer[u].shared, KX_SHARED_BYTES);
        }
    }
}

/* Coordinates of a site's segments. */
static size_t ring_size(const struct ring *ring, uint32_t site)
{
    size_t n = 0;
    for (uint32_t l = 0; l < ring->world.plan.n_segments; l++)
        if (bits_has(&ring->world.plan.segment[l].members, site))
            n += ring->world.plan.segment[l].dim;
    return n;
}

/* A site's sum: coordinate i is i + 100 (site + 1), every third one negative. */
static void make_sum(struct encoded *out, size_t n, uint32_t site)
{
    CHECK_OK(encoded_new(out, n));
    for (size_t i = 0; i < n; i++)
        out->value[i] = ((int32_t)i + 100 * ((int32_t)site + 1)) * (i % 3 == 0 ? -1 : 1);
}

/* Add what a site sent to the totals, its own pad taken away. */
static void collect(uint32_t (*total)[MOST], const struct session *s, const struct plan *plan,
                    uint8_t (*seed)[SHARE_BYTES], struct view message)
{
    struct masked_input input = {0};
    CHECK_OK(masked_read(&input, message, plan, s->config.self));
    for (uint32_t l = 0; l < plan->n_segments; l++) {
        if (!bits_has(&plan->segment[l].members, s->config.self)) continue;
        const size_t n = plan->segment[l].dim + 1;
        AUTO(total_free) struct total sent = {0};
        AUTO(opened_free) struct opened opened = {0};
        CHECK_OK(total_new(&sent, n));
        struct reader r = reader_of(input.body[l]);
        read_packed(&r, sent.value, n, plan->grid.bits);
        struct pad pad = {0};
        const struct hash none = {0};
        pads_self(&pad, seed[l], &none, &none, l);
        const struct mask_how how = {.cipher = plan->cipher, .bits = plan->grid.bits};
        CHECK_OK(mask_take(&opened, &sent, &pad, 1, &how, 0));
        for (size_t i = 0; i < n; i++) total[l][i] += opened.value[i];
    }
}

/* What all sites send adds up to what they put in, segment by segment, checksums included. */
static void pads_cancel_between_the_members_of_a_segment(const struct way *way)
{
    AUTO(ring_close) struct ring ring = {0};
    ring_open(&ring, way);
    const struct plan *plan = &ring.world.plan;
    static uint32_t total[MSG_SEGMENTS_MAX][MOST], want[MSG_SEGMENTS_MAX][MOST];
    memset(total, 0, sizeof total);
    memset(want, 0, sizeof want);
    size_t noisy = 0;
    for (uint32_t v = 0; v < WORLD_SITES; v++) {
        struct session *s = &ring.session[v];
        uint8_t seed[MSG_SEGMENTS_MAX][SHARE_BYTES];
        memcpy(seed, s->self_seed, sizeof seed);
        AUTO(encoded_free) struct encoded sum = {0};
        AUTO(noised_free) struct noised put_in = {0};
        AUTO(outbox_free) struct outbox out = {0};
        make_sum(&sum, ring_size(&ring, v), v);
        AUTO(noise_free) struct noise noise = {0};
        CHECK_OK(submit_noise(&noise, s, &ring.rng));
        CHECK_OK(noise_add(&put_in, &sum, &noise));
        CHECK_OK(submit_sum(s, &put_in, 7, &out));
        CHECK_NUMBER(SESSION_SURVIVORS, s->phase);
        CHECK_NUMBER(1, out.n_letters);
        CHECK_NUMBER(1, out.n_entries);
        CHECK_NUMBER(sum.n, put_in.n);
        for (size_t i = 0; i < sum.n; i++) noisy += put_in.value[i] != (uint32_t)sum.value[i];
        collect(total, s, plan, seed, blob_view(out.letter[0].bytes));
        size_t at = 0;
        for (uint32_t l = 0; l < plan->n_segments; l++) {
            if (!bits_has(&plan->segment[l].members, v)) continue;
            for (size_t i = 0; i < plan->segment[l].dim; i++) {
                want[l][i] += put_in.value[at];
                want[l][plan->segment[l].dim] += put_in.value[at++];
            }
        }
    }
    CHECK(memcmp(total, want, sizeof total) == 0);
    CHECK((noisy > 0) == (way->sigma > 0));
}

static void without_noise_the_sum_of_the_sums_comes_out(void)
{
    pads_cancel_between_the_members_of_a_segment(&(struct way){0});
}

static void with_noise_the_sum_of_what_was_put_in_comes_out(void)
{
    pads_cancel_between_the_members_of_a_segment(&(struct way){.sigma = 50});
}

static void it_comes_out_along_a_ring_and_with_threads(void)
{
    pads_cancel_between_the_members_of_a_segment(&(struct way){.degree = 2, .threads = 3});
}

static void it_comes_out_with_every_cipher(void)
{
    for (enum mask_cipher cipher = 0; cipher < MASK_CIPHERS; cipher++)
        if (mask_available(cipher))
            pads_cancel_between_the_members_of_a_segment(&(struct way){.cipher = cipher});
}

static void a_sum_of_another_size_is_refused_and_nothing_is_sent(void)
{
    AUTO(ring_close) struct ring ring = {0};
    ring_open(&ring, &(struct way){0});
    for (uint32_t v = 3; v < WORLD_SITES; v++) {
        const size_t n = ring_size(&ring, v);
        for (size_t wrong = n - 1; wrong <= n + 1; wrong += 2) {
            AUTO(noised_free) struct noised sum = {0};
            CHECK_OK(noised_new(&sum, wrong));
            struct outbox out = {0};
            CHECK_STATUS(STATUS_RANGE, submit_sum(&ring.session[v], &sum, 7, &out));
            CHECK(out.n_letters == 0 && out.n_entries == 0);
            CHECK_NUMBER(SESSION_INPUT, ring.session[v].phase);
        }
    }
}

static void noise_is_as_the_plan_says(void)
{
    AUTO(ring_close) struct ring ring = {0};
    ring_open(&ring, &(struct way){.sigma = 50});
    struct session *s = &ring.session[0];
    for (enum noise_sampler sampler = 0; sampler < NOISE_SAMPLERS; sampler++) {
        AUTO(noise_free) struct noise got = {0};
        AUTO(noise_free) struct noise want = {0};
        s->plan.sampler = sampler;
        rng_numbered(&ring.rng, 9);
        CHECK_OK(submit_noise(&got, s, &ring.rng));
        rng_numbered(&ring.rng, 9);
        CHECK_OK(noise_draw(&want, ring_size(&ring, 0), 50, sampler, &ring.rng));
        CHECK_NUMBER(want.n, got.n);
        CHECK_BYTES(want.value, got.value, want.n * sizeof *want.value);
    }
}

/* All sites in all segments, and one of them may drop out. */
static void make_removable(struct session *s)
{
    bits_set(&s->plan.segment[1].members, 4);
    s->plan.removable = (uint32_t)bits_count(&s->plan.cohort) - s->plan.params.quorum;
    CHECK_NUMBER(1, s->plan.removable);
    s->noise_seed[0] = 7;
}

static void noise_has_all_its_parts_before_any_is_taken_away(void)
{
    AUTO(ring_close) struct ring ring = {0};
    ring_open(&ring, &(struct way){.sigma = 50});
    struct session *s = &ring.session[0];
    make_removable(s);
    struct xnoise parts;
    CHECK_OK(removal_parts(&parts, &s->plan));
    AUTO(noise_free) struct noise got = {0}, base = {0}, part = {0};
    rng_numbered(&ring.rng, 9);
    CHECK_OK(submit_noise(&got, s, &ring.rng));
    rng_numbered(&ring.rng, 9);
    CHECK_OK(noise_draw(&base, ring_size(&ring, 0), parts.sigma[0], NOISE_EXACT, &ring.rng));
    CHECK_OK(
        removal_draw(&part, base.n, parts.sigma[1], s->noise_seed, &s->plan_hash, &s->roster_hash));
    CHECK_NUMBER(base.n, got.n);
    for (size_t i = 0; i < base.n; i++) CHECK(got.value[i] == base.value[i] + part.value[i]);
    CHECK_NUMBER(7, s->noise_seed[0]); /* it is needed for nothing else, but is the session's */
}

static void a_plan_without_a_sampler_or_a_segment_of_the_site_is_refused(void)
{
    AUTO(ring_close) struct ring ring = {0};
    ring_open(&ring, &(struct way){.sigma = 50});
    struct session *s = &ring.session[0];
    struct noise noise = {0};
    s->plan.sampler = NOISE_SAMPLERS;
    CHECK_STATUS(STATUS_RANGE, submit_noise(&noise, s, &ring.rng));
    s->plan.sampler = NOISE_EXACT;
    s->plan.removable = 2;
    CHECK_STATUS(STATUS_RANGE, submit_noise(&noise, s, &ring.rng));
    s->plan.removable = 0;
    for (uint32_t l = 0; l < s->plan.n_segments; l++) bits_clear(&s->plan.segment[l].members, 0);
    CHECK_STATUS(STATUS_RANGE, submit_noise(&noise, s, &ring.rng));
    CHECK(noise.value == NULL);
}

static void memory_may_end_anywhere(void)
{
    OOM_EACH {
        oom_stop();
        AUTO(ring_close) struct ring ring = {0};
        ring_open(&ring, &(struct way){.sigma = 50});
        make_removable(&ring.session[0]);
        AUTO(noise_free) struct noise noise = {0};
        AUTO(noised_free) struct noised put_in = {0};
        AUTO(outbox_free) struct outbox out = {0};
        CHECK_OK(noised_new(&put_in, ring_size(&ring, 0)));
        oom_resume();
        enum status status = submit_noise(&noise, &ring.session[0], &ring.rng);
        if (status == STATUS_OK) status = submit_sum(&ring.session[0], &put_in, 7, &out);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((out.n_letters == 0) == (status != STATUS_OK));
    }
}

int main(void)
{
    RUN(without_noise_the_sum_of_the_sums_comes_out);
    RUN(with_noise_the_sum_of_what_was_put_in_comes_out);
    RUN(it_comes_out_along_a_ring_and_with_threads);
    RUN(it_comes_out_with_every_cipher);
    RUN(a_sum_of_another_size_is_refused_and_nothing_is_sent);
    RUN(noise_is_as_the_plan_says);
    RUN(noise_has_all_its_parts_before_any_is_taken_away);
    RUN(a_plan_without_a_sampler_or_a_segment_of_the_site_is_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
