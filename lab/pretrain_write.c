/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/file.h"
#include "client/backbone.h"
#include "lab/pretrain.h"

#define NOTES_MAX 16

/* How the file came about: enough to make it again. */
struct recipe {
    size_t n;
    struct safetensors_note note[NOTES_MAX];
    char text[NOTES_MAX][32];
};

static void add_text(struct recipe *r, const char *key, const char *text)
{
    REQUIRE(r->n < NOTES_MAX);
    r->note[r->n++] = (struct safetensors_note){key, text};
}

static void add_count(struct recipe *r, const char *key, uint64_t x)
{
    (void)snprintf(r->text[r->n], sizeof r->text[r->n], "%llu", (unsigned long long)x);
    add_text(r, key, r->text[r->n]);
}

static void add_share(struct recipe *r, const char *key, double x)
{
    (void)snprintf(r->text[r->n], sizeof r->text[r->n], "%.4f", x);
    add_text(r, key, r->text[r->n]);
    printf("%s %.4f\n", key, x);
}

static void add_accuracies(struct recipe *r, struct pretrain *p)
{
    static const struct {
        uint32_t blocks;
        const char *key;
    } part[] = {{3, "accuracy_3_blocks"}, {4, "accuracy_4_blocks"}, {6, "accuracy_6_blocks"}};
    add_share(r, "accuracy", pretrain_accuracy(p, 0));
    if (!pretrain_has_blocks(p)) return;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (part[i].blocks < p->model.spec.depth)
            add_share(r, part[i].key, pretrain_accuracy(p, part[i].blocks));
}

enum status pretrain_write(struct pretrain *p)
{
    struct recipe recipe = {0};
    struct recipe *r = &recipe;
    char data_hex[2 * HASH_BYTES + 1];
    AUTO(buffer_free) struct buffer bytes = {0};
    const struct hash data = corpus_hash(&p->train);
    hash_hex(data_hex, &data, HASH_BYTES);
    add_text(r, "made_by", "veilsum " VEILSUM_VERSION);
    add_text(r, "command", p->command);
    add_text(r, "model", p->section);
    add_text(r, "data", data_hex);
    add_count(r, "records", p->train.n);
    add_count(r, "seed", p->options.seed);
    add_count(r, "steps", p->steps);
    add_count(r, "test_records", p->test.n);
    add_accuracies(r, p);
    TRY(safetensors_write(&bytes, &p->model.layout, p->weight, r->n, r->note));
    const struct hash hash = backbone_hash(buffer_view(&bytes));
    char hex[2 * HASH_BYTES + 1];
    hash_hex(hex, &hash, HASH_BYTES);
    TRY(file_write(p->options.out, buffer_view(&bytes), 0644));
    printf("hash %s\n", hex);
    return STATUS_OK;
}
