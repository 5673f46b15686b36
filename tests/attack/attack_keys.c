/* SPDX-License-Identifier: Apache-2.0 */
/* A2, sybils: the coordinator puts sites that it made up, or keys of its own, into the roster.
 * A20, keys of low order, or one key twice, to make a pair secret known. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
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
    CHECK_NUMBER(REASON_SIGNATURE, refusal());
}

static void one_enrolled_site_does_not_stand_for_two(void)
{
    set_fake(SYBIL - 1, 9, 8);
    CHECK_NUMBER(REASON_MEMBER, refusal());
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
        CHECK_NUMBER(REASON_ROSTER, refusal());
        set_fake(SYBIL, 'k', 'k');
        memcpy(fake.enc_key, low[i], KX_PUBLIC_BYTES);
        CHECK_NUMBER(REASON_ROSTER, refusal());
    }
}

static void one_key_in_two_places_is_refused(void)
{
    set_fake(SYBIL, 9, 9);
    CHECK_NUMBER(REASON_ROSTER, refusal());
}

int main(int argc, char **argv)
{
    /* One row of the table per run. */
    if (argc > 1 && strcmp(argv[1], "A20") == 0) {
        RUN(keys_of_low_order_are_refused);
        RUN(one_key_in_two_places_is_refused);
    } else {
        RUN(keys_that_the_coordinator_made_up_are_refused);
        RUN(one_enrolled_site_does_not_stand_for_two);
    }
    return check_done();
}
