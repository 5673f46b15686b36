/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers against PyTorch (test_client_transformer torch-blocks.csv), against differences of
 * their own loss, and against themselves. */
#include "client/model/transformer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/model/model.h"
#include "client/model/part.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

enum { RECORDS = 3, CLASSES = 3, DEPTH = 3, PIXELS = 2 * 4 * 6 };

static const char *vectors = "tests/vectors/torch-blocks.csv";

/* A small model and all that a pass over three records needs. */
struct rig {
    struct model model;
    struct layout frozen;
    float *weights, *backbone, *grad, *grad2;
    float x[RECORDS * PIXELS];
    struct model_work *work;
};

static const uint8_t label[RECORDS] = {0, 1, 2};

static struct model_spec spec_of(enum model_kind kind, uint32_t rank)
{
    return (struct model_spec){.kind = kind,
                               .channels = 2,
                               .height = 4,
                               .width = 6,
                               .classes = CLASSES,
                               .patch = 2,
                               .dim = 4,
                               .depth = DEPTH,
                               .heads = 2,
                               .mlp = 5,
                               .tokens_mlp = 3,
                               .rank = rank,
                               .alpha = 3};
}

static float *floats(size_t n)
{
    float *at = calloc(n, sizeof *at);
    REQUIRE(at != NULL);
    return at;
}

/* With the weights and pixels of the vectors. */
static void rig_open(struct rig *rig, const struct model_spec *spec)
{
    *rig = (struct rig){0};
    CHECK_OK(model_of(&rig->model, spec));
    const size_t n = rig->model.layout.n;
    rig->weights = floats(n);
    rig->grad = floats(n);
    rig->grad2 = floats(n);
    for (size_t i = 0; i < n; i++) rig->weights[i] = (float)sin(0.7 * (double)i + 0.1);
    for (size_t i = 0; i < RECORDS * PIXELS; i++) rig->x[i] = (float)sin(0.1 * (double)(i * i));
    CHECK_OK(model_work_new(&rig->work, &rig->model, RECORDS));
    if (spec->rank == 0) return;
    CHECK_OK(layout_backbone(&rig->frozen, spec));
    rig->backbone = floats(rig->frozen.n);
    for (size_t i = 0; i < rig->frozen.n; i++) rig->backbone[i] = (float)cos(0.9 * (double)i + 0.2);
    model_work_freeze(rig->work, rig->backbone);
}

static void rig_free(struct rig *rig)
{
    model_work_free(&rig->work);
    free(rig->weights);
    free(rig->backbone);
    free(rig->grad);
    free(rig->grad2);
}

static void rig_choose(struct rig *rig, unsigned set)
{
    AUTO(bits_free) struct bits blocks = {0};
    CHECK_OK(bits_new(&blocks, rig->model.spec.depth));
    for (unsigned l = 0; l < rig->model.spec.depth; l++)
        if ((set >> l & 1) != 0) bits_set(&blocks, l);
    model_work_choose(rig->work, &blocks);
}

static double rig_pass(struct rig *rig, float *logits, size_t first, size_t n)
{
    const float *out =
        model_forward(&rig->model, rig->work, rig->weights, rig->x + first * PIXELS, n);
    if (logits != NULL) memcpy(logits, out, n * CLASSES * sizeof *logits);
    return model_backward(&rig->model, rig->work, rig->weights, label + first, n);
}

static void soil(float *at, size_t n)
{
    for (size_t i = 0; i < n; i++) at[i] = NAN; /* all must be overwritten */
}

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
    FILE *file = fopen(vectors, "r");
    CHECK(file != NULL);
    if (file == NULL) return;
    char kind[8] = "", name[8] = "";
    static char line[16384];
    unsigned rank = 0, chosen = 0, rows = 0;
    CHECK(fgets(line, sizeof line, file) != NULL);
    for (; fgets(line, sizeof line, file) != NULL; rows++) {
        int at = 0;
        CHECK(sscanf(line, "%7[a-z],%u,%u,%7[a-z],%n", kind, &rank, &chosen, name, &at) == 4);
        const struct model_spec spec =
            spec_of(strcmp(kind, "vit") == 0 ? MODEL_VIT : MODEL_MIXER, rank);
        struct rig rig;
        rig_open(&rig, &spec);
        rig_choose(&rig, chosen);
        float logits[RECORDS * CLASSES] = {0};
        const float loss = (float)rig_pass(&rig, logits, 0, RECORDS);
        soil(rig.grad, rig.model.layout.n);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        if (strcmp(name, "logits") == 0)
            check_numbers(line + at, logits, RECORDS * CLASSES, 2e-6);
        else if (strcmp(name, "loss") == 0)
            check_numbers(line + at, &loss, 1, 1e-6);
        else
            check_numbers(line + at, rig.grad, rig.model.layout.n, 1e-5);
        rig_free(&rig);
    }
    CHECK(fclose(file) == 0);
    CHECK_NUMBER(24, rows);
}

/* Every kind with and without adapters, with A trained and fixed. */
static struct model_spec form_of(unsigned form)
{
    struct model_spec spec = spec_of((form & 1) != 0 ? MODEL_MIXER : MODEL_VIT, form < 2 ? 0 : 2);
    spec.freeze_a = form >= 4;
    return spec;
}
#define FORMS 6

static void gradients_are_differences_of_the_loss(void)
{
    for (unsigned form = 0; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct rig rig;
        rig_open(&rig, &spec);
        (void)rig_pass(&rig, NULL, 0, RECORDS);
        model_grad_sum(&rig.model, rig.work, rig.grad);
        const float step = 1.0f / 64;
        double most = 0;
        for (size_t i = 0; i < rig.model.layout.n; i++) {
            const float kept = rig.weights[i];
            rig.weights[i] = kept + step;
            const double up = rig_pass(&rig, NULL, 0, RECORDS);
            rig.weights[i] = kept - step;
            const double down = rig_pass(&rig, NULL, 0, RECORDS);
            rig.weights[i] = kept;
            const double slope = RECORDS * (up - down) / (2 * (double)step);
            most = fmax(most, fabs(slope - (double)rig.grad[i]));
        }
        CHECK(most < 0.01);
        rig_free(&rig);
    }
}

static void gradients_of_records_sum_up_to_that_of_the_batch(void)
{
    for (unsigned form = 0; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct rig rig;
        rig_open(&rig, &spec);
        const size_t n = rig.model.layout.n;
        double *sum = calloc(n, sizeof *sum);
        REQUIRE(sum != NULL);
        (void)rig_pass(&rig, NULL, 0, RECORDS);
        model_grad_sum(&rig.model, rig.work, rig.grad2);
        for (size_t r = 0; r < RECORDS; r++) {
            soil(rig.grad, n);
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
    for (unsigned form = 0; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct rig rig;
        rig_open(&rig, &spec);
        const size_t bytes = rig.model.layout.n * sizeof *rig.grad;
        (void)rig_pass(&rig, NULL, 1, 1);
        model_grad_record(&rig.model, rig.work, 0, rig.grad);
        for (unsigned set = 0; set < 8; set += 7) {
            rig_choose(&rig, set);
            (void)rig_pass(&rig, NULL, 0, RECORDS);
            model_work_choose(rig.work, NULL);
            (void)rig_pass(&rig, NULL, 2, 1);
            (void)rig_pass(&rig, NULL, 1, 1);
            soil(rig.grad2, rig.model.layout.n);
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
    for (unsigned form = 0; form < FORMS - 2; form++)
        for (unsigned set = 1; set < 1u << DEPTH; set++) {
            const struct model_spec deep = form_of(form);
            struct model_spec shallow = deep;
            uint32_t number[DEPTH] = {0};
            shallow.depth = 0;
            for (uint32_t l = 0; l < DEPTH; l++)
                if ((set >> l & 1) != 0) number[shallow.depth++] = l + 1;
            struct rig whole, part;
            rig_open(&whole, &deep);
            rig_open(&part, &shallow);
            gather(part.weights, &part.model.layout, whole.weights, &whole.model.layout, number);
            if (deep.rank > 0)
                gather(part.backbone, &part.frozen, whole.backbone, &whole.frozen, number);
            rig_choose(&whole, set);
            float want[RECORDS * CLASSES] = {0}, got[RECORDS * CLASSES] = {0};
            const double loss = rig_pass(&part, want, 0, RECORDS);
            CHECK_CLOSE(loss, rig_pass(&whole, got, 0, RECORDS), 0);
            CHECK_BYTES(want, got, sizeof want);
            soil(whole.grad, whole.model.layout.n);
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

static void adapters_begin_as_their_backbone(void)
{
    for (unsigned form = 2; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct model_spec whole = spec;
        whole.rank = 0;
        struct rig adapted, plain;
        rig_open(&adapted, &spec);
        rig_open(&plain, &whole);
        struct rng rng = {0};
        rng_numbered(&rng, 4);
        model_init(adapted.weights, &adapted.model, &rng);
        const size_t head = CLASSES * (spec.dim + 1);
        memcpy(plain.weights, adapted.backbone, plain.model.layout.n * sizeof(float));
        memcpy(plain.weights + plain.model.layout.n - head,
               adapted.weights + adapted.model.layout.n - head, head * sizeof(float));
        float want[RECORDS * CLASSES] = {0}, got[RECORDS * CLASSES] = {0};
        (void)rig_pass(&plain, want, 0, RECORDS);
        (void)rig_pass(&adapted, got, 0, RECORDS);
        for (size_t i = 0; i < RECORDS * CLASSES; i++)
            CHECK_CLOSE((double)want[i], (double)got[i], 1e-6);
        rig_free(&adapted);
        rig_free(&plain);
    }
}

static void a_fixed_half_is_what_its_number_draws(void)
{
    for (unsigned form = 4; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct model_spec trained = spec;
        trained.freeze_a = false;
        struct rig fixed, free_a;
        rig_open(&fixed, &spec);
        rig_open(&free_a, &trained);
        uint64_t number = 0;
        size_t at = 0;
        for (uint32_t t = 0; t < free_a.model.layout.n_tensors; t++) {
            const struct tensor *tensor = &free_a.model.layout.tensor[t];
            const size_t n = (size_t)tensor->rows * tensor->cols;
            float *to = free_a.weights + tensor->offset;
            if (tensor->role == TENSOR_DOWN) {
                struct rng rng = {0};
                rng_numbered(&rng, number++);
                linear_draw(to, tensor->rows, tensor->cols, &rng);
            } else {
                memcpy(to, fixed.weights + at, n * sizeof *to);
                at += n;
            }
        }
        CHECK_NUMBER(fixed.model.layout.n, at);
        float want[RECORDS * CLASSES] = {0}, got[RECORDS * CLASSES] = {0};
        (void)rig_pass(&free_a, want, 0, RECORDS);
        (void)rig_pass(&fixed, got, 0, RECORDS);
        CHECK_BYTES(want, got, sizeof want);
        rig_free(&fixed);
        rig_free(&free_a);
    }
}

static void initial_weights_follow_their_role(void)
{
    struct model_spec spec = spec_of(MODEL_VIT, 0);
    spec.dim = 64;
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    float *w = floats(model.layout.n);
    struct rng rng = {0};
    rng_numbered(&rng, 7);
    model_init(w, &model, &rng);
    for (uint32_t t = 0; t < model.layout.n_tensors; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        const size_t n = (size_t)tensor->rows * tensor->cols;
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += (double)w[tensor->offset + i] * (double)w[tensor->offset + i];
        const bool last = strcmp(tensor->name, "head.weight") == 0;
        const double want = tensor->role == TENSOR_GAIN   ? 1
                            : tensor->role == TENSOR_BIAS ? 0
                            : tensor->role == TENSOR_PLACE
                                ? MODEL_PLACE
                                : sqrt(1.0 / tensor->cols) * (last ? MODEL_LAST_SCALE : 1);
        /* 64 draws or more: one deviation of the estimate is 9 % at most. */
        CHECK_CLOSE(want, sqrt(squares / (double)n), tensor->role == TENSOR_GAIN ? 0 : 0.45 * want);
    }
    free(w);
}

static void adapters_start_uniform_and_at_zero(void)
{
    struct model_spec spec = spec_of(MODEL_VIT, 64);
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    float *w = floats(model.layout.n);
    struct rng rng = {0};
    rng_numbered(&rng, 8);
    model_init(w, &model, &rng);
    for (uint32_t t = 0; t < model.layout.n_tensors; t++) {
        const struct tensor *tensor = &model.layout.tensor[t];
        if (tensor->role != TENSOR_DOWN && tensor->role != TENSOR_UP) continue;
        const size_t n = (size_t)tensor->rows * tensor->cols;
        const double bound = tensor->role == TENSOR_DOWN ? 1 / sqrt(tensor->cols) : 0;
        double least = 0, most = 0;
        for (size_t i = 0; i < n; i++) {
            least = fmin(least, (double)w[tensor->offset + i]);
            most = fmax(most, (double)w[tensor->offset + i]);
        }
        /* 256 draws or more: one in 3e5 that none is in a twentieth at either end. */
        CHECK(-bound * 1.000001 <= least && least <= -0.9 * bound);
        CHECK(bound * 1.000001 >= most && most >= 0.9 * bound);
    }
    free(w);
}

static void descent_learns(void)
{
    for (unsigned form = 0; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct rig rig;
        rig_open(&rig, &spec);
        struct rng rng = {0};
        rng_numbered(&rng, form);
        model_init(rig.weights, &rig.model, &rng);
        double loss = 0;
        for (unsigned step = 0; step < 400; step++) {
            loss = rig_pass(&rig, NULL, 0, RECORDS);
            model_grad_sum(&rig.model, rig.work, rig.grad);
            for (size_t i = 0; i < rig.model.layout.n; i++)
                rig.weights[i] -= 0.3f * rig.grad[i] / RECORDS;
        }
        CHECK(loss < 0.5);
        rig_free(&rig);
    }
}

static void work_that_cannot_fit_is_refused_before_it_is_allocated(void)
{
    struct model_spec spec = spec_of(MODEL_VIT, 0);
    spec.height = spec.width = 4096;
    spec.patch = 1;
    spec.dim = spec.heads = 2;
    struct model model = {0};
    CHECK_OK(model_of(&model, &spec));
    struct model_work *work = NULL;
    CHECK_STATUS(STATUS_RANGE, model_work_new(&work, &model, 1));
    CHECK(work == NULL);
    spec = spec_of(MODEL_MIXER, 0);
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
    for (unsigned form = 0; form < FORMS; form++) {
        const struct model_spec spec = form_of(form);
        struct model model = {0};
        CHECK_OK(model_of(&model, &spec));
        OOM_EACH {
            struct model_work *work = NULL;
            enum status status = model_work_new(&work, &model, RECORDS);
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
    RUN(adapters_begin_as_their_backbone);
    RUN(a_fixed_half_is_what_its_number_draws);
    RUN(initial_weights_follow_their_role);
    RUN(adapters_start_uniform_and_at_zero);
    RUN(descent_learns);
    RUN(work_that_cannot_fit_is_refused_before_it_is_allocated);
    RUN(memory_may_end_anywhere);
    return check_done();
}
