/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/data.h"

#include <stdlib.h>

#include "base/secret.h"

void dataset_free(struct dataset *data)
{
    if (data->pixel != NULL) secret_wipe(data->pixel, data->n * dataset_floats(data));
    if (data->label != NULL) secret_wipe(data->label, data->n);
    if (data->key != NULL) secret_wipe(data->key, data->n * sizeof *data->key);
    free(data->key);
    free(data->pixel);
    free(data->label);
    *data = (struct dataset){0};
}

size_t dataset_floats(const struct dataset *data)
{
    return (size_t)data->channels * data->height * data->width;
}

void data_floats(float *out, const struct dataset *data, size_t first, size_t n, float mean,
                 float deviation)
{
    REQUIRE(first <= data->n && n <= data->n - first && deviation > 0);
    const size_t floats = dataset_floats(data);
    const uint8_t *in = data->pixel + first * floats;
    for (size_t i = 0; i < n * floats; i++) out[i] = ((float)in[i] / 255.0f - mean) / deviation;
}
