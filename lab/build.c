/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/build.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

#include "client/model/tensor.h"
#include "lab/commit.h"

static const char *extensions(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return "x86-64 avx512f";
    if (__builtin_cpu_supports("avx2"))
        return __builtin_cpu_supports("fma") ? "x86-64 avx2 fma" : "x86-64 avx2";
    return "x86-64";
#else
    return "other";
#endif
}

json_t *build_json(void)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}}", "version", VEILSUM_VERSION,
                     "commit", VEILSUM_COMMIT, "build", "compiler", __VERSION__, "type",
                     VEILSUM_BUILDTYPE, "sanitize", VEILSUM_SANITIZE, "libc",
                     gnu_get_libc_version(), "kernels", tensor_kernels(), "processor",
                     extensions());
}
