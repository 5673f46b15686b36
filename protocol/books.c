/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/books.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

void books_free(struct books *books)
{
    free(books->set);
    free(books->study);
    free(books->release);
    *books = (struct books){0};
}

size_t books_find_set(const struct books *books, const char *name)
{
    size_t i = 0;
    while (i < books->n_sets && strcmp(books->set[i].name, name) != 0) i++;
    return i;
}

size_t books_find_study(const struct books *books, const struct hash *manifest)
{
    size_t i = 0;
    while (i < books->n_studies && !hash_equal(&books->study[i].manifest, manifest)) i++;
    return i;
}

size_t books_find_release(const struct books *books, size_t study, uint32_t round)
{
    for (size_t i = books->n_releases; i-- > 0;)
        if (books->release[i].study == study && books->release[i].round == round) return i;
    return books->n_releases;
}

/* --- entries ---------------------------------------------------------------------------------- */

static const char *against_release(const struct books *books, const struct ledger_entry *entry)
{
    const size_t study = books_find_study(books, &entry->manifest);
    if (study == books->n_studies) return "it is for a study that was not opened";
    if (memcmp(books->study[study].signer, entry->signer, SIGN_PUBLIC_BYTES) != 0)
        return "it is written by another key than its study";
    const size_t known = books_find_release(books, study, entry->round);
    const bool there = known < books->n_releases;
    if (entry->kind == LEDGER_RESERVE)
        return there && books->release[known].state != BOOKS_VOID ? "the round was reserved before"
                                                                  : NULL;
    if (!there || books->release[known].state != BOOKS_RESERVED)
        return "it ends what is not reserved";
    if (entry->kind == LEDGER_SETTLE &&
        entry->release.n_shares < books->release[known].release.n_shares)
        return "it settles at more than the worst case";
    if (entry->kind == LEDGER_SETTLE && books->release[known].release.removable > 0 &&
        entry->release.n_shares != books->release[known].release.n_shares)
        return "it counts noise that was taken away";
    return NULL;
}

const char *books_against(const struct books *books, const struct ledger_entry *entry)
{
    const bool set = books_find_set(books, entry->data_set) < books->n_sets;
    switch (entry->kind) {
    case LEDGER_OPEN:
        return set ? "the data set was opened before" : NULL;
    case LEDGER_STUDY:
        if (books_find_study(books, &entry->manifest) < books->n_studies)
            return "the study was opened before";
        return set ? NULL : "it is on a data set that was not opened";
    default:
        return against_release(books, entry);
    }
}

/* Room for one more. */
static enum status grow(void **array, size_t n, size_t size)
{
    void *larger = realloc(*array, (n + 1) * size);
    if (larger == NULL) return STATUS_NOMEM;
    *array = larger;
    return STATUS_OK;
}

static enum status add_set(struct books *books, const struct ledger_entry *entry)
{
    void *array = books->set;
    TRY(grow(&array, books->n_sets, sizeof *books->set));
    books->set = array;
    struct books_set *set = &books->set[books->n_sets++];
    *set = (struct books_set){.unit = entry->unit,
                              .order = entry->order,
                              .epsilon = entry->epsilon,
                              .delta = entry->delta,
                              .sampler.epsilon = (double)INFINITY};
    memcpy(set->name, entry->data_set, sizeof set->name);
    return STATUS_OK;
}

static enum status add_study(struct books *books, const struct ledger_entry *entry)
{
    void *array = books->study;
    TRY(grow(&array, books->n_studies, sizeof *books->study));
    books->study = array;
    struct books_study *study = &books->study[books->n_studies++];
    *study = (struct books_study){.set = books_find_set(books, entry->data_set),
                                  .manifest = entry->manifest,
                                  .unit = entry->unit,
                                  .order = entry->order,
                                  .epsilon = entry->epsilon,
                                  .delta = entry->delta,
                                  .sampler = {entry->sampler_delta, entry->epsilon},
                                  .colluding = entry->colluding};
    memcpy(study->id, entry->study, sizeof study->id);
    memcpy(study->signer, entry->signer, sizeof study->signer);
    struct books_sampler *all = &books->set[study->set].sampler;
    all->delta += entry->sampler_delta;
    all->epsilon = fmin(all->epsilon, entry->epsilon);
    return STATUS_OK;
}

static enum status add_release(struct books *books, const struct ledger_entry *entry)
{
    void *array = books->release;
    TRY(grow(&array, books->n_releases, sizeof *books->release));
    books->release = array;
    books->release[books->n_releases++] =
        (struct books_release){.study = books_find_study(books, &entry->manifest),
                               .round = entry->round,
                               .step = entry->step,
                               .state = BOOKS_RESERVED,
                               .time_s = entry->time_s,
                               .release = entry->release};
    return STATUS_OK;
}

enum status books_add(struct books *books, const struct ledger_entry *entry)
{
    REQUIRE(books_against(books, entry) == NULL);
    if (entry->kind == LEDGER_OPEN) return add_set(books, entry);
    if (entry->kind == LEDGER_STUDY) return add_study(books, entry);
    if (entry->kind == LEDGER_RESERVE) return add_release(books, entry);
    const size_t study = books_find_study(books, &entry->manifest);
    struct books_release *ended = &books->release[books_find_release(books, study, entry->round)];
    ended->time_s = entry->time_s;
    ended->state = entry->kind == LEDGER_SETTLE ? BOOKS_SETTLED : BOOKS_VOID;
    if (entry->kind == LEDGER_SETTLE) ended->release.n_shares = entry->release.n_shares;
    return STATUS_OK;
}

/* --- costs ------------------------------------------------------------------------------------ */

/* When nobody drops out, n_shares + removable honest sites keep the variance of n_shares: alone one
 * has that part of a share. Its sigma is no whole number, so the norm grows instead. */
static struct release kept_alone(struct release release)
{
    const wide norm2 = (wide)release.norm2 * (release.n_shares + (wide)release.removable);
    if (release.removable > 0) {
        const wide alone = (norm2 + release.n_shares - 1) / release.n_shares;
        if (alone > UINT64_MAX) release.sigma = 0;
        release.norm2 = alone > UINT64_MAX ? UINT64_MAX : (uint64_t)alone;
    }
    release.n_shares = 1;
    return release;
}

struct release adversary_release(enum adversary who, const struct release *release,
                                 uint32_t colluding)
{
    if (who == ADVERSARY_UNMASKED) return kept_alone(*release);
    struct release seen = *release;
    if (who != ADVERSARY_COLLUSION && release->removable == 0) seen.n_shares += colluding;
    return seen;
}

void adversary_name(char *out, size_t n, enum adversary who, uint32_t colluding)
{
    static const char *const name[ADVERSARY_COUNT] = {[ADVERSARY_SERVER] = "server",
                                                      [ADVERSARY_READER] = "model reader",
                                                      [ADVERSARY_UNMASKED] =
                                                          "server, if the masks were broken"};
    if (who == ADVERSARY_COLLUSION)
        (void)snprintf(out, n, "server and %u site%s", colluding, colluding == 1 ? "" : "s");
    else
        (void)snprintf(out, n, "%s", name[who]);
}

/* A record that comes or goes moves its site's clipped update
 * from one point of a ball to another: by twice its radius at most. What a release that protects
 * records tells about a whole site has no bound. */
struct release books_in_unit(struct release release, enum study_unit from, enum study_unit to)
{
    if (from == to) return release;
    if (to == STUDY_PATIENT && release.norm2 <= UINT64_MAX / 4)
        release.norm2 *= 4;
    else
        release.sigma = 0;
    return release;
}

/* Equal releases are reckoned together: a curve takes long. */
struct heap {
    size_t n;
    struct release *release;
    uint32_t *times;
};

static void heap_free(struct heap *heap)
{
    free(heap->release);
    free(heap->times);
}

static bool release_equal(const struct release *a, const struct release *b)
{
    return a->norm2 == b->norm2 && a->sigma == b->sigma && a->n_shares == b->n_shares &&
           a->dim == b->dim && a->sampling == b->sampling;
}

static void heap_add(struct heap *heap, const struct release *release)
{
    size_t i = 0;
    while (i < heap->n && !release_equal(&heap->release[i], release)) i++;
    if (i == heap->n) heap->release[heap->n++] = *release;
    heap->times[i]++;
}

/* Whose releases: of one study, in its unit, or of one data set, in the data set's. */
struct scope {
    bool whole_set;
    size_t at;
};

static enum status account_of(struct account *out, uint32_t *count, const struct books *books,
                              struct scope scope, enum adversary who)
{
    AUTO(heap_free) struct heap heap = {0};
    heap.release = calloc(books->n_releases + 1, sizeof *heap.release);
    heap.times = calloc(books->n_releases + 1, sizeof *heap.times);
    if (heap.release == NULL || heap.times == NULL) return STATUS_NOMEM;
    uint32_t n = 0;
    for (size_t i = 0; i < books->n_releases; i++) {
        const struct books_release *row = &books->release[i];
        const struct books_study *study = &books->study[row->study];
        if (row->state == BOOKS_VOID || (scope.whole_set ? study->set : row->study) != scope.at)
            continue;
        const enum study_unit unit = scope.whole_set ? books->set[scope.at].unit : study->unit;
        struct release release = books_in_unit(row->release, study->unit, unit);
        release = adversary_release(who, &release, study->colluding);
        heap_add(&heap, &release);
        n++;
    }
    struct account account = {0};
    for (size_t i = 0; i < heap.n; i++) TRY(account_add(&account, &heap.release[i], heap.times[i]));
    *out = account;
    if (count != NULL) *count = n;
    return STATUS_OK;
}

enum status books_of_study(struct account *out, uint32_t *count, const struct books *books,
                           size_t study, enum adversary who)
{
    return account_of(out, count, books, (struct scope){false, study}, who);
}

enum status books_of_set(struct account *out, uint32_t *count, const struct books *books,
                         size_t set, enum adversary who)
{
    return account_of(out, count, books, (struct scope){true, set}, who);
}
