/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/statement.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/event.h"

static const char adjacency[] = "adding or removing one";
static const char dropouts[] = "settled releases with the survivors that there were, reserved ones "
                               "with the fewest allowed";

/* One data set or study: what it is called, and what it has spent against each adversary. */
struct sheet {
    enum study_unit unit;
    double delta, limit;
    uint32_t colluding, order, releases, reserved;
    double epsilon[ADVERSARY_COUNT]; /* at the best order, for what happened */
    double gate;                     /* at the fixed order, against collusion */
};

static enum status fill(struct sheet *sheet, const struct books *books, bool whole_set, size_t at,
                        struct books_sampler sampler)
{
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        struct account account = {0};
        if (whole_set)
            TRY(books_of_set(&account, &sheet->releases, books, at, who));
        else
            TRY(books_of_study(&account, &sheet->releases, books, at, who));
        sheet->epsilon[who] = books_epsilon(&account, RDP_ORDERS, sheet->delta, sampler);
        if (who == ADVERSARY_COLLUSION)
            sheet->gate = books_epsilon(&account, sheet->order, sheet->delta, sampler);
    }
    for (size_t i = 0; i < books->n_releases; i++) {
        const struct books_release *release = &books->release[i];
        const size_t of = whole_set ? books->study[release->study].set : release->study;
        if (of == at && release->state == BOOKS_RESERVED) sheet->reserved++;
    }
    return STATUS_OK;
}

static enum status fill_set(struct sheet *out, const struct statement *s, size_t at)
{
    const struct books *books = &s->ledger->books;
    const struct books_set *set = &books->set[at];
    const bool own = s->study < books->n_studies && books->study[s->study].set == at;
    *out = (struct sheet){.unit = set->unit,
                          .order = set->order,
                          .delta = own ? s->limits.lifetime_delta : set->delta,
                          .limit = own ? s->limits.lifetime : set->epsilon};
    /* Each study has its own: named is the largest. */
    for (size_t i = 0; i < books->n_studies; i++)
        if (books->study[i].set == at && books->study[i].colluding > out->colluding)
            out->colluding = books->study[i].colluding;
    return fill(out, books, true, at, set->sampler);
}

static enum status fill_study(struct sheet *out, const struct statement *s, size_t at)
{
    const struct books_study *study = &s->ledger->books.study[at];
    *out = (struct sheet){.unit = study->unit,
                          .order = study->order,
                          .delta = study->delta,
                          .limit = at == s->study ? s->limits.study : study->epsilon,
                          .colluding = study->colluding};
    return fill(out, &s->ledger->books, false, at, study->sampler);
}

/* Never more than there is: what is spent is rounded up before. */
static double left(const struct sheet *sheet)
{
    const double rest = floor((sheet->limit - account_rounded(sheet->gate)) * 1e4) / 1e4;
    return rest > 0 ? rest : 0;
}

static const char *state_name(enum books_state state)
{
    static const char *const name[] = {
        [BOOKS_RESERVED] = "reserved", [BOOKS_SETTLED] = "settled", [BOOKS_VOID] = "void"};
    return name[state];
}

static const char *step_name(enum step step)
{
    static const char *const name[STEP_COUNT] = {[STEP_EXPLORE] = "explore",
                                                 [STEP_TRAIN] = "train",
                                                 [STEP_EVALUATE] = "evaluate",
                                                 [STEP_VOTE] = "vote"};
    return name[step];
}

static void time_text(char out[static 32], uint64_t time_s)
{
    const time_t at = (time_t)time_s;
    struct tm utc;
    if (gmtime_r(&at, &utc) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        memcpy(out, "?", 2);
}

/* --- table ------------------------------------------------------------------------------------ */

static void table_sheet(FILE *out, const struct sheet *sheet)
{
    fprintf(out, "  unit %s, %s, delta %g; %u releases, %u of them reserved\n",
            study_unit_name(sheet->unit), adjacency, sheet->delta, sheet->releases,
            sheet->reserved);
    fprintf(out, "  gate: epsilon %.4f of %.4f, %.4f left, against %s %u, at order %u\n",
            account_rounded(sheet->gate), sheet->limit, left(sheet),
            "the coordinator with colluding sites:", sheet->colluding, RDP_ORDER[sheet->order]);
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++) {
        char name[64];
        adversary_name(name, sizeof name, who, sheet->colluding);
        fprintf(out, "  spent against %-34s %10.4f\n", name, account_rounded(sheet->epsilon[who]));
    }
}

static void table_release(FILE *out, const struct books_release *row)
{
    char when[32];
    time_text(when, row->time_s);
    fprintf(out, "  %6u %-8s %-8s %8u %7u %14llu %10llu %9.6f %s\n", row->round,
            step_name(row->step), state_name(row->state), row->release.sigma, row->release.n_shares,
            (unsigned long long)row->release.norm2, (unsigned long long)row->release.dim,
            row->release.sampling, when);
}

static enum status table_study(FILE *out, const struct statement *s, size_t at)
{
    const struct books *books = &s->ledger->books;
    struct sheet sheet;
    char manifest[2 * HASH_BYTES + 1];
    TRY(fill_study(&sheet, s, at));
    hash_hex(manifest, &books->study[at].manifest, HASH_BYTES);
    fprintf(out, "study %s on data set %s, manifest %s\n", books->study[at].id,
            books->set[books->study[at].set].name, manifest);
    table_sheet(out, &sheet);
    fprintf(out, "  %6s %-8s %-8s %8s %7s %14s %10s %9s %s\n", "round", "step", "state", "sigma",
            "shares", "norm2", "dim", "sampling", "time (of this machine)");
    for (size_t i = 0; i < books->n_releases; i++)
        if (books->release[i].study == at) table_release(out, &books->release[i]);
    return STATUS_OK;
}

enum status statement_table(FILE *out, const struct statement *s)
{
    if (s->fault->what != NULL) {
        fprintf(out, "%s: entry %llu does not hold: %s\n", s->path,
                (unsigned long long)s->fault->number, s->fault->what);
        return STATUS_OK;
    }
    const struct books *books = &s->ledger->books;
    char head[2 * HASH_BYTES + 1];
    hash_hex(head, &s->ledger->head.hash, HASH_BYTES);
    fprintf(out, "%s: %llu entries, chain and signatures hold, head %s\n", s->path,
            (unsigned long long)s->ledger->head.n, head);
    for (size_t i = 0; i < books->n_sets; i++) {
        struct sheet sheet;
        TRY(fill_set(&sheet, s, i));
        fprintf(out, "data set %s, all its studies\n", books->set[i].name);
        table_sheet(out, &sheet);
    }
    for (size_t i = 0; i < books->n_studies; i++) TRY(table_study(out, s, i));
    fprintf(out,
            "dropouts: %s\none record is one contribution: a patient with k records is covered "
            "k-fold\n",
            dropouts);
    if (s->transcript != NULL)
        fprintf(out, "last round %u, transcript %s\n", s->last_round, s->transcript);
    return STATUS_OK;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_sheet(struct json_t *list, const char *what, const char *name,
                       const struct sheet *sheet)
{
    event_list_put(
        list,
        "{s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:o, s:o, s:o, s:s, s:{s:o, s:o, s:o, s:o}}",
        what, name, "unit", study_unit_name(sheet->unit), "adjacency", adjacency, "dropouts",
        dropouts, "delta", sheet->delta, "colluding", (int)sheet->colluding, "releases",
        (int)sheet->releases, "reserved", (int)sheet->reserved, "gate", event_real(sheet->gate),
        "limit", event_real(sheet->limit), "left", event_real(left(sheet)), "gate_adversary",
        "collusion", "epsilon", "server", event_real(sheet->epsilon[ADVERSARY_SERVER]), "collusion",
        event_real(sheet->epsilon[ADVERSARY_COLLUSION]), "reader",
        event_real(sheet->epsilon[ADVERSARY_READER]), "unmasked",
        event_real(sheet->epsilon[ADVERSARY_UNMASKED]));
}

static void json_release(struct json_t *list, const struct books *books,
                         const struct books_release *row)
{
    char when[32];
    time_text(when, row->time_s);
    event_list_put(list, "{s:s, s:i, s:s, s:s, s:I, s:i, s:I, s:I, s:f, s:s}", "study",
                   books->study[row->study].id, "round", (int)row->round, "step",
                   step_name(row->step), "state", state_name(row->state), "sigma",
                   (long long)row->release.sigma, "shares", (int)row->release.n_shares, "norm2",
                   (long long)row->release.norm2, "dim", (long long)row->release.dim, "sampling",
                   row->release.sampling, "time", when);
}

static enum status json_lists(struct json_t *sets, struct json_t *studies, struct json_t *releases,
                              const struct statement *s)
{
    const struct books *books = &s->ledger->books;
    struct sheet sheet;
    for (size_t i = 0; i < books->n_sets; i++) {
        TRY(fill_set(&sheet, s, i));
        json_sheet(sets, "data_set", books->set[i].name, &sheet);
    }
    for (size_t i = 0; i < books->n_studies; i++) {
        TRY(fill_study(&sheet, s, i));
        json_sheet(studies, "study", books->study[i].id, &sheet);
    }
    for (size_t i = 0; i < books->n_releases; i++)
        json_release(releases, books, &books->release[i]);
    return STATUS_OK;
}

enum status statement_json(FILE *out, const struct statement *s)
{
    if (s->fault->what != NULL) {
        event_write(out, "{s:i, s:s, s:b, s:I, s:s}", "schema_version", 2, "ledger", s->path,
                    "intact", 0, "first_bad", (long long)s->fault->number, "what", s->fault->what);
        return STATUS_OK;
    }
    const struct books *books = &s->ledger->books;
    struct sheet own = {0};
    if (s->study < books->n_studies) TRY(fill_study(&own, s, s->study));
    struct json_t *sets = event_list(), *studies = event_list(), *releases = event_list();
    const enum status status = json_lists(sets, studies, releases, s);
    char head[2 * HASH_BYTES + 1];
    hash_hex(head, &s->ledger->head.hash, HASH_BYTES);
    event_write(out, "{s:i, s:s, s:b, s:I, s:s, s:i, s:i, s:o, s:f, s:o, s:i, s:s, s:o, s:o, s:o}",
                "schema_version", 2, "ledger", s->path, "intact", 1, "entries",
                (long long)s->ledger->head.n, "head", head, "releases", (int)own.releases,
                "reserved", (int)own.reserved, "epsilon",
                event_real(own.epsilon[ADVERSARY_COLLUSION]), "delta", own.delta, "limit",
                event_real(own.limit), "last_round", (int)s->last_round, "transcript",
                s->transcript == NULL ? "" : s->transcript, "data_sets", sets, "studies", studies,
                "rows", releases);
    return status;
}
