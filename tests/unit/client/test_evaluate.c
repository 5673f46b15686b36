/* SPDX-License-Identifier: Apache-2.0 */
#include "client/evaluate.h"

#include <math.h>
#include <string.h>

#include "dp/count.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/plain.h"
#include "tests/lib/small.h"
#include "tests/unit/client/world.h"

enum { CLASSES = 3, CELLS = COUNT_KINDS * CLASSES };

static void open_world(struct world *w, enum study_unit unit, enum model_kind kind)
{
    world_open(w, unit, kind, STEP_EVALUATE, STUDY_PRUNING_PRIVATE, 1);
}

static void run(struct encoded *out, struct world *w)
{
    encoded_free(out);
    CHECK_OK(evaluate_run(out, &w->local, &w->plan));
    CHECK_NUMBER(CELLS, out->n);
}

static void counts_are_those_of_the_plain_model(void)
{
    for (enum model_kind kind = MODEL_MLP; kind <= MODEL_CNN; kind++) {
        AUTO(world_close) struct world w = {0};
        open_world(&w, STUDY_PATIENT, kind);
        AUTO(plain_close) struct plain plain = {0};
        plain_open(&plain, &w.study);
        const struct dataset *held = &w.local.held;
        int32_t want[CELLS] = {0};
        size_t right = 0;
        for (size_t r = 0; r < WORLD_HELD; r++) {
            data_floats(plain.x, held, r, 1, 0, 1);
            const float *y = model_forward(&plain.model, plain.work, w.state.weight, plain.x, 1);
            size_t best = 0;
            for (size_t c = 1; c < CLASSES; c++)
                if (y[c] > y[best]) best = c;
            const bool hit = best == held->label[r];
            want[(hit ? 0 : CLASSES) + held->label[r]]++;
            right += hit;
        }
        CHECK(right > 0 && right < WORLD_HELD);
        AUTO(encoded_free) struct encoded sum = {0};
        run(&sum, &w);
        for (size_t i = 0; i < CELLS; i++)
            CHECK_NUMBER(want[i] * (int32_t)w.plan.grid.scale, sum.value[i]);
    }
}

/* Fill the loaded weights with what no state may hold and no model survives. */
static void spoil(struct world *w, unsigned how)
{
    static const float bad[] = {0, NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 1e-44F};
    const size_t n = sizeof bad / sizeof *bad;
    for (size_t i = 0; i < w->local.model.layout.n && how > 0; i++)
        w->local.weight[i] = how < n ? bad[how] : bad[(i * how) % n];
}

static void one_record_more_or_less_moves_one_cell_by_one_step_whatever_the_model_says(void)
{
    for (unsigned how = 0; how < 10; how++)
        for (size_t record = 0; record < WORLD_HELD; record += 3) {
            AUTO(world_close) struct world w = {0};
            open_world(&w, STUDY_PATIENT, how % 2 == 0 ? MODEL_MLP : MODEL_CNN);
            spoil(&w, how);
            AUTO(encoded_free) struct encoded with = {0}, without = {0};
            run(&with, &w);
            const uint8_t label = w.local.held.label[record];
            world_forget_held(&w, record);
            run(&without, &w);
            CHECK_NUMBER(w.plan.grid.norm2, world_norm2(&with, &without));
            int64_t gone = 0;
            for (size_t i = label; i < CELLS; i += CLASSES)
                gone += with.value[i] - without.value[i];
            CHECK_NUMBER((int64_t)w.plan.grid.scale, gone);
        }
}

static void a_record_of_the_training_changes_no_count(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_PATIENT, MODEL_MLP);
    AUTO(encoded_free) struct encoded with = {0}, without = {0};
    run(&with, &w);
    world_forget(&w, 3);
    run(&without, &w);
    CHECK_NUMBER(0, world_norm2(&with, &without));
}

static void a_site_is_one_contribution_within_the_bound(void)
{
    for (unsigned how = 0; how < 10; how++) {
        AUTO(world_close) struct world w = {0};
        open_world(&w, STUDY_SITE, MODEL_MLP);
        spoil(&w, how);
        AUTO(encoded_free) struct encoded sum = {0};
        run(&sum, &w);
        CHECK(world_norm2(&sum, NULL) <= w.plan.grid.norm2);
        int64_t total = 0;
        for (size_t i = 0; i < CELLS; i++) total += sum.value[i];
        CHECK(total <= (int64_t)w.plan.grid.scale && total > (int64_t)w.plan.grid.scale - CELLS);
        /* A site of which one record is left is as large as it can be. */
        while (w.local.held.n > 1) world_forget_held(&w, 0);
        run(&sum, &w);
        CHECK_NUMBER(w.plan.grid.norm2, world_norm2(&sum, NULL));
    }
}

static void who_holds_nothing_out_adds_nothing(void)
{
    for (enum study_unit unit = STUDY_PATIENT; unit <= STUDY_SITE; unit++) {
        AUTO(world_close) struct world w = {0};
        open_world(&w, unit, MODEL_MLP);
        dataset_free(&w.local.held);
        AUTO(encoded_free) struct encoded sum = {0};
        run(&sum, &w);
        CHECK_NUMBER(0, world_norm2(&sum, NULL));
        CHECK_NUMBER(0, evaluate_most(&w.local));
    }
}

static void the_largest_class_is_found(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_PATIENT, MODEL_MLP);
    size_t count[CLASSES] = {0}, most = 0;
    for (size_t i = 0; i < WORLD_HELD; i++) count[w.local.held.label[i]]++;
    for (size_t c = 0; c < CLASSES; c++) most = count[c] > most ? count[c] : most;
    CHECK_NUMBER(most, evaluate_most(&w.local));
}

static void records_that_were_trained_with_are_found(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_PATIENT, MODEL_MLP);
    size_t shared = 9;
    CHECK_OK(evaluate_shared(&shared, &w.local));
    CHECK_NUMBER(0, shared);
    const size_t floats = dataset_floats(&w.local.data);
    for (size_t i = 0; i < 4; i++) /* the last is there twice */
        memcpy(w.local.held.pixel + 5 * i * floats,
               w.local.data.pixel + (i < 3 ? WORLD_RECORDS - 1 - i : WORLD_RECORDS - 1) * floats,
               floats);
    w.local.held.label[0] ^= 1; /* another label does not make it another patient */
    CHECK_OK(evaluate_shared(&shared, &w.local));
    CHECK_NUMBER(4, shared);
}

static void held_out_data_that_do_not_fit_the_model_are_refused(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_PATIENT, MODEL_MLP);
    const uint8_t *before = w.local.held.pixel;
    struct dataset good = {0};
    small_data(&good, &w.study, 3, 1);
    struct dataset bad[] = {good, good, good, good, good};
    bad[0].n = 0;
    bad[1].channels = 2;
    bad[2].height = 4;
    bad[3].width = 16;
    bad[4].classes = 4;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STATUS(STATUS_RANGE, local_hold_out(&w.local, &bad[i]));
        CHECK(bad[i].pixel == good.pixel && w.local.held.pixel == before);
    }
    CHECK_OK(local_hold_out(&w.local, &good));
    CHECK(good.pixel == NULL && w.local.held.n == 3);
}

static void memory_may_end_anywhere(void)
{
    AUTO(world_close) struct world w = {0};
    open_world(&w, STUDY_PATIENT, MODEL_CNN);
    OOM_EACH {
        AUTO(encoded_free) struct encoded sum = {0};
        enum status status = evaluate_run(&sum, &w.local, &w.plan);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((sum.value == NULL) == (status != STATUS_OK));
    }
    OOM_EACH {
        size_t shared = 9;
        enum status status = evaluate_shared(&shared, &w.local);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK_NUMBER(status == STATUS_OK ? 0 : 9, shared);
    }
}

int main(void)
{
    RUN(counts_are_those_of_the_plain_model);
    RUN(one_record_more_or_less_moves_one_cell_by_one_step_whatever_the_model_says);
    RUN(a_record_of_the_training_changes_no_count);
    RUN(a_site_is_one_contribution_within_the_bound);
    RUN(who_holds_nothing_out_adds_nothing);
    RUN(the_largest_class_is_found);
    RUN(records_that_were_trained_with_are_found);
    RUN(held_out_data_that_do_not_fit_the_model_are_refused);
    RUN(memory_may_end_anywhere);
    return check_done();
}
