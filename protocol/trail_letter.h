/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTOCOL_TRAIL_LETTER_H
#define PROTOCOL_TRAIL_LETTER_H

#include "protocol/msg.h"

/* Messages of a site that a round waits for, one after the other. */
enum trail_letter {
    TRAIL_ADVERT,
    TRAIL_POSITION,
    TRAIL_SHARES,
    TRAIL_MASKED,
    TRAIL_CONFIRM,
    TRAIL_UNMASK,
    TRAIL_LETTERS
};
/* TRAIL_LETTERS for all others. */
enum trail_letter trail_letter_of(enum msg_kind kind);

#endif
