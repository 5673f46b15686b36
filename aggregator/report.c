/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregator/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "aggregator/cost.h"
#include "aggregator/evaluation.h"
#include "base/event.h"
#include "base/file.h"

static struct json_t *survivors_list(const struct round *round)
{
    struct json_t *list = event_list();
    for (uint32_t v = 0; v < round->survivors.n; v++)
        if (bits_has(&round->survivors, v)) event_list_add(list, v);
    return list;
}

static const char *const step_names[STEP_COUNT] = {"exploration", "training", "evaluation", "vote"};
static const char *const step_events[STEP_COUNT] = {"explore", "train", "evaluate", "vote"};

static void write_evaluation(FILE *out, const struct coordinator *c, const struct round *round,
                             const struct evaluation *e)
{
    const struct estimate accuracy = evaluation_accuracy(e), balanced = evaluation_balanced(e);
    struct json_t *recall = event_list(), *error = event_list();
    for (uint32_t k = 0; k < e->classes; k++) {
        const struct estimate one = evaluation_recall(e, k);
        event_list_put(recall, "o", event_real(one.value));
        event_list_put(error, "o", event_real(one.error));
    }
    event_write(out, "{s:s, s:i, s:i, s:i, s:s, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "event",
                "evaluation", "round", (int)round->plan.round, "number",
                (int)round->plan.step_number, "trained", (int)c->course.trained, "unit",
                study_unit_name(c->study.privacy.unit), "seen", evaluation_seen(e), "accuracy",
                event_real(accuracy.value), "accuracy_error", event_real(accuracy.error),
                "balanced", event_real(balanced.value), "balanced_error",
                event_real(balanced.error), "recall", recall, "recall_error", error);
}

static void tell_estimate(const char *what, struct estimate x)
{
    if (isnan(x.value))
        fprintf(stderr, "%s too few for its noise", what);
    else
        fprintf(stderr, "%s %.4f +- %.4f", what, x.value, 1.96 * x.error);
}

static void tell_evaluation(const struct coordinator *c, const struct round *round,
                            const struct evaluation *e)
{
    fprintf(stderr, "round %u: after %u training rounds", round->plan.round, c->course.trained);
    tell_estimate(", accuracy", evaluation_accuracy(e));
    tell_estimate(", balanced", evaluation_balanced(e));
    fprintf(stderr, "; counted about %.0f %s; +- is 95 %% of the noise alone\n",
            fmax(evaluation_seen(e), 0),
            c->study.privacy.unit == STUDY_PATIENT ? "held-out records" : "sites");
    for (uint32_t k = 0; k < e->classes; k++) {
        fprintf(stderr, "round %u: class %u", round->plan.round, k);
        tell_estimate(", recall", evaluation_recall(e, k));
        fprintf(stderr, "\n");
    }
}

static enum status cost_both(struct cost *whole, struct cost *kept, const struct coordinator *c)
{
    const struct course *course = &c->course;
    AUTO(bits_free) struct bits all = {0};
    TRY(bits_new(&all, course->layout.n));
    bits_fill(&all);
    TRY(cost_of(whole, &course->schedule, &all, course->state.clip));
    return cost_of(kept, &course->schedule, &course->state.keep, course->state.clip);
}

void report_cost(const struct coordinator *c, bool events)
{
    struct cost whole = {0}, kept = {0};
    if (c->study.pruning.mode == STUDY_PRUNING_NONE || cost_both(&whole, &kept, c) != STATUS_OK)
        return;
    fprintf(stderr,
            "pruned to %llu of %llu multiply-accumulates a record, forward (%.1f %%), and %llu of "
            "%llu bytes that a site sends a training round (%.1f %%)\n",
            (unsigned long long)kept.macs, (unsigned long long)whole.macs,
            cost_percent(kept.macs, whole.macs), (unsigned long long)kept.bytes,
            (unsigned long long)whole.bytes, cost_percent(kept.bytes, whole.bytes));
    if (!events) return;
    event_write(stdout, "{s:s, s:i, s:I, s:I, s:f, s:I, s:I, s:f}", "event", "cost", "trained",
                (int)c->course.trained, "macs", (long long)kept.macs, "macs_unpruned",
                (long long)whole.macs, "macs_share", (double)kept.macs / (double)whole.macs,
                "training_bytes", (long long)kept.bytes, "training_bytes_unpruned",
                (long long)whole.bytes, "training_bytes_share",
                (double)kept.bytes / (double)whole.bytes);
}

static void write_round(const struct coordinator *c, const struct round *round, double noise,
                        const double *epsilon, uint64_t bytes_up)
{
    const struct plan *plan = &round->plan;
    event_write(
        stdout, "{s:s, s:i, s:s, s:i, s:i, s:o, s:i, s:o, s:I, s:I, s:I, s:o, s:{s:o, s:o, s:o}}",
        "event", "round", "round", (int)plan->round, "step", step_events[plan->step], "number",
        (int)plan->step_number, "cohort", (int)bits_count(&plan->cohort), "survivors",
        survivors_list(round), "recovered", (int)round_recovered(round), "noise_multiplier",
        event_real(noise), "bytes_up_per_site", (long long)bytes_up, "kept",
        (long long)bits_count(&c->course.state.keep), "parameters", (long long)c->course.layout.n,
        "clip", event_real(schedule_clip(&c->study, c->course.state.clip)), "epsilon", "server",
        event_real(epsilon[ADVERSARY_SERVER]), "collusion",
        event_real(epsilon[ADVERSARY_COLLUSION]), "reader", event_real(epsilon[ADVERSARY_READER]));
}

void report_round(const struct coordinator *c, const struct spend *spend, const struct round *round,
                  uint64_t bytes_up, bool events)
{
    const struct plan *plan = &round->plan;
    const double noise = schedule_multiplier(plan, (uint32_t)bits_count(&round->survivors));
    double epsilon[ADVERSARY_COUNT];
    for (enum adversary who = 0; who < ADVERSARY_COUNT; who++)
        if (spend_epsilon(&epsilon[who], spend, who) != STATUS_OK) return;
    fprintf(stderr,
            "round %u: %s, %zu of %zu sites, %u recovered; noise multiplier of the honest %.4f; "
            "spent against the server alone: epsilon %.4f at delta %g, unit %s, adding or removing "
            "one, with the dropouts that happened\n",
            plan->round, step_names[plan->step], bits_count(&round->survivors),
            bits_count(&plan->cohort), round_recovered(round), account_multiplier_rounded(noise),
            account_rounded(epsilon[ADVERSARY_SERVER]), c->study.privacy.delta,
            study_unit_name(c->study.privacy.unit));
    if (plan->clip_bit > 0)
        fprintf(stderr, "round %u: the next clip is %.6g\n", plan->round, c->course.state.clip);
    struct evaluation evaluation = {0};
    const bool evaluated = evaluation_of(&evaluation, round) == STATUS_OK;
    if (evaluated) tell_evaluation(c, round, &evaluation);
    if (events && evaluated) write_evaluation(stdout, c, round, &evaluation);
    if (events) write_round(c, round, noise, epsilon, bytes_up);
    const bool chosen = plan->step == STEP_EXPLORE || plan->step == STEP_VOTE;
    if (chosen || course_done(&c->course)) report_cost(c, events);
}

/* The file has little-endian words, as this machine's memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are written as they lie");

enum status report_sums(const struct coordinator *c, const struct round *round)
{
    if (!c->study.study.rehearsal) return STATUS_OK;
    struct view part[MSG_SEGMENTS_MAX];
    for (uint32_t l = 0; l < round->plan.n_segments; l++)
        part[l] = (struct view){(const uint8_t *)round->opened[l].value,
                                round->opened[l].n * sizeof *round->opened[l].value};
    char name[64], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof name, "sums-%u", round->plan.round);
    TRY(file_path(path, sizeof path, c->folder, name));
    return file_write_parts(path, round->plan.n_segments, part, 0644);
}

/* A file that is grown in memory. */
struct sheet {
    FILE *file;
    char *text;
    size_t n;
};

static void sheet_free(struct sheet *sheet)
{
    if (sheet->file != NULL) (void)fclose(sheet->file);
    free(sheet->text);
}

enum status report_evaluation(const struct coordinator *c, const struct round *round)
{
    struct evaluation evaluation = {0};
    if (evaluation_of(&evaluation, round) != STATUS_OK) return STATUS_OK;
    AUTO(sheet_free) struct sheet sheet = {0};
    sheet.file = open_memstream(&sheet.text, &sheet.n);
    if (sheet.file == NULL) return STATUS_NOMEM;
    write_evaluation(sheet.file, c, round, &evaluation);
    if (ferror(sheet.file) != 0) return STATUS_NOMEM;
    char name[64], path[FILE_PATH_MAX];
    (void)snprintf(name, sizeof name, "evaluation-%u.json", round->plan.step_number);
    TRY(file_path(path, sizeof path, c->folder, name));
    const struct view bytes = {.at = (const uint8_t *)sheet.text, .n = sheet.n};
    return file_write(path, bytes, 0644);
}

#define NAMES_MAX 10

void report_waiting(const struct coordinator *c, const struct round *round)
{
    AUTO(bits_free) struct bits awaited = {0};
    if (round_awaited(&awaited, round) != STATUS_OK) return;
    const size_t count = bits_count(&awaited);
    size_t named = 0;
    fprintf(stderr, "round %u: waiting for", round->plan.round);
    for (uint32_t v = 0; v < awaited.n && named < NAMES_MAX; v++) {
        if (!bits_has(&awaited, v)) continue;
        fprintf(stderr, " %s", c->manifest.member[v].name);
        named++;
    }
    if (count > named) fprintf(stderr, " and %zu more", count - named);
    fprintf(stderr, "\n");
}
