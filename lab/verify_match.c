/* SPDX-License-Identifier: Apache-2.0 */
/* What parties know of each other: who they are, what left and what came, and up to where each saw
 * the other's chain. */
#include "lab/verify.h"

#include <inttypes.h>
#include <string.h>

/* --- parties -----------------------------------------------------------------------------------
 */

/* The same federation and study, and nobody twice. */
static void compare_party(struct verify *v, size_t i)
{
    const struct party *p = &v->party[i], *first = &v->party[0];
    const struct hash study = hash_of("study", p->evidence.study);
    if (!hash_equal(&p->hash, &first->hash))
        verify_fault(v, CHECK_PARTIES, p, 0, "it has another manifest than %s", first->path);
    if (!hash_equal(&study, &p->manifest.study))
        verify_fault(v, CHECK_PARTIES, p, 0, "its study file is not the manifest's");
    for (size_t k = 0; k < i; k++)
        if (v->party[k].leads == p->leads && v->party[k].member == p->member)
            verify_fault(v, CHECK_PARTIES, p, 0, "%s was given before, as %s", p->name,
                         v->party[k].path);
}

static enum status plan_study(struct verify *v)
{
    struct settings_error why = {0};
    enum status status = study_parse(&v->study, v->party[0].evidence.study, &why);
    if (status == STATUS_OK) status = layout_of(&v->layout, &v->study.model.spec);
    if (status == STATUS_OK)
        status = schedule_of(&v->schedule, &v->study, &v->layout, v->party[0].manifest.n, &why);
    if (status == STATUS_NOMEM) return status;
    if (status != STATUS_OK)
        verify_fault(v, CHECK_PARTIES, &v->party[0], 0, "its study cannot be planned: %s",
                     why.text);
    return STATUS_OK;
}

enum status verify_parties(struct verify *v)
{
    const struct manifest *m = &v->party[0].manifest;
    char pin[2 * HASH_BYTES + 1];
    json_int_t sites = 0;
    for (size_t i = 0; i < v->n; i++) {
        compare_party(v, i);
        if (v->party[i].leads)
            v->leader = &v->party[i];
        else
            sites++;
    }
    if (v->found[CHECK_PARTIES].faults == 0) TRY(plan_study(v));
    hash_hex(pin, &v->party[0].hash, HASH_BYTES);
    verify_holds(v, CHECK_PARTIES,
                 json_pack("{s:b, s:I, s:I, s:s}", "coordinator", v->leader != NULL, "sites", sites,
                           "enrolled", (json_int_t)m->n, "manifest", pin),
                 "%s and %lld of %u sites, all with manifest %s; compare it with the pinned one",
                 v->leader != NULL ? "coordinator" : "no coordinator", (long long)sites, m->n, pin);
    return STATUS_OK;
}

/* --- bytes -------------------------------------------------------------------------------------
 */

struct traffic {
    uint64_t left, came, inputs; /* bytes of all messages, and of masked inputs that were counted */
    json_int_t messages, late;   /* compared; left and not counted any more */
};

static void match_site(struct verify *v, const struct fact *f, const struct party *p,
                       const uint32_t taken[static TRAIL_LETTERS], struct traffic *sum)
{
    static const uint32_t nothing[TRAIL_LETTERS];
    const struct kept *kept = verify_kept(p, f->round);
    const uint32_t *sent = kept == NULL ? nothing : kept->bytes;
    for (int k = 0; k < TRAIL_LETTERS; k++) {
        sum->left += sent[k];
        sum->came += taken[k];
        sum->messages += sent[k] > 0;
        sum->late += sent[k] > 0 && taken[k] == 0;
        if (taken[k] > 0 && taken[k] != sent[k])
            verify_fault(v, CHECK_BYTES, p, f->round,
                         "%" PRIu32 " bytes left it, %" PRIu32 " came to the coordinator", sent[k],
                         taken[k]);
    }
}

static void match_input(struct verify *v, const struct fact *f, const struct party *p,
                        const struct hash *digest, uint32_t taken, struct traffic *sum)
{
    const struct kept *kept = verify_kept(p, f->round);
    sum->inputs += taken;
    if (kept == NULL || !kept->sent || taken == 0 || !hash_equal(&kept->digest, digest))
        verify_fault(v, CHECK_BYTES, p, f->round, "the input that was counted is not what it sent");
}

static const struct party *find_site(const struct verify *v, uint32_t member)
{
    for (size_t i = 0; i < v->n; i++)
        if (!v->party[i].leads && v->party[i].member == member) return &v->party[i];
    return NULL;
}

static void match_round(struct verify *v, const struct fact *f, struct traffic *sum)
{
    uint32_t place = 0, rank = 0;
    for (uint32_t member = 0; member < f->plan.cohort.n; member++) {
        if (!bits_has(&f->plan.cohort, member)) continue;
        const struct party *p = find_site(v, member);
        const uint32_t *taken = f->led->taken[place++];
        const bool counted = bits_has(&f->led->survivors, member);
        const struct hash *digest = counted ? &f->led->digest[rank++] : NULL;
        if (p == NULL) {
            v->whole = false;
            continue;
        }
        match_site(v, f, p, taken, sum);
        if (counted) match_input(v, f, p, digest, taken[TRAIL_MASKED], sum);
    }
}

void verify_bytes(struct verify *v)
{
    struct traffic sum = {0};
    v->whole = v->leader != NULL;
    for (size_t i = 0; i < v->n_facts; i++)
        if (v->fact[i].led != NULL) match_round(v, &v->fact[i], &sum);
    if (v->leader == NULL || v->n < 2) {
        verify_open(v, CHECK_BYTES,
                    "needs the coordinator's evidence and that of the sites: only %s was given",
                    v->leader != NULL ? "the coordinator's" : "that of sites");
        return;
    }
    json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I}", "bytes_left", (json_int_t)sum.left,
                               "bytes_counted", (json_int_t)sum.came, "bytes_of_inputs",
                               (json_int_t)sum.inputs, "messages", sum.messages, "late", sum.late);
    verify_holds(v, CHECK_BYTES, counts,
                 "%" PRIu64 " bytes in %lld messages left the sites given, %" PRIu64
                 " of them were counted, %" PRIu64
                 " of masked inputs; %lld messages came too late to count",
                 sum.left, (long long)sum.messages, sum.came, sum.inputs, (long long)sum.late);
}

/* --- heads -------------------------------------------------------------------------------------
 */

/* A trail names where its party's ledger stood. */
static json_int_t match_ledger(struct verify *v, const struct party *p)
{
    json_int_t heads = 0;
    for (size_t i = 0; i < p->evidence.n_trail; i++) {
        struct trail_entry entry = {0};
        if (trail_entry_read(&entry, p->evidence.trail[i].bytes) != STATUS_OK) continue;
        heads++;
        if (entry.ledger.n > p->ledger.head.n ||
            !hash_equal(&entry.ledger.hash, &p->head[entry.ledger.n]))
            verify_fault(v, CHECK_HEADS, p, 0,
                         "ledger: entry %" PRIu64 " is not the one that trail entry %" PRIu64
                         " names: the end was cut off, or this is another ledger",
                         entry.ledger.n, entry.number);
    }
    return heads;
}

static bool known(const struct verify *v, const struct hash *transcript)
{
    for (size_t i = 0; i < v->n_facts; i++)
        if (v->fact[i].opened && hash_equal(&v->fact[i].transcript, transcript)) return true;
    return hash_is_zero(transcript);
}

/* What a site remembers of the coordinator's chain. */
static void match_site_memory(struct verify *v, const struct party *p)
{
    const struct party *leader = v->leader;
    const uint32_t last = leader->n_led > 0 ? leader->led[leader->n_led - 1].plan.round : 0;
    for (size_t i = 0; i < p->n_kept; i++) {
        const struct kept *kept = &p->kept[i];
        const struct fact *f = verify_fact(v, kept->round);
        if (f != NULL && f->led != NULL) continue;
        if (kept->ended || kept->round <= last)
            verify_fault(v, CHECK_HEADS, leader, kept->round,
                         "its trail lacks a round that %s has: it was cut off or taken out",
                         p->name);
    }
    for (size_t i = 0; i < p->n_followed; i++)
        if (!known(v, &p->followed[i]))
            verify_fault(v, CHECK_HEADS, p, 0, "it followed results that %s does not have",
                         leader->name);
}

/* What the coordinator remembers of a site's: whatever it signed. */
static void match_leader_memory(struct verify *v, const struct fact *f)
{
    for (uint32_t i = 0; i < f->led->n_confirms; i++) {
        const struct party *p = find_site(v, f->led->confirm[i].from);
        const struct kept *kept = p == NULL ? NULL : verify_kept(p, f->round);
        if (p != NULL && (kept == NULL || !kept->confirmed))
            verify_fault(v, CHECK_HEADS, p, f->round,
                         "its trail lacks a confirmation that it signed: cut off or taken out");
    }
}

/* The coordinator gives its rounds the numbers 1, 2, 3, ...; of those that failed nobody else may
 * have heard. */
static void match_numbers(struct verify *v)
{
    const struct party *p = v->leader;
    for (size_t i = 0; i < p->n_led; i++)
        if (p->led[i].plan.round != i + 1) {
            verify_fault(v, CHECK_HEADS, p, (uint32_t)i + 1,
                         "its trail lacks it: it was taken out");
            return;
        }
}

/* Whether the last round of its trail should have an end there and has none. A site that died
 * before the result needs none when its ledger counts the round, and the coordinator's trail says
 * how it went on: nothing that it spent can be cut off then. */
static bool is_unended(const struct verify *v, const struct party *p)
{
    if (p->leads) return p->n_over < p->n_led;
    const struct kept *last = p->n_kept > 0 ? &p->kept[p->n_kept - 1] : NULL;
    if (last == NULL || last->over) return false;
    const struct fact *f = verify_fact(v, last->round);
    const struct books *books = &p->ledger.books;
    return last->ended || f == NULL || f->led == NULL ||
           books_find_release(books, p->study, last->round) == books->n_releases;
}

void verify_heads(struct verify *v)
{
    json_int_t heads = 0, open = 0, unended = 0;
    for (size_t i = 0; i < v->n; i++) heads += match_ledger(v, &v->party[i]);
    for (size_t i = 0; v->leader != NULL && i < v->n; i++)
        if (!v->party[i].leads) match_site_memory(v, &v->party[i]);
    for (size_t i = 0; i < v->n_facts; i++) {
        if (v->fact[i].led != NULL) match_leader_memory(v, &v->fact[i]);
        open += v->leader != NULL && v->fact[i].led == NULL;
    }
    if (v->leader != NULL) match_numbers(v);
    for (size_t i = 0; i < v->n; i++) unended += is_unended(v, &v->party[i]);
    json_t *counts = json_pack("{s:I, s:I, s:I}", "ledger_heads", heads, "rounds_still_open", open,
                               "trails_without_an_end", unended);
    if (unended > 0)
        verify_open(v, CHECK_HEADS,
                    "%lld trails stop in the midst of a round: it is still open there, its party "
                    "stopped and was not started again, or the end was cut off",
                    (long long)unended);
    if (open > 0)
        verify_open(v, CHECK_HEADS,
                    "%lld rounds of sites are not in the coordinator's trail: still open there, or "
                    "cut off",
                    (long long)open);
    if (v->leader == NULL || v->n < 2)
        verify_open(v, CHECK_HEADS,
                    "ledgers go on from where their trails saw them; what the coordinator and the "
                    "sites know of each other's chains needs both");
    verify_holds(v, CHECK_HEADS, counts,
                 "each trail saw its ledger %lld times, last when its last round was over, and the "
                 "ledger goes on from there; the coordinator's chain has all that sites saw of it, "
                 "and theirs all that they signed for it",
                 (long long)heads);
}
