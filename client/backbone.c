/* SPDX-License-Identifier: Apache-2.0 */
#include "client/backbone.h"

#include <stdlib.h>
#include <string.h>

#include "client/data/source.h"

void backbone_free(struct backbone *backbone)
{
    free(backbone->weight);
    *backbone = (struct backbone){0};
}

struct hash backbone_hash(struct view file)
{
    return hash_of("backbone", file);
}

static bool has(const struct layout *layout, const char *name)
{
    for (uint32_t t = 0; t < layout->n_tensors; t++)
        if (strcmp(layout->tensor[t].name, name) == 0) return true;
    return false;
}

/* The backbone's layout without the tensors that the study trains itself; places stay. */
static enum status frozen_layout(struct layout *out, const struct model_spec *spec)
{
    struct layout trained;
    TRY(layout_of(&trained, spec));
    TRY(layout_backbone(out, spec));
    uint32_t n = 0;
    for (uint32_t t = 0; t < out->n_tensors; t++)
        if (!has(&trained, out->tensor[t].name)) out->tensor[n++] = out->tensor[t];
    out->n_tensors = n;
    return STATUS_OK;
}

static enum status check_hash(const struct study *study, const char *path, struct view bytes,
                              struct data_error *why)
{
    const struct hash hash = backbone_hash(bytes);
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    if (strcmp(hex, study->model.backbone) == 0) return STATUS_OK;
    return source_refuse(why, STATUS_AUTH,
                         "%.100s has the hash %.16s... and the study's backbone is %.16s...; get "
                         "the study's file",
                         path, hex, study->model.backbone);
}

static enum status read(struct backbone *out, const struct study *study, const char *path,
                        struct data_error *why)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    AUTO(safetensors_free) struct safetensors file = {0};
    struct layout layout;
    TRY(frozen_layout(&layout, &study->model.spec));
    TRY(source_read(&bytes, path, SAFETENSORS_BYTES_MAX, why));
    TRY(check_hash(study, path, buffer_view(&bytes), why));
    TRY(safetensors_parse(&file, buffer_view(&bytes), why));
    AUTO(backbone_free) struct backbone backbone = {.n = layout.n};
    backbone.weight = calloc(layout.n, sizeof *backbone.weight);
    if (backbone.weight == NULL)
        return source_refuse(why, STATUS_NOMEM, "no memory for the backbone");
    TRY(weights_take(backbone.weight, NULL, &layout, &file, true, why));
    *out = backbone;
    backbone = (struct backbone){0};
    return STATUS_OK;
}

enum status backbone_read(struct backbone *out, const struct study *study, const char *path,
                          struct data_error *why)
{
    const bool needed = study->model.spec.rank > 0;
    if (needed && study->model.backbone[0] == '\0')
        return source_refuse(why, STATUS_RANGE,
                             "the study has a rank and names no model.backbone to adapt");
    if (needed && path == NULL)
        return source_refuse(why, STATUS_RANGE,
                             "the study's model has a frozen backbone; give its file as "
                             "--backbone (hash %.16s...)",
                             study->model.backbone);
    if (!needed && path != NULL)
        return source_refuse(why, STATUS_RANGE,
                             "the study's model has no backbone; leave out %.100s", path);
    return needed ? read(out, study, path, why) : STATUS_OK;
}
