#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzz each target for SECONDS, one after the other, from its corpus on, with libFuzzer and the
# address and undefined-behaviour sanitizers; a line for each. What it finds stays in BUILD/found:
# new inputs in a folder, crashes as TARGET-crash-*, the engine's words in TARGET.log.
# Usage: [BUILD=folder] run.sh SECONDS [TARGET...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
build=${BUILD:-$root/build-fuzz}
seconds=$1
shift
# Those that a stranger's bytes reach through most code come first.
first='session round frame msg'
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046,SC2086
    set -- $first $(cd "$here/corpus" && ls -d -- * | grep -vxE "$(echo $first | tr ' ' '|')")
fi

[ -f "$build/build.ninja" ] || CC=clang-14 "${MESON:-/usr/bin/meson}" setup "$build" "$root" \
    -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
    -Dc_args=-fno-sanitize-recover=undefined >/dev/null
mkdir -p "$build/found"
red=0
for target; do
    ninja -C "$build" "tests/fuzz/fuzz_$target" >"$build/found/build.log" || {
        tail -n 40 "$build/found/build.log"
        exit 1
    }
    mkdir -p "$build/found/$target"
    log=$build/found/$target.log
    verdict=sound
    # A copy, for the tree may be built again in the meantime.
    cp "$build/tests/fuzz/fuzz_$target" "$build/found/fuzz_$target"
    nice -n 15 "$build/found/fuzz_$target" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$build/found/$target-" \
        "$build/found/$target" "$here/corpus/$target" >"$log" 2>&1 || verdict=CRASHED red=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    seen=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    echo "$target: $verdict after ${runs:-some} runs, ${seen:-0} edges"
done
exit $red
