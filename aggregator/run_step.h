/* SPDX-License-Identifier: Apache-2.0 */
/* What run.c, attend.c, post.c and turn.c share: the running coordinator. Private to them. */
#ifndef AGGREGATOR_RUN_STEP_H
#define AGGREGATOR_RUN_STEP_H

#include "aggregator/resume.h"
#include "aggregator/run.h"
#include "aggregator/spend.h"
#include "base/blob.h"
#include "protocol/link.h"

/* How often a round says whom it waits for. */
#define RUN_TELL_MS 10000

struct attendance {
    bool up, ready;         /* connected; has said hello since its last round */
    bool told;              /* that a message of it was refused in this round */
    bool expected;          /* of a study that was over before: did not fetch its end yet */
    uint64_t lost_ms;       /* when the connection ended; UINT64_MAX: handled, or not lost */
    uint64_t bytes_mark;    /* link_bytes_in when the round began */
    uint64_t bytes_out;     /* link_bytes_out when it was last seen to grow, */
    uint64_t taking_ms;     /* and the moment, or that of a letter's beginning */
    struct hash transcript; /* where it stands, by its own word */
};

struct run {
    struct coordinator *c;
    struct link *link;
    bool events, over;
    enum exit_code exit;
    struct attendance *site; /* manifest.n */
    struct round_config round_config;
    struct round round; /* stays after its end until its last letters have left */
    bool in_round, finished;
    struct bits owed;   /* sites that the present letter was not handed to yet */
    struct blob *model; /* the state's bytes, while openings or the end may be sent */
    uint64_t gather_ms; /* when waiting for the cohort began */
    uint64_t tell_ms;   /* when to say again whom a round waits for */
    struct resume resume;
    struct tale tale;
    struct spend spend;
    struct rng rng;
};

const char *run_name_of(const struct run *run, uint32_t site);
void run_give_up(struct run *run, enum exit_code code, const char *why);
/* A site has no part in the present round for now, or any more (round_gone, round_out). */
void run_site_gone(struct run *run, uint32_t site);
void run_site_out(struct run *run, uint32_t site);
/* A site that was lost has come back with its session. */
void run_site_back(struct run *run, uint32_t site);

/* Who is there (attend.c). */

/* Everybody who is here has reported, and who is missing had time to come. */
bool attend_gathered(const struct run *run, uint64_t now_ms, struct bits *cohort);
void attend_hello(struct run *run, uint32_t from, struct view message);
/* Sites whose connection did not come back within the study's grace are not waited for. */
void attend_miss(struct run *run);
/* Nobody is there, nor expected. */
bool attend_over(const struct run *run);
void attend_tell_missing(const struct run *run);
/* Bytes of the survivor that sent most in this round: nothing is hidden in a mean. */
uint64_t attend_upload(const struct run *run);
void attend_keys_free(struct link_key **key);

/* How rounds begin and end (turn.c). */

/* Open the coordinator's ledger, and enter what the journal knows and the ledger does not. */
MUST_USE enum status turn_restore(struct run *run);
/* Start a round if its sites are there. */
void turn_begin(struct run *run);
/* Conclude a round that is over. */
void turn_end(struct run *run);

/* What they are sent (post.c). */

/* Make the model's bytes anew. STATUS_NOMEM. */
MUST_USE enum status post_model(struct run *run);
/* Every site should have the letter of the present phase; post_letters hands them out. */
void post_all(struct run *run);
/* Hand the present letter to sites that are owed it and can take it. Call often. */
void post_letters(struct run *run);
/* Sites that are owed a letter, or have not taken all of the one they were sent. */
size_t post_left(const struct run *run);
/* The study is over, or cannot go on: every site gets the model as it is. */
void post_finish(struct run *run);

#endif
