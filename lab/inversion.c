/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/inversion.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/inversion_step.h"

/* As the coordinator: so many failures in a row end a study. */
#define FAILURES_MAX 5

__attribute__((format(printf, 3, 4))) static enum exit_code
stop(struct inversion *inversion, enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(inversion->why, sizeof inversion->why, format, arguments);
    va_end(arguments);
    return code;
}

static enum exit_code stop_by(struct inversion *inversion, enum status status)
{
    return stop(inversion, EXIT_FAILED, "%s", status_text(status));
}

enum exit_code inversion_open(struct inversion *out, const struct inversion_options *options)
{
    struct settings_error error = {0};
    *out = (struct inversion){.options = *options, .uniform = 1};
    if (study_read(&out->study, options->study, &error) != STATUS_OK)
        return stop(out, EXIT_REFUSED, "%s  %s:%u: %s", reason_id(REASON_STUDY_FILE),
                    options->study, error.line, error.text);
    const enum status status = model_of(&out->model, &out->study.model.spec);
    if (status != STATUS_OK) return stop_by(out, status);
    if (!leak_by_formula(&out->study.model.spec) && !leak_by_search(&out->study.model.spec))
        return stop(out, EXIT_REFUSED, "this audit has no attack on such a model");
    return EXIT_OK;
}

void inversion_release(void *pointer)
{
    free(*(void **)pointer);
}

void inversion_free(struct inversion *inversion)
{
    for (unsigned s = 0; s < INVERSION_STAGES; s++) {
        free(inversion->stage[s].row);
        gallery_free(&inversion->stage[s].original);
        gallery_free(&inversion->stage[s].picture);
    }
    dataset_free(&inversion->other);
    free(inversion->guess);
    *inversion = (struct inversion){0};
}

/* Of what is drawn beside the fleet's own chance. */
#define STREAM 4

static enum status play(struct inversion *inversion, struct fleet *fleet, struct capture *capture,
                        struct rng *rng)
{
    uint32_t failures = 0;
    while (inversion->rounds < inversion->options.rounds && !fleet_done(fleet) &&
           failures < FAILURES_MAX && !command_stopped()) {
        struct fleet_round round;
        capture_clear(capture);
        TRY(fleet_play(fleet, &round));
        failures = round.opened ? 0 : failures + 1;
        TRY(capture_sum(capture, fleet));
        /* A Poisson sample may be empty: such an update is about nobody. */
        if (capture->taken && capture->n_records > 0)
            TRY(inversion_attack(inversion, capture, &fleet->round, rng));
        if (inversion->options.tell != NULL) inversion->options.tell(inversion);
    }
    return STATUS_OK;
}

static enum exit_code play_study(struct inversion *inversion, struct dataset *share,
                                 struct rng *rng)
{
    AUTO(inversion_release) float *initial = calloc(inversion->model.layout.n, sizeof *initial);
    AUTO(capture_free) struct capture capture = {0};
    AUTO(fleet_close) struct fleet fleet = {0};
    struct site_error why = {0};
    if (initial == NULL) return stop_by(inversion, STATUS_NOMEM);
    model_init(initial, &inversion->model, rng);
    const struct fleet_settings settings = {.study = inversion->options.study,
                                            .seed = inversion->options.seed,
                                            .real = inversion->options.real,
                                            .threads = inversion->options.threads,
                                            .watch = capture_watch,
                                            .watcher = &capture};
    if (fleet_open(&fleet, &settings, share, initial, &why) != STATUS_OK)
        return stop(inversion, command_exit(why.reason), "%s: %s", reason_id(why.reason), why.text);
    const enum status status = play(inversion, &fleet, &capture, rng);
    if (status == STATUS_IO && fleet.refusal.reason == REASON_DEADLINE)
        return stop(inversion, EXIT_FAILED, "%s", fleet.refusal.text);
    if (status != STATUS_OK && (status != STATUS_BUDGET || inversion->rounds == 0))
        return stop_by(inversion, status);
    if (inversion->rounds == 0)
        return stop(inversion, EXIT_REFUSED, "no round had a record of the attacked site in it");
    return EXIT_OK;
}

enum exit_code inversion_run(struct inversion *inversion, struct dataset *data)
{
    AUTO(dataset_free) struct dataset all = *data;
    *data = (struct dataset){0};
    const uint32_t n = inversion->study.sites.expected;
    if (all.n < inversion_least(inversion))
        return stop(inversion, EXIT_DATA, "%zu records are too few: this needs at least %zu", all.n,
                    inversion_least(inversion));
    struct rng rng = {0};
    rng_stream(&rng, inversion->options.seed, STREAM);
    AUTO(inversion_release) struct dataset *share = calloc(n, sizeof *share);
    if (share == NULL) return stop_by(inversion, STATUS_NOMEM);
    const enum status status = inversion_deal(inversion, share, &all, &rng);
    const enum exit_code code =
        status == STATUS_OK ? play_study(inversion, share, &rng) : stop_by(inversion, status);
    for (uint32_t v = 0; v < n; v++) dataset_free(&share[v]);
    if (code != EXIT_OK) return code;
    const enum status judged = inversion_judge(inversion);
    return judged == STATUS_OK ? EXIT_OK : stop_by(inversion, judged);
}
