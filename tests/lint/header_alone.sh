#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone and twice, and its guard is named after its path.
set -eu
. "$(dirname "$0")/lint.sh"

check() (
    cd "$1"
    for header in $(headers); do
        guard=$(echo "$header" | tr 'a-z/.' 'A-Z__')
        grep -q "^#ifndef $guard\$" "$header" || echo "$header: the guard is not $guard"
    done
    headers | xargs -r -n 1 -P 2 sh -c '
        printf "#include \"%s\"\n#include \"%s\"\ntypedef int alone;\n" "$1" "$1" |
            ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
                -I. -x c - >/dev/null 2>&1 || echo "$1: does not compile alone, or not twice"' sh
)

plant() {
    mkdir "$1/base"
    printf '#ifndef BASE_NEEDY_H\n#define BASE_NEEDY_H\nsize_t n(void);\n#endif\n' >"$1/base/needy.h"
    printf 'struct twice { int x; };\n' >"$1/base/twice.h"
    printf '#ifndef BASE_GOOD_H\n#define BASE_GOOD_H\nint x(void);\n#endif\n' >"$1/base/good.h"
    planted=3
}

lint "$@"
