/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a sweep. What a method does not do is not varied: nothing is pruned by FedAvg, and
 * training without a federation has no noise, no ring and no dropouts; such rows are one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/sweep.h"

#define CHANGES_MAX 160

struct method {
    const char *name, *simulate;
    bool prunes, alone;
    struct study_change change[6]; /* up to one without a section */
};

// clang-format off
#define NO_PRUNING {"pruning", "mode", "none"}, {"pruning", "mask", "explored"}, \
                   {"pruning", "score", "squared"}, {"pruning", "refine_every", "0"}
#define ALL_BLOCKS {"allocation", "mode", "none"}

static const struct method methods[] = {
    {"federated", "federated", true, false, {{0}}}, /* as the study says */
    {"autoflip", "federated", true, false,
     {ALL_BLOCKS, {"pruning", "mode", "private"}, {"pruning", "mask", "explored"}}},
    {"random", "federated", true, false,
     {ALL_BLOCKS, {"pruning", "mode", "private"}, {"pruning", "mask", "random"},
      {"pruning", "score", "squared"}, {"pruning", "refine_every", "0"}}},
    {"magnitude", "federated", true, false,
     {ALL_BLOCKS, {"pruning", "mode", "private"}, {"pruning", "mask", "magnitude"},
      {"pruning", "score", "squared"}, {"pruning", "refine_every", "0"}}},
    {"fedra", "federated", false, false, {{"allocation", "mode", "private"}, NO_PRUNING}},
    {"fedavg", "federated", false, false, {ALL_BLOCKS, NO_PRUNING}},
    {"local-only", "local-only", false, true, {ALL_BLOCKS, NO_PRUNING}},
    {"centralised", "centralised", false, true, {ALL_BLOCKS, NO_PRUNING}},
    {"top-k", "top-k", false, true, {ALL_BLOCKS, NO_PRUNING}}, /* rounds.coordinates is its k */
};
// clang-format on

static const struct method *method_of(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
    return NULL;
}

bool grid_method_known(const char *name)
{
    return method_of(name) != NULL;
}

/* As rows have it, whose methods were checked. */
static const struct method *known_method(const char *name)
{
    const struct method *method = method_of(name);
    REQUIRE(method != NULL);
    return method;
}

const char *grid_simulate_method(const char *name)
{
    return known_method(name)->simulate;
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Nothing pruned is FedAvg, whoever chose it; and so on. */
static void simplify(const struct sweep *s, const char **value)
{
    const bool pruned = s->axis[AXIS_PRUNED].n > 0;
    const struct method *method = known_method(value[AXIS_METHOD]);
    if (pruned && method->prunes && strcmp(method->name, "federated") != 0 &&
        strtod(value[AXIS_PRUNED], NULL) == 0.0)
        method = known_method(value[AXIS_METHOD] = "fedavg");
    if (pruned && !method->prunes) value[AXIS_PRUNED] = "0";
    if (!method->alone) return;
    value[AXIS_EPSILON] = ".inf";
    value[AXIS_DROPOUT] = "0";
    if (s->axis[AXIS_BITS].n > 0) value[AXIS_BITS] = s->axis[AXIS_BITS].value[0];
}

static bool is_known(const struct sweep *s, const char *const *value)
{
    for (uint32_t i = 0; i < s->n_rows; i++) {
        uint32_t a = 0;
        while (a < s->n_axes &&
               (s->row[i].value[a] == value[a] || (value[a] != NULL && s->row[i].value[a] != NULL &&
                                                   strcmp(s->row[i].value[a], value[a]) == 0)))
            a++;
        if (a == s->n_axes) return true;
    }
    return false;
}

/* The axis that changes slowest comes first, the seed last of all. */
static uint32_t axis_at(const struct sweep *s, uint32_t place)
{
    if (place == s->n_axes - 1) return AXIS_SEED;
    return place < AXIS_SEED ? place : place + 1;
}

static void combine(const struct sweep *s, const char **value, size_t number)
{
    for (uint32_t place = s->n_axes; place-- > 0;) {
        const uint32_t a = axis_at(s, place);
        const struct axis *axis = &s->axis[a];
        const uint32_t n = axis->n == 0 ? 1 : axis->n;
        value[a] = axis->n == 0 ? NULL : axis->value[number % n];
        number /= n;
    }
}

enum status grid_rows(struct sweep *s, struct settings_error *why)
{
    size_t all = 1;
    for (uint32_t a = 0; a < s->n_axes; a++) {
        all *= s->axis[a].n == 0 ? 1 : s->axis[a].n;
        if (all > SWEEP_ROWS_MAX)
            return settings_refuse(why, "grid", s->axis[a].name, "grid: it has more than %d rows",
                                   SWEEP_ROWS_MAX);
    }
    s->row = calloc(all, sizeof *s->row);
    s->values = calloc(all * s->n_axes, sizeof *s->values);
    if (s->row == NULL || s->values == NULL) return STATUS_NOMEM;
    for (size_t number = 0; number < all; number++) {
        const char **value = &s->values[(size_t)s->n_rows * s->n_axes];
        combine(s, value, number);
        simplify(s, value);
        if (!is_known(s, value)) s->row[s->n_rows++].value = value;
    }
    return STATUS_OK;
}

/* --- the study of a row ------------------------------------------------------------------------
 */

struct changes {
    size_t n;
    struct study_change list[CHANGES_MAX];
    char section[CHANGES_MAX][SWEEP_VALUE_MAX + 1]; /* of other axes */
};

static void change(struct changes *c, const char *section, const char *key, const char *value)
{
    if (value == NULL) return;
    REQUIRE(c->n < CHANGES_MAX);
    c->list[c->n++] = (struct study_change){section, key, value};
}

static void change_axis(struct changes *c, const char *name, const char *value)
{
    char *section = c->section[c->n];
    (void)snprintf(section, sizeof c->section[0], "%s", name);
    char *dot = strchr(section, '.');
    REQUIRE(dot != NULL);
    *dot = 0;
    change(c, section, dot + 1, value);
}

enum status grid_study(struct study *out, const struct sweep *s, const struct row *row,
                       struct settings_error *why)
{
    struct changes c = {0};
    const char *const *value = row->value;
    const struct method *method = known_method(value[AXIS_METHOD]);
    const uint32_t study = (uint32_t)strtoul(value[AXIS_STUDY], NULL, 10);
    char draw[SWEEP_VALUE_MAX + 16];
    for (size_t i = 0; i < 6 && method->change[i].section != NULL; i++)
        change(&c, method->change[i].section, method->change[i].key, method->change[i].value);
    if (strcmp(method->name, "random") == 0) {
        /* what is drawn follows from the study's bytes: another draw for each seed */
        (void)snprintf(draw, sizeof draw, "draw %s", value[AXIS_SEED]);
        change(&c, "study", "title", draw);
    }
    change(&c, "privacy", "unit", value[AXIS_UNIT]);
    change(&c, "privacy", "epsilon", value[AXIS_EPSILON]);
    if (value[AXIS_EPSILON] != NULL && strcmp(value[AXIS_EPSILON], ".inf") == 0)
        change(&c, "study", "rehearsal", "true");
    change(&c, "sites", "expected", value[AXIS_SITES]);
    change(&c, "secagg", "bits", value[AXIS_BITS]);
    if (method->prunes) {
        change(&c, "pruning", "units", value[AXIS_PRUNED]);
        change(&c, "pruning", "weights", value[AXIS_PRUNED] == NULL ? NULL : "0");
    }
    for (uint32_t a = AXIS_NAMED; a < s->n_axes; a++) change_axis(&c, s->axis[a].name, value[a]);
    return study_vary(out, buffer_view(&s->text[study]), c.list, c.n, why);
}
