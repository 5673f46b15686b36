/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs at a site: what a step is made of, and what takes none. */
#include <math.h>

#include "tests/lib/check.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"
#include "tests/unit/client/world.h"

enum { RECORDS = 37 };

/* Epochs on the shrunk model and on the full one, whose pruned weights take no step, must agree: a
 * mask that came only at the end would let them work in between. */
static void what_was_pruned_takes_no_step(void)
{
    for (enum model_kind kind = MODEL_MLP; kind <= MODEL_CNN; kind++) {
        struct study study;
        small_study(&study, STUDY_SITE, kind);
        AUTO(local_free) struct local local = {0};
        world_local(&local, &study, RECORDS); /* the last batch is a short one */
        AUTO(state_free) struct state state = {0};
        small_state(&state, &study, true);
        CHECK_OK(local_load(&local, &state));
        struct rng rng = {0}, same = {0};
        rng_numbered(&rng, 5);
        rng_numbered(&same, 5);
        CHECK_OK(local_epochs(&local, 0, &rng));
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &study);
        plain_epochs(&plain, state.weight, &state.keep, &local.data, 0, &same);
        double off = 0, most = 0;
        for (size_t i = 0; i < local.model.layout.n; i++) {
            const size_t full = local.shrunk.index[i];
            off = fmax(off, fabs((double)plain.grad[full] - (double)local.grad[i]));
            most = fmax(most, fabs((double)local.grad[i]));
            if (local.kept[i] == 0) CHECK(local.grad[i] == 0);
            CHECK(local.weight[i] == state.weight[full]);
        }
        CHECK(most > 0.05);
        CHECK(off < 1e-5);
    }
}

/* Sets one thing that local steps are made of. */
static void set_one(struct study *study, size_t which)
{
    const double value[] = {0.7, 0.05, 0.3, 0.6, 0.5};
    double *const key[] = {&study->rounds.local_momentum, &study->rounds.local_decay,
                           &study->rounds.local_clip, &study->rounds.proximal,
                           &study->rounds.local_rate_decay};
    for (size_t k = 0; k < 5; k++)
        if (which == k || which == 5) *key[k] = value[k];
}

/* Each of momentum, decay, clip, FedProx and the rate's decay alone, and all together: the same as
 * the plain model's, and not the same as without. */
static void local_steps_are_what_the_study_says(void)
{
    enum { ROUND = 3, HOWS = 7 };
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    AUTO(state_free) struct state state = {0};
    small_state(&state, &study, true);
    double length[HOWS] = {0};
    for (size_t how = 0; how < HOWS; how++) { /* the last is without */
        small_study(&study, STUDY_SITE, MODEL_MLP);
        set_one(&study, how);
        AUTO(local_free) struct local local = {0};
        world_local(&local, &study, RECORDS);
        CHECK_OK(local_load(&local, &state));
        struct rng rng = {0}, same = {0};
        rng_numbered(&rng, 8);
        rng_numbered(&same, 8);
        CHECK_OK(local_epochs(&local, ROUND, &rng));
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &study);
        plain_epochs(&plain, state.weight, &state.keep, &local.data, ROUND, &same);
        double off = 0;
        for (size_t i = 0; i < local.model.layout.n; i++) {
            const float want = plain.grad[local.shrunk.index[i]];
            off = fmax(off, fabs((double)want - (double)local.grad[i]));
            length[how] += (double)want * (double)want;
        }
        CHECK(off < 1e-5);
    }
    for (size_t how = 0; how + 1 < HOWS; how++)
        CHECK(fabs(length[how] / length[HOWS - 1] - 1) > 0.005);
}

static void adam_moves_what_is_kept_by_about_its_rate(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.local_optimizer = STUDY_ADAM;
    study.rounds.local_learning_rate = 1e-3;
    study.rounds.local_epochs = 1;
    study.rounds.local_batch = RECORDS; /* one step */
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, RECORDS);
    AUTO(state_free) struct state state = {0};
    small_state(&state, &study, true);
    CHECK_OK(local_load(&local, &state));
    struct rng rng = {0};
    rng_numbered(&rng, 9);
    CHECK_OK(local_epochs(&local, 0, &rng));
    size_t moved = 0, far = 0;
    for (size_t i = 0; i < local.model.layout.n; i++) {
        const double by = fabs((double)local.grad[i]);
        CHECK(by < 1.01e-3 && (local.kept[i] == 1 || by == 0));
        moved += by > 0;
        far += by > 0.99e-3;
    }
    CHECK(moved > 20 && 10 * far > 9 * moved);
}

static void batches_larger_than_a_chunk_are_whole(void)
{
    struct study study;
    small_study(&study, STUDY_SITE, MODEL_MLP);
    study.rounds.local_batch = 2 * LOCAL_CHUNK + 50;
    AUTO(local_free) struct local local = {0};
    world_local(&local, &study, 2 * LOCAL_CHUNK + 20);
    AUTO(state_free) struct state state = {0};
    small_state(&state, &study, false);
    CHECK_OK(local_load(&local, &state));
    struct rng rng = {0}, same = {0};
    rng_numbered(&rng, 6);
    rng_numbered(&same, 6);
    CHECK_OK(local_epochs(&local, 0, &rng));
    AUTO(plain_close) struct plain plain = {0};
    plain_open(&plain, &study);
    plain_epochs(&plain, state.weight, &state.keep, &local.data, 0, &same);
    double off = 0;
    for (size_t i = 0; i < local.full.n; i++)
        off = fmax(off, fabs((double)plain.grad[i] - (double)local.grad[i]));
    CHECK(off < 1e-5);
}

int main(void)
{
    RUN(what_was_pruned_takes_no_step);
    RUN(local_steps_are_what_the_study_says);
    RUN(adam_moves_what_is_kept_by_about_its_rate);
    RUN(batches_larger_than_a_chunk_are_whole);
    return check_done();
}
