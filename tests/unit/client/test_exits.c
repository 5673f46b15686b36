/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers with a classifier behind each block: against plain ones of every depth, against
 * differences of the loss that they are said to have, and against themselves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/model.h"
#include "tests/lib/check.h"
#include "tests/unit/client/rig.h"

enum { LOGITS = RIG_RECORDS * RIG_CLASSES };

static const uint8_t label[RIG_RECORDS] = {0, 1, 2}; /* as rig_pass has them */

static void open_exits(struct rig *rig, unsigned form)
{
    struct model_spec spec = rig_form(form);
    spec.exits = true;
    rig_open(rig, &spec);
}

/* What each exit says by itself: k times the mean of the
 * first k less k - 1 times that of the first k - 1. Leaves all blocks chosen. */
static void exits_say(double said[RIG_DEPTH][LOGITS], struct rig *rig)
{
    double before[LOGITS] = {0};
    for (size_t k = 1; k <= RIG_DEPTH; k++) {
        rig_choose(rig, (1u << k) - 1);
        const float *mean =
            model_forward(&rig->model, rig->work, rig->weights, rig->x, RIG_RECORDS);
        for (size_t i = 0; i < LOGITS; i++) {
            said[k - 1][i] = (double)k * (double)mean[i] - before[i];
            before[i] = (double)k * (double)mean[i];
        }
    }
}

/* The weights of a plain model of fewer blocks, whose head is this exit. */
static void gather(struct rig *plain, const struct rig *rig)
{
    const uint32_t depth = plain->model.spec.depth;
    for (uint32_t t = 0; t < plain->model.layout.n_tensors; t++) {
        const struct tensor *to = &plain->model.layout.tensor[t], *from = NULL;
        char name[2 * LAYOUT_NAME_MAX];
        if (strncmp(to->name, "head.", 5) == 0)
            snprintf(name, sizeof name, "block%u.exit.%s", depth, to->name + 5);
        else
            snprintf(name, sizeof name, "%s", to->name);
        for (uint32_t u = 0; u < rig->model.layout.n_tensors; u++)
            if (strcmp(rig->model.layout.tensor[u].name, name) == 0)
                from = &rig->model.layout.tensor[u];
        CHECK(from != NULL);
        if (from == NULL) continue;
        memcpy(plain->weights + to->offset, rig->weights + from->offset,
               (size_t)to->rows * to->cols * sizeof *plain->weights);
    }
    for (uint32_t t = 0; t < plain->frozen.n_tensors; t++)
        for (uint32_t u = 0; u < rig->frozen.n_tensors; u++) {
            const struct tensor *to = &plain->frozen.tensor[t], *from = &rig->frozen.tensor[u];
            if (strcmp(to->name, from->name) == 0)
                memcpy(plain->backbone + to->offset, rig->backbone + from->offset,
                       (size_t)to->rows * to->cols * sizeof *plain->backbone);
        }
}

static void each_exit_is_the_head_of_a_shallower_model(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        struct rig rig;
        double said[RIG_DEPTH][LOGITS];
        open_exits(&rig, form);
        exits_say(said, &rig);
        for (uint32_t depth = 1; depth <= RIG_DEPTH; depth++) {
            struct model_spec spec = rig_form(form);
            struct rig plain;
            float logits[LOGITS];
            double off = 0;
            spec.depth = depth;
            rig_open(&plain, &spec);
            gather(&plain, &rig);
            (void)rig_pass(&plain, logits, 0, RIG_RECORDS);
            for (size_t i = 0; i < LOGITS; i++)
                off = fmax(off, fabs((double)logits[i] - said[depth - 1][i]));
            CHECK(off < 1e-4);
            rig_free(&plain);
        }
        rig_free(&rig);
    }
}

static void softmax(double *share, const double *logit)
{
    double sum = 0;
    for (size_t c = 0; c < RIG_CLASSES; c++) sum += share[c] = exp(logit[c]);
    for (size_t c = 0; c < RIG_CLASSES; c++) share[c] /= sum;
}

/* Cross-entropies of all exits, and the mean divergence of each from the others as they were. */
static double loss_of(double said[RIG_DEPTH][LOGITS], double were[RIG_DEPTH][LOGITS])
{
    double loss = 0;
    for (size_t k = 0; k < RIG_DEPTH; k++)
        for (size_t r = 0; r < RIG_RECORDS; r++) {
            double own[RIG_CLASSES];
            softmax(own, said[k] + r * RIG_CLASSES);
            loss -= log(own[label[r]]);
            for (size_t j = 0; j < RIG_DEPTH; j++) {
                double other[RIG_CLASSES];
                if (j == k) continue;
                softmax(other, were[j] + r * RIG_CLASSES);
                for (size_t c = 0; c < RIG_CLASSES; c++)
                    loss += other[c] * log(other[c] / own[c]) / (RIG_DEPTH - 1);
            }
        }
    return loss;
}

static void exits_learn_from_labels_and_from_each_other(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        struct rig rig;
        double were[RIG_DEPTH][LOGITS], said[RIG_DEPTH][LOGITS], most = 0, slopes = 0;
        open_exits(&rig, form);
        exits_say(were, &rig);
        (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
        rig_soil(rig.grad, rig.model.layout.n);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        const float step = 1.0f / 64;
        for (size_t i = 0; i < rig.model.layout.n; i++) {
            const float kept = rig.weights[i];
            rig.weights[i] = kept + step;
            exits_say(said, &rig);
            const double up = loss_of(said, were);
            rig.weights[i] = kept - step;
            exits_say(said, &rig);
            const double down = loss_of(said, were);
            rig.weights[i] = kept;
            const double slope = (up - down) / (2 * (double)step);
            most = fmax(most, fabs(slope - (double)rig.grad[i]));
            slopes = fmax(slopes, fabs(slope));
        }
        CHECK(most < 0.02 && slopes > 1);
        rig_free(&rig);
    }
}

static void of_one_block_it_is_the_cross_entropy(void)
{
    struct rig rig;
    double said[RIG_DEPTH][LOGITS], loss = 0;
    open_exits(&rig, 0);
    exits_say(said, &rig);
    rig_choose(&rig, 1);
    const double got = rig_pass(&rig, NULL, 0, RIG_RECORDS);
    for (size_t r = 0; r < RIG_RECORDS; r++) {
        double own[RIG_CLASSES];
        softmax(own, said[0] + r * RIG_CLASSES);
        loss -= log(own[label[r]]) / RIG_RECORDS;
    }
    CHECK_CLOSE(loss, got, 1e-5);
    /* Nothing is learnt by the exits of blocks that do not run, or where none does. */
    for (unsigned set = 0; set < 2; set++) {
        rig_choose(&rig, set);
        (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
        rig_soil(rig.grad, rig.model.layout.n);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        size_t learnt = 0;
        for (uint32_t t = 0; t < rig.model.layout.n_tensors; t++) {
            const struct tensor *tensor = &rig.model.layout.tensor[t];
            const bool runs = set == 1 && tensor->segment <= 1;
            for (size_t i = 0; i < (size_t)tensor->rows * tensor->cols; i++) {
                learnt += rig.grad[tensor->offset + i] != 0;
                if (!runs) CHECK(rig.grad[tensor->offset + i] == 0);
            }
        }
        CHECK((learnt > 0) == (set == 1));
    }
    rig_free(&rig);
}

static void records_have_their_own_bits_and_sum_up_to_the_batch(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        struct rig rig;
        open_exits(&rig, form);
        const size_t n = rig.model.layout.n;
        double most = 0;
        double *sum = calloc(n, sizeof *sum);
        REQUIRE(sum != NULL);
        for (size_t r = 0; r < RIG_RECORDS; r++) {
            (void)rig_pass(&rig, NULL, r, 1);
            model_grad_record(&rig.model, rig.work, 0, rig.grad);
            (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
            (void)rig_pass(&rig, NULL, r, 1);
            rig_soil(rig.grad2, n);
            model_grad_record(&rig.model, rig.work, 0, rig.grad2);
            CHECK_BYTES(rig.grad, rig.grad2, n * sizeof *rig.grad);
            for (size_t i = 0; i < n; i++) sum[i] += (double)rig.grad[i];
        }
        (void)rig_pass(&rig, NULL, 0, RIG_RECORDS);
        model_grad_sum(&rig.model, rig.work, rig.grad2);
        for (size_t i = 0; i < n; i++) most = fmax(most, fabs(sum[i] - (double)rig.grad2[i]));
        CHECK(most < 1e-4);
        free(sum);
        rig_free(&rig);
    }
}

/* Small, as a last layer is: 10 x 64 weights of deviation 0.2 / 8, to within four deviations. */
static void exits_start_small_and_norms_as_they_are(void)
{
    struct model_spec spec = rig_spec(MODEL_VIT, 0);
    struct model model;
    struct rng rng = {0};
    spec.dim = 64;
    spec.classes = 10;
    spec.exits = true;
    CHECK_OK(model_of(&model, &spec));
    float *weights = rig_floats(model.layout.n);
    rng_numbered(&rng, 1);
    model_init(weights, &model, &rng);
    for (uint32_t t = 0; t < model.layout.n_tensors; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        const size_t n = (size_t)tensor->rows * tensor->cols;
        double square = 0;
        for (size_t i = 0; i < n; i++)
            square += pow((double)weights[tensor->offset + i], 2) / (double)n;
        if (strstr(tensor->name, ".exit.weight") != NULL)
            CHECK_CLOSE(MODEL_LAST_SCALE / 8, sqrt(square), 0.12 * MODEL_LAST_SCALE / 8);
        if (strstr(tensor->name, ".exit.norm.weight") != NULL) CHECK_CLOSE(1, square, 1e-9);
        if (strstr(tensor->name, ".qkv.weight") != NULL) CHECK_CLOSE(1.0 / 8, sqrt(square), 0.01);
    }
    free(weights);
}

static void descent_learns(void)
{
    for (unsigned form = 0; form < RIG_FORMS; form++) {
        struct rig rig;
        struct rng rng = {0};
        double loss = 0;
        open_exits(&rig, form);
        rng_numbered(&rng, form);
        model_init(rig.weights, &rig.model, &rng);
        for (unsigned step = 0; step < 400; step++) {
            loss = rig_pass(&rig, NULL, 0, RIG_RECORDS);
            model_grad_sum(&rig.model, rig.work, rig.grad);
            for (size_t i = 0; i < rig.model.layout.n; i++)
                rig.weights[i] -= 0.2f * rig.grad[i] / RIG_RECORDS;
        }
        CHECK(loss < 0.5 * RIG_DEPTH);
        CHECK_CLOSE(1, model_accuracy(&rig.model, rig.work, rig.weights, rig.x, label, RIG_RECORDS),
                    0);
        rig_free(&rig);
    }
}

int main(void)
{
    RUN(each_exit_is_the_head_of_a_shallower_model);
    RUN(exits_learn_from_labels_and_from_each_other);
    RUN(of_one_block_it_is_the_cross_entropy);
    RUN(records_have_their_own_bits_and_sum_up_to_the_batch);
    RUN(exits_start_small_and_norms_as_they_are);
    RUN(descent_learns);
    return check_done();
}
