/* SPDX-License-Identifier: Apache-2.0 */
/* The vector kernels of ChaCha20: one text, two widths. */
#include "crypto/mask_kernel.h"

#if defined(__x86_64__)

#include <string.h>

#include "base/secret.h"

#define KERNEL mask_chacha_avx2
#define LANES 8
#define TARGET "avx2"
#include "crypto/mask_chacha_lanes.c"

#define KERNEL mask_chacha_avx512
#define LANES 16
#define TARGET "avx512f,avx512bw"
#include "crypto/mask_chacha_lanes.c"

#endif
