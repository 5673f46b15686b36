/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers against PyTorch (test_client_transformer torch-blocks.csv), against differences of
 * their own loss, and against themselves. */
#include "client/model/transformer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/lib/vectors.h"
#include "tests/unit/client/rig.h"

static const char *vectors = "tests/vectors/torch-blocks.csv";

/* The next numbers of a row, against ours. */
static void check_numbers(char *text, const float *got, size_t n, double tolerance)
{
    size_t off = 0;
    for (size_t i = 0; i < n; i++) {
        char *end = text;
        const double want = strtod(text, &end);
        if (end == text || !(fabs(want - (double)got[i]) < tolerance * (1 + fabs(want)))) off++;
        text = end;
    }
    CHECK_NUMBER(0, off);
    CHECK(*text == '\n');
}

static void passes_are_pytorchs(void)
{
    struct vectors v;
    vectors_open(&v, vectors);
    char kind[12] = "", name[8] = "";
    unsigned rank = 0, chosen = 0, rows = 0;
    for (; vectors_next(&v); rows++) {
        int at = 0;
        CHECK(sscanf(v.line, "%11[a-z+],%u,%u,%7[a-z],%n", kind, &rank, &chosen, name, &at) == 4);
        struct model_spec spec = rig_spec(kind[0] == 'v' ? MODEL_VIT : MODEL_MIXER, rank);
        spec.exits = strchr(kind, '+') != NULL;
        struct rig rig;
        rig_open(&rig, &spec);
        rig_choose(&rig, chosen);
        float logits[RIG_RECORDS * RIG_CLASSES] = {0};
        const float loss = (float)rig_pass(&rig, logits, 0, RIG_RECORDS);
        rig_soil(rig.grad, rig.model.layout.n);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        if (strcmp(name, "logits") == 0)
            check_numbers(v.line + at, logits, RIG_RECORDS * RIG_CLASSES, 2e-6);
        else if (strcmp(name, "loss") == 0)
            check_numbers(v.line + at, &loss, 1, 1e-6);
        else
            check_numbers(v.line + at, rig.grad, rig.model.layout.n, 1e-5);
        rig_free(&rig);
    }
    CHECK_NUMBER(39, rows);
}

static void gradients_are_differences_of_the_loss(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct rig rig;
        rig_open(&rig, &spec);
        (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        const float step = 1.0f / 64;
        double most = 0;
        for (size_t i = 0; i < rig.model.layout.n; i++) {
            const float kept = rig.weights[i];
            rig.weights[i] = kept + step;
            const double up = rig_pass(&rig, NULL, 0, RIG_RECORDS);
            rig.weights[i] = kept - step;
            const double down = rig_pass(&rig, NULL, 0, RIG_RECORDS);
            rig.weights[i] = kept;
            const double slope = RIG_RECORDS * (up - down) / (2 * (double)step);
            most = fmax(most, fabs(slope - (double)rig.grad[i]));
        }
        CHECK(most < 0.01);
        rig_free(&rig);
    }
}

static void gradients_of_records_sum_up_to_that_of_the_batch(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct rig rig;
        rig_open(&rig, &spec);
        const size_t n = rig.model.layout.n;
        double *sum = calloc(n, sizeof *sum);
        REQUIRE(sum != NULL);
        (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
        model_grad_sum(&rig.model, rig.work, rig.grad2);
        for (size_t r = 0; r < RIG_RECORDS; r++) {
            rig_soil(rig.grad, n);
            model_grad_record(&rig.model, rig.work, r, rig.grad);
            for (size_t i = 0; i < n; i++) sum[i] += (double)rig.grad[i];
        }
        double most = 0;
        for (size_t i = 0; i < n; i++) most = fmax(most, fabs(sum[i] - (double)rig.grad2[i]));
        CHECK(most < 1e-5);
        free(sum);
        rig_free(&rig);
    }
}

static void a_record_alone_has_the_same_bits_whatever_came_before(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct rig rig;
        rig_open(&rig, &spec);
        const size_t bytes = rig.model.layout.n * sizeof *rig.grad;
        (void)rig_pass(&rig, NULL, 1, 1);
        model_grad_record(&rig.model, rig.work, 0, rig.grad);
        for (unsigned set = 0; set < 8; set += 7) {
            rig_choose(&rig, set);
            (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
            model_work_choose(rig.work, NULL);
            (void)rig_pass(&rig, NULL, 2, 1);
            (void)rig_pass(&rig, NULL, 1, 1);
            rig_soil(rig.grad2, rig.model.layout.n);
            model_grad_record(&rig.model, rig.work, 0, rig.grad2);
            CHECK_BYTES(rig.grad, rig.grad2, bytes);
        }
        rig_free(&rig);
    }
}

/* Copy the tensors that `shallow` has from `deep`, whose blocks are more: its l-th is the deep
 * model's number[l]. */
static void gather(float *out, const struct layout *shallow, const float *in,
                   const struct layout *deep, const uint32_t *number)
{
    for (uint32_t t = 0; t < shallow->n_tensors; t++) {
        const struct tensor *tensor = &shallow->tensor[t];
        char name[LAYOUT_NAME_MAX + 8];
        unsigned block = 0;
        int at = 0;
        if (sscanf(tensor->name, "block%u%n", &block, &at) == 1)
            snprintf(name, sizeof name, "block%u%s", number[block - 1], tensor->name + at);
        else
            snprintf(name, sizeof name, "%s", tensor->name);
        uint32_t u = 0;
        while (u < deep->n_tensors && strcmp(deep->tensor[u].name, name) != 0) u++;
        REQUIRE(u < deep->n_tensors);
        memcpy(out + tensor->offset, in + deep->tensor[u].offset,
               (size_t)tensor->rows * tensor->cols * sizeof *out);
    }
}

static void chosen_blocks_are_a_model_of_these_blocks_alone(void)
{
    for (unsigned form = 0; form < RIG_FORMS - 2; form++)
        for (unsigned set = 1; set < 1u << RIG_DEPTH; set++) {
            const struct model_spec deep = rig_form(form);
            struct model_spec shallow = deep;
            uint32_t number[RIG_DEPTH] = {0};
            shallow.depth = 0;
            for (uint32_t l = 0; l < RIG_DEPTH; l++)
                if ((set >> l & 1) != 0) number[shallow.depth++] = l + 1;
            struct rig whole, part;
            rig_open(&whole, &deep);
            rig_open(&part, &shallow);
            gather(part.weights, &part.model.layout, whole.weights, &whole.model.layout, number);
            if (deep.rank > 0)
                gather(part.backbone, &part.frozen, whole.backbone, &whole.frozen, number);
            rig_choose(&whole, set);
            float want[RIG_RECORDS * RIG_CLASSES] = {0}, got[RIG_RECORDS * RIG_CLASSES] = {0};
            const double loss = rig_pass(&part, want, 0, RIG_RECORDS);
            CHECK_CLOSE(loss, rig_pass(&whole, got, 0, RIG_RECORDS), 0);
            CHECK_BYTES(want, got, sizeof want);
            rig_soil(whole.grad, whole.model.layout.n);
            model_grad_sum(&part.model, part.work, part.grad);
            model_grad_sum(&whole.model, whole.work, whole.grad);
            gather(part.grad2, &part.model.layout, whole.grad, &whole.model.layout, number);
            CHECK_BYTES(part.grad, part.grad2, part.model.layout.n * sizeof *part.grad);
            size_t others = 0;
            for (uint32_t t = 0; t < whole.model.layout.n_tensors; t++) {
                const struct tensor *tensor = &whole.model.layout.tensor[t];
                unsigned block = 0;
                if (sscanf(tensor->name, "block%u", &block) != 1 || (set >> (block - 1) & 1) != 0)
                    continue;
                for (size_t i = 0; i < (size_t)tensor->rows * tensor->cols; i++)
                    others += whole.grad[tensor->offset + i] != 0;
            }
            CHECK_NUMBER(0, others);
            rig_free(&whole);
            rig_free(&part);
        }
}

static void descent_learns(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct rig rig;
        rig_open(&rig, &spec);
        struct rng rng = {0};
        rng_numbered(&rng, form);
        model_init(rig.weights, &rig.model, &rng);
        double loss = 0;
        for (unsigned step = 0; step < 400; step++) {
            loss = rig_pass(&rig, NULL, 0, RIG_RECORDS);
            model_grad_sum(&rig.model, rig.work, rig.grad);
            for (size_t i = 0; i < rig.model.layout.n; i++)
                rig.weights[i] -= 0.3f * rig.grad[i] / RIG_RECORDS;
        }
        CHECK(loss < 0.5);
        rig_free(&rig);
    }
}

static void work_that_cannot_fit_is_refused_before_it_is_allocated(void)
{
    struct model_spec spec = rig_spec(MODEL_VIT, 0);
    spec.height = spec.width = 4096;
    spec.patch = 1;
    spec.dim = spec.heads = 2;
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    struct model_work *work = NULL;
    CHECK_STATUS(STATUS_RANGE, model_work_new(&work, &model, 1));
    CHECK(work == NULL);
    spec = rig_spec(MODEL_MIXER, 0);
    CHECK_OK(model_of(&model, &spec));
    CHECK_STATUS(STATUS_RANGE, model_work_new(&work, &model, (size_t)1 << 26));
    CHECK_STATUS(STATUS_RANGE, model_work_new(&work, &model, SIZE_MAX));
    spec.width = 4; /* now room * tokens is 0 modulo 2^64, and so is room * dim */
    CHECK_OK(model_of(&model, &spec));
    CHECK_STATUS(STATUS_RANGE, model_work_new(&work, &model, (size_t)1 << 62));
    CHECK(work == NULL);
}

static void memory_may_end_anywhere(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        const struct model_spec spec = rig_form(form);
        struct model model = {0};
        CHECK_OK(model_of(&model, &spec));
        OOM_EACH {
            struct model_work *work = NULL;
            enum status status = model_work_new(&work, &model, RIG_RECORDS);
            oom_stop();
            CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
            CHECK((status == STATUS_OK) == (work != NULL));
            model_work_free(&work);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2) vectors = argv[1];
    RUN(passes_are_pytorchs);
    RUN(gradients_are_differences_of_the_loss);
    RUN(gradients_of_records_sum_up_to_that_of_the_batch);
    RUN(a_record_alone_has_the_same_bits_whatever_came_before);
    RUN(chosen_blocks_are_a_model_of_these_blocks_alone);
    RUN(descent_learns);
    RUN(work_that_cannot_fit_is_refused_before_it_is_allocated);
    RUN(memory_may_end_anywhere);
    return check_done();
}
