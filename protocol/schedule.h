/* SPDX-License-Identifier: Apache-2.0 */
/* From a study to the plan of one of its rounds. The coordinator plans with this function and every
 * site checks with it, so that nothing that protects a site is the coordinator's to choose:
 * thresholds, grid, noise and segments follow from the study file and public state. */
#ifndef PROTOCOL_SCHEDULE_H
#define PROTOCOL_SCHEDULE_H

#include "base/reason.h"
#include "dp/account.h"
#include "dp/clip.h"
#include "dp/rotate.h"
#include "protocol/msg.h"
#include "protocol/pick.h"
#include "protocol/study.h"

/* A study as n enrolled sites run it. Pointers are borrowed. */
struct schedule {
    const struct study *study;
    const struct layout *layout;
    struct params params;
    double delta;   /* of the study, less what its sampler costs however many rounds there are */
    double z;       /* noise multiplier of a training round; 0: none */
    uint32_t order; /* Renyi order that calibration found: budgets are checked at it */
    struct clip_goal clip;
};

/* How often a study takes a step: its number in a plan is below that. */
uint32_t schedule_steps(const struct study *study, enum step step);

/* Evaluations that a study should have had after so many training rounds. */
uint32_t schedule_evaluations(const struct study *study, uint32_t trained);

/* How often what is pruned should have been chosen anew after so many training rounds; never after
 * the last. */
uint32_t schedule_refinements(const struct study *study, uint32_t trained);

/* Held-out records of one class that a site can count when all sites take part. */
uint64_t schedule_room(const struct schedule *schedule);

/* Above PARAMS_COMPLETE_MAX sites, shares run along a ring (params_ring).
 * STATUS_RANGE  unsound thresholds for n sites, no ring for them, more dropouts among them than
 *               noise can be taken away for, no noise meets the study's epsilon and delta, an
 *               adaptive clip's count would take all of it, or the ring is too narrow for its
 *               evaluations; why says which. */
MUST_USE enum status schedule_of(struct schedule *out, const struct study *study,
                                 const struct layout *layout, uint32_t n,
                                 struct settings_error *why);

/* Fill in all that follows from the study: step, params, grid and noise, sampling, segments,
 * waits. The caller fills in session, round and the hashes.
 *
 * keep    coordinates that are kept, of which a training round may be about a share alone; all in
 *         the exploration, not looked at in an evaluation and a vote.
 * clip    of the state: 0, or where the clip adapts, one that clip_near allows.
 * cohort  sites of this round.
 *
 * STATUS_RANGE   the ring is too narrow even for a coarse grid (grid_plan), nothing is kept, the
 *                clip is not allowed, or the noise is too little to be divided into removable parts
 *                (xnoise_of).
 * STATUS_QUORUM  the cohort is smaller than the threshold, or of those who can hold all there are
 *                fewer than min_holders (mode exclusive).
 * STATUS_NOMEM */
MUST_USE enum status schedule_plan(struct plan *out, const struct schedule *schedule,
                                   enum step step, uint32_t step_number, const struct bits *keep,
                                   double clip, const struct bits *cohort);

/* Whether a plan is the one that schedule_plan makes; REASON_NONE, or what differs. Noise may be
 * more than planned, and less by a relative 1e-6 (another machine's libm). */
enum reason schedule_check(const struct schedule *schedule, const struct plan *plan,
                           const struct bits *keep, double clip);

/* What can be said of a plan without the state that it names: thresholds, step, sampling, cipher
 * and that its noise is due to its norm bound. REASON_NONE, or what differs. */
enum reason schedule_check_alone(const struct schedule *schedule, const struct plan *plan);

/* The L2 bound of a training round's contributions, in model units, with a state's clip; and the
 * grid of their vectors: what the clip bits leave of the norm. */
double schedule_clip(const struct study *study, double clip);
/* That of a vote: the square root of the number of units, each of which it moves by one at most. */
double schedule_vote_clip(const struct layout *layout);
/* That of any step but an evaluation. */
double schedule_step_clip(const struct schedule *schedule, enum step step, double clip);
struct grid schedule_grid(const struct plan *plan);

/* Segments of a plan that are layers, or groups of units: all but the clip's count. */
uint32_t schedule_layers(const struct plan *plan);

/* The layout's segment that a plan's is about; LAYOUT_NONE when it is about none. */
uint32_t schedule_layer(const struct layout *layout, const struct plan *plan, uint32_t segment);

/* Coordinates of a site's own segments. 0: it has none (mode exclusive) and only guards shares. */
uint64_t schedule_part(const struct plan *plan, uint32_t site);

/* Whether what the sites add is rotated in such a step. An exploration is not: its squares are
 * compared with each other, and stay what they are when a sum is capped. */
bool schedule_rotates(const struct study *study, enum step step);

/* The rotation of one segment of a round, the same at every site: its public signs follow from R,
 * which nobody could choose before all keys of the round were there (on a ring, from the positions'
 * hash in its place). Each segment has its own, since one of them may stay sealed. STATUS_NOMEM. */
MUST_USE enum status schedule_rotate(struct rotate *out, const struct plan *plan, uint32_t segment,
                                     const struct hash *roster);

/* How many of a layer's kept coordinates, or of its units, such a step is about. */
uint64_t schedule_size(const struct study *study, enum step step, uint64_t kept);

/* Which of a segment's kept coordinates a round is about, in order: the plan says how many, R which
 * (on a ring, the positions' hash in its place). Each segment has its own. */
void schedule_pick(struct pick *out, const struct plan *plan, uint32_t segment, uint64_t kept,
                   const struct hash *roster);

/* The release that a plan makes, against an adversary who does not know n_shares of the noise, at
 * least schedule_certain of them. Where noise is taken away again it is as if there were no more.
 */
struct release schedule_release(const struct plan *plan, uint32_t n_shares);

/* The most that a release of such a step costs, on whatever grid: not the noise that this plan
 * rounded up to, only that which is due to every clip and all that is kept. No less than the
 * account of any plan, against the same adversary. */
struct release schedule_worst(const struct schedule *schedule, const struct plan *plan);

/* Noise multiplier that the sums of so many survivors, at least T, have against the coordinator
 * with its colluding sites, the least of all segments: the deviation of the honest ones' noise,
 * what was taken away not counted, over the bound of a contribution; rounded down. */
double schedule_multiplier(const struct plan *plan, uint32_t n_survivors);

/* Bytes of the largest message that a study needs, also of the opening for a site that missed every
 * round: what the transport accepts. */
uint32_t schedule_message_bytes(const struct schedule *schedule);

/* Honest survivors that are certain whatever happens: every opened segment has at least that many
 * noise shares that the server with its colluding sites does not know. T - c where all of the
 * cohort are in every segment. */
uint32_t schedule_certain(const struct plan *plan);

#endif
