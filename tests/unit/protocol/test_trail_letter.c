/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/trail_letter.h"

#include "tests/lib/check.h"

static void answers_have_their_places(void)
{
    CHECK(trail_letter_of(MSG_ADVERT) == TRAIL_ADVERT);
    CHECK(trail_letter_of(MSG_POSITION) == TRAIL_POSITION);
    CHECK(trail_letter_of(MSG_SHARES) == TRAIL_SHARES);
    CHECK(trail_letter_of(MSG_MASKED) == TRAIL_MASKED);
    CHECK(trail_letter_of(MSG_CONFIRM) == TRAIL_CONFIRM);
    CHECK(trail_letter_of(MSG_UNMASK) == TRAIL_UNMASK);
    CHECK(trail_letter_of(MSG_HELLO) == TRAIL_LETTERS);
    CHECK(trail_letter_of(MSG_ABORT) == TRAIL_LETTERS);
}

int main(void)
{
    RUN(answers_have_their_places);
    return check_done();
}
