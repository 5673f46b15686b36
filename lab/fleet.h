/* SPDX-License-Identifier: Apache-2.0 */
/* A whole study in one process: n sites and a coordinator with the state machines, keys, ledgers
 * and sites' journals that the programs have; every message is bytes that one side wrote and the
 * other reads, handed over in memory or over the programs' transport (lab/courier.h), with the same
 * outcome.
 *
 * What differs from the programs:
 *   - chance comes from the run's seed, so that a run can be repeated bit for bit, unless it is
 *     asked of the system. Noise that can be repeated protects nobody: a seed is for data that is
 *     public or whose owner looks on.
 *   - the clock is a number that grows with each step, and never waits;
 *   - a connection is lost exactly where dropouts say, and the coordinator knows it at once; over
 * the transport it is closed there, and opened again for the next round;
 *   - the coordinator keeps a ledger and the history of results, but no journal of its own: it does
 *     not crash. Files are written in memory (/dev/shm) where there is such a place.
 *
 * A site that drops out answers nothing from some phase of the round on, and is back for the next
 * round. */
#ifndef LAB_FLEET_H
#define LAB_FLEET_H

#include "aggregator/course.h"
#include "aggregator/history.h"
#include "aggregator/spend.h"
#include "client/site.h"
#include "lab/courier.h"

/* What a site put into a round, and what it drew for it. */
struct fleet_input {
    struct site *site;           /* in SESSION_SURVIVORS; its scratch may be used */
    const struct noised *put_in; /* its noisy sum, before the masks; secret */
    const struct noise *noise;   /* that is in it; secret */
    const struct rng *then;      /* from which it drew its sample after the noise; secret */
    struct view letter;          /* the masked input, as it left */
};
/* Told of each input, by the sites' numbers, before the coordinator takes it. A failure ends the
 * run with its status. */
typedef enum status fleet_watch(void *context, uint32_t site, const struct fleet_input *input);

struct fleet_settings {
    const char *study; /* the study's file */
    uint64_t seed;
    bool system;    /* chance is the system's, not the seed's: what is published protects */
    bool real;      /* messages go over sockets */
    double dropout; /* chance of a site to drop out in a round, at any of its phases alike;
                     * in [0, 1] */
    double lifetime_epsilon; /* of each site's policy; 0: the most that a policy may say */
    const float *backbone;   /* frozen weights, if the study adapts any; they stay the caller's */
    unsigned threads;        /* sites that work at the same time; 0 counts as 1 */
    fleet_watch *watch;      /* for audits; NULL: nobody looks */
    void *watcher;           /* its context */
};

/* Where the time of all sites and of the coordinator went; seconds of processor. */
struct fleet_times {
    double work;    /* training, exploring or evaluating, and drawing the noise */
    double noise;   /* of that the noise, as far as measured: one site's draw in each round, times
                     * the sites that drew */
    double pads;    /* sites' masking */
    double session; /* sites' messages, journals and ledgers */
    double coordinator; /* planning, sums, unmasking, the model's step */
};

/* What a round came to. */
struct fleet_round {
    uint32_t round; /* from 1 */
    enum step step;
    bool opened;
    enum reason why;    /* not opened: because of this, */
    uint32_t about;     /* about this site, or OUTBOX_SERVER */
    uint32_t dropped;   /* sites that fell silent */
    uint32_t survivors; /* whose inputs were counted */
    uint32_t recovered; /* dropped after they dealt their shares */
    bool compared;      /* the opened sums were compared with what was put in, */
    bool exact;         /* and are equal */
    uint64_t up, down;  /* bytes of the survivor that sent most, and that received most */
    uint64_t dim;       /* coordinates of the sum */
};

struct fleet_site;

struct fleet {
    struct fleet_settings set;
    char folder[FILE_PATH_MAX];
    struct study study;
    struct keyfile coordinator; /* secret */
    struct manifest manifest;
    struct course course;
    struct spend spend;
    struct history history;
    struct round round; /* the last one */
    uint32_t rounds;    /* begun */
    uint64_t now_ms;
    uint32_t n;
    struct fleet_site *site; /* n */
    struct courier *courier; /* NULL: messages stay in memory */
    struct rng rng;          /* session numbers */
    struct rng fate;         /* dropouts */
    struct fleet_times times;
    struct site_error refusal; /* the first final refusal of a site, or what the courier lost, for
                                * people */
};

/* Enrol all sites of the study and open them. It must not be moved afterwards.
 * share    the study's sites.expected data sets, one of each site; taken over, emptied also on
 * failure. initial  weights of the study's model. STATUS_IO, STATUS_FORMAT, STATUS_RANGE (study,
 * data, no plan possible), STATUS_NOMEM; why says what to do. fleet_close is needed on failure as
 * well. */
MUST_USE enum status fleet_open(struct fleet *out, const struct fleet_settings *settings,
                                struct dataset *share, const float *initial,
                                struct site_error *why);
void fleet_close(struct fleet *fleet);

/* Whether the study's last round was opened. */
bool fleet_done(const struct fleet *fleet);

/* Play one round. out is filled in also where the round was not opened, which is no failure.
 * STATUS_BUDGET  a limit of epsilon stands against the round: the coordinator's, or a site's
 *                (refusal says which); the study is over.
 * STATUS_IO      a file, or a message that the courier lost (refusal says which).
 * STATUS_RANGE   no such round can be planned, or the training diverged. STATUS_QUORUM,
 * STATUS_NOMEM. */
MUST_USE enum status fleet_play(struct fleet *fleet, struct fleet_round *out);

/* A site's records with the study's model, to look at between rounds. */
struct local *fleet_local(struct fleet *fleet, uint32_t v);

/* What the study has cost by the ledgers of its sites, the most that any of them says, against the
 * coordinator with its colluding sites. */
MUST_USE enum status fleet_spent(const struct fleet *fleet, double *epsilon);

#endif
