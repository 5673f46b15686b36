/* SPDX-License-Identifier: Apache-2.0 */
/* Plain text as records for a model that guesses the next character: a record is a window of
 * characters, one "image" of height 1, and its label the character after them. */
#ifndef CLIENT_DATA_TEXT_H
#define CLIENT_DATA_TEXT_H

#include <stdbool.h>

#include "client/data/data.h"

/* A character's number is its place here: the 80 of LEAF's Shakespeare (Caldas et al. 2018) in its
 * order, then the rest of printable ASCII. */
#define TEXT_ALPHABET                                                                              \
    "\n !\"&'(),-.0123456789:;>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz}"           \
    "#$%*+/<=@\\^_`{|~"
#define TEXT_CHARACTERS 96

#define TEXT_LENGTH_MAX 4096u
#define TEXT_BYTES_MAX (1u << 26)
#define TEXT_SPEAKERS_MAX 65535u

struct text_how {
    uint32_t length; /* characters of a record, 1 to TEXT_LENGTH_MAX */
    uint32_t stride; /* > 0, from one record's start to the next; length + 1: none shares a
                      * character with another */
    bool speakers;   /* the file is a play */
};

/* Cut a text into records of length characters and the one after them; what is left at its end is
 * in none. The file is one text, or else a play: a line that ends in a colon, at the start or after
 * an empty line, names who says what follows, up to the next such line. What one speaker says is
 * then one text, in its order, and the record's key is the speaker's number, in the order of names.
 * Names are in no record.
 *
 * classes is one more than the largest number of a character in a record.
 *
 * STATUS_IO      the file cannot be read.
 * STATUS_FORMAT  a character is not in the alphabet, there are no records, or nobody speaks.
 * STATUS_RANGE   larger than the limits above and those of data.h, or how is out of range.
 * STATUS_NOMEM. out is untouched then. */
MUST_USE enum status text_read(struct dataset *out, const char *path, const struct text_how *how,
                               struct data_error *why);
/* The same from bytes in memory: no STATUS_IO. */
MUST_USE enum status text_parse(struct dataset *out, struct view text, const struct text_how *how,
                                struct data_error *why);

#endif
