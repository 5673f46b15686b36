/* SPDX-License-Identifier: Apache-2.0 */
/* A17, the dictionary: the coordinator knows that a site's input is one of a few vectors, and looks
 * for a hash of one of them in what the site sends. */
#include <stdlib.h>
#include <string.h>

#include "client/submit.h"
#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0
#define DIM 64

static const uint64_t dims[1] = {DIM};

/* Every label under which the shipping code hashes (grep for hash_of and hash_start). */
static const char *const labels[] = {
    "bundle",       "course",      "dealers",     "digest",      "header",      "kx-agree",
    "manifest",     "masked",      "merkle-leaf", "merkle-node", "merkle-root", "message",
    "message-tail", "pads",        "place",       "plan",        "position",    "positions",
    "request",      "roster",      "self seed",   "share",       "state",       "study",
    "sum",          "sums",        "survivors",   "taken",       "transcript",  "velocity",
    "SA1-message",  "SA1-confirm",
};

struct scene {
    int32_t input[DIM];
    struct buffer said;       /* everything that the victim sent */
    uint32_t masked[DIM + 1]; /* its vector as it left */
};

static void scene_free(struct scene *scene)
{
    buffer_free(&scene->said);
}

/* Hand the same input over for every site. */
static void give(struct arena *a, const struct scene *scene)
{
    for (uint32_t v = 0; v < a->n; v++) {
        AUTO(encoded_free) struct encoded encoded = {0};
        AUTO(noise_free) struct noise noise = {0};
        AUTO(noised_free) struct noised noised = {0};
        AUTO(outbox_free) struct outbox out = {0};
        CHECK_OK(submit_noise(&noise, &a->session[v], &a->rng));
        CHECK_OK(encoded_new(&encoded, DIM));
        memcpy(encoded.value, scene->input, sizeof scene->input);
        CHECK_OK(noise_add(&noised, &encoded, &noise));
        CHECK_OK(submit_sum(&a->session[v], &noised, a->now_ms, &out));
        for (size_t i = 0; i < out.n_letters; i++) {
            struct buffer copy = {0};
            const struct view letter = blob_view(out.letter[i].bytes);
            write_bytes(&copy, letter.at, letter.n);
            arena_post(a, v, OUTBOX_SERVER, &copy);
        }
    }
}

static bool listen(struct arena *a, struct flight *flight)
{
    struct scene *scene = a->context;
    if (flight->from != VICTIM) return true;
    write_bytes(&scene->said, flight->bytes.at, flight->bytes.n);
    if (flight_kind(flight) != MSG_MASKED) return true;
    struct masked_input masked = {0};
    CHECK_OK(masked_read(&masked, buffer_view(&flight->bytes), &a->round.plan, VICTIM));
    struct reader r = reader_of(masked.body[0]);
    read_packed(&r, scene->masked, DIM + 1, 32);
    return true;
}

/* A round in which the others' inputs are known too, without noise: the easiest case. */
static void play(struct arena *a, struct scene *scene)
{
    a->filter = listen;
    a->context = scene;
    a->plan.grid.sigma = 0;
    arena_begin(a);
    for (uint32_t v = 0; v < a->n; v++) a->has_input[v] = true; /* it is given by hand */
    while (a->round.phase < PHASE_COLLECT || a->n_flights > 0) CHECK(arena_step(a));
    give(a, scene);
    arena_run(a);
}

static bool found(const struct scene *scene, struct view candidate)
{
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        const struct hash hash = hash_of(labels[i], candidate);
        if (memmem(scene->said.at, scene->said.n, hash.bytes, HASH_BYTES) != NULL) return true;
    }
    return memmem(scene->said.at, scene->said.n, candidate.at, candidate.n) != NULL;
}

/* The vector as it is summed, with and without its checksum. */
static bool guessed(const struct scene *scene, const uint32_t *value)
{
    AUTO(buffer_free) struct buffer packed = {0};
    write_packed(&packed, value, DIM + 1, 32);
    CHECK_OK(packed.status);
    const struct view all = buffer_view(&packed);
    return found(scene, all) || found(scene, (struct view){all.at, all.n - sizeof *value});
}

static void what_a_site_sends_confirms_no_guess(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(scene_free) struct scene scene = {0};
    uint32_t right[DIM + 1] = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    for (uint32_t i = 0; i < DIM; i++) {
        scene.input[i] = (int32_t)(i % 2); /* a low entropy that is easily tried out */
        right[i] = i % 2;
        right[DIM] += right[i];
    }
    play(&a, &scene);
    CHECK_NUMBER(PHASE_DONE, a.round.phase);
    CHECK(!guessed(&scene, right));
    CHECK(guessed(&scene, scene.masked)); /* the search finds what is there */
}

/* Equal inputs do not look alike; nor can the coordinator have the second under the first's pads.
 */
static void equal_inputs_look_different(void)
{
    AUTO(arena_close) struct arena a = {0};
    AUTO(scene_free) struct scene scene = {0};
    uint32_t first[DIM + 1];
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    play(&a, &scene);
    memcpy(first, scene.masked, sizeof first);
    AUTO(buffer_free) struct buffer opening = {0};
    arena_opening(&a, &opening);
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_STATUS(STATUS_STATE,
                 session_message(&a.session[VICTIM], buffer_view(&opening), a.now_ms, &out));
    CHECK_REFUSED(REPLAY, a.session[VICTIM].why);
    play(&a, &scene);
    size_t equal = 0;
    for (size_t i = 0; i <= DIM; i++) equal += first[i] == scene.masked[i];
    CHECK(equal <= 2); /* by chance: 65 elements of 32 bits */
}

static void dictionary(void)
{
    RUN(what_a_site_sends_confirms_no_guess);
    RUN(equal_inputs_look_different);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"A17", "hashes that confirm a guessed input", dictionary}};
    return row_main(argc, argv, rows, 1);
}
