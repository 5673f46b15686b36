#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests of the tests: apply one edit of mutants.txt at a time to a copy of the tree, and expect that
# it does not build or that a test fails. Usage: mutants.sh SOURCE LIST
# Fails when an edit survives, or does not apply any more.
set -eu
source=$1
list=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests='unit/protocol/test_protocol_msg unit/protocol/test_protocol_manifest
    unit/protocol/test_protocol_params unit/protocol/test_protocol_pads
    unit/protocol/test_protocol_state unit/protocol/test_protocol_outbox
    unit/client/test_client_session unit/aggregator/test_aggregator_round
    unit/aggregator/test_aggregator_unmask unit/aggregator/test_aggregator_tally
    attack/attack_copy attack/attack_few attack/attack_keys attack/attack_model
    attack/attack_replay attack/attack_rerun attack/attack_shares attack/attack_stranger
    attack/attack_views flow/flow_round exhaust/exhaust_session exhaust/exhaust_order'

mkdir "$work/tree"
(cd "$source" && tar cf - --exclude=./.git --exclude=./build .) | tar xf - -C "$work/tree"
"${MESON:-/usr/bin/meson}" setup "$work/build" "$work/tree" -Dbuildtype=debugoptimized >"$work/log"
targets=$(for t in $tests; do echo "tests/$t"; done)

# Whether all tests pass; the first red one ends it.
green() {
    # shellcheck disable=SC2086
    ninja -C "$work/build" $targets >"$work/log" 2>&1 || return 1
    for t in $tests; do
        timeout 120 "$work/build/tests/$t" >"$work/log" 2>&1 || return 1
    done
}

green || { cat "$work/log"; echo "the tree itself is red"; exit 1; }
killed=0
survived=0
while IFS='	' read -r file edit; do
    case $file in '' | '#'*) continue ;; esac
    sed -E "$edit" "$source/$file" >"$work/tree/$file"
    if cmp -s "$source/$file" "$work/tree/$file"; then
        echo "does not apply: $file $edit"
        survived=$((survived + 1))
    elif green; then
        echo "survived: $file $edit"
        survived=$((survived + 1))
    else
        killed=$((killed + 1))
    fi
    cp "$source/$file" "$work/tree/$file"
done <"$list"
echo "$killed mutants killed, $survived not"
[ "$survived" -eq 0 ] && [ "$killed" -gt 0 ]
