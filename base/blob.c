/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blob.h"

#include <stdlib.h>

struct blob {
    size_t owners;
    struct buffer bytes;
};

enum status blob_of(struct blob **out, struct buffer *bytes)
{
    AUTO(buffer_free) struct buffer mine = *bytes;
    *bytes = (struct buffer){0};
    TRY(mine.status);
    struct blob *blob = malloc(sizeof *blob);
    if (blob == NULL) return STATUS_NOMEM;
    *blob = (struct blob){.owners = 1, .bytes = mine};
    mine = (struct buffer){0};
    *out = blob;
    return STATUS_OK;
}

struct blob *blob_share(struct blob *blob)
{
    if (blob != NULL) blob->owners++;
    return blob;
}

void blob_free(struct blob **blob)
{
    if (*blob != NULL && --(*blob)->owners == 0) {
        buffer_wipe(&(*blob)->bytes); /* a letter may carry shares */
        free(*blob);
    }
    *blob = NULL;
}

struct view blob_view(const struct blob *blob)
{
    return blob == NULL ? (struct view){0} : buffer_view(&blob->bytes);
}
