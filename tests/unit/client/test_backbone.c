/* SPDX-License-Identifier: Apache-2.0 */
#include "client/backbone.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const struct model_spec adapted = {
    .kind = MODEL_VIT,
    .channels = 1,
    .height = 8,
    .width = 8,
    .classes = 3,
    .n_hidden = 1,
    .hidden = {1},
    .patch = 4,
    .dim = 4,
    .depth = 2,
    .heads = 2,
    .mlp = 6,
    .rank = 2,
    .alpha = 2,
};
#define MOST 2000

/* A study, and a file with the backbone of some model, the numbers 1, 2, ... */
struct sample {
    char path[64];
    struct study study;
    struct layout layout; /* of the study's backbone */
};

static void sample_free(struct sample *sample)
{
    (void)unlink(sample->path);
}

static void name_in_study(struct sample *sample, struct view bytes)
{
    const struct hash hash = backbone_hash(bytes);
    hash_hex(sample->study.model.backbone, &hash, HASH_BYTES);
    REQUIRE(file_write(sample->path, bytes, 0600) == STATUS_OK);
}

static void sample_of(struct sample *out, const struct model_spec *spec)
{
    struct layout layout;
    float weight[MOST];
    for (size_t i = 0; i < MOST; i++) weight[i] = (float)(i + 1);
    *out = (struct sample){.study = {.model = {.spec = adapted}}};
    (void)snprintf(out->path, sizeof out->path, "backbone-%ld", (long)getpid());
    REQUIRE(layout_backbone(&out->layout, &adapted) == STATUS_OK);
    REQUIRE(layout_of(&layout, spec) == STATUS_OK && layout.n <= MOST);
    AUTO(buffer_free) struct buffer bytes = {0};
    REQUIRE(safetensors_write(&bytes, &layout, weight, 0, NULL) == STATUS_OK);
    name_in_study(out, buffer_view(&bytes));
}

static struct model_spec whole(void)
{
    struct model_spec spec = adapted;
    spec.rank = 0;
    return spec;
}

static const struct tensor *tensor_of(const struct layout *layout, const char *name)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++)
        if (strcmp(layout->tensor[t].name, name) == 0) return &layout->tensor[t];
    return NULL;
}

static void frozen_weights_are_read_and_the_classifier_is_not(void)
{
    AUTO(sample_free) struct sample sample;
    const struct model_spec spec = whole();
    sample_of(&sample, &spec);
    AUTO(backbone_free) struct backbone backbone = {0};
    struct data_error why = {0};
    CHECK_OK(backbone_read(&backbone, &sample.study, sample.path, &why));
    CHECK_NUMBER(sample.layout.n, backbone.n);
    const struct tensor *classifier = tensor_of(&sample.layout, "head.weight");
    CHECK(classifier != NULL && backbone.weight != NULL);
    if (classifier == NULL || backbone.weight == NULL) return;
    for (size_t i = 0; i < backbone.n; i++)
        CHECK_CLOSE(i < classifier->offset ? (double)(i + 1) : 0, (double)backbone.weight[i], 0);
}

static void classifier_may_be_of_other_classes(void)
{
    AUTO(sample_free) struct sample sample;
    struct model_spec spec = whole();
    spec.classes = 7;
    sample_of(&sample, &spec);
    AUTO(backbone_free) struct backbone backbone = {0};
    struct data_error why = {0};
    CHECK_OK(backbone_read(&backbone, &sample.study, sample.path, &why));
    CHECK_NUMBER(sample.layout.n, backbone.n);
}

static void check_refused(enum status want, const char *words, const struct study *study,
                          const char *path)
{
    struct backbone backbone = {0};
    struct data_error why = {0};
    CHECK_STATUS(want, backbone_read(&backbone, study, path, &why));
    CHECK(strstr(why.text, words) != NULL);
    CHECK(backbone.n == 0 && backbone.weight == NULL);
}

static void another_file_is_refused(void)
{
    AUTO(sample_free) struct sample sample;
    const struct model_spec spec = whole();
    sample_of(&sample, &spec);
    char *digit = &sample.study.model.backbone[63];
    *digit = *digit == '0' ? '1' : '0';
    check_refused(STATUS_AUTH, "get the study's file", &sample.study, sample.path);
}

static void backbone_comes_with_a_rank_alone(void)
{
    AUTO(sample_free) struct sample sample;
    const struct model_spec spec = whole();
    sample_of(&sample, &spec);
    check_refused(STATUS_RANGE, "--backbone", &sample.study, NULL);
    struct study study = sample.study;
    study.model.backbone[0] = '\0';
    check_refused(STATUS_RANGE, "names no model.backbone", &study, sample.path);
    study.model.spec.rank = 0;
    check_refused(STATUS_RANGE, "has no backbone", &study, sample.path);
    struct backbone backbone = {0};
    struct data_error why = {0};
    CHECK_OK(backbone_read(&backbone, &study, NULL, &why));
    CHECK(backbone.n == 0 && backbone.weight == NULL);
}

static void backbone_of_another_model_is_refused(void)
{
    AUTO(sample_free) struct sample sample;
    struct model_spec spec = whole();
    spec.depth = 1;
    sample_of(&sample, &spec);
    check_refused(STATUS_RANGE, "block2.norm1.weight", &sample.study, sample.path);
    spec.depth = 2;
    spec.mlp = 5;
    sample_of(&sample, &spec);
    check_refused(STATUS_RANGE, "block1.fc1.weight", &sample.study, sample.path);
}

static void what_is_no_such_file_is_refused(void)
{
    AUTO(sample_free) struct sample sample;
    const struct model_spec spec = whole();
    sample_of(&sample, &spec);
    check_refused(STATUS_IO, "cannot be read", &sample.study, "absent.safetensors");
    name_in_study(&sample, (struct view){(const uint8_t *)"no such file", 12});
    check_refused(STATUS_FORMAT, "safetensors", &sample.study, sample.path);
}

static void memory_may_end(void)
{
    AUTO(sample_free) struct sample sample;
    const struct model_spec spec = whole();
    sample_of(&sample, &spec);
    OOM_EACH {
        struct backbone backbone = {0};
        struct data_error why = {0};
        const enum status status = backbone_read(&backbone, &sample.study, sample.path, &why);
        oom_stop();
        CHECK_STATUS(oom_hit() ? STATUS_NOMEM : STATUS_OK, status);
        CHECK((status == STATUS_OK) == (backbone.weight != NULL));
        backbone_free(&backbone);
    }
}

int main(void)
{
    RUN(frozen_weights_are_read_and_the_classifier_is_not);
    RUN(classifier_may_be_of_other_classes);
    RUN(another_file_is_refused);
    RUN(backbone_comes_with_a_rank_alone);
    RUN(backbone_of_another_model_is_refused);
    RUN(what_is_no_such_file_is_refused);
    RUN(memory_may_end);
    return check_done();
}
