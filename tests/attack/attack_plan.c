/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that an honest coordinator does not make, given to a whole site: a cipher that it cannot
 * trust or run (A7), a ring that is none (A8) or too narrow (A9). */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dp/noise.h"
#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

static const char policy[] = "min_contributors: 2\nallow_rehearsal: true\n";
#define RECORDS 20
#define LIAR 1

static void open_as(struct hospital *h, const char *study)
{
    CHECK_NUMBER(REASON_NONE, hospital_open(h, study, policy, RECORDS));
}

static void open_hospital(struct hospital *h)
{
    open_as(h, hospital_study);
}

/* What refuses the others is what they change. */
static void an_honest_plan_is_joined(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_hospital(&h);
    CHECK_NUMBER(REASON_NONE, hospital_told(&h, NULL));
    CHECK_NUMBER(SESSION_ROSTER, h.site.session.phase);
}

/* --- A7 --------------------------------------------------------------------------------------- */

/* The test is linked so that it says what the machine can do. */
static bool no_aes;
bool __real_mask_available(enum mask_cipher cipher);
bool __wrap_mask_available(enum mask_cipher cipher);
bool __wrap_mask_available(enum mask_cipher cipher)
{
    return !(no_aes && cipher == MASK_AES256_CTR) && __real_mask_available(cipher);
}

static unsigned cipher;
static void set_cipher(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->cipher = cipher;
}

static void a_generator_that_the_study_does_not_name_is_refused(void)
{
    for (cipher = MASK_AES256_CTR; cipher < 256; cipher++) {
        AUTO(hospital_close) struct hospital h = {0};
        if (cipher > MASK_CIPHERS + 1 && cipher < 255) continue;
        open_hospital(&h);
        CHECK_REFUSED(CIPHER, hospital_told(&h, set_cipher));
    }
}

static void a_generator_that_the_machine_lacks_is_refused(void)
{
    char study[1024];
    (void)snprintf(study, sizeof study, "%ssecagg: {cipher: aes256-ctr}\n", hospital_study);
    AUTO(hospital_close) struct hospital h = {0};
    open_as(&h, study);
    h.arena.plan.cipher = MASK_CHACHA20; /* for the arena's own machines */
    cipher = MASK_AES256_CTR;
    no_aes = true;
    CHECK_REFUSED(CIPHER, hospital_told(&h, set_cipher));
    no_aes = false;
}

/* Everything else is equal, and the keys are not. */
static void seeds_come_from_the_system(void)
{
    struct kx_pair first = {0};
    for (int i = 0; i < 2; i++) {
        AUTO(hospital_close) struct hospital h = {0};
        open_hospital(&h);
        CHECK_NUMBER(REASON_NONE, hospital_told(&h, NULL));
        CHECK(memcmp(&first, &h.site.session.mask_pair, sizeof first) != 0);
        first = h.site.session.mask_pair;
    }
}

/* A generator that was never keyed gives zeros to nobody. */
static void a_generator_without_a_seed_stops_the_program(void)
{
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        struct rng rng = {0};
        (void)!freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL);
        (void)rng_u64(&rng);
        _exit(0);
    }
    int end = 0;
    CHECK(waitpid(child, &end, 0) == child);
    CHECK(!(WIFEXITED(end) && WEXITSTATUS(end) == 0));
}

static void generator(void)
{
    RUN(an_honest_plan_is_joined);
    RUN(a_generator_that_the_study_does_not_name_is_refused);
    RUN(a_generator_that_the_machine_lacks_is_refused);
    RUN(seeds_come_from_the_system);
    RUN(a_generator_without_a_seed_stops_the_program);
}

/* --- A8 --------------------------------------------------------------------------------------- */

static unsigned bits;
static void set_bits(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->grid.bits = bits;
}

/* A plan has a byte for the ring: of its values none but the study's is accepted, and none at all
 * says anything but a power of two. */
static void no_ring_but_the_studys_is_accepted(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_hospital(&h);
    for (bits = 0; bits < 256; bits++) {
        const enum reason why = hospital_told(&h, set_bits);
        if (bits == 32)
            CHECK_NUMBER(REASON_NONE, why);
        else if (bits < GRID_BITS_MIN || bits > GRID_BITS_MAX)
            CHECK_REFUSED(FORMAT, why);
        else
            CHECK_REFUSED(RING, why);
    }
}

static double scale;
static void set_scale(struct arena *a, void *content)
{
    (void)a;
    struct grid *grid = &((struct plan *)content)->grid;
    grid->scale = scale > 0 ? grid->scale * scale : scale;
}

static void a_grid_that_is_not_whole_is_refused(void)
{
    static const struct {
        double scale;
        bool malformed;
    } grids[] = {{1.5, false}, {0.5, false}, {2, false},
                 {0, true},    {-1, true},   {(double)NAN, true}};
    AUTO(hospital_close) struct hospital h = {0};
    open_hospital(&h);
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        scale = grids[i].scale;
        const enum reason why = hospital_told(&h, set_scale);
        if (grids[i].malformed)
            CHECK_REFUSED(FORMAT, why);
        else
            CHECK_REFUSED(RING, why);
    }
}

static void pads_outside_a_ring_are_not_grown(void)
{
    static const unsigned widths[] = {0, MASK_BITS_MAX + 1, 64};
    const struct pad pad = {.sign = 1};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        AUTO(noised_free) struct noised in = {0};
        AUTO(masked_free) struct masked out = {0};
        const struct mask_how how = {.bits = widths[i]};
        CHECK_OK(noised_new(&in, 4));
        CHECK_STATUS(STATUS_RANGE, mask_add(&out, &in, &pad, 1, &how, 0));
    }
}

static void ring(void)
{
    RUN(no_ring_but_the_studys_is_accepted);
    RUN(a_grid_that_is_not_whole_is_refused);
    RUN(pads_outside_a_ring_are_not_grown);
}

/* --- A9 --------------------------------------------------------------------------------------- */

static void raise_cap(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->grid.cap *= 2;
}

static void raise_noise(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->grid.sigma = NOISE_SIGMA_MAX;
}

static void a_sum_that_could_wrap_is_not_planned(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    open_hospital(&h);
    CHECK_REFUSED(RING, hospital_told(&h, raise_cap));
    CHECK_REFUSED(RING, hospital_told(&h, raise_noise));
    h.site.session.config.judge = NULL; /* the study apart, the protocol refuses it too */
    CHECK_REFUSED(RING, hospital_told(&h, raise_cap));
    CHECK_REFUSED(RING, hospital_told(&h, raise_noise));
}

/* A site adds half of the ring to an element that it has masked already. */
static bool push_out(struct arena *a, struct flight *flight)
{
    if (!flight_is(flight, MSG_MASKED, LIAR)) return true;
    uint32_t value[5];
    struct masked_input masked = {0};
    struct digest digest = {0};
    AUTO(buffer_free) struct buffer body = {0}, head = {0}, letter = {0};
    CHECK_OK(masked_read(&masked, buffer_view(&flight->bytes), &a->round.plan, LIAR));
    CHECK_OK(digest_read(&digest, masked.digest, a->manifest.member[LIAR].identity));
    struct reader r = reader_of(masked.body[0]);
    read_packed(&r, value, 5, 32);
    value[0] ^= UINT32_C(1) << 31;
    write_packed(&body, value, 5, 32);
    masked.body[0] = buffer_view(&body);
    digest.segment[0] = masked_digest(masked.body[0]);
    digest_write(&head, &digest, a->key[LIAR].identity);
    masked.digest = buffer_view(&head);
    masked_write(&letter, &masked);
    buffer_free(&flight->bytes);
    flight->bytes = letter;
    letter = (struct buffer){0};
    return true;
}

static void a_value_that_wraps_contradicts_the_checksum(void)
{
    static const uint64_t dims[1] = {4};
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    a.filter = push_out;
    arena_begin(&a);
    arena_run(&a);
    CHECK_REFUSED(CHECKSUM, a.round.why);
    CHECK_NUMBER(PHASE_FAILED, a.round.phase);
    CHECK_NUMBER(0, a.round.opened[0].n);
}

static void wrap(void)
{
    RUN(a_sum_that_could_wrap_is_not_planned);
    RUN(a_value_that_wraps_contradicts_the_checksum);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A7", "weak or unknown generator of pads", generator},
        {"A8", "masks that are not whole numbers of a ring", ring},
        {"A9", "a sum that wraps", wrap},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
