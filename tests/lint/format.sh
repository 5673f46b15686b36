#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file looks as clang-format 14 writes it. Skipped where that version is missing.
set -eu
. "$(dirname "$0")/lint.sh"
command -v clang-format-14 >/dev/null || exit 77

check() (
    cd "$1"
    sources | tr '\n' '\0' | xargs -0 -r -n 20 -P 2 clang-format-14 --dry-run 2>&1 |
        sed -n 's/^\([^:]*\):[0-9].*code should be clang-formatted.*/\1: not formatted/p' |
        LC_ALL=C sort -u
)

plant() {
    cp "$(dirname "$0")/../../.clang-format" "$1"
    printf 'int f( void ){return 1;}\n' >"$1/bad.c"
    printf 'int f(void);\n' >"$1/good.h"
    planted=1
}

lint "$@"
