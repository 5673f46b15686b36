/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: what all that was given says of each, and whether each was planned, opened and ended as
 * the study and the protocol ask. */
#include "lab/verify.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/merkle.h"

const struct kept *verify_kept(const struct party *party, uint32_t round)
{
    size_t from = 0, to = party->n_kept;
    while (from < to) {
        const size_t mid = (from + to) / 2;
        if (party->kept[mid].round < round)
            from = mid + 1;
        else
            to = mid;
    }
    return from < party->n_kept && party->kept[from].round == round ? &party->kept[from] : NULL;
}

const struct fact *verify_fact(const struct verify *v, uint32_t round)
{
    size_t from = 0, to = v->n_facts;
    while (from < to) {
        const size_t mid = (from + to) / 2;
        if (v->fact[mid].round < round)
            from = mid + 1;
        else
            to = mid;
    }
    return from < v->n_facts && v->fact[from].round == round ? &v->fact[from] : NULL;
}

/* --- one list of rounds ------------------------------------------------------------------------
 */

static int by_round(const void *a, const void *b)
{
    const uint32_t x = ((const struct fact *)a)->round, y = ((const struct fact *)b)->round;
    return (x > y) - (x < y);
}

static void list_rounds(struct verify *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct party *p = &v->party[i];
        for (size_t k = 0; k < p->n_led; k++) v->fact[n++].round = p->led[k].plan.round;
        for (size_t k = 0; k < p->n_kept; k++) v->fact[n++].round = p->kept[k].round;
    }
    qsort(v->fact, n, sizeof *v->fact, by_round);
    for (size_t i = 0; i < n; i++)
        if (v->n_facts == 0 || v->fact[v->n_facts - 1].round != v->fact[i].round)
            v->fact[v->n_facts++].round = v->fact[i].round;
}

/* The statement that sites confirmed follows from what the coordinator counted in. */
static enum status claim_of(struct fact *f, const struct trail_round *led)
{
    if (led->n_digests == 0 || led->n_digests < f->plan.params.quorum) return STATUS_OK;
    if (led->why == REASON_MEMORY && led->n_confirms == 0 && bits_count(&led->opened) == 0)
        return STATUS_OK; /* it failed before there was a statement */
    AUTO(survivors_free)
    struct survivors claim = {
        .plan = led->plan_hash, .roster = led->roster, .dealers = led->dealers};
    memcpy(claim.session, led->plan.session, sizeof claim.session);
    TRY(bits_copy(&claim.survivors, &led->survivors));
    TRY(bits_copy(&claim.opened, &led->opened));
    TRY(merkle_root(&claim.root, led->digest, led->n_digests));
    f->survivors = survivors_hash(&claim);
    f->claim = claim;
    f->claimed = true;
    claim = (struct survivors){0};
    return STATUS_OK;
}

static enum status from_leader(struct verify *v, struct fact *f, const struct trail_round *led)
{
    f->from = v->leader;
    f->led = led;
    f->plan_hash = led->plan_hash;
    TRY(plan_copy(&f->plan, &led->plan));
    TRY(claim_of(f, led));
    f->opened = led->why == REASON_NONE;
    if (!f->opened) return STATUS_OK;
    if (result_read(&f->result, led->result_bytes, v->party[0].manifest.coordinator.identity) !=
        STATUS_OK)
        verify_fault(v, CHECK_SIGNATURES, v->leader, f->round, "its result is not signed");
    f->transcript = result_transcript(&f->result);
    return STATUS_OK;
}

/* The first site that has a plan, a claim, a result. */
static enum status from_sites(struct verify *v, struct fact *f)
{
    const uint32_t n = v->party[0].manifest.n;
    for (size_t i = 0; i < v->n; i++) {
        const struct party *p = &v->party[i];
        const struct kept *kept = verify_kept(p, f->round);
        if (kept == NULL) continue;
        if (f->from == NULL) {
            TRY(plan_read(&f->plan, &f->plan_hash, kept->plan, n,
                          p->manifest.coordinator.identity));
            f->from = p;
        }
        if (kept->confirmed && !f->claimed && hash_equal(&kept->plan_hash, &f->plan_hash)) {
            const enum status status = claim_read(&f->claim, kept->claim, n, f->plan.n_segments);
            if (status == STATUS_NOMEM) return status;
            f->claimed = status == STATUS_OK;
            if (f->claimed) f->survivors = survivors_hash(&f->claim);
        }
        if (!kept->ended || f->opened) continue;
        f->opened = true;
        f->result = kept->result;
        f->transcript = kept->transcript;
    }
    return STATUS_OK;
}

static enum status fill(struct verify *v)
{
    size_t at = 0;
    for (size_t i = 0; i < v->n_facts; i++) {
        struct fact *f = &v->fact[i];
        const struct party *leader = v->leader;
        if (leader != NULL && at < leader->n_led && leader->led[at].plan.round == f->round)
            TRY(from_leader(v, f, &leader->led[at++]));
        else
            TRY(from_sites(v, f));
    }
    return STATUS_OK;
}

enum status verify_rounds(struct verify *v)
{
    size_t most = 1;
    for (size_t i = 0; i < v->n; i++) most += v->party[i].n_led + v->party[i].n_kept;
    v->fact = calloc(most, sizeof *v->fact);
    if (v->fact == NULL) return STATUS_NOMEM;
    list_rounds(v);
    return fill(v);
}

/* --- plans -------------------------------------------------------------------------------------
 */

static void check_plan(struct verify *v, const struct fact *f, const struct hash *previous)
{
    const struct plan *plan = &f->plan;
    const struct party *p = f->from;
    const enum reason why = schedule_check_alone(&v->schedule, plan);
    if (!hash_equal(&plan->manifest, &v->party[0].hash) ||
        !hash_equal(&plan->study, &v->study.hash))
        verify_fault(v, CHECK_PLANS, p, f->round, "its plan is of another manifest or study");
    if (f->led != NULL && !hash_equal(&plan->previous, previous))
        verify_fault(v, CHECK_PLANS, p, f->round, "its plan does not continue the rounds before");
    if (why != REASON_NONE && why != REASON_NOISE)
        verify_fault(v, CHECK_PLANS, p, f->round, "%s: %s", reason_id(why), reason_what(why));
    if (why == REASON_NOISE)
        verify_fault(v, CHECK_NOISE, p, f->round, "%s: %s", reason_id(why), reason_what(why));
}

void verify_plans(struct verify *v)
{
    json_int_t compared = 0;
    struct hash previous = {0};
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct fact *f = &v->fact[i];
        check_plan(v, f, &previous);
        if (f->opened) previous = f->transcript;
        for (size_t k = 0; k < v->n; k++) {
            const struct kept *kept = verify_kept(&v->party[k], f->round);
            if (kept == NULL) continue;
            compared++;
            if (!hash_equal(&kept->plan_hash, &f->plan_hash))
                verify_fault(v, CHECK_PLANS, &v->party[k], f->round,
                             "it was given another plan than %s has", f->from->name);
        }
    }
    verify_holds(v, CHECK_PLANS,
                 json_pack("{s:I, s:I}", "rounds", (json_int_t)v->n_facts, "copies", compared),
                 "%zu rounds planned as the study says, each the same in %lld copies of sites",
                 v->n_facts, (long long)compared);
}

/* --- quorum ------------------------------------------------------------------------------------
 */

struct least {
    size_t survivors, members; /* of rounds, of opened segments */
    json_int_t opened, failed, confirmations, sealed;
};

static void check_claim(struct verify *v, const struct fact *f, struct least *least)
{
    const struct params *is = &f->plan.params;
    const size_t n = bits_count(&f->claim.survivors);
    if (!bits_subset(&f->claim.survivors, &f->plan.cohort) ||
        !hash_equal(&f->claim.plan, &f->plan_hash))
        verify_fault(v, CHECK_QUORUM, f->from, f->round, "its survivors are not of its cohort");
    if (n < is->quorum)
        verify_fault(v, CHECK_QUORUM, f->from, f->round, "%zu survivors, fewer than %u", n,
                     is->quorum);
    if (f->opened && n < least->survivors) least->survivors = n;
    for (uint32_t l = 0; l < f->plan.n_segments; l++) {
        const size_t members = bits_common(&f->plan.segment[l].members, &f->claim.survivors);
        const bool enough = members >= (size_t)is->m + is->c;
        if (bits_has(&f->claim.opened, l) != enough)
            verify_fault(v, CHECK_QUORUM, f->from, f->round, "segment %u with %zu members was %s",
                         l + 1, members, enough ? "sealed" : "opened");
        if (!enough)
            least->sealed++;
        else if (f->opened && members < least->members)
            least->members = members;
    }
}

/* T sites signed the very statement that the result is of. */
static enum status check_confirms(struct verify *v, const struct fact *f, struct least *least)
{
    AUTO(bits_free) struct bits signers = {0};
    TRY(bits_new(&signers, v->party[0].manifest.n));
    for (uint32_t i = 0; i < f->led->n_confirms; i++) {
        const struct confirm *confirm = &f->led->confirm[i];
        if (bits_has(&f->claim.survivors, confirm->from) &&
            confirm_check(confirm, &f->survivors,
                          v->party[0].manifest.member[confirm->from].identity))
            bits_set(&signers, confirm->from);
        else
            verify_fault(v, CHECK_QUORUM, f->from, f->round, "a confirmation does not hold");
    }
    if (bits_count(&signers) < f->plan.params.quorum)
        verify_fault(v, CHECK_QUORUM, f->from, f->round, "%zu sites confirmed, fewer than %u",
                     bits_count(&signers), f->plan.params.quorum);
    least->confirmations += (json_int_t)bits_count(&signers);
    return STATUS_OK;
}

static void check_result(struct verify *v, const struct fact *f)
{
    const struct result *r = &f->result;
    if (r->round != f->round || memcmp(r->session, f->plan.session, sizeof r->session) != 0 ||
        !hash_equal(&r->plan, &f->plan_hash) || !hash_equal(&r->previous, &f->plan.previous))
        verify_fault(v, CHECK_QUORUM, f->from, f->round, "its result is of another plan");
    if (!f->claimed || !hash_equal(&r->survivors, &f->survivors) ||
        r->n_survivors != bits_count(&f->claim.survivors))
        verify_fault(v, CHECK_QUORUM, f->from, f->round, "its result is of other survivors");
}

enum status verify_quorum(struct verify *v)
{
    struct least least = {.survivors = SIZE_MAX, .members = SIZE_MAX};
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct fact *f = &v->fact[i];
        if (f->claimed) check_claim(v, f, &least);
        if (!f->opened) {
            least.failed++;
            continue;
        }
        least.opened++;
        check_result(v, f);
        if (f->led != NULL) TRY(check_confirms(v, f, &least));
    }
    if (least.opened == 0) {
        verify_open(v, CHECK_QUORUM, "no round was opened");
        return STATUS_OK;
    }
    json_t *counts = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "opened", least.opened, "not_opened", least.failed,
        "fewest_survivors", (json_int_t)least.survivors, "fewest_members",
        (json_int_t)least.members, "confirmations", least.confirmations, "sealed", least.sealed);
    if (v->leader == NULL)
        verify_open(v, CHECK_QUORUM,
                    "survivors suffice by the sites' own word; the signatures of %u of them are in "
                    "the coordinator's evidence",
                    v->schedule.params.quorum);
    verify_holds(v, CHECK_QUORUM, counts,
                 "%lld rounds opened, with %zu sites or more (limit %u) and %zu or more in every "
                 "segment (limit %u); %lld confirmations",
                 (long long)least.opened, least.survivors, v->schedule.params.quorum, least.members,
                 v->schedule.params.m + v->schedule.params.c, (long long)least.confirmations);
    return STATUS_OK;
}

/* --- once --------------------------------------------------------------------------------------
 */

/* What a single trail says twice was a fault when it was read. */
void verify_once(struct verify *v)
{
    json_int_t confirmed = 0, results = 0;
    for (size_t i = 0; i < v->n_facts; i++) {
        const struct fact *f = &v->fact[i];
        for (size_t k = 0; k < v->n; k++) {
            const struct kept *kept = verify_kept(&v->party[k], f->round);
            if (kept == NULL) continue;
            confirmed += kept->confirmed;
            results += kept->ended;
            if (kept->confirmed && (!f->claimed || !hash_equal(&kept->survivors, &f->survivors)))
                verify_fault(v, CHECK_ONCE, &v->party[k], f->round,
                             "it confirmed another survivor set than %s has", f->from->name);
            if (kept->ended && (!f->opened || !hash_equal(&kept->transcript, &f->transcript)))
                verify_fault(v, CHECK_ONCE, &v->party[k], f->round, "it has another result than %s",
                             f->from->name);
        }
    }
    verify_holds(v, CHECK_ONCE,
                 json_pack("{s:I, s:I}", "confirmations", confirmed, "results", results),
                 "one plan, one survivor set and one result a round: %lld confirmations and %lld "
                 "results of sites agree",
                 (long long)confirmed, (long long)results);
}
