#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests of the tests: apply one edit of a list at a time to a copy of the tree, and expect that it
# does not build or that a test fails. Usage: mutants.sh SOURCE LIST, or
# mutants.sh --apply SOURCE LIST..., which takes seconds and only asks whether every edit applies.
# A line of a list is a file, a tab, the edit as a sed -E expression; a third field names the one
# program, with its arguments, that must fail. Fails when an edit survives, or does not apply.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "$1" = --apply ]; then
    cd "$2"
    shift 2
    applied=0
    while IFS='	' read -r file edit seer; do
        case $file in '' | '#'*) continue ;; esac
        sed -E "$edit" "$file" >"$work/file" || : >"$work/file"
        program=tests/${seer%% *}.c
        if cmp -s "$file" "$work/file" || [ ! -s "$work/file" ]; then
            echo "does not apply: $file $edit $seer"
        elif [ -n "$seer" ] && [ ! -f "$program" ]; then
            echo "no such program: $file $edit $seer"
        else
            applied=$((applied + 1))
        fi
    done >"$work/faults" <<END
$(cat "$@")
END
    cat "$work/faults"
    [ ! -s "$work/faults" ] && [ "$applied" -gt 0 ]
    exit
fi

source=$1
list=$2
tests='unit/protocol/test_protocol_msg unit/protocol/test_protocol_manifest
    unit/protocol/test_protocol_request
    unit/protocol/test_protocol_params unit/protocol/test_protocol_pads
    unit/protocol/test_protocol_state unit/protocol/test_protocol_outbox
    unit/protocol/test_protocol_bundle unit/protocol/test_protocol_removal
    unit/protocol/test_protocol_ledger unit/protocol/test_protocol_ledger_entry
    unit/protocol/test_protocol_ledger_tamper
    unit/protocol/test_protocol_trail unit/protocol/test_protocol_trail_round
    unit/protocol/test_protocol_evidence unit/aggregator/test_aggregator_show
    unit/client/test_client_site_trail
    unit/protocol/test_protocol_books unit/client/test_client_budget
    unit/client/test_client_budget_courses unit/client/test_client_site
    unit/client/test_client_site_budget unit/client/test_client_site_evaluation
    unit/client/test_client_session unit/client/test_client_session_again
    unit/client/test_client_session_keys unit/client/test_client_session_quorum
    unit/client/test_client_session_noise unit/client/test_client_session_open
    unit/client/test_client_session_plan unit/client/test_client_session_result
    unit/client/test_client_session_shares unit/aggregator/test_aggregator_round
    unit/aggregator/test_aggregator_round_input unit/aggregator/test_aggregator_round_keys
    unit/aggregator/test_aggregator_round_letter unit/aggregator/test_aggregator_round_reveal
    unit/aggregator/test_aggregator_round_wait unit/aggregator/test_aggregator_surplus
    unit/aggregator/test_aggregator_unmask unit/aggregator/test_aggregator_tally
    attack/attack_copy attack/attack_few attack/attack_keys attack/attack_model
    attack/attack_replay attack/attack_rerun attack/attack_shares attack/attack_stranger
    attack/attack_views flow/flow_replay flow/flow_round exhaust/exhaust_session exhaust/exhaust_order
    unit/client/test_client_safetensors unit/client/test_client_weights unit/client/test_client_backbone
    unit/client/test_client_local
    unit/dp/test_dp_count unit/client/test_client_evaluate
    unit/protocol/test_protocol_schedule_evaluation unit/protocol/test_protocol_allocate
    unit/protocol/test_protocol_schedule_blocks unit/aggregator/test_aggregator_course_blocks
    unit/aggregator/test_aggregator_spend unit/client/test_client_train
    unit/protocol/test_protocol_schedule_vote unit/client/test_client_vote
    unit/protocol/test_protocol_pick unit/protocol/test_protocol_schedule_pick
    unit/protocol/test_protocol_study_model unit/aggregator/test_aggregator_course
    unit/client/test_client_exits unit/protocol/test_protocol_layout_blocks
    unit/dp/test_dp_account'

mkdir "$work/tree"
(cd "$source" && tar cf - --exclude=./.git --exclude=./build .) | tar xf - -C "$work/tree"
# A warning is not a test that turned red.
"${MESON:-/usr/bin/meson}" setup "$work/build" "$work/tree" -Dbuildtype=debugoptimized \
    -Dwerror=false >"$work/log"
named=$(grep -v '^#' "$list" | cut -s -f3 | sort -u)
[ -n "$named" ] || named=$(for t in $tests; do echo "$t"; done)

# Whether all programs of the lines pass; the first red one ends it.
green() {
    # shellcheck disable=SC2046
    ninja -C "$work/build" $(echo "$1" | sed 's/ .*//; s,^,tests/,' | sort -u) >"$work/log" 2>&1 ||
        return 1
    echo "$1" | while read -r program row; do
        # shellcheck disable=SC2086
        timeout 120 "$work/build/tests/$program" $row </dev/null >"$work/log" 2>&1 || exit 1
    done
}

green "$named" || { cat "$work/log"; echo "the tree itself is red"; exit 1; }
killed=0
survived=0
while IFS='	' read -r file edit seer; do
    case $file in '' | '#'*) continue ;; esac
    sed -E "$edit" "$source/$file" >"$work/tree/$file"
    if cmp -s "$source/$file" "$work/tree/$file"; then
        echo "does not apply: $file $edit $seer"
        survived=$((survived + 1))
    elif green "${seer:-$named}"; then
        echo "survived: $file $edit $seer"
        survived=$((survived + 1))
    else
        killed=$((killed + 1))
    fi
    cp "$source/$file" "$work/tree/$file"
done <"$list"
echo "$killed mutants killed, $survived not"
[ "$survived" -eq 0 ] && [ "$killed" -gt 0 ]
