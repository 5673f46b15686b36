/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/odd.h"

#include <string.h>

#include "base/secret.h"

static void look(struct odd *odd, const uint8_t *pixel, size_t n)
{
    size_t same = 0, full = 0;
    for (size_t i = 0; i < n; i++) {
        same += pixel[i] == pixel[0];
        full += pixel[i] == UINT8_MAX;
    }
    if (same == n && pixel[0] == 0)
        odd->black++;
    else if (same == n)
        odd->flat++;
    else if (2 * full >= n)
        odd->saturated++;
}

static size_t count_dead(const struct dataset *data, size_t n)
{
    size_t dead = 0;
    for (size_t p = 0; p < n; p++) {
        size_t i = 1;
        while (i < data->n && data->pixel[i * n + p] == data->pixel[p]) i++;
        dead += i >= data->n;
    }
    return dead;
}

struct odd odd_of(const struct dataset *data)
{
    struct odd odd = {0};
    const size_t n = dataset_floats(data);
    bool seen[UINT16_MAX + 1] = {false};
    for (size_t i = 0; i < data->n; i++) {
        look(&odd, data->pixel + i * n, n);
        odd.held[data->label[i]]++;
        if (data->key == NULL || seen[data->key[i]]) continue;
        seen[data->key[i]] = true;
        odd.keys++;
    }
    odd.dead = count_dead(data, n);
    return odd;
}

size_t odd_most_of_key(const struct dataset *data)
{
    uint32_t held[UINT16_MAX + 1] = {0}, most = 0;
    for (size_t i = 0; data->key != NULL && i < data->n; i++) {
        const uint32_t now = ++held[data->key[i]];
        if (now > most) most = now;
    }
    secret_wipe(held, sizeof held);
    return most;
}

void odd_hide(bool *hide, const size_t *held, size_t classes, size_t least)
{
    size_t hidden = 0, smallest = classes;
    for (size_t k = 0; k < classes; k++) {
        hide[k] = held[k] < least;
        hidden += hide[k];
        if (!hide[k] && (smallest == classes || held[k] < held[smallest])) smallest = k;
    }
    if (hidden == 1 && smallest < classes) hide[smallest] = true;
}
