/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/audit_mia.h"

/* Guesses by rank: one for so many records, half "in", half "out"; fixed beforehand. */
#define RECORDS_PER_GUESS 10

const char *const mia_attack_name[MIA_ATTACKS] = {"lira", "rmia"};
static const double point_target[MIA_POINTS] = {0.001, 0.01};

/* What an audit draws: streams that have nothing in common. */
enum stream { STREAM_WEIGHTS = 1, STREAM_RECORDS, STREAM_TARGET, STREAM_REFERENCES };

static enum exit_code fail(const char *what, enum status status, const char *why)
{
    if (status == STATUS_STATE)
        fprintf(stderr, "mia: stopped by a signal\n");
    else if (why[0] != 0)
        fprintf(stderr, "mia: %s: %s\n", what, why);
    else
        fprintf(stderr, "mia: %s: %s\n", what,
                status == STATUS_RANGE ? "the training diverged" : status_text(status));
    return status == STATUS_BUDGET ? EXIT_REFUSED : EXIT_FAILED;
}

static void free_order(size_t **order)
{
    free(*order);
}

/* --- the records -------------------------------------------------------------------------------
 */

static void shuffle(size_t *order, size_t n, struct rng *rng)
{
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)rng_below(rng, i), held = order[i - 1];
        order[i - 1] = order[j];
        order[j] = held;
    }
}

static enum status gather(struct dataset *out, const struct dataset *all, const size_t *order,
                          size_t n)
{
    const size_t floats = dataset_floats(all);
    AUTO(dataset_free)
    struct dataset some = {.n = n,
                           .channels = all->channels,
                           .height = all->height,
                           .width = all->width,
                           .classes = all->classes};
    some.pixel = malloc(n * floats);
    some.label = malloc(n);
    if (some.pixel == NULL || some.label == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) {
        memcpy(some.pixel + i * floats, all->pixel + order[i] * floats, floats);
        some.label[i] = all->label[order[i]];
    }
    *out = some;
    some = (struct dataset){0};
    return STATUS_OK;
}

/* Who is told apart, in an order by chance, and who of them is a member: where the model is given,
 * the first n_members of all; else a coin says. */
static enum status choose(struct mia *mia, const struct dataset *all, size_t n_members)
{
    const size_t most = mia->options.records == 0 ? all->n : mia->options.records;
    struct rng rng = {0};
    rng_stream(&rng, mia->options.seed, STREAM_RECORDS);
    AUTO(free_order) size_t *order = calloc(all->n, sizeof *order);
    AUTO(dataset_free) struct dataset some = {0};
    mia->member = calloc(all->n, sizeof *mia->member);
    if (order == NULL || mia->member == NULL) return STATUS_NOMEM;
    shuffle(order, all->n, &rng);
    size_t n = 0, others = 0;
    for (size_t i = 0; i < all->n; i++) {
        const bool member = mia->coins ? rng_below(&rng, 2) == 1 : order[i] < n_members;
        if (mia->coins ? n / 2 >= most : (member ? mia->members : others) >= most) continue;
        mia->member[n] = member;
        mia->members += member;
        others += !member;
        order[n++] = order[i];
    }
    TRY(gather(&some, all, order, n));
    return local_new(&mia->pool, &mia->subject.study, &some);
}

static enum exit_code read_records(struct mia *mia)
{
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset all = {0};
    struct dataset part[2] = {{0}};
    records_fit(&mia->options.corpus, &mia->subject.study.model.spec);
    if (corpus_read(&part[0], &part[1], &mia->options.corpus, &why) != STATUS_OK) {
        fprintf(stderr, "mia: %s\n", why.text);
        return EXIT_DATA;
    }
    const size_t members = part[0].n;
    enum status status = corpus_pool(&all, part, mia->coins ? 1 : 2);
    for (size_t i = 0; i < 2; i++) dataset_free(&part[i]);
    if (status == STATUS_OK) status = choose(mia, &all, members);
    if (status == STATUS_RANGE) {
        fprintf(stderr, "mia: the data has not the shape that the study's model names\n");
        return EXIT_DATA;
    }
    if (status != STATUS_OK) return fail("the records", status, "");
    if (mia->members > 0 && mia->pool.data.n - mia->members > 1) return EXIT_OK;
    fprintf(stderr, "mia: %zu members and %zu others are too few to be told apart\n", mia->members,
            mia->pool.data.n - mia->members);
    return EXIT_DATA;
}

/* --- the model ---------------------------------------------------------------------------------
 */

static enum status take(struct dataset *out, const struct mia *mia, bool members)
{
    const size_t n = mia->pool.data.n;
    uint16_t *site = calloc(n, sizeof *site);
    if (site == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < n; i++) site[i] = mia->member[i];
    const enum status status = split_take(out, &mia->pool.data, site, members);
    free(site);
    return status;
}

static enum exit_code train_target(struct mia *mia)
{
    struct shadow how = mia->how;
    struct rng rng = {0};
    rng_stream(&rng, mia->options.seed, STREAM_TARGET);
    AUTO(dataset_free) struct dataset members = {0};
    how.federated = true;
    fprintf(stderr, "mia: training the model by the study, on %zu of %zu records\n", mia->members,
            mia->pool.data.n);
    subject_warn(&mia->subject, "mia", mia->members);
    enum status status = take(&members, mia, true);
    if (status == STATUS_OK)
        status = shadow_train(&mia->target, &mia->told, &how, &members, rng_u64(&rng));
    return status == STATUS_OK ? EXIT_OK : fail("the study", status, mia->told.why);
}

enum exit_code mia_prepare(struct mia *mia)
{
    const struct mia_options *o = &mia->options;
    struct rng rng = {0};
    rng_stream(&rng, o->seed, STREAM_WEIGHTS);
    mia->coins = o->model == NULL;
    enum exit_code code = subject_open(&mia->subject, "mia", o->study, o->backbone, &rng);
    if (code != EXIT_OK) return code;
    mia->how = (struct shadow){.path = o->study,
                               .study = &mia->subject.study,
                               .initial = mia->subject.initial,
                               .backbone = mia->subject.backbone.weight,
                               .federated = o->federated,
                               .split = o->split,
                               .real = o->real,
                               .threads = o->threads};
    code = read_records(mia);
    if (code != EXIT_OK) return code;
    return mia->coins ? train_target(mia)
                      : subject_model(&mia->target, &mia->subject, "mia", o->model);
}

/* --- the attacks -------------------------------------------------------------------------------
 */

static enum status score_half(struct score *out, const struct mia *mia, bool members)
{
    AUTO(dataset_free) struct dataset half = {0};
    AUTO(local_free) struct local local = {0};
    TRY(take(&half, mia, members));
    TRY(local_new(&local, &mia->subject.study, &half));
    local.backbone = mia->subject.backbone.weight;
    return score_state(out, &local, &mia->target);
}

/* Guesses of whom a coin chose, by the rank of the scores. */
static enum status guess(struct mia_outcome *out, const struct mia *mia,
                         const struct bound_level *level)
{
    const uint32_t n = (uint32_t)mia->pool.data.n;
    bool *included = calloc(n, sizeof *included);
    if (included == NULL) return STATUS_NOMEM;
    for (uint32_t i = 0; i < n; i++) included[i] = mia->member[i] != 0;
    const enum status status =
        bound_guess(&out->run, out->score, included, n, n / RECORDS_PER_GUESS / 2 * 2);
    free(included);
    TRY(status);
    const struct bound_run right = {out->run.canaries, out->run.guesses, out->run.guesses};
    TRY(bound_one_run(&out->most, &right, level));
    return bound_one_run(&out->one_run, &out->run, level);
}

static enum status judge(struct mia_outcome *out, const struct mia *mia)
{
    const size_t n = mia->pool.data.n;
    const double confidence = mia->options.confidence;
    const struct bound_level level = {mia->subject.study.privacy.delta, confidence};
    TRY(score_auc(&out->auc, out->score, mia->member, n));
    TRY(membership_roc(&out->roc, out->score, mia->member, n));
    for (size_t p = 0; p < MIA_POINTS; p++)
        TRY(membership_point(&out->point[p], out->score, mia->member, n, point_target[p],
                             confidence));
    out->one_run = out->clopper_pearson = (double)NAN;
    const struct membership_point *at = &out->point[MIA_BOUND_POINT];
    if (at->measured) {
        out->trials = (struct bound_trials){at->false_positives, at->nonmembers,
                                            at->members - at->true_positives, at->members};
        const struct bound_trials right = {0, at->nonmembers, 0, at->members};
        TRY(bound_clopper_pearson(&out->most, &right, &level));
        TRY(bound_clopper_pearson(&out->clopper_pearson, &out->trials, &level));
    }
    return mia->coins ? guess(out, mia, &level) : STATUS_OK;
}

struct progress {
    uint64_t begun_ms;
};

static void tell(void *context, uint32_t done, uint32_t all)
{
    const struct progress *progress = context;
    const double seconds = (double)(command_now_ms() - progress->begun_ms) / 1e3;
    fprintf(stderr, "mia: %u of %u references are trained, %.0f s left\n", done, all,
            seconds / done * (all - done));
}

static enum status attack(struct mia *mia)
{
    const size_t n = mia->pool.data.n;
    struct rng rng = {0};
    rng_stream(&rng, mia->options.seed, STREAM_REFERENCES);
    struct progress progress = {command_now_ms()};
    struct membership *m = &mia->margins;
    TRY(membership_new(m, n, mia->options.references));
    TRY(shadow_margins(m->target, &mia->how, &mia->target, &mia->pool.data));
    TRY(shadow_references(m, &mia->how, &mia->pool.data, rng_u64(&rng), tell, &progress));
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++) {
        mia->outcome[a].score = calloc(n, sizeof(double));
        if (mia->outcome[a].score == NULL) return STATUS_NOMEM;
    }
    TRY(membership_lira(mia->outcome[MIA_LIRA].score, m));
    TRY(membership_rmia(mia->outcome[MIA_RMIA].score, m, MEMBERSHIP_RMIA_A));
    for (enum mia_attack a = 0; a < MIA_ATTACKS; a++) TRY(judge(&mia->outcome[a], mia));
    TRY(score_half(&mia->on_members, mia, true));
    return score_half(&mia->on_others, mia, false);
}

enum exit_code mia_run(struct mia *mia)
{
    const uint64_t begun_ms = command_now_ms();
    const enum status status = attack(mia);
    mia->seconds = (double)(command_now_ms() - begun_ms) / 1e3;
    return status == STATUS_OK ? EXIT_OK : fail("the references", status, "");
}
