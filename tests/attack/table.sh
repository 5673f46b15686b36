#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Carry out all attacks and show the table, A1 to A26 in their order. Usage: table.sh PROGRAM...
# Fails when a row is missing, comes twice or was not refused.
set -eu
rows=26
table=$(for program; do "$program" 2>/dev/null | grep '^A[0-9]' || true; done | sort -V)
echo "$table"
number=1
while [ "$number" -le "$rows" ]; do
    refused=$(echo "$table" | grep -cE "^A$number +[^ ].* \.\.\. refused: E-[A-Z]" || true)
    [ "$refused" = 1 ] || { echo "A$number is missing or was not refused"; exit 1; }
    number=$((number + 1))
done
[ "$(echo "$table" | wc -l)" = "$rows" ] || { echo 'there is a row too many'; exit 1; }
echo "$rows attacks, $rows refused"
