#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run meson's tests and end with one plain line. Usage: run.sh BUILD [arguments of meson test]
# Fails when a test failed, when the build failed, and when nothing ran.
set -eu
build=$1
shift
meson=${MESON:-/usr/bin/meson}
log=$build/meson-logs/testlog.json
rm -f "$log"
# Limits are against hanging alone: a busy machine must not fail a test.
"$meson" test -C "$build" --print-errorlogs --timeout-multiplier 8 "$@" || true

# Every attack that was carried out, and how it ended.
if [ -f "$log" ]; then
    grep '"name": "[^"]*attack/table"' "$log" | grep -o '"stdout": "[^"]*"' |
        sed 's/^"stdout": "//; s/"$//' | xargs -0 printf '%b' || true
fi

count() {
    [ -f "$log" ] || { echo 0; return; }
    grep -oE '"result": "[A-Z]+"' "$log" | grep -cE "\"($1)\"" || true
}
passed=$(count 'OK|EXPECTEDFAIL')
skipped=$(count SKIP)
failed=$(($(count '[A-Z]+') - passed - skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
