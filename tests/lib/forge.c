/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/forge.h"

#include <stdlib.h>
#include <string.h>

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

enum msg_kind flight_kind(const struct flight *flight)
{
    return msg_kind_of(buffer_view(&flight->bytes));
}

bool flight_is(const struct flight *flight, enum msg_kind kind, uint32_t site)
{
    return (flight->from == site || flight->to == site) && flight_kind(flight) == kind;
}

/* What each maker is given: the honest letter, and where the other one goes. */
struct work {
    struct arena *a;
    const struct forgery *forgery;
    struct view in;
    struct buffer *out;
    const uint8_t *server, *site;           /* public keys */
    const uint8_t *server_seed, *site_seed; /* signing seeds */
};

static void change(const struct work *w, void *content)
{
    if (w->forgery->change != NULL) w->forgery->change(w->a, content);
}

static void make_opening(const struct work *w)
{
    struct opening opening = {0};
    must(opening_read(&opening, w->in));
    change(w, &opening);
    opening_write(w->out, &opening);
    write_bytes(w->out, opening.state.at, opening.state.n);
}

static void make_plan(const struct work *w)
{
    struct opening opening = {0};
    AUTO(plan_free) struct plan plan = {0};
    struct hash hash;
    must(opening_read(&opening, w->in));
    must(plan_read(&plan, &hash, opening.plan, w->a->n, w->server));
    change(w, &plan);
    AUTO(buffer_free) struct buffer bytes = {0};
    plan_write(&bytes, &plan, w->server_seed);
    opening.plan = buffer_view(&bytes);
    opening_write(w->out, &opening);
    write_bytes(w->out, opening.state.at, opening.state.n);
}

static void make_advert(const struct work *w)
{
    struct advert advert = {0};
    must(advert_read(&advert, w->in, w->site));
    change(w, &advert);
    advert_write(w->out, &advert, w->site_seed);
}

static void make_roster(const struct work *w)
{
    AUTO(roster_free) struct roster roster = {0};
    must(roster_read(&roster, w->in, w->a->n, w->server));
    change(w, &roster);
    roster_write(w->out, &roster, w->server_seed);
}

static void make_position(const struct work *w)
{
    struct position position = {0};
    must(position_read(&position, w->in, w->site));
    change(w, &position);
    position_write(w->out, &position, w->site_seed);
}

static void make_positions(const struct work *w)
{
    AUTO(positions_free) struct positions positions = {0};
    must(positions_read(&positions, w->in, w->a->n, w->server));
    change(w, &positions);
    positions_write(w->out, &positions, w->server_seed);
}

static void make_shares(const struct work *w)
{
    AUTO(shares_free) struct shares shares = {0};
    must(shares_read(&shares, w->in, graph_holders(&w->a->round.graph), SIZE_MAX));
    change(w, &shares);
    shares_write(w->out, &shares);
}

static void make_header(const struct work *w)
{
    AUTO(shares_free) struct shares shares = {0};
    must(shares_read(&shares, w->in, graph_holders(&w->a->round.graph), SIZE_MAX));
    struct header header = {0};
    must(header_read(&header, shares.header, w->site));
    change(w, &header);
    AUTO(buffer_free) struct buffer bytes = {0};
    header_write(&bytes, &header, w->site_seed);
    shares.header = buffer_view(&bytes);
    shares_write(w->out, &shares);
}

static void make_inbox(const struct work *w)
{
    AUTO(inbox_free) struct inbox inbox = {0};
    must(inbox_read(&inbox, w->in, w->a->n, SIZE_MAX, w->server));
    change(w, &inbox);
    inbox_write(w->out, &inbox, w->server_seed);
}

static void make_masked(const struct work *w)
{
    struct masked_input masked = {0};
    must(masked_read(&masked, w->in, &w->a->round.plan, w->forgery->site));
    change(w, &masked);
    masked_write(w->out, &masked);
}

static void make_digest(const struct work *w)
{
    struct masked_input masked = {0};
    must(masked_read(&masked, w->in, &w->a->round.plan, w->forgery->site));
    struct digest digest = {0};
    must(digest_read(&digest, masked.digest, w->site));
    change(w, &digest);
    AUTO(buffer_free) struct buffer bytes = {0};
    digest_write(&bytes, &digest, w->site_seed);
    masked.digest = buffer_view(&bytes);
    masked_write(w->out, &masked);
}

static void make_survivors(const struct work *w)
{
    struct forged_survivors f = {0};
    must(survivors_read(&f.statement, &f.witness, w->in, w->a->n, w->a->round.plan.n_segments,
                        w->server));
    change(w, &f);
    survivors_write(w->out, &f.statement, &f.witness, w->server_seed);
    survivors_free(&f.statement);
    witness_free(&f.witness);
}

static void make_confirm(const struct work *w)
{
    struct confirm confirm = {0};
    must(confirm_read(&confirm, w->in));
    change(w, &confirm);
    confirm_write(w->out, &confirm);
}

static void make_quorum(const struct work *w)
{
    AUTO(quorum_free) struct quorum quorum = {0};
    must(quorum_read(&quorum, w->in, w->a->n));
    change(w, &quorum);
    quorum_write(w->out, &quorum);
}

static void make_unmask(const struct work *w)
{
    AUTO(unmask_free) struct unmask unmask = {0};
    must(unmask_read(&unmask, w->in, w->a->n, w->site));
    change(w, &unmask);
    unmask_write(w->out, &unmask, w->site_seed);
}

static void make_result(const struct work *w)
{
    struct result result = {0};
    must(result_read(&result, w->in, w->server));
    change(w, &result);
    result_write(w->out, &result, w->server_seed);
}

/* Which letter carries the struct of a kind, and what makes it anew. */
static const struct {
    enum msg_kind letter;
    void (*make)(const struct work *w);
} maker[MSG_KIND_COUNT] = {
    [MSG_OPENING] = {MSG_OPENING, make_opening},
    [MSG_PLAN] = {MSG_OPENING, make_plan},
    [MSG_ADVERT] = {MSG_ADVERT, make_advert},
    [MSG_ROSTER] = {MSG_ROSTER, make_roster},
    [MSG_POSITION] = {MSG_POSITION, make_position},
    [MSG_POSITIONS] = {MSG_POSITIONS, make_positions},
    [MSG_SHARES] = {MSG_SHARES, make_shares},
    [MSG_HEADER] = {MSG_SHARES, make_header},
    [MSG_INBOX] = {MSG_INBOX, make_inbox},
    [MSG_MASKED] = {MSG_MASKED, make_masked},
    [MSG_DIGEST] = {MSG_MASKED, make_digest},
    [MSG_SURVIVORS] = {MSG_SURVIVORS, make_survivors},
    [MSG_CONFIRM] = {MSG_CONFIRM, make_confirm},
    [MSG_QUORUM] = {MSG_QUORUM, make_quorum},
    [MSG_UNMASK] = {MSG_UNMASK, make_unmask},
    [MSG_RESULT] = {MSG_RESULT, make_result},
};

bool forge(struct arena *a, struct flight *flight)
{
    struct forgery *forgery = a->context;
    REQUIRE(maker[forgery->kind].make != NULL);
    if (!flight_is(flight, maker[forgery->kind].letter, forgery->site)) return true;
    AUTO(buffer_free) struct buffer old = flight->bytes;
    flight->bytes = (struct buffer){0};
    const struct work work = {.a = a,
                              .forgery = forgery,
                              .in = buffer_view(&old),
                              .out = &flight->bytes,
                              .server = a->manifest.coordinator.identity,
                              .site = a->manifest.member[forgery->site].identity,
                              .server_seed = a->coordinator.identity,
                              .site_seed = a->key[forgery->site].identity};
    maker[forgery->kind].make(&work);
    must(flight->bytes.status);
    forgery->done = true;
    return true;
}

static void free_leaves(struct hash **leaf)
{
    free(*leaf);
}

void forge_survivors(const struct arena *a, struct buffer *out, struct survivors *statement,
                     const struct view *digest, uint32_t reader)
{
    AUTO(free_leaves) struct hash *leaf = calloc(a->n, sizeof *leaf);
    AUTO(merkle_tree_free) struct merkle_tree tree = {0};
    AUTO(witness_free) struct witness witness = {0};
    size_t count = 0, rank = 0;
    must(witness_new(&witness, a->n));
    REQUIRE(leaf != NULL);
    for (uint32_t v = 0; v < a->n; v++)
        if (bits_has(&statement->survivors, v)) leaf[count++] = hash_of("digest", digest[v]);
    if (count > 0) {
        must(merkle_tree_new(&tree, leaf, count));
        statement->root = merkle_tree_root(&tree);
    }
    for (uint32_t v = 0; v < a->n; v++) {
        if (!bits_has(&statement->survivors, v)) continue;
        const bool own = v == reader;
        merkle_tree_path(own ? &witness.own : &witness.path[v], &tree, rank++);
        if (!own && graph_holder_number(&a->session[reader].graph, v, reader) != GRAPH_NONE)
            witness.digest[v] = digest[v];
    }
    survivors_write(out, statement, &witness, a->coordinator.identity);
}

void forge_quorum(const struct arena *a, struct buffer *out, const struct hash *statement)
{
    AUTO(quorum_free) struct quorum quorum = {0};
    quorum.confirm = calloc(a->n, sizeof *quorum.confirm);
    REQUIRE(quorum.confirm != NULL);
    memcpy(quorum.session, a->round.plan.session, MSG_SESSION_BYTES);
    for (; quorum.n < a->n; quorum.n++) {
        quorum.confirm[quorum.n].from = quorum.n;
        confirm_sign(&quorum.confirm[quorum.n], statement, a->key[quorum.n].identity);
    }
    quorum_write(out, &quorum);
}
