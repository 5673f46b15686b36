/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/data/domain.h"
#include "client/model/model.h"
#include "lab/simulate.h"

/* No site has fewer records. */
#define LEAST_RECORDS 10

/* What a run draws beside the fleet's own chance: streams that have nothing in common. */
enum stream { STREAM_PARTITION = 1, STREAM_WEIGHTS, STREAM_TEST };

static enum exit_code fail(const char *what, enum status status)
{
    fprintf(stderr, "simulate: %s: %s\n", what, status_text(status));
    return EXIT_FAILED;
}

static enum status read_initial(struct simulation *s)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(state_free) struct state state = {0};
    TRY(file_read(&bytes, s->options.initial, (size_t)s->parameters * 5 + 64));
    TRY(state_read(&state, buffer_view(&bytes), s->parameters));
    memcpy(s->initial, state.weight, s->parameters * sizeof *s->initial);
    return STATUS_OK;
}

static enum exit_code prepare_weights(struct simulation *s)
{
    struct model model;
    enum status status = model_of(&model, &s->study.model.spec);
    if (status != STATUS_OK) return fail("the study's model", status);
    s->parameters = model.layout.n;
    s->initial = calloc(model.layout.n, sizeof *s->initial);
    if (s->initial == NULL) return fail("the study's model", STATUS_NOMEM);
    struct rng rng = {0};
    rng_stream(&rng, s->options.seed, STREAM_WEIGHTS);
    model_init(s->initial, &model, &rng);
    status = s->options.initial == NULL ? STATUS_OK : read_initial(s);
    if (status != STATUS_OK) return fail(s->options.initial, status);
    s->initial_hash =
        hash_long("initial weights",
                  (struct view){(const uint8_t *)s->initial, s->parameters * sizeof *s->initial});
    return EXIT_OK;
}

static enum exit_code refuse_data(const char *text)
{
    fprintf(stderr, "simulate: %s\n", text);
    return EXIT_DATA;
}

/* A model of sites whose images look different is tested on all their looks, evenly. */
static enum status spread(struct dataset *test, const struct simulation *s)
{
    if (s->options.split.kind != SPLIT_DOMAIN) return STATUS_OK;
    struct rng rng = {0};
    rng_stream(&rng, s->options.seed, STREAM_TEST);
    const struct split even = {.kind = SPLIT_DOMAIN};
    struct dataset part[DOMAIN_COUNT] = {{0}};
    TRY(split_deal(part, &even, test, DOMAIN_COUNT, 1, &rng));
    dataset_free(test);
    const enum status status = corpus_pool(test, part, DOMAIN_COUNT);
    for (uint32_t d = 0; d < DOMAIN_COUNT; d++) dataset_free(&part[d]);
    return status;
}

static enum exit_code deal(struct simulation *s, const struct dataset *train)
{
    struct rng rng = {0};
    rng_stream(&rng, s->options.seed, STREAM_PARTITION);
    s->share = calloc(s->n, sizeof *s->share);
    s->records = calloc(s->n, sizeof *s->records);
    s->site = calloc(s->n, sizeof *s->site);
    if (s->share == NULL || s->records == NULL || s->site == NULL)
        return fail("the partition", STATUS_NOMEM);
    const enum status status =
        split_deal(s->share, &s->options.split, train, s->n, LEAST_RECORDS, &rng);
    if (status == STATUS_RANGE) return refuse_data("the records do not suffice for this partition");
    if (status != STATUS_OK) return fail("the partition", status);
    for (uint32_t v = 0; v < s->n; v++) s->records[v] = s->share[v].n;
    return EXIT_OK;
}

enum exit_code simulate_prepare(struct simulation *s)
{
    struct settings_error error = {0};
    struct data_error why = {{0}};
    AUTO(dataset_free) struct dataset train = {0}, test = {0};
    if (study_read(&s->study, s->options.study, &error) != STATUS_OK) {
        fprintf(stderr, "%s  %s:%u: %s\n", reason_id(REASON_STUDY_FILE), s->options.study,
                error.line, error.text);
        return EXIT_REFUSED;
    }
    s->n = s->study.sites.expected;
    if (backbone_read(&s->backbone, &s->study, s->options.backbone, &why) != STATUS_OK) {
        fprintf(stderr, "%s  %s\n", reason_id(REASON_BACKBONE), why.text);
        return command_exit(REASON_BACKBONE);
    }
    const enum exit_code code = prepare_weights(s);
    if (code != EXIT_OK) return code;
    records_fit(&s->options.corpus, &s->study.model.spec);
    if (corpus_read(&train, &test, &s->options.corpus, &why) != STATUS_OK)
        return refuse_data(why.text);
    s->data_hash = corpus_hash(&train);
    const enum status spread_out = spread(&test, s);
    if (spread_out != STATUS_OK) return fail("the test records", spread_out);
    s->test_hash = corpus_hash(&test);
    if (local_new(&s->test, &s->study, &test) != STATUS_OK)
        return refuse_data("the data has not the shape that the study's model names");
    s->test.backbone = s->backbone.weight;
    return deal(s, &train);
}
