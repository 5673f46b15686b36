/* SPDX-License-Identifier: Apache-2.0 */
/* A case that works on a database begins without one. */
#ifndef TESTS_LIB_FORGET_H
#define TESTS_LIB_FORGET_H

/* Remove a database's file and those that SQLite keeps beside it. */
void forget_db(const char *path);

#endif
