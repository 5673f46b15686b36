/* SPDX-License-Identifier: Apache-2.0 */
/* A2, sybils: the coordinator puts sites that it made up, or keys of its own, into the roster, or
 * its accomplices around a site on the ring.
 * A20, keys of low order, or one key twice, to make a pair secret known. */
#include <stdlib.h>
#include <string.h>

#include "tests/attack/row.h"
#include "tests/lib/forge.h"

#define VICTIM 0
#define SYBIL 3

static const uint64_t dims[1] = {4};

/* What the coordinator puts into SYBIL's place. */
static struct advert fake;
static const struct keyfile *signer;
static uint8_t spare[1024];

static void replace_advert(struct arena *a, void *content)
{
    struct roster *roster = content;
    struct advert advert = {0};
    CHECK_OK(advert_read(&advert, roster->advert[SYBIL], a->manifest.member[SYBIL].identity));
    const struct advert honest = advert;
    memcpy(advert.mask_key, fake.mask_key, KX_PUBLIC_BYTES);
    memcpy(advert.enc_key, fake.enc_key, KX_PUBLIC_BYTES);
    advert.from = fake.from;
    static const uint8_t keep[KX_PUBLIC_BYTES] = {'k'};
    if (memcmp(fake.mask_key, keep, sizeof keep) == 0)
        memcpy(advert.mask_key, honest.mask_key, sizeof keep);
    if (memcmp(fake.enc_key, keep, sizeof keep) == 0)
        memcpy(advert.enc_key, honest.enc_key, sizeof keep);
    AUTO(buffer_free) struct buffer bytes = {0};
    advert_write(&bytes, &advert, signer->identity);
    memcpy(spare, bytes.at, bytes.n);
    roster->advert[SYBIL] = (struct view){spare, bytes.n};
}

static enum reason refusal(void)
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 5, 1, 2, 1, dims, NULL, 32, 1);
    if (signer == NULL) signer = &a.key[SYBIL];
    struct forgery forgery = {.kind = MSG_ROSTER, .site = VICTIM, .change = replace_advert};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    arena_run(&a);
    CHECK(forgery.done);
    CHECK(!bits_has(&a.round.dealers, VICTIM)); /* not one share was sent */
    signer = NULL;
    return a.last_refusal[VICTIM];
}

static void set_fake(uint32_t from, uint8_t mask, uint8_t enc)
{
    fake = (struct advert){.from = from};
    fake.mask_key[0] = mask;
    fake.enc_key[0] = enc;
}

static void keys_that_the_coordinator_made_up_are_refused(void)
{
    static struct keyfile stranger;
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    CHECK_OK(keyfile_make(&stranger, "sybil", &rng));
    signer = &stranger;
    set_fake(SYBIL, 9, 8);
    CHECK_REFUSED(SIGNATURE, refusal());
}

static void one_enrolled_site_does_not_stand_for_two(void)
{
    set_fake(SYBIL - 1, 9, 8);
    CHECK_REFUSED(MEMBER, refusal());
}

/* The points whose multiples are zero (RFC 7748, section 6.1), and their second encodings. */
static void keys_of_low_order_are_refused(void)
{
    static const uint8_t low[][KX_PUBLIC_BYTES] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    };
    for (size_t i = 0; i < sizeof low / sizeof *low; i++) {
        set_fake(SYBIL, 'k', 'k');
        memcpy(fake.mask_key, low[i], KX_PUBLIC_BYTES);
        CHECK_REFUSED(ROSTER, refusal());
        set_fake(SYBIL, 'k', 'k');
        memcpy(fake.enc_key, low[i], KX_PUBLIC_BYTES);
        CHECK_REFUSED(ROSTER, refusal());
    }
}

static void one_key_in_two_places_is_refused(void)
{
    set_fake(SYBIL, 9, 9);
    CHECK_REFUSED(ROSTER, refusal());
}

/* On a ring, where whoever chose the places could put the conspirators around one site. */
static enum reason refused_positions(void (*change)(struct arena *, void *))
{
    AUTO(arena_close) struct arena a = {0};
    arena_open(&a, 9, 1, 2, 1, dims, NULL, 32, 1);
    arena_ring(&a, 7);
    struct forgery forgery = {.kind = MSG_POSITIONS, .site = VICTIM, .change = change};
    a.filter = forge;
    a.context = &forgery;
    arena_begin(&a);
    while (!forgery.done) CHECK(arena_step(&a));
    CHECK(!bits_has(&a.round.dealers, VICTIM));
    return a.last_refusal[VICTIM];
}

static void choose_a_nonce(struct arena *a, void *content)
{
    (void)a;
    static const uint8_t chosen[MSG_NONCE_BYTES] = {1};
    ((struct positions *)content)->nonce[SYBIL].at = chosen;
}

static void exchange_nonces(struct arena *a, void *content)
{
    (void)a;
    struct view *nonce = ((struct positions *)content)->nonce;
    const struct view first = nonce[1];
    nonce[1] = nonce[2];
    nonce[2] = first;
}

static void leave_the_victim_out(struct arena *a, void *content)
{
    (void)a;
    ((struct positions *)content)->nonce[VICTIM] = (struct view){0};
}

static void leave_three_out(struct arena *a, void *content)
{
    (void)a;
    for (uint32_t v = 1; v <= PARAMS_SILENT_MAX + 1; v++)
        ((struct positions *)content)->nonce[v] = (struct view){0};
}

static void nobody_chooses_who_stands_around_a_site(void)
{
    CHECK_REFUSED(POSITIONS, refused_positions(choose_a_nonce));
    CHECK_REFUSED(POSITIONS, refused_positions(exchange_nonces));
    CHECK_REFUSED(POSITIONS, refused_positions(leave_the_victim_out));
    CHECK_REFUSED(POSITIONS, refused_positions(leave_three_out));
}

static void sybils(void)
{
    RUN(keys_that_the_coordinator_made_up_are_refused);
    RUN(one_enrolled_site_does_not_stand_for_two);
    RUN(nobody_chooses_who_stands_around_a_site);
}

static void low_order(void)
{
    RUN(keys_of_low_order_are_refused);
    RUN(one_key_in_two_places_is_refused);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"A2", "sites and places that the coordinator made up", sybils},
        {"A20", "keys of low order, or one key twice", low_order},
    };
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
