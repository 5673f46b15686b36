/* SPDX-License-Identifier: Apache-2.0 */
/* Plans that a session refuses. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/client/victim.h"

static void change_manifest(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->manifest.bytes[0] ^= 1;
}

static void another_manifest_is_refused(void)
{
    REFUSED(MANIFEST, PLAN, change_manifest);
}

static void change_study(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->study.bytes[31] ^= 1;
}

static void another_study_is_refused(void)
{
    REFUSED(STUDY, PLAN, change_study);
}

static void round_zero(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->round = 0;
}

static void a_round_that_is_not_new_is_refused(void)
{
    REFUSED(REPLAY, PLAN, round_zero);
}

static void change_model_hash(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->state.bytes[5] ^= 1;
}

/* The state is the last part of an opening. */
static bool change_model(struct arena *a, struct flight *flight)
{
    (void)a;
    if (!flight_is(flight, MSG_OPENING, VICTIM)) return true;
    AUTO(buffer_free) struct buffer old = flight->bytes;
    flight->bytes = (struct buffer){0};
    static const uint8_t other[] = {1};
    struct opening opening = {0};
    CHECK_OK(opening_read(&opening, buffer_view(&old)));
    opening.state = (struct view){other, sizeof other};
    opening_write(&flight->bytes, &opening);
    write_bytes(&flight->bytes, other, sizeof other);
    return true;
}

static void a_model_without_the_planned_hash_is_refused(void)
{
    REFUSED(MODEL, PLAN, change_model_hash);
    CHECK_NUMBER(REASON_MODEL, victim_refusal(victim_open, change_model, NULL));
}

static void fewer_sites(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.n = 4;
}

static void low_share_threshold(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.t = 3;
}

static void low_quorum(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.quorum = 3;
}

static void nobody_colludes(struct arena *a, void *content)
{
    struct plan *plan = content;
    a->manifest.floor.c = 1;
    plan->manifest = manifest_hash(&a->manifest);
    plan->params.c = 0;
}

static void fewer_honest(struct arena *a, void *content)
{
    struct plan *plan = content;
    a->manifest.floor.m = 2;
    plan->manifest = manifest_hash(&a->manifest);
    plan->params.m = 1;
}

static void small_cohort(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    for (uint32_t v = 3; v < 5; v++) {
        bits_clear(&plan->cohort, v);
        for (uint32_t l = 0; l < plan->n_segments; l++) bits_clear(&plan->segment[l].members, v);
    }
}

static void unsound_thresholds_are_refused(void)
{
    REFUSED(THRESHOLD, PLAN, fewer_sites);
    REFUSED(THRESHOLD, PLAN, low_share_threshold);
    REFUSED(THRESHOLD, PLAN, low_quorum);
    REFUSED(THRESHOLD, PLAN, nobody_colludes);
    REFUSED(THRESHOLD, PLAN, fewer_honest);
    REFUSED(THRESHOLD, PLAN, small_cohort);
}

static void leave_victim_out(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->cohort, VICTIM);
}

static void a_cohort_without_this_site_is_refused(void)
{
    REFUSED(COHORT, PLAN, leave_victim_out);
}

static void member_outside_cohort(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->cohort, 4);
}

static void two_members(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_clear(&plan->segment[1].members, 2);
    bits_clear(&plan->segment[1].members, 3);
}

static void a_segment_with_too_few_members_is_refused(void)
{
    REFUSED(CONTRIBUTORS, PLAN, member_outside_cohort);
    REFUSED(CONTRIBUTORS, PLAN, two_members);
}

static void narrow_ring(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->grid.bits = GRID_BITS_MIN;
}

static void a_ring_that_could_wrap_is_refused(void)
{
    REFUSED(RING, PLAN, narrow_ring);
}

static void unknown_cipher(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->cipher = MASK_CIPHERS;
}

static void an_unknown_cipher_is_refused(void)
{
    REFUSED(CIPHER, PLAN, unknown_cipher);
}

static void other_history(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->previous.bytes[0] ^= 1;
}

static void another_history_is_refused(void)
{
    REFUSED(FORK, PLAN, other_history);
}

static enum reason too_expensive(void *context, const struct plan *plan, struct view state)
{
    (void)context, (void)plan, (void)state;
    return REASON_BUDGET;
}

static bool set_judge(struct arena *a, struct flight *flight)
{
    (void)flight;
    a->session[VICTIM].config.judge = too_expensive;
    return true;
}

static void the_sites_own_judgement_counts(void)
{
    CHECK_NUMBER(REASON_BUDGET, victim_refusal(victim_open, set_judge, NULL));
}

static void ring_of_degree_two(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->params.k = plan->params.t = 2;
}

static void pads_on_a_ring(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->segment[1].degree = 2;
}

static void odd_degree(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    plan->segment[1].degree = 3;
}

static void a_graph_that_is_too_thin_or_none_is_refused(void)
{
    REFUSED(GRAPH, PLAN, pads_on_a_ring);
    REFUSED_ON_RING(GRAPH, PLAN, ring_of_degree_two);
    REFUSED_ON_RING(GRAPH, PLAN, odd_degree);
}

int main(void)
{
    RUN(another_manifest_is_refused);
    RUN(another_study_is_refused);
    RUN(a_round_that_is_not_new_is_refused);
    RUN(a_model_without_the_planned_hash_is_refused);
    RUN(unsound_thresholds_are_refused);
    RUN(a_cohort_without_this_site_is_refused);
    RUN(a_segment_with_too_few_members_is_refused);
    RUN(a_ring_that_could_wrap_is_refused);
    RUN(an_unknown_cipher_is_refused);
    RUN(another_history_is_refused);
    RUN(the_sites_own_judgement_counts);
    RUN(a_graph_that_is_too_thin_or_none_is_refused);
    return check_done();
}
