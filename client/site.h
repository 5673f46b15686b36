/* SPDX-License-Identifier: Apache-2.0 */
/* One site in one study: its folder, keys, data, policy, journal and session. The judge of plans
 * and the worker of rounds; sockets and signals are the caller's.
 *
 * The folder holds: key (secret), manifest, manifest.pin (its hash in hex), study.yaml,
 * policy.yaml, journal.db and, unless the policy names another, the ledger; final.state once the
 * study is over. */
#ifndef CLIENT_SITE_H
#define CLIENT_SITE_H

#include "base/file.h"
#include "client/budget.h"
#include "client/local.h"
#include "client/session.h"
#include "protocol/participation.h"
#include "protocol/policy.h"
#include "protocol/schedule.h"
#include "protocol/trail_round.h"

struct site {
    char folder[FILE_PATH_MAX];
    struct keyfile key; /* secret */
    struct manifest manifest;
    struct study study;
    struct policy policy;
    struct schedule schedule;
    struct layout layout;
    struct journal *journal;
    struct budget budget;
    struct settings_error crossed; /* the limit by which the last plan was refused; line and text */
    uint64_t time_s;               /* since 1970: the driver's clock, for the ledger's entries */
    struct local local;
    struct state state;        /* of the plan that was accepted last */
    bool worked;               /* in SESSION_INPUT: sum is worked out and has not left yet */
    struct noised sum;         /* empty when no segment is this site's; secret */
    struct participation past; /* survivor sets that it confirmed; only without noise */
    struct trail_sent shown;   /* the last message that its trail has */
    uint32_t open;             /* round that did not end in its trail yet; 0: none */
    struct session session;
    struct rng rng;
    uint32_t self;
    int lock;           /* held on the folder while this process runs; 0: none */
    const char *put_in; /* rehearsals: folder for what this site put into each sum, or NULL */
};

/* What stopped site_open, for people. */
struct site_error {
    enum reason reason;
    char text[512];
};

/* Open the folder and take over the data. The site must not be moved in memory afterwards.
 * time_s  since 1970.
 * STATUS_IO, STATUS_FORMAT, STATUS_AUTH (keys, manifest, pin), STATUS_RANGE (study, policy, data),
 * STATUS_NOMEM; why says what to do. */
MUST_USE enum status site_open(struct site *out, const char *folder, struct dataset *data,
                               uint64_t time_s, struct site_error *why);
void site_close(struct site *site);

/* Take over the records that are held out for the study's evaluations, before the first round.
 * *shared is how many of them are among the training records too: the evaluations then look better
 * than the model is. That is for this site's operator: nothing that is sent depends on it.
 * STATUS_RANGE  the study has no evaluations, the records do not fit it, or they are more than a
 *               sum can hold; why says which. STATUS_NOMEM. The site is to be closed then. */
MUST_USE enum status site_hold_out(struct site *site, struct dataset *held, size_t *shared,
                                   struct site_error *why);

/* In SESSION_INPUT: reserve the budget, draw the noise, take the plan's step; the noisy sum is
 * kept. A failure ends the session with its reason. */
MUST_USE enum status site_work(struct site *site, struct outbox *out);

/* In SESSION_INPUT, at the release moment: mask the noisy sum, hand it over. A failure
 * ends the session with its reason. */
MUST_USE enum status site_submit(struct site *site, uint64_t now_ms, struct outbox *out);

/* Make the outbox's journal entries durable: before anything is sent. Once the session is over,
 * its release is settled, or void if it never left, and then the round ends in the trail.
 * STATUS_STATE  an input is to leave that is not reserved. */
MUST_USE enum status site_remember(struct site *site, const struct outbox *out);

/* The study is over: check that it is this one's end and store the last model as final.state.
 * STATUS_FORMAT, STATUS_AUTH  it is not. STATUS_IO  cannot be stored. STATUS_NOMEM. */
MUST_USE enum status site_finish(struct site *site, struct view message);

#endif
