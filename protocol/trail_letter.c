/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail_letter.h"

enum trail_letter trail_letter_of(enum msg_kind kind)
{
    switch (kind) {
    case MSG_ADVERT:
        return TRAIL_ADVERT;
    case MSG_POSITION:
        return TRAIL_POSITION;
    case MSG_SHARES:
        return TRAIL_SHARES;
    case MSG_MASKED:
        return TRAIL_MASKED;
    case MSG_CONFIRM:
        return TRAIL_CONFIRM;
    case MSG_UNMASK:
        return TRAIL_UNMASK;
    default:
        return TRAIL_LETTERS;
    }
}
