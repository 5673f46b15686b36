/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what is handed to the transport, and loses some of it: link with posted_wrap
 * (meson.build).
 */
#ifndef TESTS_UNIT_LAB_POSTED_H
#define TESTS_UNIT_LAB_POSTED_H

#include <stddef.h>

struct posted {
    size_t connections, messages, bytes;
    size_t ended;      /* connections whose other end knows it */
    size_t unfinished; /* links freed before all that they sent was acknowledged */
    size_t lose_after; /* the messages after so many are lost, and time flies; 0: none are */
};
extern struct posted posted;

#endif
