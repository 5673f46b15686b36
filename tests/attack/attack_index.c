/* SPDX-License-Identifier: Apache-2.0 */
/* Plans whose segments are held by few sites, or by those whom nobody chose (A15), given to a whole
 * site. */
#include "tests/attack/hospital.h"
#include "tests/attack/row.h"

static const char policy[] = "min_contributors: 2\nmodels: [mlp, vit]\n";
#define RECORDS 20

static void leave_alone(struct arena *a, void *content)
{
    (void)a;
    struct bits *members = &((struct plan *)content)->segment[0].members;
    for (uint32_t v = 0; v < HOSPITAL_SITES; v++)
        if (v != HOSPITAL) bits_clear(members, v);
}

/* Enough for the protocol, but not those that the study says. */
static void leave_one_out(struct arena *a, void *content)
{
    (void)a;
    bits_clear(&((struct plan *)content)->segment[0].members, 4);
}

static void cut(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->segment[0].dim = 1;
}

/* The first layer in two segments, of which the first is one coordinate. */
static void divide(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    struct segment *last = &plan->segment[plan->n_segments++];
    *last = (struct segment){.name = "one", .dim = 1};
    CHECK_OK(bits_copy(&last->members, &plan->cohort));
    plan->segment[0].dim--;
}

/* Segments of a keep set of the coordinator's own, while the model that it sent keeps all. */
static void keep_one(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    while (plan->n_segments > 1) bits_free(&plan->segment[--plan->n_segments].members);
    plan->segment[0].dim = 1;
}

static void leave_out_the_last(struct arena *a, void *content)
{
    (void)a;
    struct plan *plan = content;
    bits_free(&plan->segment[--plan->n_segments].members);
}

static void an_index_of_few_is_not_planned(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, hospital_study, policy, RECORDS));
    CHECK_REFUSED(CONTRIBUTORS, hospital_told(&h, leave_alone));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, leave_one_out));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, cut));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, divide));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, keep_one));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, leave_out_the_last));
}

/* Three holders for each block of a transformer: m = 2, c = 1. */
static const char blocks_study[] =
    "study: {id: blocks}\n"
    "sites: {expected: 5, colluding: 1, min_contributors: 2}\n"
    "model: {kind: vit, height: 8, width: 8, patch: 4, dim: 8, depth: 4, heads: 2, mlp: 8,\n"
    "        classes: 3, rank: 2}\n"
    "privacy: {unit: patient, epsilon: 2.0, sampling: 0.2, records: 500}\n"
    "pruning: {mode: none}\n"
    "allocation: {mode: private, capacities: [3, 4, 2, 3, 2]}\n"
    "rounds: {count: 2}\n";

/* Number 1 to 4 are blocks: the first that the hospital holds, or does not. */
static struct bits *block(struct plan *plan, bool held)
{
    uint32_t l = 1;
    while (bits_has(&plan->segment[l].members, HOSPITAL) != held) l++;
    CHECK(l <= 4);
    return &plan->segment[l].members;
}

static void thin_out(struct arena *a, void *content)
{
    (void)a;
    struct bits *members = block(content, true);
    for (uint32_t v = HOSPITAL_SITES; bits_count(members) > 2; v--) bits_clear(members, v - 1);
}

/* As many holders as before, but others, who may conspire. */
static void exchange(struct arena *a, void *content)
{
    (void)a;
    struct bits *members = block(content, true);
    uint32_t out = 1, in = 1;
    while (!bits_has(members, out)) out++;
    while (in < HOSPITAL_SITES && bits_has(members, in)) in++;
    bits_clear(members, out);
    bits_set(members, in);
}

static void hand_over(struct arena *a, void *content)
{
    (void)a;
    bits_set(block(content, false), HOSPITAL);
}

/* The allocation of another step. */
static void draw_again(struct arena *a, void *content)
{
    (void)a;
    ((struct plan *)content)->step_number++;
}

static void a_block_is_held_by_those_whom_nobody_chose(void)
{
    AUTO(hospital_close) struct hospital h = {0};
    CHECK_NUMBER(REASON_NONE, hospital_open(&h, blocks_study, policy, RECORDS));
    CHECK_REFUSED(CONTRIBUTORS, hospital_told(&h, thin_out));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, exchange));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, hand_over));
    CHECK_REFUSED(SEGMENTS, hospital_told(&h, draw_again));
    CHECK_NUMBER(REASON_NONE, hospital_told(&h, NULL));
}

static void sparse(void)
{
    RUN(an_index_of_few_is_not_planned);
    RUN(a_block_is_held_by_those_whom_nobody_chose);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"A15", "an index that few sites hold", sparse}};
    return row_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
