/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void party_free(struct party *party)
{
    for (size_t i = 0; i < party->n_led; i++) trail_round_free(&party->led[i]);
    free(party->led);
    free(party->kept);
    free(party->followed);
    free(party->head);
    ledger_close(&party->ledger);
    manifest_free(&party->manifest);
    evidence_free(&party->evidence);
    buffer_free(&party->bytes);
}

void verify_free(struct verify *verify)
{
    for (size_t i = 0; i < verify->n_facts; i++) {
        plan_free(&verify->fact[i].plan);
        survivors_free(&verify->fact[i].claim);
    }
    for (size_t i = 0; i < verify->n; i++) party_free(&verify->party[i]);
    for (int i = 0; i < CHECK_COUNT; i++) json_decref(verify->found[i].counts);
    free(verify->fact);
    free(verify->party);
    *verify = (struct verify){0};
}

/* Paths and names are other people's: nothing of them shall reach a terminal's controls, nor make
 * the document one that cannot be written. */
static void keep_plain(char *text)
{
    for (; *text != 0; text++)
        if (*text < ' ' || *text > '~') *text = '?';
}

void verify_fault(struct verify *verify, enum check check, const struct party *party,
                  uint32_t round, const char *format, ...)
{
    struct looked *found = &verify->found[check];
    if (found->faults++ > 0) return;
    const size_t room = sizeof found->what;
    int n = 0;
    if (party != NULL) n = snprintf(found->what, room, "%s: ", party->path);
    if (n < 0 || (size_t)n >= room) return;
    size_t at = (size_t)n;
    if (round > 0) n = snprintf(found->what + at, room - at, "round %u: ", round);
    if (round > 0 && n > 0) at += (size_t)n;
    if (at >= room) return;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(found->what + at, room - at, format, list);
    va_end(list);
    keep_plain(found->what);
}

void verify_holds(struct verify *verify, enum check check, json_t *counts, const char *format, ...)
{
    struct looked *found = &verify->found[check];
    json_decref(found->counts);
    found->counts = counts;
    if (found->faults > 0 || found->open) return;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(found->what, sizeof found->what, format, list);
    va_end(list);
}

void verify_open(struct verify *verify, enum check check, const char *format, ...)
{
    struct looked *found = &verify->found[check];
    if (found->faults > 0) return;
    found->open = true;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(found->what, sizeof found->what, format, list);
    va_end(list);
}

bool verify_failed(const struct verify *verify)
{
    for (int i = 0; i < CHECK_COUNT; i++)
        if (verify->found[i].faults > 0) return true;
    return false;
}

/* --- all checks --------------------------------------------------------------------------------
 */

static void count_entries(struct verify *v)
{
    json_int_t trail = 0, ledger = 0;
    for (size_t i = 0; i < v->n; i++) {
        trail += (json_int_t)v->party[i].evidence.n_trail;
        ledger += (json_int_t)v->party[i].evidence.n_ledger;
    }
    verify_holds(v, CHECK_SIGNATURES,
                 json_pack("{s:I, s:I, s:I}", "parties", (json_int_t)v->n, "trail_entries", trail,
                           "ledger_entries", ledger),
                 "%zu trails with %lld entries and %zu ledgers with %lld, all signed and chained",
                 v->n, (long long)trail, v->n, (long long)ledger);
}

static void check_pin(struct verify *v, const char *pin)
{
    char is[2 * HASH_BYTES + 1];
    hash_hex(is, &v->party[0].hash, HASH_BYTES);
    if (pin != NULL && strcmp(pin, is) != 0)
        verify_fault(v, CHECK_PARTIES, &v->party[0], 0, "its manifest is %s and not the pinned one",
                     is);
}

static void leave_open(struct verify *v, enum check first)
{
    for (enum check i = first; i < CHECK_COUNT; i++)
        verify_open(v, i, "not looked at, for what stands above");
}

enum status verify_all(struct verify *v, const char *pin)
{
    count_entries(v);
    leave_open(v, CHECK_PARTIES);
    if (verify_failed(v)) return STATUS_OK;
    v->found[CHECK_PARTIES].open = false;
    check_pin(v, pin);
    TRY(verify_parties(v));
    if (verify_failed(v)) return STATUS_OK;
    for (int i = CHECK_PLANS; i < CHECK_COUNT; i++) v->found[i].open = false;
    TRY(verify_rounds(v));
    verify_plans(v);
    if (verify_failed(v)) { /* there is no reckoning with numbers of such a plan */
        leave_open(v, CHECK_GRID);
        return STATUS_OK;
    }
    TRY(verify_grid(v));
    TRY(verify_quorum(v));
    verify_once(v);
    verify_noise(v);
    verify_bytes(v);
    verify_heads(v);
    return verify_epsilon(v);
}
