/* SPDX-License-Identifier: Apache-2.0 */
/* A sweep file: studies, simulate's options for all rows, and the grid. Its table of keys is made
 * from those of a study and from the options' own, so that none is named twice. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/data/records.h"
#include "client/data/split.h"
#include "lab/sweep.h"

#define OPTIONS_MAX 40
#define AXES_MAX 128

/* What the table fills. */
struct asked {
    uint32_t n_studies;
    char study[SWEEP_STUDIES_MAX][SETTINGS_TEXT_MAX + 1];
    char option[OPTIONS_MAX][SETTINGS_TEXT_MAX + 1];
    struct axis axis[AXES_MAX];
};

/* simulate's other options that are the same for all rows. */
static const struct argp_option further[] = {{.name = "rounds-eval", .arg = "K"},
                                             {.name = "lifetime-epsilon", .arg = "E"},
                                             {.name = "backbone", .arg = "FILE"},
                                             {.name = "init", .arg = "FILE"},
                                             {0}};

static void asked_free(struct asked **asked)
{
    free(*asked);
}

struct form {
    struct setting row[SETTINGS_ROWS_MAX];
    size_t n, n_options, n_axes;
    const struct argp_option *option[OPTIONS_MAX];
};

static struct setting *add(struct form *form, const char *section, const char *key)
{
    REQUIRE(form->n < SETTINGS_ROWS_MAX);
    struct setting *row = &form->row[form->n++];
    *row = (struct setting){.section = section, .key = key, .kind = SETTING_TEXT, .least = 1};
    return row;
}

static void add_axis(struct form *form, struct asked *asked, const char *name)
{
    REQUIRE(form->n_axes < AXES_MAX && strlen(name) <= SWEEP_VALUE_MAX);
    struct axis *axis = &asked->axis[form->n_axes];
    (void)snprintf(axis->name, sizeof axis->name, "%s", name);
    struct setting *row = add(form, "grid", axis->name);
    row->kind = SETTING_TEXTS;
    row->most = SWEEP_VALUE_MAX;
    row->list_max = SWEEP_VALUES_MAX;
    row->offset = offsetof(struct asked, axis) + form->n_axes * sizeof(struct axis) +
                  offsetof(struct axis, value);
    row->count_offset = offsetof(struct asked, axis) + form->n_axes * sizeof(struct axis) +
                        offsetof(struct axis, n);
    form->n_axes++;
}

static void add_options(struct form *form, const struct argp_option *option)
{
    for (; option->name != NULL; option++) {
        REQUIRE(form->n_options < OPTIONS_MAX);
        struct setting *row = add(form, "simulate", option->name);
        row->most = SETTINGS_TEXT_MAX;
        row->offset = offsetof(struct asked, option) + form->n_options * (SETTINGS_TEXT_MAX + 1);
        form->option[form->n_options++] = option;
    }
}

static void form_fill(struct form *form, struct asked *asked)
{
    static const char *const named[AXIS_NAMED] = {
        [AXIS_STUDY] = "study", [AXIS_METHOD] = "method",       [AXIS_EPSILON] = "epsilon",
        [AXIS_UNIT] = "unit",   [AXIS_SITES] = "sites",         [AXIS_PRUNED] = "pruned",
        [AXIS_BITS] = "bits",   [AXIS_PARTITION] = "partition", [AXIS_DROPOUT] = "dropout",
        [AXIS_SEED] = "seed"};
    static const char *const elsewhere[] = {"privacy.epsilon", "privacy.unit", "sites.expected",
                                            "secagg.bits"};
    struct setting *study = add(form, NULL, "study");
    study->kind = SETTING_TEXTS;
    study->most = SETTINGS_TEXT_MAX;
    study->list_max = SWEEP_STUDIES_MAX;
    study->offset = offsetof(struct asked, study);
    study->count_offset = offsetof(struct asked, n_studies);
    add_options(form, records_argp.options);
    add_options(form, further);
    for (size_t i = 0; i < AXIS_NAMED; i++) {
        add_axis(form, asked, named[i]);
        if (i == AXIS_STUDY) form->n--; /* it has a place of its own */
    }
    size_t n = 0;
    const struct setting *key = study_keys(&n);
    for (size_t i = 0; i < n; i++) {
        if (key[i].section == NULL) continue;
        char name[SWEEP_VALUE_MAX + 1];
        (void)snprintf(name, sizeof name, "%s.%s", key[i].section, key[i].key);
        bool known = false;
        for (size_t k = 0; k < sizeof elsewhere / sizeof *elsewhere; k++)
            known = known || strcmp(name, elsewhere[k]) == 0;
        if (!known) add_axis(form, asked, name);
    }
}

/* A path as it is seen from the sweep file; whole, for the rows have folders of their own. */
static enum status path_from(char out[static FILE_PATH_MAX], const char *file, const char *path)
{
    char copy[FILE_PATH_MAX], folder[PATH_MAX];
    const size_t n = strlen(path);
    if (strlen(file) >= sizeof copy || n >= FILE_PATH_MAX) return STATUS_RANGE;
    if (path[0] == '/') {
        memcpy(out, path, n + 1);
        return STATUS_OK;
    }
    memcpy(copy, file, strlen(file) + 1);
    if (realpath(dirname(copy), folder) == NULL) return STATUS_IO;
    return file_path(out, FILE_PATH_MAX, folder, path);
}

static bool is_path(const struct argp_option *option)
{
    return strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "DIR") == 0;
}

static enum status take_options(struct sweep *s, const struct form *form, const struct asked *asked)
{
    for (size_t i = 0; i < form->n_options; i++) {
        char name[SWEEP_VALUE_MAX + 3], text[FILE_PATH_MAX];
        if (asked->option[i][0] == 0) continue;
        REQUIRE(s->n_arguments + 2 <= SWEEP_ARGUMENTS_MAX);
        (void)snprintf(name, sizeof name, "--%s", form->option[i]->name);
        (void)snprintf(text, sizeof text, "%s", asked->option[i]);
        if (is_path(form->option[i])) TRY(path_from(text, s->file, asked->option[i]));
        char **argument = &s->argument[s->n_arguments];
        s->n_arguments += 2;
        argument[0] = strdup(name);
        argument[1] = strdup(text);
        if (argument[0] == NULL || argument[1] == NULL) return STATUS_NOMEM;
    }
    return STATUS_OK;
}

/* The named axes, and the others that the grid has. */
static enum status take_axes(struct sweep *s, const struct form *form, const struct asked *asked)
{
    static const char *const usual[AXIS_NAMED] = {[AXIS_METHOD] = "federated",
                                                  [AXIS_PARTITION] = "iid",
                                                  [AXIS_DROPOUT] = "0",
                                                  [AXIS_SEED] = "1"};
    s->axis = calloc(form->n_axes, sizeof *s->axis);
    if (s->axis == NULL) return STATUS_NOMEM;
    for (size_t i = 0; i < form->n_axes; i++) {
        const struct axis *axis = &asked->axis[i];
        if (i >= AXIS_NAMED && axis->n == 0) continue;
        struct axis *own = &s->axis[s->n_axes++];
        *own = *axis;
        if (i >= AXIS_NAMED || axis->n > 0 || usual[i] == NULL) continue;
        own->n = 1;
        (void)snprintf(own->value[0], sizeof own->value[0], "%s", usual[i]);
    }
    struct axis *study = &s->axis[AXIS_STUDY];
    study->n = s->n_studies;
    for (uint32_t i = 0; i < study->n; i++)
        (void)snprintf(study->value[i], sizeof study->value[i], "%u", i);
    return STATUS_OK;
}

static enum status take_studies(struct sweep *s, struct settings_error *why)
{
    for (uint32_t i = 0; i < s->n_studies; i++) {
        char path[FILE_PATH_MAX];
        TRY(path_from(path, s->file, s->study[i]));
        TRY(settings_file(&s->text[i], path, why));
    }
    return STATUS_OK;
}

static bool is_number(const char *text, double least, double most)
{
    char *end = NULL;
    const double x = strtod(text, &end);
    return end != text && *end == 0 && x >= least && x <= most;
}

/* What is no study's to check. */
static enum status check_values(const struct sweep *s, struct settings_error *why)
{
    struct split split;
    for (uint32_t a = 0; a < AXIS_NAMED; a++)
        for (uint32_t i = 0; i < s->axis[a].n; i++) {
            const char *text = s->axis[a].value[i], *fault = NULL;
            if (a == AXIS_METHOD && !grid_method_known(text)) fault = GRID_METHODS;
            if (a == AXIS_PARTITION && split_parse(&split, text) != STATUS_OK) fault = SPLIT_NAMES;
            if (a == AXIS_DROPOUT && !is_number(text, 0, 1)) fault = "a number from 0 to 1";
            if (a == AXIS_SEED && text[strspn(text, "0123456789")] != 0) fault = "a whole number";
            if (fault != NULL)
                return settings_refuse(why, "grid", s->axis[a].name, "%s: \"%s\" is not %.180s",
                                       s->axis[a].name, text, fault);
        }
    return STATUS_OK;
}

enum status sweep_parse(struct sweep *s, struct view text, struct settings_error *why)
{
    AUTO(asked_free) struct asked *asked = calloc(1, sizeof *asked);
    struct form form = {0};
    if (asked == NULL) return STATUS_NOMEM;
    form_fill(&form, asked);
    TRY(settings_parse(asked, form.row, form.n, text, why));
    if (asked->n_studies == 0)
        return settings_refuse(why, NULL, "study", "study: a list of study files is needed");
    s->n_studies = asked->n_studies;
    memcpy(s->study, asked->study, sizeof s->study);
    TRY(take_options(s, &form, asked));
    TRY(take_axes(s, &form, asked));
    const enum status status = check_values(s, why);
    why->line = settings_line(text, why->section, why->key);
    return status;
}

static enum status read_files(struct sweep *s, struct settings_error *why)
{
    AUTO(buffer_free) struct buffer text = {0};
    TRY(settings_file(&text, s->file, why));
    TRY(sweep_parse(s, buffer_view(&text), why));
    TRY(take_studies(s, why));
    return grid_rows(s, why);
}

enum exit_code sweep_read(struct sweep *out, const char *path)
{
    struct settings_error why = {0};
    *out = (struct sweep){.file = path};
    const enum status status = read_files(out, &why);
    if (status == STATUS_OK) return EXIT_OK;
    fprintf(stderr, "sweep: %s:%u: %s\n", path, why.line,
            why.text[0] == 0 ? status_text(status) : why.text);
    return status == STATUS_NOMEM ? EXIT_FAILED : EXIT_USAGE;
}

void sweep_free(struct sweep *sweep)
{
    for (uint32_t i = 0; i < SWEEP_STUDIES_MAX; i++) buffer_free(&sweep->text[i]);
    for (size_t i = 0; i < SWEEP_ARGUMENTS_MAX; i++) free(sweep->argument[i]);
    for (uint32_t i = 0; i < sweep->n_rows; i++) free(sweep->row[i].line);
    free(sweep->row);
    free(sweep->values);
    free(sweep->axis);
    if (sweep->lock > 0) (void)close(sweep->lock);
}
