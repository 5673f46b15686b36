/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/exhaust/hostile.h"

#include <string.h>

#include "tests/lib/check.h"

static void write_roster(struct hostile *h, struct buffer *out, uint32_t n)
{
    struct arena *a = &h->arena;
    struct view advert[SITES] = {{0}};
    for (uint32_t v = 0; v < n; v++) advert[v] = buffer_view(&a->session[v].advert);
    struct roster roster = {.n = SITES, .advert = advert};
    memcpy(roster.session, a->session[SITE].plan.session, MSG_SESSION_BYTES);
    roster_write(out, &roster, a->coordinator.identity);
}

static void add_dealer(struct hostile *h, struct inbox *inbox, uint32_t v)
{
    const struct session *s = &h->arena.session[SITE];
    const uint32_t count = (uint32_t)bits_count(&s->roster);
    struct shares shares = {0};
    /* The shares may be of another roster, of more or fewer sites. */
    if (!bits_has(&s->roster, v) ||
        shares_read(&shares, buffer_view(&h->shares[v]), count, SIZE_MAX) != STATUS_OK)
        return;
    bits_set(&inbox->dealers, v);
    inbox->head[v] = header_hash(shares.header);
    inbox->header[v] = shares.header;
    inbox->sealed[v] = shares.sealed[0];
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    CHECK_OK(merkle_tree_new(&tree, shares.leaf, count));
    merkle_tree_path(&inbox->path[v], &tree, 0);
    shares_free(&shares);
}

static void write_inbox(struct hostile *h, struct buffer *out, uint32_t n)
{
    struct inbox inbox = {0};
    CHECK_OK(inbox_new(&inbox, SITES));
    memcpy(inbox.session, h->arena.session[SITE].plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < n; v++) add_dealer(h, &inbox, v);
    inbox_write(out, &inbox, h->arena.coordinator.identity);
    inbox_free(&inbox);
}

/* What a puppet signs: that it was told what the site was told. */
static struct view write_digest(struct hostile *h, struct buffer *out, uint32_t v)
{
    const struct session *s = &h->arena.session[SITE];
    struct digest digest = {.plan = s->plan_hash,
                            .roster = s->roster_hash,
                            .dealers = s->dealers_hash,
                            .from = v,
                            .n_segments = 1};
    memcpy(digest.session, s->plan.session, MSG_SESSION_BYTES);
    digest_write(out, &digest, h->arena.key[v].identity);
    return buffer_view(out);
}

static void free_digests(struct buffer (*digest)[SITES])
{
    for (size_t v = 0; v < SITES; v++) buffer_free(&(*digest)[v]);
}

/* A statement about the dealers below n. */
static struct hash make_statement(struct hostile *h, uint32_t n, struct buffer *out)
{
    const struct session *s = &h->arena.session[SITE];
    AUTO(survivors_free)
    struct survivors statement = {
        .plan = s->plan_hash, .roster = s->roster_hash, .dealers = s->dealers_hash};
    memcpy(statement.session, s->plan.session, MSG_SESSION_BYTES);
    CHECK_OK(bits_new(&statement.survivors, SITES));
    CHECK_OK(bits_new(&statement.opened, 1));
    AUTO(free_digests) struct buffer signed_by[SITES] = {{0}};
    struct view digest[SITES] = {buffer_view(&h->digest)};
    for (uint32_t v = 0; v < n; v++) {
        if (!bits_has(&s->dealers, v)) continue;
        bits_set(&statement.survivors, v);
        if (v != SITE) digest[v] = write_digest(h, &signed_by[v], v);
    }
    if (bits_count(&statement.survivors) >= 2) bits_set(&statement.opened, 0);
    forge_survivors(&h->arena, out, &statement, digest, SITE);
    return survivors_hash(&statement);
}

/* Signatures of all that the statement calls survivors, the site's own among them. */
static void write_quorum(struct hostile *h, struct buffer *out, bool same)
{
    const struct session *s = &h->arena.session[SITE];
    const bool all = bits_has(&s->survivors.survivors, 2);
    AUTO(buffer_free) struct buffer unsent = {0};
    const struct hash other = make_statement(h, all ? 2 : SITES, &unsent);
    struct confirm confirm[SITES] = {0};
    struct quorum quorum = {.confirm = confirm};
    memcpy(quorum.session, s->plan.session, MSG_SESSION_BYTES);
    for (uint32_t v = 0; v < SITES; v++) {
        if (!bits_has(&s->survivors.survivors, v)) continue;
        confirm[quorum.n].from = v;
        confirm_sign(&confirm[quorum.n++], same ? &s->survivors_hash : &other,
                     h->arena.key[v].identity);
    }
    quorum_write(out, &quorum);
}

static void write_result(struct hostile *h, struct buffer *out)
{
    const struct session *s = &h->arena.session[SITE];
    struct result result = {.round = s->plan.round,
                            .previous = s->transcript,
                            .plan = s->plan_hash,
                            .survivors = s->survivors_hash,
                            .n_survivors = (uint32_t)bits_count(&s->survivors.survivors)};
    memcpy(result.session, s->plan.session, MSG_SESSION_BYTES);
    result_write(out, &result, h->arena.coordinator.identity);
}

static void write_abort(struct hostile *h, struct buffer *out)
{
    struct abort_notice notice = {.from = OUTBOX_SERVER, .reason = REASON_QUORUM};
    memcpy(notice.session, h->arena.session[SITE].plan.session, MSG_SESSION_BYTES);
    abort_write(out, &notice, h->arena.coordinator.identity);
}

void hostile_write(struct hostile *h, enum what what, struct buffer *out)
{
    switch (what) {
    case OPENING_1:
        write_bytes(out, h->opening[0].at, h->opening[0].n);
        break;
    case OPENING_2:
        write_bytes(out, h->opening[1].at, h->opening[1].n);
        break;
    case ROSTER_ALL:
        write_roster(h, out, SITES);
        break;
    case ROSTER_TWO:
        write_roster(h, out, 2);
        break;
    case INBOX_ALL:
        write_inbox(h, out, SITES);
        break;
    case INBOX_TWO:
        write_inbox(h, out, 2);
        break;
    case SURVIVORS_ALL:
        (void)make_statement(h, SITES, out);
        break;
    case SURVIVORS_TWO:
        (void)make_statement(h, 2, out);
        break;
    case QUORUM_SAME:
        write_quorum(h, out, true);
        break;
    case QUORUM_OTHER:
        write_quorum(h, out, false);
        break;
    case RESULT:
        write_result(h, out);
        break;
    default:
        write_abort(h, out);
        break;
    }
}
