#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which lines the tests run, in the folders where every line counts. Builds and tests in a folder of
# its own (BUILD, or one that is removed again), prints a table, and fails below the floor or when a
# line that no test runs is not listed, with a reason, in coverage.allow.
# Usage: coverage.sh [BUILD]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
export CC=gcc MESON="${MESON:-/usr/bin/meson}"
command -v gcovr >/dev/null || exit 77

build=${1:-}
if [ -z "$build" ]; then
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
fi
# Without optimisation, so that each line is one of its own; threads count together.
[ -f "$build/build.ninja" ] || "$MESON" setup "$build" "$root" -Dbuildtype=debug \
    -Db_coverage=true -Dc_args=-fprofile-update=atomic >/dev/null
ninja -C "$build" >"$build/coverage.log" || {
    tail -n 40 "$build/coverage.log"
    exit 1
}
build=$(cd "$build" && pwd)
find "$build" -name '*.gcda' -delete
"$here/run.sh" "$build" --suite unit --suite exhaust --suite flow --suite attack --suite fuzz \
    --timeout-multiplier 4 >"$build/coverage.log" || {
    tail -n 200 "$build/coverage.log"
    exit 1
}
# The marked sources of tests/ctime have other lines.
gcovr --root "$root" --exclude-directories '.*/ctime' --json "$build/coverage.json" "$build"
python3 "$here/coverage.py" "$root" "$build/coverage.json" base crypto protocol
