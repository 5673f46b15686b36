/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzzing engine, or replay.c, calls with each input. A target stops (REQUIRE) on a broken
 * promise and returns 0 otherwise. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
