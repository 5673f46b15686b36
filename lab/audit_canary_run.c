/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/audit_canary.h"
#include "lab/canary.h"
#include "lab/shadow.h"

/* As the coordinator: so many failures in a row end a study. */
#define FAILURES_MAX 5
/* Milliseconds between two lines of progress. */
#define TELL_MS 5000

const char *const canary_kind_name[CANARY_KINDS] = {"random", "mislabelled"};
const char *const canary_method_name[CANARY_METHODS] = {"one-run", "one-run-fdp"};

const char *canary_source(const struct canary_options *options)
{
    return options->images == NULL ? canary_kind_name[options->kind] : options->images;
}

static enum exit_code fail(const char *what, enum status status, const char *why)
{
    fprintf(stderr, "canary: %s: %s\n", what, why[0] == 0 ? status_text(status) : why);
    return status == STATUS_BUDGET ? EXIT_REFUSED : EXIT_FAILED;
}

static enum exit_code refuse_data(const char *text)
{
    fprintf(stderr, "canary: %s\n", text);
    return EXIT_DATA;
}

/* --- records, canaries, coins ------------------------------------------------------------------
 */

static bool fits(const struct canary_audit *audit, const struct dataset *data)
{
    const struct model_spec *spec = &audit->subject.study.model.spec;
    return data->n > 0 && data->channels == spec->channels && data->height == spec->height &&
           data->width == spec->width && data->classes <= spec->classes;
}

/* Of a file the first, as many as were asked for. */
static enum exit_code read_canaries(struct dataset *out, const struct canary_options *o)
{
    struct data_error why = {{0}};
    if (idx_read(out, o->images, o->labels, &why) != STATUS_OK) return refuse_data(why.text);
    if (out->n < o->canaries) return refuse_data("the file has fewer canaries than that");
    out->n = o->canaries;
    return EXIT_OK;
}

static enum exit_code make_canaries(struct canary_audit *audit, const struct dataset *test)
{
    const struct canary_options *o = &audit->options;
    const struct study *study = &audit->subject.study;
    AUTO(dataset_free) struct dataset made = {0};
    enum exit_code code = EXIT_OK;
    enum status status = STATUS_OK;
    if (o->images != NULL)
        code = read_canaries(&made, o);
    else if (o->kind == CANARY_RANDOM)
        status = canary_random(&made, study, o->canaries, &audit->rng);
    else
        status = canary_mislabelled(&made, study, test, o->canaries, &audit->rng);
    if (code != EXIT_OK) return code;
    if (status == STATUS_OK) status = local_new(&audit->canary, study, &made);
    if (status == STATUS_RANGE)
        return refuse_data("there are too few records to make canaries of, or they have not the "
                           "shape that the study's model names");
    return status == STATUS_OK ? EXIT_OK : fail("the canaries", status, "");
}

static enum exit_code toss(struct canary_audit *audit)
{
    const uint32_t m = audit->options.canaries;
    audit->included = calloc(m, sizeof *audit->included);
    audit->before = calloc(m, sizeof *audit->before);
    audit->after = calloc(m, sizeof *audit->after);
    audit->score = calloc(m, sizeof *audit->score);
    if (audit->included == NULL || audit->before == NULL || audit->after == NULL ||
        audit->score == NULL)
        return fail("the canaries", STATUS_NOMEM, "");
    canary_toss(audit->included, m, &audit->rng);
    return EXIT_OK;
}

static enum exit_code deal(struct canary_audit *audit, const struct dataset *train)
{
    const uint32_t n = audit->subject.study.sites.expected;
    audit->records = train->n;
    audit->share = calloc(n, sizeof *audit->share);
    if (audit->share == NULL) return fail("the partition", STATUS_NOMEM, "");
    enum status status = split_deal(audit->share, &audit->options.split, train, n, 1, &audit->rng);
    if (status == STATUS_RANGE) return refuse_data("the records do not suffice for this partition");
    if (status == STATUS_OK)
        status = canary_deal(audit->share, n, &audit->canary.data, audit->included);
    return status == STATUS_OK ? EXIT_OK : fail("the partition", status, "");
}

static enum exit_code open_fleet(struct canary_audit *audit)
{
    struct site_error why = {0};
    const struct fleet_settings settings = {.study = audit->options.study,
                                            .seed = rng_u64(&audit->rng),
                                            .system = !audit->options.seeded,
                                            .real = audit->options.real,
                                            .backbone = audit->subject.backbone.weight,
                                            .threads = audit->options.threads};
    if (fleet_open(&audit->fleet, &settings, audit->share, audit->subject.initial, &why) ==
        STATUS_OK)
        return EXIT_OK;
    fprintf(stderr, "%s  %s\n", reason_id(why.reason), why.text);
    return command_exit(why.reason);
}

enum exit_code canary_prepare(struct canary_audit *audit)
{
    const struct canary_options *o = &audit->options;
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset train = {0}, test = {0};
    if (o->seeded)
        rng_numbered(&audit->rng, o->seed);
    else
        rng_system(&audit->rng);
    enum exit_code code =
        subject_open(&audit->subject, "canary", o->study, o->backbone, &audit->rng);
    if (code != EXIT_OK) return code;
    records_fit(&audit->options.corpus, &audit->subject.study.model.spec);
    if (corpus_read(&train, &test, &o->corpus, &why) != STATUS_OK) return refuse_data(why.text);
    if (!fits(audit, &train))
        return refuse_data("the data has not the shape that the study's model names");
    code = make_canaries(audit, &test);
    if (code == EXIT_OK) code = toss(audit);
    if (code == EXIT_OK) code = deal(audit, &train);
    return code == EXIT_OK ? open_fleet(audit) : code;
}

/* --- the study ---------------------------------------------------------------------------------
 */

static enum exit_code reserve(struct canary_audit *audit)
{
    char why[CHARGE_WHY_BYTES];
    if (audit->options.site == NULL) return EXIT_OK;
    const enum status status =
        charge_reserve(&audit->charge, audit->options.site, &audit->fleet, command_time_s(), why);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "%s  %s. Nothing was trained.\n",
            reason_id(status == STATUS_BUDGET ? REASON_BUDGET : REASON_LEDGER), why);
    return status == STATUS_BUDGET ? EXIT_REFUSED : EXIT_FAILED;
}

static enum status settle(struct canary_audit *audit)
{
    if (audit->options.site == NULL) return STATUS_OK;
    return charge_settle(&audit->charge, &audit->charged, &audit->fleet, command_time_s());
}

/* A round that is not reserved is not played: none fails where no site drops out. */
static enum status play(struct canary_audit *audit)
{
    struct fleet *fleet = &audit->fleet;
    uint32_t all = 0, failures = 0;
    for (enum step step = STEP_EXPLORE; step < STEP_COUNT; step++)
        all += schedule_steps(&fleet->study, step);
    const uint64_t begun = command_now_ms();
    const bool hushed = audit->options.site != NULL;
    if (hushed)
        fprintf(stderr,
                "canary: %u rounds; how fast they go would tell how many records there are, "
                "and is not told\n",
                all);
    for (uint64_t told = begun; !fleet_done(fleet);) {
        struct fleet_round round;
        if (command_stopped() || (hushed && fleet->rounds == all)) return STATUS_STATE;
        TRY(fleet_play(fleet, &round));
        failures = round.opened ? 0 : failures + 1;
        if (failures == FAILURES_MAX) return STATUS_QUORUM;
        const uint64_t now = command_now_ms();
        if (hushed || now - told < TELL_MS) continue;
        told = now;
        fprintf(stderr, "canary: round %u of %u, %.0f s left\n", fleet->rounds, all,
                (double)(now - begun) / 1e3 / fleet->rounds * (all - fleet->rounds));
    }
    return STATUS_OK;
}

/* --- guesses -----------------------------------------------------------------------------------
 */

static enum status score(struct canary_audit *audit)
{
    const struct subject *subject = &audit->subject;
    const struct shadow how = {.study = &subject->study, .backbone = subject->backbone.weight};
    AUTO(state_free) struct state first = {0};
    TRY(state_new(&first, subject->model.layout.n));
    memcpy(first.weight, subject->initial, first.keep.n * sizeof *first.weight);
    TRY(shadow_margins(audit->before, &how, &first, &audit->canary.data));
    TRY(shadow_margins(audit->after, &how, &audit->fleet.course.state, &audit->canary.data));
    for (size_t i = 0; i < audit->canary.data.n; i++)
        audit->score[i] = audit->after[i] - audit->before[i];
    return STATUS_OK;
}

static enum status guess(struct canary_audit *audit)
{
    const struct canary_options *o = &audit->options;
    const struct bound_level level = {audit->subject.study.privacy.delta, o->confidence};
    TRY(score(audit));
    TRY(bound_guess(&audit->run, audit->score, audit->included, o->canaries, o->guesses));
    const struct bound_run right = {o->canaries, o->guesses, o->guesses};
    TRY(o->method == CANARY_ONE_RUN ? bound_one_run(&audit->most, &right, &level)
                                    : bound_one_run_fdp(&audit->most, &right, &level));
    TRY(bound_one_run(&audit->bound[CANARY_ONE_RUN], &audit->run, &level));
    TRY(bound_one_run_fdp(&audit->bound[CANARY_ONE_RUN_FDP], &audit->run, &level));
    return spend_epsilon(&audit->epsilon, &audit->fleet.spend, ADVERSARY_READER);
}

enum exit_code canary_run(struct canary_audit *audit)
{
    const uint64_t begun = command_now_ms();
    const enum exit_code code = reserve(audit);
    if (code != EXIT_OK) return code;
    size_t included = 0;
    for (size_t i = 0; i < audit->canary.data.n; i++) included += audit->included[i];
    /* How many patients there are is theirs; canary_report keeps it back, too. */
    if (audit->options.site == NULL)
        subject_warn(&audit->subject, "canary", audit->records + included);
    const enum status played = play(audit);
    const enum status settled = settle(audit);
    if (played == STATUS_STATE) return fail("the study", played, "it was stopped before its end");
    if (played != STATUS_OK) return fail("the study", played, audit->fleet.refusal.text);
    if (settled != STATUS_OK) return fail(audit->charge.path, settled, "");
    const enum status status = guess(audit);
    audit->seconds = (double)(command_now_ms() - begun) / 1e3;
    return status == STATUS_OK ? EXIT_OK : fail("the guesses", status, "");
}
