#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command of a walk-through, as it stands in docs/, from its first block to its last.
. "$(dirname "$0")/flow.sh"
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/walk-$case.md
[ -f "${VEILSUM_DATA:-}/pneumoniamnist/pneumoniamnist_recon.npz" ] ||
    { echo 'skipped: VEILSUM_DATA names no folder with PneumoniaMNIST' && exit 77; }
VEILSUM_DATA=$(cd "$VEILSUM_DATA" && pwd)
export VEILSUM_DATA
at=$scratch/walk
mkdir "$at" "$at/bin"
for program in "$lab" "$client" "$aggregator"; do ln -s "$(realpath "$program")" "$at/bin/"; done
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$page" >"$at/commands"
[ "$(grep -c veilsum- "$at/commands")" -ge 5 ] || die "hardly a command in $page"
cd "$at"
PATH=$at/bin:$PATH sh -eux ./commands >"$at/walk.out" 2>"$at/walk.log" || die 'a command failed'
for csv in *-files/*.csv; do [ -s "$csv" ] || die "$csv is empty"; done
case $case in
research)
    grep -q '^"autoflip, epsilon 8",2,0,0\.' report-files/summary.csv || die 'no mean of two seeds'
    grep -q '^"autoflip",8,' report-files/accuracy-1.csv || die 'no figure over epsilon'
    [ -s report-files/attack-mia.csv ] || die 'no attack beside accuracy'
    ;;
audit)
    [ "$(grep -c ',"pass",' audit-files/audits.csv)" = 5 ] || die "$(cat audit-files/audits.csv)"
    ;;
esac
