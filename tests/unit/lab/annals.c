/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lab/annals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/merkle.h"
#include "protocol/terms.h"

#define STUDY                                                                                      \
    "schema: 1\n"                                                                                  \
    "study: {id: annals}\n"                                                                        \
    "sites: {expected: 4, colluding: 0, min_contributors: 2}\n"                                    \
    "model: {kind: mlp, height: 8, width: 8, classes: 2, hidden: [4]}\n"                           \
    "rounds: {count: 3}\n"

/* Bytes of a site's messages. */
static const uint32_t sent_bytes[TRAIL_LETTERS] = {100, 0, 200, 3000, 50, 80};
static const enum msg_kind sent_kind[TRAIL_LETTERS] = {MSG_ADVERT, MSG_POSITION, MSG_SHARES,
                                                       MSG_MASKED, MSG_CONFIRM,  MSG_UNMASK};

static char study_text[1024];

static void must(enum status status)
{
    REQUIRE(status == STATUS_OK);
}

static struct view text_of(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

/* --- who, and what -----------------------------------------------------------------------------
 */

static void make_manifest(struct annals *a)
{
    static struct rng rng;
    struct manifest *m = &a->manifest;
    rng_numbered(&rng, 1);
    *m = (struct manifest){.federation = "annals",
                           .epoch = 1,
                           .study = a->study.hash,
                           .floor = {.m = 1, .max_epsilon = (double)INFINITY, .max_delta = 1e-3},
                           .n = ANNALS_SITES,
                           .n_governors = 1,
                           .governors_needed = 1};
    m->member = calloc(m->n, sizeof *m->member);
    REQUIRE(m->member != NULL);
    must(keyfile_make(&a->governor, "governor", &rng));
    sign_public(m->governor[0], a->governor.identity);
    for (uint32_t v = 0; v < ANNALS_PARTIES; v++) {
        struct annals_party *p = &a->party[v];
        char name[16];
        (void)snprintf(name, sizeof name, v == ANNALS_LEADER ? "coordinator" : "site-%u", v + 1);
        must(keyfile_make(&p->key, name, &rng));
        p->teller = p->key.identity;
        member_of(v == ANNALS_LEADER ? &m->coordinator : &m->member[v], &p->key, true);
    }
}

void annals_open(struct annals *a, const char *settings)
{
    struct settings_error why = {0};
    *a = (struct annals){0};
    (void)snprintf(study_text, sizeof study_text, "%s%s", STUDY, settings);
    must(study_parse(&a->study, text_of(study_text), &why));
    must(layout_of(&a->layout, &a->study.model.spec));
    must(schedule_of(&a->schedule, &a->study, &a->layout, ANNALS_SITES, &why));
    make_manifest(a);
}

void annals_close(struct annals *a)
{
    for (uint32_t v = 0; v < ANNALS_PARTIES; v++)
        while (a->party[v].n_trail > 0) annals_drop(&a->party[v], 0);
    manifest_free(&a->manifest);
    *a = (struct annals){0};
}

/* --- what they keep ----------------------------------------------------------------------------
 */

static struct ledger_entry *enter(struct annals *a, struct annals_party *p, enum ledger_kind kind,
                                  uint32_t round)
{
    REQUIRE(p->n_ledger < ANNALS_LINES_MAX);
    struct ledger_entry *entry = &p->ledger[p->n_ledger++];
    *entry = (struct ledger_entry){
        .kind = kind, .manifest = manifest_hash(&a->manifest), .round = round};
    return entry;
}

static struct buffer *keep(struct annals_party *p, enum trail_kind kind, uint32_t round)
{
    REQUIRE(p->n_trail < ANNALS_LINES_MAX);
    struct annals_line *line = &p->trail[p->n_trail++];
    *line = (struct annals_line){.kind = kind, .round = round, .n_ledger = p->n_ledger};
    return &line->body;
}

static void keep_memory(struct annals_party *p, const struct plan *plan, enum memory_kind kind,
                        const struct hash *hash, struct view proof)
{
    struct memory memory = {.kind = kind, .round = plan->round, .hash = *hash, .proof = proof};
    memcpy(memory.session, plan->session, sizeof memory.session);
    if (kind == MEMORY_RESULT) memory.n_survivors = ANNALS_SITES;
    memory_write(keep(p, TRAIL_MEMORY, plan->round), &memory);
}

static void keep_sent(struct annals_party *p, uint32_t round, enum trail_letter letter)
{
    const struct trail_sent sent = {round, sent_kind[letter], sent_bytes[letter]};
    trail_sent_write(keep(p, TRAIL_SENT, round), &sent);
}

static void make_terms(struct annals *a, struct annals_party *p)
{
    struct terms terms;
    const struct hash manifest = manifest_hash(&a->manifest);
    const struct lifetime lifetime = {.data_set = "records",
                                      .unit = a->study.privacy.unit,
                                      .epsilon = (double)INFINITY,
                                      .delta = a->study.privacy.delta};
    must(terms_of(&terms, &a->schedule, &manifest, &lifetime));
    p->ledger[p->n_ledger++] = terms.set;
    p->ledger[p->n_ledger++] = terms.study;
}

/* One round, as far as it came. */
struct told {
    struct plan plan;
    struct buffer plan_bytes, claim, result_bytes;
    struct hash plan_hash, digest[ANNALS_SITES], survivors_hash, transcript;
    struct survivors survivors;
    struct release release; /* of the plan as it should be */
    enum reason why;
};

static void told_free(struct told *told)
{
    plan_free(&told->plan);
    buffer_free(&told->plan_bytes);
    buffer_free(&told->claim);
    buffer_free(&told->result_bytes);
    survivors_free(&told->survivors);
}

static void tell_plan(struct told *told, const struct annals *a, uint32_t round)
{
    const uint8_t *leader = a->party[ANNALS_LEADER].key.identity;
    AUTO(bits_free) struct bits keep = {0};
    AUTO(bits_free) struct bits cohort = {0};
    AUTO(plan_free) struct plan read = {0};
    must(bits_new(&keep, a->layout.n));
    must(bits_new(&cohort, ANNALS_SITES));
    bits_fill(&keep);
    for (uint32_t i = 0; i < a->pruned[round - 1]; i++) bits_clear(&keep, i);
    bits_fill(&cohort);
    must(schedule_plan(&told->plan, &a->schedule, STEP_TRAIN, round - 1, &keep, 0, &cohort));
    told->plan.round = round;
    told->plan.manifest = manifest_hash(&a->manifest);
    told->plan.study = a->study.hash;
    told->plan.previous = a->transcript;
    memset(told->plan.session, (int)round, sizeof told->plan.session);
    told->release = schedule_release(&told->plan, schedule_certain(&told->plan));
    if (a->on_plan != NULL) a->on_plan(&told->plan);
    plan_write(&told->plan_bytes, &told->plan, leader);
    must(plan_read(&read, &told->plan_hash, buffer_view(&told->plan_bytes), ANNALS_SITES,
                   a->manifest.coordinator.identity));
}

static void tell_survivors(struct told *told)
{
    struct survivors *s = &told->survivors;
    memcpy(s->session, told->plan.session, sizeof s->session);
    s->plan = told->plan_hash;
    s->roster.bytes[0] = 1;
    s->dealers.bytes[0] = 2;
    must(bits_new(&s->survivors, ANNALS_SITES));
    must(bits_new(&s->opened, told->plan.n_segments));
    bits_fill(&s->survivors);
    if (told->why != REASON_MEMORY) bits_fill(&s->opened);
    for (uint32_t v = 0; v < ANNALS_SITES; v++)
        told->digest[v].bytes[0] = (uint8_t)(16 * told->plan.round + v);
    must(merkle_root(&s->root, told->digest, ANNALS_SITES));
    told->survivors_hash = survivors_hash(s);
    claim_write(&told->claim, s);
}

static void tell_result(struct told *told, struct annals *a)
{
    struct result result = {.round = told->plan.round,
                            .previous = told->plan.previous,
                            .plan = told->plan_hash,
                            .survivors = told->survivors_hash,
                            .n_survivors = ANNALS_SITES};
    memcpy(result.session, told->plan.session, sizeof result.session);
    if (told->why != REASON_NONE) return;
    if (a->on_result != NULL) a->on_result(&result);
    result_write(&told->result_bytes, &result, a->party[ANNALS_LEADER].key.identity);
    told->transcript = a->transcript = result_transcript(&result);
}

/* Its own noise is among the survivors': nobody colludes. */
static void reserve(struct annals *a, struct annals_party *p, const struct told *told)
{
    struct ledger_entry *entry = enter(a, p, LEDGER_RESERVE, told->plan.round);
    entry->step = told->plan.step;
    entry->release = told->release;
}

static void settle(struct annals *a, struct annals_party *p, const struct told *told)
{
    if (told->why != REASON_NONE) return;
    enter(a, p, LEDGER_SETTLE, told->plan.round)->release.n_shares = ANNALS_SITES;
}

static void keep_end(struct annals_party *p, const struct told *told)
{
    const struct trail_end end = {.round = told->plan.round, .why = told->why};
    trail_end_write(keep(p, TRAIL_END, told->plan.round), &end);
}

static void keep_site(struct annals *a, struct annals_party *p, const struct told *told)
{
    const struct plan *plan = &told->plan;
    const struct view none = {0};
    keep_memory(p, plan, MEMORY_PLAN, &told->plan_hash, buffer_view(&told->plan_bytes));
    keep_sent(p, plan->round, TRAIL_ADVERT);
    keep_sent(p, plan->round, TRAIL_SHARES);
    reserve(a, p, told);
    keep_memory(p, plan, MEMORY_INPUT, &told->digest[p - a->party], none);
    keep_sent(p, plan->round, TRAIL_MASKED);
    if (told->why != REASON_NONE) {
        keep_end(p, told);
        return;
    }
    keep_memory(p, plan, MEMORY_CONFIRM, &told->survivors_hash, buffer_view(&told->claim));
    keep_sent(p, plan->round, TRAIL_CONFIRM);
    keep_memory(p, plan, MEMORY_RELEASE, &told->survivors_hash, none);
    keep_sent(p, plan->round, TRAIL_UNMASK);
    keep_memory(p, plan, MEMORY_RESULT, &told->transcript, buffer_view(&told->result_bytes));
    settle(a, p, told);
    keep_end(p, told);
}

static void keep_leader(struct annals *a, struct annals_party *p, struct told *told)
{
    const bool opened = told->why == REASON_NONE;
    struct confirm confirm[ANNALS_SITES] = {{.from = 0}};
    uint32_t taken[ANNALS_SITES][TRAIL_LETTERS] = {{0}};
    for (uint32_t v = 0; v < ANNALS_SITES; v++) {
        confirm[v].from = v;
        confirm_sign(&confirm[v], &told->survivors_hash, a->party[v].key.identity);
        for (int k = 0; k < TRAIL_LETTERS; k++)
            taken[v][k] = opened || k <= TRAIL_MASKED ? sent_bytes[k] : 0;
    }
    struct trail_round round = {.plan_bytes = buffer_view(&told->plan_bytes),
                                .why = told->why,
                                .roster = told->survivors.roster,
                                .dealers = told->survivors.dealers,
                                .survivors = told->survivors.survivors,
                                .opened = told->survivors.opened,
                                .n_digests = ANNALS_SITES,
                                .digest = told->digest,
                                .n_confirms = opened ? ANNALS_SITES : 0,
                                .confirm = confirm,
                                .n_cohort = ANNALS_SITES,
                                .taken = taken,
                                .result_bytes = buffer_view(&told->result_bytes),
                                .plan = told->plan};
    reserve(a, p, told);
    if (a->on_round != NULL) a->on_round(&round);
    trail_round_write(keep(p, TRAIL_ROUND, told->plan.round), &round);
    settle(a, p, told);
    keep_end(p, told);
}

void annals_make(struct annals *a)
{
    for (uint32_t v = 0; v < ANNALS_PARTIES; v++) make_terms(a, &a->party[v]);
    for (uint32_t r = 1; r <= ANNALS_ROUNDS; r++) {
        AUTO(told_free) struct told told = {.why = a->why[r - 1]};
        tell_plan(&told, a, r);
        tell_survivors(&told);
        tell_result(&told, a);
        for (uint32_t v = 0; v < ANNALS_SITES; v++) keep_site(a, &a->party[v], &told);
        keep_leader(a, &a->party[ANNALS_LEADER], &told);
    }
}

/* --- changes, and the file ---------------------------------------------------------------------
 */

void annals_drop(struct annals_party *p, size_t line)
{
    REQUIRE(line < p->n_trail);
    buffer_free(&p->trail[line].body);
    memmove(&p->trail[line], &p->trail[line + 1], (--p->n_trail - line) * sizeof *p->trail);
}

void annals_drop_ledger(struct annals_party *p, size_t entry)
{
    REQUIRE(entry < p->n_ledger);
    memmove(&p->ledger[entry], &p->ledger[entry + 1], (--p->n_ledger - entry) * sizeof *p->ledger);
    for (size_t i = 0; i < p->n_trail; i++)
        if (p->trail[i].n_ledger > entry) p->trail[i].n_ledger--;
}

size_t annals_find(const struct annals_party *p, enum trail_kind kind, uint32_t round, size_t n)
{
    for (size_t i = 0; i < p->n_trail; i++)
        if (p->trail[i].kind == kind && p->trail[i].round == round && n-- == 0) return i;
    REQUIRE(false); /* there is no such line */
    return 0;
}

size_t annals_find_ledger(const struct annals_party *p, enum ledger_kind kind, uint32_t round)
{
    for (size_t i = 0; i < p->n_ledger; i++)
        if (p->ledger[i].kind == kind && p->ledger[i].round == round) return i;
    REQUIRE(false); /* there is no such entry */
    return 0;
}

static void write_ledger(struct buffer *out, const struct annals_party *p,
                         struct ledger_head head[static ANNALS_LINES_MAX + 1])
{
    write_u32(out, (uint32_t)(p->n_ledger - p->n_cut));
    for (size_t i = 0; i < p->n_ledger; i++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        uint8_t signature[SIGN_BYTES];
        struct ledger_entry entry = p->ledger[i];
        entry.number = i + 1;
        entry.previous = head[i].hash;
        sign_public(entry.signer, p->teller);
        ledger_entry_write(&bytes, &entry);
        ledger_entry_sign(signature, p->teller, buffer_view(&bytes));
        head[i + 1] = (struct ledger_head){i + 1, ledger_entry_hash(buffer_view(&bytes))};
        if (i >= p->n_ledger - p->n_cut) continue;
        write_blob(out, bytes.at, bytes.n);
        write_blob(out, signature, sizeof signature);
    }
}

static void write_trail(struct buffer *out, const struct annals_party *p,
                        const struct ledger_head *head)
{
    struct hash previous = {0};
    write_u32(out, (uint32_t)p->n_trail);
    for (size_t i = 0; i < p->n_trail; i++) {
        AUTO(buffer_free) struct buffer bytes = {0};
        uint8_t signature[SIGN_BYTES];
        struct trail_entry entry = {.number = i + 1,
                                    .previous = previous,
                                    .ledger = head[p->trail[i].n_ledger],
                                    .kind = p->trail[i].kind,
                                    .body = buffer_view(&p->trail[i].body)};
        sign_public(entry.signer, p->key.identity);
        trail_entry_write(&bytes, &entry);
        trail_entry_sign(signature, p->key.identity, buffer_view(&bytes));
        write_blob(out, bytes.at, bytes.n);
        write_blob(out, signature, sizeof signature);
        previous = trail_entry_hash(buffer_view(&bytes));
    }
}

void annals_write(struct buffer *out, const struct annals *a, uint32_t party)
{
    static const char head_line[] = "veilsum evidence 1\n";
    struct ledger_head head[ANNALS_LINES_MAX + 1] = {{.n = 0}};
    AUTO(buffer_free) struct buffer manifest = {0}, ledger = {0};
    manifest_write(&manifest, &a->manifest);
    must(manifest_sign(&manifest, &a->manifest, a->governor.identity));
    write_ledger(&ledger, &a->party[party], head);
    write_bytes(out, head_line, sizeof head_line - 1);
    write_blob(out, manifest.at, manifest.n);
    write_blob(out, study_text, strlen(study_text));
    write_trail(out, &a->party[party], head);
    write_bytes(out, ledger.at, ledger.n);
    must(out->status);
}
