#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: refuse.sh ROOT GOOD BAD COMPILER...
# GOOD compiles; BAD, its twin, is refused, and for its pointer type and nothing else.
set -eu
root=$1 good=$2 bad=$3
shift 3

compile() {
    "$@" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror -I "$root" "$file" 2>&1
}

file=$good
compile "$@" || { echo "$good should compile"; exit 1; }
file=$bad
if errors=$(compile "$@"); then
    echo "$bad should not compile"
    exit 1
fi
[ "$(echo "$errors" | grep -c 'error: ')" = 1 ] &&
    echo "$errors" | grep -q 'error: .*incompatible.pointer.types' || {
    echo "$bad was refused for another reason:"
    echo "$errors"
    exit 1
}
