/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crew.h"
#include "lab/simulate.h"
#include "lab/solo.h"
#include "lab/topk.h"
#include "protocol/layout_cost.h"

/* As the coordinator: so many failures in a row end a study. */
#define FAILURES_MAX 5
/* Seconds between two lines of progress. */
#define TELL_S 5
/* At most so many rounds, and those with a score, say what was spent until then. */
#define CURVE_POINTS 100

static double now_seconds(void)
{
    return (double)command_now_ms() / 1e3;
}

static struct simulate_row *add_row(struct simulation *s)
{
    struct simulate_row *row = realloc(s->row, (s->n_rows + 1) * sizeof *row);
    if (row == NULL) return NULL;
    s->row = row;
    row += s->n_rows++;
    *row = (struct simulate_row){0};
    return row;
}

__attribute__((format(printf, 3, 4))) static enum exit_code
stop(struct simulation *s, enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(s->stop, sizeof s->stop, format, arguments);
    va_end(arguments);
    return code;
}

/* What is left, if it goes on as it went. */
static void tell(const struct simulation *s, double *told, uint32_t done, uint32_t all,
                 double begun)
{
    const double now = now_seconds();
    const struct simulate_row *row = &s->row[s->n_rows - 1];
    if (now - *told < TELL_S && !row->scored) return;
    *told = now;
    fprintf(stderr, "simulate: round %u of %u", done, all);
    if (row->scored) fprintf(stderr, ", accuracy %.4f", row->score.accuracy);
    fprintf(stderr, ", %.0f s left\n", (now - begun) / done * (all > done ? all - done : 0));
}

static bool is_due(const struct simulation *s, uint32_t trained)
{
    const uint32_t every = s->options.every;
    return trained == s->study.rounds.count || (every > 0 && trained > 0 && trained % every == 0);
}

/* --- the federation ----------------------------------------------------------------------------
 */

static enum status score_round(struct simulation *s, struct simulate_row *row)
{
    const struct fleet *fleet = &s->fleet;
    row->scored = true;
    TRY(score_state(&row->score, &s->test, &fleet->course.state));
    row->least = row->most = row->score.accuracy;
    return STATUS_OK;
}

/* The ledger adds all releases up each time: for a curve, not for each of a thousand rounds. */
static enum status count_round(struct simulation *s, struct simulate_row *row, bool due)
{
    const uint32_t stride = s->study.rounds.count / CURVE_POINTS + 1;
    row->counted = due || row->round.round % stride == 0;
    for (enum adversary who = 0; who < ADVERSARY_COUNT && row->counted; who++)
        TRY(spend_epsilon(&row->epsilon[who], &s->fleet.spend, who));
    return STATUS_OK;
}

static enum exit_code explain(struct simulation *s, enum status status)
{
    const struct site_error *refusal = &s->fleet.refusal;
    switch (status) {
    case STATUS_BUDGET:
        return stop(s, EXIT_REFUSED, "%s: %s", reason_id(REASON_BUDGET),
                    refusal->text[0] == 0 ? "the study's epsilon is used up before its last round"
                                          : refusal->text);
    case STATUS_IO:
        return stop(s, EXIT_FAILED, "%s",
                    refusal->reason == REASON_DEADLINE ? refusal->text : status_text(status));
    case STATUS_RANGE:
        return stop(s, EXIT_FAILED, "the training diverged, or no round can be planned");
    default:
        return stop(s, EXIT_FAILED, "%s", status_text(status));
    }
}

static enum exit_code play(struct simulation *s, uint32_t *failures)
{
    struct fleet *fleet = &s->fleet;
    struct simulate_row *row = add_row(s);
    if (row == NULL) return explain(s, STATUS_NOMEM);
    const double begun = now_seconds();
    enum status status = fleet_play(fleet, &row->round);
    row->seconds = now_seconds() - begun;
    row->kept = bits_count(&fleet->course.state.keep);
    const bool trained = row->round.opened && row->round.step == STEP_TRAIN;
    if (status == STATUS_OK)
        status = count_round(s, row, trained && is_due(s, fleet->course.trained));
    if (status == STATUS_OK && trained) status = simulate_note_blocks(s, &fleet->round.plan);
    if (status == STATUS_OK && trained && is_due(s, fleet->course.trained))
        status = score_round(s, row);
    if (row->round.round == 0) s->n_rows--; /* it was not even planned */
    if (status != STATUS_OK) return explain(s, status);
    s->exact = s->exact && (!row->round.compared || row->round.exact);
    *failures = row->round.opened ? 0 : *failures + 1;
    if (*failures == FAILURES_MAX)
        return stop(s, EXIT_REFUSED, "%u rounds failed one after the other, the last for %s: %s",
                    *failures, reason_id(row->round.why), reason_what(row->round.why));
    return EXIT_OK;
}

static enum exit_code open_fleet(struct simulation *s)
{
    struct site_error why = {0};
    const struct fleet_settings settings = {.study = s->options.study,
                                            .seed = s->options.seed,
                                            .real = s->options.real,
                                            .dropout = s->options.dropout,
                                            .lifetime_epsilon = s->options.lifetime_epsilon,
                                            .backbone = s->backbone.weight,
                                            .threads = s->options.threads};
    if (fleet_open(&s->fleet, &settings, s->share, s->initial, &why) != STATUS_OK) {
        fprintf(stderr, "%s  %s\n", reason_id(why.reason), why.text);
        return command_exit(why.reason);
    }
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
        if (spend_worst(&s->limit[who], &s->fleet.course.schedule, who,
                        &s->fleet.course.state.keep) != STATUS_OK) {
            fprintf(stderr, "%s  %s\n", reason_id(REASON_RING), reason_what(REASON_RING));
            return EXIT_REFUSED;
        }
    return EXIT_OK;
}

/* Whatever ended it, it ended with a model. */
static enum status end_federation(struct simulation *s)
{
    const struct state *state = &s->fleet.course.state;
    struct local **local = calloc(s->n, sizeof *local);
    if (local == NULL) return STATUS_NOMEM;
    for (uint32_t v = 0; v < s->n; v++) local[v] = fleet_local(&s->fleet, v);
    const enum status status = simulate_end(s, &state, 1, local);
    free(local);
    return status;
}

static enum exit_code run_federation(struct simulation *s)
{
    enum exit_code code = open_fleet(s);
    uint32_t all = 0, failures = 0;
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++)
        all += schedule_steps(&s->study, step);
    const double begun = now_seconds();
    double told = begun;
    while (code == EXIT_OK && !fleet_done(&s->fleet) && !command_stopped()) {
        code = play(s, &failures);
        if (s->n_rows > 0) tell(s, &told, s->n_rows, all, begun);
    }
    s->finished = s->fleet.n > 0 && fleet_done(&s->fleet);
    if (s->finished &&
        layout_macs_kept(&s->macs_kept, &s->study.model.spec, &s->fleet.course.layout,
                         &s->fleet.course.state.keep) != STATUS_OK)
        s->macs_kept = 0;
    if (s->n_rows > 0 && fleet_spent(&s->fleet, &s->site_epsilon) != STATUS_OK)
        s->site_epsilon = (double)NAN;
    const enum status status = s->finished ? end_federation(s) : STATUS_OK;
    return status == STATUS_OK ? code : explain(s, status);
}

/* --- the yardsticks ----------------------------------------------------------------------------
 */

struct class
{
    struct solo *solo; /* n; owned */
    enum status *status;
    uint32_t n;
};

static void class_free(struct class *class)
{
    for (uint32_t v = 0; class->solo != NULL && v < class->n; v++) solo_free(&class->solo[v]);
    free(class->solo);
    free(class->status);
}

static void train_one(void *context, uint32_t v)
{
    struct class *class = context;
    class->status[v] = solo_round(&class->solo[v]);
}

/* The mean over all models, and the accuracy of the worst and the best. */
static enum status score_class(struct simulation *s, struct simulate_row *row,
                               const struct class *class)
{
    struct score *mean = &row->score;
    row->scored = true;
    row->least = 1;
    for (uint32_t v = 0; v < class->n; v++) {
        struct score one;
        TRY(score_state(&one, &s->test, &class->solo[v].state));
        if (s->options.method == SIMULATE_LOCAL) s->site[v].test = one;
        mean->n = one.n;
        mean->accuracy += one.accuracy / class->n;
        mean->balanced += one.balanced / class->n;
        mean->auc += one.auc / class->n;
        mean->loss += one.loss / class->n;
        row->least = fmin(row->least, one.accuracy);
        row->most = fmax(row->most, one.accuracy);
    }
    return STATUS_OK;
}

static enum status train_class(struct simulation *s, struct class *class, uint32_t round)
{
    struct simulate_row *row = add_row(s);
    if (row == NULL) return STATUS_NOMEM;
    const double begun = now_seconds();
    crew_run(train_one, class, class->n, s->options.threads);
    row->seconds = now_seconds() - begun;
    row->round.round = round;
    row->round.step = STEP_TRAIN;
    row->kept = s->parameters;
    for (uint32_t v = 0; v < class->n; v++) TRY(class->status[v]);
    return is_due(s, round) ? score_class(s, row, class) : STATUS_OK;
}

static enum status gather(struct simulation *s, struct class *class)
{
    const bool central = s->options.method == SIMULATE_CENTRAL;
    class->n = central ? 1 : s->n;
    class->solo = calloc(class->n, sizeof *class->solo);
    class->status = calloc(class->n, sizeof *class->status);
    if (class->solo == NULL || class->status == NULL) return STATUS_NOMEM;
    AUTO(dataset_free) struct dataset all = {0};
    if (central) TRY(corpus_pool(&all, s->share, s->n));
    for (uint32_t v = 0; v < class->n; v++)
        TRY(solo_new(&class->solo[v], &s->study, central ? &all : &s->share[v], s->initial,
                     s->backbone.weight, s->options.seed * s->n + v));
    return STATUS_OK;
}

static enum status end_class(struct simulation *s, struct class *class)
{
    const struct state **state = calloc(class->n, sizeof *state);
    struct local **local = calloc(class->n, sizeof *local);
    enum status status = state == NULL || local == NULL ? STATUS_NOMEM : STATUS_OK;
    for (uint32_t v = 0; v < class->n && status == STATUS_OK; v++) {
        state[v] = &class->solo[v].state;
        local[v] = &class->solo[v].local;
    }
    const bool apart = s->options.method == SIMULATE_LOCAL;
    if (status == STATUS_OK) status = simulate_end(s, state, class->n, apart ? local : NULL);
    free(state);
    free(local);
    return status;
}

static enum exit_code run_class(struct simulation *s)
{
    AUTO(class_free) struct class class = {0};
    enum status status = gather(s, &class);
    const uint32_t all = s->study.rounds.count;
    const double begun = now_seconds();
    double told = begun;
    for (uint32_t round = 1; status == STATUS_OK && round <= all && !command_stopped(); round++) {
        status = train_class(s, &class, round);
        tell(s, &told, round, all, begun);
        s->finished = round == all;
    }
    if (status == STATUS_OK && s->finished) status = end_class(s, &class);
    return status == STATUS_OK ? EXIT_OK : explain(s, status);
}

/* --- in the clear ------------------------------------------------------------------------------
 */

static enum status train_topk(struct simulation *s, struct topk *topk, uint32_t round)
{
    struct simulate_row *row = add_row(s);
    if (row == NULL) return STATUS_NOMEM;
    const double begun = now_seconds();
    TRY(topk_round(topk, s->options.threads));
    row->seconds = now_seconds() - begun;
    row->round = (struct fleet_round){.round = round,
                                      .step = STEP_TRAIN,
                                      .survivors = s->n,
                                      .dim = topk->sent,
                                      .up = topk->sent * (sizeof(float) + sizeof(uint32_t)),
                                      .down = s->parameters * sizeof(float)};
    row->kept = s->parameters;
    if (!is_due(s, round)) return STATUS_OK;
    row->scored = true;
    TRY(score_state(&row->score, &s->test, &topk->state));
    row->least = row->most = row->score.accuracy;
    return STATUS_OK;
}

static enum exit_code run_topk(struct simulation *s)
{
    AUTO(topk_free) struct topk topk = {0};
    enum status status =
        topk_new(&topk, &s->study, s->n, s->share, s->initial, s->backbone.weight, s->options.seed);
    const uint32_t all = s->study.rounds.count;
    const double begun = now_seconds();
    double told = begun;
    for (uint32_t round = 1; status == STATUS_OK && round <= all && !command_stopped(); round++) {
        status = train_topk(s, &topk, round);
        tell(s, &told, round, all, begun);
        s->finished = status == STATUS_OK && round == all;
    }
    if (s->finished) status = simulate_end(s, &(const struct state *){&topk.state}, 1, NULL);
    return status == STATUS_OK ? EXIT_OK : explain(s, status);
}

enum exit_code simulate_run(struct simulation *s)
{
    const double begun = now_seconds();
    s->exact = true;
    const enum simulate_method method = s->options.method;
    const enum exit_code code = method == SIMULATE_FEDERATED ? run_federation(s)
                                : method == SIMULATE_TOPK    ? run_topk(s)
                                                             : run_class(s);
    s->seconds = now_seconds() - begun;
    if (command_stopped()) return stop(s, EXIT_FAILED, "stopped by a signal");
    return code == EXIT_OK && !s->exact ? stop(s, EXIT_VERIFY, "a sum is not exact") : code;
}
