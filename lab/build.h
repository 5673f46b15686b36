/* SPDX-License-Identifier: Apache-2.0 */
/* What this program is, for those who want the same bits again. */
#ifndef LAB_BUILD_H
#define LAB_BUILD_H

#include <jansson.h>

/* version, commit ("unknown" when built without git; -dirty with changes that are no commit's) and
 * build: compiler, type, sanitizers, and what sums of floats depend on at run time: the C library,
 * OpenBLAS's kernels and the processor's extensions. NULL when memory is out. */
json_t *build_json(void);

#endif
