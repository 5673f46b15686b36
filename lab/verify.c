/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
