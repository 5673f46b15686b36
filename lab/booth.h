/* SPDX-License-Identifier: Apache-2.0 */
/* Training rounds of a study on records that an auditor made: canaries. Sites and coordinator are
 * the programs' state machines, encoder, noise, pads and messages, in one process; messages stay in
 * memory or go over the programs' transport (lab/courier.h), where a silent site is a connection
 * closed.
 *
 * The study's are: sites, threshold, colluding sites, noise multiplier, clip, ring, rounding,
 * rotation, sampler. The auditor's is what is trained: a model of one hidden unit, in which the
 * gradient of a record with one bright pixel is one coordinate, all of the clip. So one canary is
 * one contribution of full norm in a direction that no other shares. Where the grid is coarse a
 * canary has several pixels, as many as let rounding lengthen it most.
 *
 * What the adversary has: it sees the opened sums, knows all but the canaries' coins, and the noise
 * of the colluding sites, which give nothing else. As many sites fall silent as the study allows
 * for, after they dealt their shares, so that the sums have the least noise that is certain.
 *
 * What differs from the programs: no ledger and no journal, a clock that is a number, and no site
 * compares plans with the study. With a seed a booth plays the same rounds again. */
#ifndef LAB_BOOTH_H
#define LAB_BOOTH_H

#include "aggregator/history.h"
#include "aggregator/round.h"
#include "lab/courier.h"
#include "protocol/schedule.h"
#include "protocol/state.h"

#define BOOTH_COORDINATES_MIN 16u
#define BOOTH_COORDINATES_MAX (1u << 20)

struct booth_settings {
    uint32_t coordinates; /* of the layer with the canaries */
    bool sampled;         /* unit patient: draw records as the study does; else all of them */
    bool real;            /* messages go over sockets */
    bool seeded;          /* all chance from the seed; else from the system */
    uint64_t seed;
};

struct booth_site;

struct booth {
    struct study study; /* with the auditor's model */
    struct layout layout;
    struct schedule schedule;
    struct plan plan;    /* of every round, but for names and hashes */
    uint32_t n, honest;  /* sites; those whose noise and records nobody knows */
    uint32_t width;      /* coordinates of a canary */
    double reach;        /* how far a canary moves the sum in its direction, grid units */
    uint32_t n_slots;    /* directions that canaries may have */
    uint32_t n_canaries; /* in each round; unit site: one of each honest site, */
    uint32_t n_idle;     /* and so many of the other directions are looked at, too */
    uint32_t first_slot; /* of the first canary; the others follow, and then the idle ones */
    struct manifest manifest;
    struct keyfile coordinator; /* secret */
    struct state state;
    struct history history;
    struct round round; /* the last one */
    uint32_t rounds;
    uint64_t now_ms;
    struct booth_site *site; /* n */
    struct courier *courier; /* NULL: messages stay in memory */
    struct rng rng;          /* keys and sessions; and an auditor's coins */
};

/* The booth must not be moved afterwards. study is copied.
 * STATUS_RANGE  the study bounds nothing, it has no records to sample, or no such round can be
 *               planned; why says which. STATUS_IO  no sockets. STATUS_NOMEM. booth_close is needed
 *               on failure as well. */
MUST_USE enum status booth_open(struct booth *out, const struct study *study,
                                const struct booth_settings *settings, struct settings_error *why);
void booth_close(struct booth *booth);

/* What one round costs against the coordinator with its colluding sites. */
struct release booth_release(const struct booth *booth);

/* Play one round with the canaries that are included; or if that is NULL none, and for the rounds
 * that follow they have other directions, by chance.
 * STATUS_QUORUM  the round was not opened. STATUS_IO  the courier lost a message. STATUS_NOMEM,
 * STATUS_RANGE. */
MUST_USE enum status booth_play(struct booth *booth, const bool *included);

/* After a round that was opened: what its sums have in each canary's direction, and in each idle
 * one, less the noise of the colluding sites.
 * alike  less that of the honest ones too, if theirs is that of the first colluding site.
 * score  n_canaries + n_idle, in grid units.
 * STATUS_NOMEM  score is untouched. */
MUST_USE enum status booth_score(const struct booth *booth, bool alike, double *score);

#endif
