/* SPDX-License-Identifier: Apache-2.0 */
/* Records of one pixel to be parted: half of them have label 0. */
#ifndef TESTS_UNIT_CLIENT_PILE_H
#define TESTS_UNIT_CLIENT_PILE_H

#include "client/data/split.h"

enum { PILE = 2000, PILE_CLASSES = 4 };

extern uint8_t pile_pixel[PILE], pile_label[PILE];

/* Made anew; the pixels and labels are those above. */
struct dataset pile_records(void);

#endif
