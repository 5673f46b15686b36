/* SPDX-License-Identifier: Apache-2.0 */
/* What booth.c, booth_play.c and booth_site.c share. Private to them. */
#ifndef LAB_BOOTH_STEP_H
#define LAB_BOOTH_STEP_H

#include "client/local.h"
#include "client/session.h"
#include "lab/booth.h"

struct booth_site {
    struct keyfile key; /* secret */
    struct rng rng;
    struct session session;
    struct local local;
    size_t room;          /* records that it has place for */
    struct noise known;   /* a colluding site's noise of the round */
    struct buffer letter; /* to it, in the present phase */
    struct outbox answer; /* its letters to the coordinator */
};

/* Sites by number: first the colluding ones, then the honest ones, then those that fall silent. */
bool booth_is_honest(const struct booth *booth, uint32_t v);
bool booth_falls_silent(const struct booth *booth, uint32_t v);

/* Give a site place for its share of the canaries. */
MUST_USE enum status booth_give_room(struct booth *booth, uint32_t v);
/* Make its records those of its canaries that are included. */
void booth_give_records(struct booth *booth, uint32_t v, const bool *included);

/* A site takes its letter, and puts its sum in when it is its turn to. */
MUST_USE enum status booth_take_letter(struct booth *booth, uint32_t v);

#endif
