/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: sweep_parse, grid_rows and grid_study (lab/sweep_file.c, lab/sweep_grid.c). Input: a
 * sweep file; its studies are one of ours, whatever it calls them. What is refused says why, and no
 * two rows are the same. */
#include <string.h>

#include "lab/sweep.h"
#include "tests/fuzz/fuzz.h"

/* Larger grids are only laid out by what they count. */
enum { ROWS = 300, STUDIES_MADE = 12 };

static const char study_text[] =
    "schema: 1\nstudy: {id: tiny, rehearsal: true}\nsites: {expected: 6, colluding: 1}\n"
    "model: {kind: mlp, height: 8, width: 8, classes: 4, hidden: [8, 8]}\n"
    "privacy: {unit: site, epsilon: 8, delta: 1.0e-5, clip: 2, exploration_clip: 2}\n"
    "pruning: {mode: private}\nrounds: {count: 3}\n";

static bool are_same(const struct sweep *s, uint32_t i, uint32_t k)
{
    const char **a = s->row[i].value, **b = s->row[k].value;
    uint32_t n = 0;
    while (n < s->n_axes && (a[n] == b[n] || (a[n] != NULL && b[n] != NULL && !strcmp(a[n], b[n]))))
        n++;
    return n == s->n_axes;
}

static void lay_out(struct sweep *s)
{
    struct settings_error why = {0};
    struct study study;
    size_t all = 1;
    for (uint32_t a = 0; a < s->n_axes && all <= SWEEP_ROWS_MAX; a++)
        all *= s->axis[a].n == 0 ? 1 : s->axis[a].n;
    if (all > ROWS && all <= SWEEP_ROWS_MAX) return;
    for (uint32_t i = 0; i < s->n_studies; i++)
        write_bytes(&s->text[i], study_text, sizeof study_text - 1);
    if (grid_rows(s, &why) != STATUS_OK) {
        REQUIRE(all > SWEEP_ROWS_MAX && why.text[0] != 0);
        return;
    }
    REQUIRE(s->n_rows >= 1 && s->n_rows <= all);
    for (uint32_t i = 0; i < s->n_rows; i++)
        for (uint32_t k = 0; k < i; k++) REQUIRE(!are_same(s, i, k));
    for (uint32_t i = 0; i < s->n_rows && i < STUDIES_MADE; i++) {
        why.text[0] = 0;
        if (grid_study(&study, s, &s->row[i], &why) == STATUS_OK)
            REQUIRE(study_check(&study, &why) == STATUS_OK);
        else
            REQUIRE(why.text[0] != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SETTINGS_FILE_BYTES_MAX) return 0;
    struct settings_error why = {0};
    AUTO(sweep_free) struct sweep sweep = {.file = "sweep.yaml"};
    if (sweep_parse(&sweep, (struct view){data, size}, &why) == STATUS_OK)
        lay_out(&sweep);
    else
        REQUIRE(why.text[0] != 0);
    return 0;
}
