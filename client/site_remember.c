/* SPDX-License-Identifier: Apache-2.0 */
/* What a site makes durable before it sends: its journal's entries, and its trail. */
#include "client/site.h"

/* A set counts from its confirmation on: others may open it whether this site hears of it or not.
 */
static enum status remember_survivors(struct site *site, struct view entry)
{
    const struct bits *survivors = &site->session.survivors.survivors;
    /* The session may have ended since, for want of memory: then nothing was confirmed. */
    if (survivors->n == 0) return journal_entry(site->journal, entry);
    TRY(journal_confirm(site->journal, entry, survivors));
    participation_add(&site->past, survivors);
    return STATUS_OK;
}

static enum status remember(struct site *site, struct view entry)
{
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    if (memory.kind == MEMORY_INPUT && !budget_holds(&site->budget, memory.round))
        return STATUS_STATE;
    if (memory.kind == MEMORY_CONFIRM && site->session.config.weigh != NULL)
        return remember_survivors(site, entry);
    return journal_entry(site->journal, entry);
}

/* What an auditor will be shown of a message: that it was sent, once however often it is repeated.
 */
static enum status show_letter(struct site *site, const struct pen *pen, struct view letter)
{
    const enum msg_kind kind = msg_kind_of(letter);
    if (trail_letter_of(kind) == TRAIL_LETTERS) return STATUS_OK;
    const uint32_t round = site->session.last_round;
    if (site->shown.round == round && site->shown.kind == kind) return STATUS_OK;
    const struct trail_sent sent = {.round = round, .kind = kind, .bytes = (uint32_t)letter.n};
    AUTO(buffer_free) struct buffer body = {0};
    trail_sent_write(&body, &sent);
    TRY(body.status);
    TRY(journal_show(site->journal, pen, TRAIL_SENT, buffer_view(&body)));
    site->shown = sent;
    return STATUS_OK;
}

static struct pen pen_of(const struct site *site)
{
    return (struct pen){
        .identity = site->key.identity, .time_s = site->time_s, .ledger = site->budget.ledger.head};
}

/* A round ends in the trail when the ledger says what it cost: its head there is that of the
 * settled ledger, whose end can then not be cut off unseen. */
static enum status show_end(struct site *site, uint32_t round)
{
    const struct pen pen = pen_of(site);
    struct journal_round known = {0};
    TRY(journal_round(site->journal, round, &known));
    const enum reason why = site->session.why;
    const struct trail_end end = {.round = round,
                                  .why = known.ended          ? REASON_NONE
                                         : why == REASON_NONE ? REASON_ABANDONED
                                                              : why};
    AUTO(buffer_free) struct buffer body = {0};
    trail_end_write(&body, &end);
    TRY(body.status);
    return journal_show(site->journal, &pen, TRAIL_END, buffer_view(&body));
}

/* A plan may come in the place of a round that has not ended: nothing of that can leave any more,
 * and its release was balanced before the plan was judged. */
static enum status show_memory(struct site *site, struct view entry, uint32_t *open)
{
    const struct pen pen = pen_of(site);
    struct memory memory = {0};
    TRY(memory_read(&memory, entry));
    if (memory.kind == MEMORY_PLAN) {
        if (*open > 0) TRY(show_end(site, *open));
        *open = memory.round;
    }
    return journal_show(site->journal, &pen, TRAIL_MEMORY, entry);
}

static enum status remember_all(struct site *site, const struct outbox *out)
{
    const struct pen pen = pen_of(site);
    uint32_t round = site->open;
    AUTO(db_change_undo) struct db_change change = {0};
    TRY(journal_change(&change, site->journal));
    for (size_t i = 0; i < out->n_entries; i++) {
        const struct view entry = buffer_view(&out->entry[i]);
        TRY(remember(site, entry));
        TRY(show_memory(site, entry, &round));
    }
    for (size_t i = 0; i < out->n_letters; i++)
        TRY(show_letter(site, &pen, blob_view(out->letter[i].bytes)));
    TRY(db_change_commit(&change));
    site->open = round;
    return STATUS_OK;
}

enum status site_remember(struct site *site, const struct outbox *out)
{
    if (out->n_entries + out->n_letters > 0) TRY(remember_all(site, out));
    if (site->session.phase != SESSION_IDLE) return STATUS_OK;
    TRY(budget_balance(&site->budget, site->time_s));
    if (site->open > 0) TRY(show_end(site, site->open));
    site->open = 0;
    return STATUS_OK;
}
