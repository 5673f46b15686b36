/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a page is made of our own tags alone, each closed where it must be: what came from a file
 * cannot have broken out of its text. */
#ifndef TESTS_LIB_TAME_H
#define TESTS_LIB_TAME_H

#include <stdbool.h>

#include "base/bytes.h"

bool tame_page(struct view html);
/* Whether the text stands somewhere in it. */
bool tame_says(struct view html, const char *text);

#endif
