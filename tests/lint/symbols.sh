#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No global name of ours is also a name of a library that we link: the linker would take either
# without a word. Usage: symbols.sh ROOT BUILD
set -eu
. "$(dirname "$0")/lint.sh"
build=$2

theirs() {
    for name in libc.so.6 libm.so.6 libsodium.so libgmp.so libzmq.so libopenblas.so libsqlite3.so \
        libcyaml.so libyaml.so libjansson.so libzip.so libz.so; do
        file=$(cc -print-file-name="$name")
        [ -f "$file" ] && nm -D --defined-only "$file" 2>/dev/null || true
    done | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort -u
}

# The archives of a build tree; the tests' own library may wrap what it likes.
check() (
    tree=$1
    [ -d "$tree/base" ] && [ -f "$tree/meson.build" ] && tree=$build
    find "$tree" -name 'lib*.a' ! -name libtestlib.a | while read -r archive; do
        nm --defined-only --extern-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }'
    done | LC_ALL=C sort -u >"$ours"
    LC_ALL=C comm -12 "$ours" "$others" | sed 's/$/: also the name of a library function/'
    grep -E '^(crypto_|gemm_)' "$ours" | sed 's/$/: the prefix belongs to libsodium or OpenBLAS/' || true
    [ -s "$ours" ] || echo "$tree: no symbols found; build first"
)

plant() {
    printf 'int strlen_of(void) { return 1; }\nint link(void) { return 1; }\n' >"$1/a.c"
    printf 'int crypto_ours(void) { return 1; }\nint gemm_x(void) { return 1; }\n' >>"$1/a.c"
    cc -c -w "$1/a.c" -o "$1/a.o"
    ar rc "$1/libplanted.a" "$1/a.o"
    planted=3
}

work=$(mktemp -d)
ours=$work/ours
others=$work/others
theirs >"$others"
[ -s "$others" ] || { echo "no library found to compare with"; exit 1; }
status=0
(lint "$@") || status=$?
rm -rf "$work"
exit $status
