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
# Once more what failed, and its last words, for where only the end of a long log is kept.
if [ "$failed" -gt 0 ] && [ -f "$log" ]; then
    echo "== failed"
    grep -vE '"result": "(OK|EXPECTEDFAIL|SKIP)"' "$log" | while read -r line; do
        printf '%s\n' "$line" | sed 's/.*"name": "\([^"]*\)".*"result": "\([A-Z]*\)".*/\2 \1/'
        for stream in stdout stderr; do
            printf '%s' "$line" | grep -oE '"'$stream'": "([^"\\]|\\.)*' | sed 's/^[^:]*: "//' |
                xargs -0 printf '%b' | tail -n 15 | sed 's/^/    /'
        done
    done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
