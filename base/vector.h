/* SPDX-License-Identifier: Apache-2.0 */
/* Hot loops compiled twice, for AVX2 and for any x86-64; the loader picks. Plain C in both, so the
 * results are the same. clang 14 makes the chooser of a static function visible to all: names that
 * carry this are told apart in the whole program. */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#if defined(__x86_64__)
#define VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR_CLONES
#endif

#endif
