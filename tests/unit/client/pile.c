/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/pile.h"

uint8_t pile_pixel[PILE];
uint8_t pile_label[PILE];

struct dataset pile_records(void)
{
    for (size_t i = 0; i < PILE; i++) {
        pile_pixel[i] = (uint8_t)(i * 7);
        pile_label[i] = (uint8_t)(i * i % PILE_CLASSES == 0 ? 0 : i % PILE_CLASSES);
    }
    return (struct dataset){.n = PILE,
                            .channels = 1,
                            .height = 1,
                            .width = 1,
                            .classes = PILE_CLASSES,
                            .pixel = pile_pixel,
                            .label = pile_label};
}
