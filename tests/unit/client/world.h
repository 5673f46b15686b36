/* SPDX-License-Identifier: Apache-2.0 */
/* A site that has loaded a state, and the plan of the step that comes next. */
#ifndef TESTS_UNIT_CLIENT_WORLD_H
#define TESTS_UNIT_CLIENT_WORLD_H

#include "client/local.h"
#include "protocol/schedule.h"

#define WORLD_SITES 5
#define WORLD_RECORDS 30
#define WORLD_HELD 25

struct world {
    struct study study;
    struct layout layout;
    struct state state; /* pruned but for the exploration and votes */
    struct local local;
    struct plan plan; /* of all sites */
};

/* A site with n records that fit the study, and nothing loaded. */
void world_local(struct local *local, const struct study *study, size_t n);

/* clip is that of the step. */
void world_open(struct world *w, enum study_unit unit, enum model_kind kind, enum step step,
                enum study_pruning mode, double clip);
/* Let nothing be pruned in the training round that comes. */
void world_whole(struct world *w);
/* Let the training round that comes be about a share of the coordinates. */
void world_share(struct world *w, double share);
/* Let the clip adapt, and be this one in the training round that comes. */
void world_adapt(struct world *w, double clip);
void world_close(struct world *w);

typedef enum status world_work(struct encoded *out, struct local *local, const struct plan *plan,
                               struct rng *rng);
/* Do the work of a step, in the place of what out held. */
void world_run(struct encoded *out, struct world *w, world_work *work);
/* The work of a step that needs the whole model is refused when the model is pruned. */
void world_prune(enum step step, world_work *work);
/* Do the work of a step with the n-th allocation failing, for each n and both units of privacy. */
void world_starve(enum step step, world_work *work);

/* Take record i out of the site's data, or out of what it holds out. */
void world_forget(struct world *w, size_t i);
void world_forget_held(struct world *w, size_t i);

/* Squared norm of a, or of a - b; sizes are equal. */
uint64_t world_norm2(const struct encoded *a, const struct encoded *b);

#endif
