/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/ledger_entry.h"

#include <math.h>
#include <string.h>

static const char hash_label[] = "ledger";
static const char sign_label[] = "SA1-ledger";

bool ledger_name_valid(const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (name[i] < ' ' || name[i] > '~') return false;
    return n >= 1 && n <= LEDGER_NAME_MAX;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_text(struct buffer *out, const char *text)
{
    write_blob(out, text, strlen(text));
}

static void write_limit(struct buffer *out, const struct ledger_entry *e)
{
    write_u8(out, (uint8_t)e->unit);
    write_u32(out, RDP_ORDER[e->order]);
    write_f64(out, e->epsilon);
    write_f64(out, e->delta);
}

static void write_release(struct buffer *out, const struct ledger_entry *e)
{
    write_u8(out, (uint8_t)e->step);
    write_u64(out, e->release.norm2);
    write_u32(out, e->release.sigma);
    write_u32(out, e->release.n_shares);
    write_u64(out, e->release.dim);
    write_f64(out, e->release.sampling);
    write_u8(out, (uint8_t)e->release.removable);
}

void ledger_entry_write(struct buffer *out, const struct ledger_entry *e)
{
    write_u64(out, e->number);
    write_bytes(out, e->previous.bytes, HASH_BYTES);
    write_u64(out, e->time_s);
    write_bytes(out, e->signer, SIGN_PUBLIC_BYTES);
    write_u8(out, (uint8_t)e->kind);
    if (e->kind == LEDGER_OPEN) {
        write_text(out, e->data_set);
        write_limit(out, e);
        return;
    }
    write_bytes(out, e->manifest.bytes, HASH_BYTES);
    if (e->kind == LEDGER_STUDY) {
        write_text(out, e->data_set);
        write_text(out, e->study);
        write_limit(out, e);
        write_f64(out, e->sampler_delta);
        write_u32(out, e->colluding);
        return;
    }
    write_u32(out, e->round);
    if (e->kind == LEDGER_RESERVE) write_release(out, e);
    if (e->kind == LEDGER_SETTLE) write_u32(out, e->release.n_shares);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* room has limit + 1 bytes, all zero. */
static void read_text(struct reader *r, char *room, size_t limit)
{
    const struct view text = read_blob(r, limit);
    memcpy(room, text.n == 0 ? "" : (const char *)text.at, text.n);
    /* A zero inside would be lost when it is written again. */
    if (strlen(room) != text.n || !ledger_name_valid(room)) r->bad = true;
}

static void read_limit(struct reader *r, struct ledger_entry *e)
{
    const uint8_t unit = read_u8(r);
    const uint32_t order = read_u32(r);
    e->epsilon = read_f64(r);
    e->delta = read_f64(r);
    e->unit = unit == 0 ? STUDY_PATIENT : STUDY_SITE;
    while (e->order < RDP_ORDERS && RDP_ORDER[e->order] != order) e->order++;
    if (unit > 1 || e->order == RDP_ORDERS || !(e->epsilon > 0) || !(e->delta > 0 && e->delta < 1))
        r->bad = true;
}

static void read_study(struct reader *r, struct ledger_entry *e)
{
    read_text(r, e->data_set, LEDGER_NAME_MAX);
    read_text(r, e->study, STUDY_ID_MAX);
    read_limit(r, e);
    e->sampler_delta = read_f64(r);
    e->colluding = read_u32(r);
    /* Adversaries who know nothing have n_shares + colluding: it must not wrap. */
    if (!(e->sampler_delta >= 0 && e->sampler_delta < e->delta) || e->colluding > UINT16_MAX)
        r->bad = true;
}

static void read_release(struct reader *r, struct ledger_entry *e)
{
    const uint8_t step = read_u8(r);
    e->release = (struct release){.norm2 = read_u64(r)};
    e->release.sigma = read_u32(r);
    e->release.n_shares = read_u32(r);
    e->release.dim = read_u64(r);
    e->release.sampling = read_f64(r);
    e->release.removable = read_u8(r);
    e->step = (enum step)step;
    struct account account = {0};
    if (step >= STEP_COUNT || e->release.n_shares > UINT16_MAX ||
        e->release.removable > XNOISE_REMOVABLE_MAX ||
        account_add(&account, &e->release, 0) != STATUS_OK)
        r->bad = true;
}

static void read_body(struct reader *r, struct ledger_entry *e)
{
    switch (e->kind) {
    case LEDGER_OPEN:
        read_text(r, e->data_set, LEDGER_NAME_MAX);
        read_limit(r, e);
        return;
    case LEDGER_STUDY:
        read_bytes(r, e->manifest.bytes, HASH_BYTES);
        read_study(r, e);
        return;
    case LEDGER_RESERVE:
    case LEDGER_SETTLE:
    case LEDGER_VOID:
        read_bytes(r, e->manifest.bytes, HASH_BYTES);
        e->round = read_u32(r);
        if (e->kind == LEDGER_RESERVE) read_release(r, e);
        if (e->kind == LEDGER_SETTLE) e->release.n_shares = read_u32(r);
        if (e->round == 0 || e->release.n_shares > UINT16_MAX) r->bad = true;
        return;
    default:
        r->bad = true;
        return;
    }
}

enum status ledger_entry_read(struct ledger_entry *out, struct view in)
{
    struct reader r = reader_of(in);
    struct ledger_entry entry = {.number = read_u64(&r)};
    read_bytes(&r, entry.previous.bytes, HASH_BYTES);
    entry.time_s = read_u64(&r);
    read_bytes(&r, entry.signer, SIGN_PUBLIC_BYTES);
    entry.kind = (enum ledger_kind)read_u8(&r);
    read_body(&r, &entry);
    TRY(reader_end(&r));
    *out = entry;
    return STATUS_OK;
}

/* --- binding ---------------------------------------------------------------------------------- */

struct hash ledger_entry_hash(struct view bytes)
{
    return hash_of(hash_label, bytes);
}

void ledger_entry_sign(uint8_t signature[static SIGN_BYTES],
                       const uint8_t identity[static SIGN_SEED_BYTES], struct view bytes)
{
    sign_make(signature, identity, sign_label, bytes);
}

bool ledger_entry_signed(const struct ledger_entry *entry, struct view bytes,
                         const uint8_t signature[static SIGN_BYTES])
{
    return sign_check(signature, entry->signer, sign_label, bytes);
}
