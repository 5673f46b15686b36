#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No two functions that base/vector.h compiles twice have one name: clang would not link them.
set -eu
. "$(dirname "$0")/lint.sh"

check() (
    cd "$1"
    sources | xargs -r awk '
        /^VECTOR_CLONES/ { waits = 1 }
        waits && match($0, /[a-z_0-9]+\(/) {
            name = substr($0, RSTART, RLENGTH - 1)
            if (name in first) print FILENAME ": " name " is also in " first[name]
            first[name] = FILENAME
            waits = 0
        }'
)

plant() {
    printf 'VECTOR_CLONES static void one(int x)\nVECTOR_CLONES\nstatic int two(int x)\n' >"$1/a.c"
    printf 'VECTOR_CLONES\nstatic void one(int x)\nvoid two(int x)\n' >"$1/b.c"
    planted=1
}

lint "$@"
