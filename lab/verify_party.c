/* SPDX-License-Identifier: Apache-2.0 */
/* One party's evidence: read, every signature and every link of its two chains checked, and its
 * trail sorted by rounds. */
#include "lab/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static enum status read_bytes_of(struct party *party, const char **lacks)
{
    struct stat is;
    char key[FILE_PATH_MAX];
    if (stat(party->path, &is) != 0) return STATUS_IO;
    if (!S_ISDIR(is.st_mode)) return file_read(&party->bytes, party->path, EVIDENCE_BYTES_MAX);
    TRY(file_path(key, sizeof key, party->path, "key"));
    party->secrets = stat(key, &is) == 0;
    return evidence_collect(&party->bytes, party->path, lacks);
}

static enum status fault(struct verify *v, const struct party *party, const char *log,
                         uint64_t number, const char *what)
{
    verify_fault(v, CHECK_SIGNATURES, party, 0, "%s entry %" PRIu64 ": %s", log, number, what);
    return STATUS_OK;
}

/* --- the ledger --------------------------------------------------------------------------------
 */

static enum status check_ledger(struct verify *v, struct party *p)
{
    const struct evidence *e = &p->evidence;
    struct ledger_fault wrong = {0};
    p->head = calloc(e->n_ledger + 1, sizeof *p->head);
    if (p->head == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < e->n_ledger; i++) {
        const enum status status =
            ledger_take(&p->ledger, e->ledger[i].bytes, e->ledger[i].signature, &wrong);
        if (status == STATUS_NOMEM) return status;
        if (status != STATUS_OK) return fault(v, p, "ledger", wrong.number, wrong.what);
        p->head[i + 1] = p->ledger.head.hash;
    }
    p->study = books_find_study(&p->ledger.books, &p->hash);
    return STATUS_OK;
}

/* --- what a site's trail says of its rounds -----------------------------------------------------
 */

static struct kept *current(const struct party *p, uint32_t round)
{
    struct kept *last = p->n_kept > 0 ? &p->kept[p->n_kept - 1] : NULL;
    return last != NULL && last->round == round && !last->over ? last : NULL;
}

static const char *take_plan(struct party *p, const struct memory *memory, uint64_t entry)
{
    AUTO(plan_free) struct plan plan = {0};
    struct kept *next = &p->kept[p->n_kept];
    if (p->n_kept > 0 && memory->round <= p->kept[p->n_kept - 1].round)
        return "its plan is not later than the one before";
    if (p->n_kept > 0 && !p->kept[p->n_kept - 1].over)
        return "a round began before the last one ended";
    if (plan_read(&plan, &next->plan_hash, memory->proof, p->manifest.n,
                  p->manifest.coordinator.identity) != STATUS_OK)
        return "its plan is not signed by the coordinator";
    if (plan.round != memory->round || !hash_equal(&next->plan_hash, &memory->hash))
        return "it names another plan than it has";
    next->round = memory->round;
    next->entry = entry;
    next->plan = memory->proof;
    memcpy(next->session, plan.session, sizeof next->session);
    p->n_kept++;
    return NULL;
}

static const char *take_result(struct party *p, struct kept *kept, const struct memory *memory)
{
    if (kept->ended) return "a second result of one round";
    if (result_read(&kept->result, memory->proof, p->manifest.coordinator.identity) != STATUS_OK)
        return "its result is not signed by the coordinator";
    kept->ended = true;
    kept->transcript = result_transcript(&kept->result);
    if (!hash_equal(&kept->transcript, &memory->hash) || kept->result.round != kept->round ||
        !hash_equal(&kept->result.plan, &kept->plan_hash) ||
        !hash_equal(&kept->result.survivors, &kept->survivors))
        return "its result is of another round than it confirmed";
    return NULL;
}

/* Each kind once in a round, in the order in which a session goes. */
static const char *take_memory(struct party *p, struct view body, uint64_t entry)
{
    struct memory memory = {0};
    if (memory_read(&memory, body) != STATUS_OK) return "its bytes are not what a site remembers";
    if (memory.kind == MEMORY_FOLLOW) {
        p->followed[p->n_followed++] = memory.hash;
        return NULL;
    }
    if (memory.kind == MEMORY_PLAN) return take_plan(p, &memory, entry);
    struct kept *kept = current(p, memory.round);
    if (kept == NULL || memcmp(kept->session, memory.session, sizeof kept->session) != 0)
        return "it is of a round that was not planned, or is over";
    switch (memory.kind) {
    case MEMORY_INPUT:
        if (kept->sent) return "a second input of one round";
        kept->sent = true;
        kept->digest = memory.hash;
        return NULL;
    case MEMORY_CONFIRM:
        if (kept->confirmed) return "a second survivor set was confirmed";
        kept->confirmed = true;
        kept->survivors = memory.hash;
        kept->claim = memory.proof;
        return kept->sent ? NULL : "it confirmed without an input";
    case MEMORY_RELEASE:
        if (kept->let_out) return "shares were released a second time";
        kept->let_out = true;
        kept->released = memory.hash;
        return kept->confirmed && hash_equal(&kept->released, &kept->survivors)
                   ? NULL
                   : "shares were released for another survivor set than was confirmed";
    default:
        return take_result(p, kept, &memory);
    }
}

static const char *take_sent(struct party *p, struct view body)
{
    struct trail_sent sent = {0};
    if (trail_sent_read(&sent, body) != STATUS_OK) return "its bytes are not of a message sent";
    struct kept *kept = current(p, sent.round);
    const enum trail_letter letter = trail_letter_of(sent.kind);
    if (kept == NULL || letter == TRAIL_LETTERS) return "a message of no round";
    if (kept->bytes[letter] != 0) return "a second message of one kind in a round";
    kept->bytes[letter] = sent.bytes;
    return NULL;
}

static const char *take_round(struct party *p, struct view body)
{
    struct trail_round *led = &p->led[p->n_led];
    if (trail_round_read(led, body, p->manifest.n, p->manifest.coordinator.identity) != STATUS_OK)
        return "its bytes are not a round";
    p->n_led++;
    if (p->n_led > 1 && led->plan.round <= p->led[p->n_led - 2].plan.round)
        return "its round was recorded before";
    return p->n_over + 1 == p->n_led ? NULL : "a round began before the last one ended";
}

static const char *take_end(struct party *p, struct view body)
{
    struct trail_end end = {0};
    if (trail_end_read(&end, body) != STATUS_OK) return "its bytes are not the end of a round";
    if (p->leads) {
        if (p->n_led == p->n_over || p->led[p->n_over].plan.round != end.round)
            return "the end of a round that was not begun, or is over";
        return p->led[p->n_over++].why == end.why ? NULL : "its round ended otherwise";
    }
    struct kept *kept = current(p, end.round);
    if (kept == NULL) return "the end of a round that was not begun, or is over";
    kept->over = true;
    return kept->ended == (end.why == REASON_NONE) ? NULL : "its round ended otherwise";
}

static const char *take_body(struct party *p, const struct trail_entry *entry)
{
    if (entry->kind == TRAIL_END) return take_end(p, entry->body);
    if (p->leads != (entry->kind == TRAIL_ROUND)) return "an entry of another kind of party";
    if (entry->kind == TRAIL_ROUND) return take_round(p, entry->body);
    if (entry->kind == TRAIL_SENT) return take_sent(p, entry->body);
    return take_memory(p, entry->body, entry->number);
}

/* --- the trail ---------------------------------------------------------------------------------
 */

/* Who signs is known by the first entry; without one, by the study's in the ledger. */
static bool find_role(struct party *p, const uint8_t *signer)
{
    const struct manifest *m = &p->manifest;
    p->leads = memcmp(signer, m->coordinator.identity, SIGN_PUBLIC_BYTES) == 0;
    p->name = m->coordinator.name;
    for (uint32_t i = 0; i < m->n && !p->leads; i++) {
        if (memcmp(signer, m->member[i].identity, SIGN_PUBLIC_BYTES) != 0) continue;
        p->member = i;
        p->name = m->member[i].name;
        return true;
    }
    return p->leads;
}

static const char *against(const struct party *p, const struct trail_entry *entry,
                           const struct trail_entry *before, const struct hash *previous,
                           const struct evidence_line *line)
{
    const uint8_t *who =
        p->leads ? p->manifest.coordinator.identity : p->manifest.member[p->member].identity;
    if (entry->number != before->number + 1) return "its number is not the next";
    if (!hash_equal(&entry->previous, previous)) return "it does not follow the entry before it";
    if (memcmp(entry->signer, who, SIGN_PUBLIC_BYTES) != 0) return "another key signed it";
    if (line->signature.n != SIGN_BYTES ||
        !trail_entry_signed(entry, line->bytes, line->signature.at))
        return "its signature does not hold";
    if (entry->ledger.n < before->ledger.n) return "its ledger is older than before";
    return NULL;
}

static enum status check_trail(struct verify *v, struct party *p)
{
    const struct evidence *e = &p->evidence;
    struct trail_entry before = {0}, entry = {0};
    struct hash previous = {0};
    p->led = calloc(e->n_trail + 1, sizeof *p->led);
    p->kept = calloc(e->n_trail + 1, sizeof *p->kept);
    p->followed = calloc(e->n_trail + 1, sizeof *p->followed);
    if (p->led == NULL || p->kept == NULL || p->followed == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < e->n_trail; i++, before = entry) {
        const struct evidence_line *line = &e->trail[i];
        if (trail_entry_read(&entry, line->bytes) != STATUS_OK)
            return fault(v, p, "trail", i + 1, "its bytes are not an entry");
        if (i == 0 && !find_role(p, entry.signer))
            return fault(v, p, "trail", 1, "it is signed by nobody of the manifest");
        const char *what = against(p, &entry, &before, &previous, line);
        if (what != NULL) return fault(v, p, "trail", i + 1, what);
        previous = trail_entry_hash(line->bytes);
        what = take_body(p, &entry);
        if (what != NULL) return fault(v, p, "trail", entry.number, what);
    }
    return STATUS_OK;
}

static enum status check_party(struct verify *v, struct party *p)
{
    enum reason why = REASON_NONE;
    enum status status = evidence_read(&p->evidence, buffer_view(&p->bytes));
    if (status == STATUS_NOMEM) return status;
    if (status != STATUS_OK) {
        verify_fault(v, CHECK_SIGNATURES, p, 0, "it is no evidence, or cut short");
        return STATUS_OK;
    }
    status = manifest_read(&p->manifest, p->evidence.manifest, &why);
    if (status == STATUS_NOMEM) return status;
    if (status != STATUS_OK) {
        verify_fault(v, CHECK_SIGNATURES, p, 0, "manifest: %s", reason_what(why));
        return STATUS_OK;
    }
    p->hash = manifest_hash(&p->manifest);
    p->name = "nobody";
    TRY(check_ledger(v, p));
    TRY(check_trail(v, p));
    const struct books *books = &p->ledger.books;
    if (p->evidence.n_trail == 0 && p->study < books->n_studies &&
        !find_role(p, books->study[p->study].signer))
        verify_fault(v, CHECK_SIGNATURES, p, 0, "its ledger is signed by nobody of the manifest");
    return STATUS_OK;
}

enum status verify_party(struct verify *v, const char *path)
{
    struct party *p = &v->party[v->n];
    const char *lacks = "it";
    p->path = path;
    struct stat is;
    if (stat(path, &is) != 0) return STATUS_IO;
    v->n++;
    const enum status status = read_bytes_of(p, &lacks);
    if (status == STATUS_NOMEM) return status;
    if (status == STATUS_OK) return check_party(v, p);
    verify_fault(v, CHECK_SIGNATURES, p, 0, "%s cannot be read: %s", lacks, status_text(status));
    return STATUS_OK;
}
