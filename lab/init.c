/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab init: the initial weights of a study, from a public seed. */
#include <argp.h>
#include <stdlib.h>

#include "base/command.h"
#include "base/file.h"
#include "client/model/model.h"
#include "lab/commands.h"
#include "lab/init.h"
#include "protocol/state.h"
#include "protocol/study.h"

struct arguments {
    const char *study, *out;
    uint64_t seed;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 's':
        a->study = text;
        return 0;
    case 'o':
        a->out = text;
        return 0;
    case 'r':
        a->seed = strtoull(text, NULL, 10);
        return 0;
    case ARGP_KEY_END:
        if (a->study == NULL || a->out == NULL) argp_error(state, "--study and --out are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum status init_write(const struct model *model, uint64_t seed, const char *path)
{
    AUTO(state_free) struct state state = {0};
    TRY(state_new(&state, model->layout.n));
    struct rng rng = {0};
    rng_numbered(&rng, seed);
    model_init(state.weight, model, &rng);
    AUTO(buffer_free) struct buffer bytes = {0};
    state_write(&bytes, &state);
    TRY(bytes.status);
    return file_write(path, buffer_view(&bytes), 0644);
}

enum exit_code init_command(int argc, char **argv)
{
    static const struct argp_option options[] = {{"study", 's', "FILE", 0, "The study file", 0},
                                                 {"seed", 'r', "N", 0, "Public seed (1)", 0},
                                                 {"out", 'o', "FILE", 0, "The state to write", 0},
                                                 {0}};
    struct arguments a = {.seed = 1};
    const struct argp argp = {
        .options = options, .parser = parse, .doc = "Draw the initial weights of a study."};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &a);
    struct study study = {0};
    struct settings_error why = {0};
    if (study_read(&study, a.study, &why) != STATUS_OK) {
        fprintf(stderr, "%s:%u: %s\n", a.study, why.line, why.text);
        return EXIT_REFUSED;
    }
    struct model model;
    enum status status = model_of(&model, &study.model.spec);
    if (status == STATUS_OK) status = init_write(&model, a.seed, a.out);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "%s: %s\n", a.out, status_text(status));
    return EXIT_FAILED;
}
