/* SPDX-License-Identifier: Apache-2.0 */
/* Where records come from, as a person names it: one struct and one table of options for all
 * programs, and one function that reads them. */
#ifndef CLIENT_DATA_RECORDS_H
#define CLIENT_DATA_RECORDS_H

#include <argp.h>
#include <stdbool.h>

#include "client/data/data.h"
#include "protocol/layout.h"

/* One set, in one of these ways; NULL where nothing was said. */
struct origin {
    const char *images, *labels; /* idx */
    const char *npz, *split;     /* as MedMNIST has them; split [train] */
    const char *csv;             /* with the schema */
    const char *folder;          /* of images, one folder per class */
    const char *nifti;           /* a list of volumes */
    const char *text;            /* plain */
};

struct records {
    struct origin train, held; /* held: nothing, or in the same way as train; npz by its split */
    const char *schema;        /* of csv */
    struct data_shape size;    /* of folder, nifti and text (1x1xLENGTH); zeros: not said */
    struct data_window window; /* of nifti */
    uint32_t stride;           /* of text; 0: records share no character */
};

/* The options, for `children` of a program's argp; its input is a struct records. */
extern const struct argp records_argp;

/* What is wrong with the way they are named, or NULL. */
const char *records_usage(const struct records *records);
/* Whether anything was said at all: of one set, of both and how they are read. */
bool origin_named(const struct origin *origin);
bool records_named(const struct records *records);
/* Whether they are brought to a size, which must then be said. */
bool records_sized(const struct records *records);
/* Where they are and none was said: that of the model's input. */
void records_fit(struct records *records, const struct model_spec *spec);

/* Read what is named; held stays empty when nothing is held out. Failures as those of the readers
 * in data.h; both are untouched then. */
MUST_USE enum status records_read(struct dataset *data, struct dataset *held,
                                  const struct records *records, struct data_error *why);

#endif
