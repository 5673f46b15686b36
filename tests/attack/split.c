/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/attack/split.h"

#include <string.h>

#include "tests/lib/check.h"

void split_free(struct split *split)
{
    for (uint32_t v = 0; v < ARENA_SITES_MAX; v++) buffer_free(&split->second[v]);
}

/* Both statements are well formed: a root over the digests of their survivors. */
static void make_second(struct arena *a, struct split *split)
{
    struct round *r = &a->round;
    AUTO(bits_free) struct bits survivors = {0};
    CHECK_OK(bits_copy(&survivors, &r->survivors));
    bits_clear(&survivors, SPLIT_VICTIM);
    struct view digest[ARENA_SITES_MAX] = {{0}};
    for (uint32_t v = 0; v < a->n; v++) digest[v] = buffer_view(&r->site[v].head);
    struct survivors statement = {.plan = r->plan_hash,
                                  .roster = r->roster_hash,
                                  .dealers = r->dealers_hash,
                                  .survivors = survivors,
                                  .opened = r->opened_set};
    memcpy(statement.session, r->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < a->n; v++)
        if (bits_has(&survivors, v)) forge_survivors(a, &split->second[v], &statement, digest, v);
    split->first_hash = r->survivors_hash;
    split->second_hash = survivors_hash(&statement);
}

static void note_confirm(struct arena *a, struct split *split, const struct flight *flight)
{
    struct confirm confirm = {0};
    CHECK_OK(confirm_read(&confirm, buffer_view(&flight->bytes)));
    const bool second =
        confirm_check(&confirm, &split->second_hash, a->manifest.member[flight->from].identity);
    split->confirmed[second][flight->from] = true;
    split->confirm[second][flight->from] = confirm;
}

static void note_shares(struct arena *a, struct split *split, const struct flight *flight)
{
    AUTO(unmask_free) struct unmask unmask = {0};
    CHECK_OK(unmask_read(&unmask, buffer_view(&flight->bytes), a->n,
                         a->manifest.member[flight->from].identity));
    split->pair_shares += unmask.bundle[SPLIT_VICTIM].place[BUNDLE_PAIR].have;
    split->self_shares += unmask.bundle[SPLIT_VICTIM].place[BUNDLE_SELF(0)].have;
    for (uint32_t k = 1; k <= a->plan.removable; k++)
        split->noise_shares[k] += unmask.bundle[0].place[BUNDLE_NOISE(&a->plan, k)].have;
}

bool split_views_of(struct arena *a, struct flight *flight)
{
    struct split *split = a->context;
    switch (flight_kind(flight)) {
    case MSG_SURVIVORS:
        if (split->second[0].n == 0) make_second(a, split);
        if (flight->to != SPLIT_VICTIM && (split->told_second >> flight->to & 1) != 0) {
            flight->bytes.n = 0;
            write_bytes(&flight->bytes, split->second[flight->to].at, split->second[flight->to].n);
        }
        return flight->to != SPLIT_TRAITOR;
    case MSG_CONFIRM:
        note_confirm(a, split, flight);
        return false;
    case MSG_UNMASK:
        note_shares(a, split, flight);
        return false;
    default:
        return true;
    }
}

uint32_t split_quorum(struct arena *a, struct split *split, bool second, struct buffer *out)
{
    struct confirm confirm[ARENA_SITES_MAX] = {0};
    struct quorum quorum = {.confirm = confirm};
    memcpy(quorum.session, a->round.plan.session, MSG_SESSION_BYTES);
    struct confirm *last = &split->confirm[second][SPLIT_TRAITOR];
    *last = (struct confirm){.from = SPLIT_TRAITOR};
    confirm_sign(last, second ? &split->second_hash : &split->first_hash,
                 a->key[SPLIT_TRAITOR].identity);
    split->confirmed[second][SPLIT_TRAITOR] = true;
    for (uint32_t v = 0; v < a->n; v++)
        if (split->confirmed[second][v]) confirm[quorum.n++] = split->confirm[second][v];
    quorum_write(out, &quorum);
    return quorum.n;
}
