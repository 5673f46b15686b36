#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Studies that evaluate their model on records that the sites hold out: what is told is exactly what
# the sites counted, with noise where there is to be some, and once for each time that it is due.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

# prepare EPSILON EVERY: five sites; the last one holds nothing out
prepare() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: evaluate, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 12, width: 12, classes: 4, hidden: [16, 16]}
privacy: {unit: patient, epsilon: $1, clip: 4, sampling: 0.5, records: 600}
pruning: {mode: none}
rounds: {count: 3, learning_rate: 0.5}
evaluation: {mode: private, every: $2, ratio: 4}
deadlines: {gather_ms: 60000, grace_ms: 300}
END
    printf 'min_contributors: 2\nmax_epsilon: 100\nallow_rehearsal: true\n' >"$at/policy.yaml"
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 120
    enrol 5
    for v in 1 2 3 4; do
        tool idx "$at/site-$v/held.images" "$at/site-$v/held.labels" 12 4 $((400 + v))
    done
}

study() {
    prepare "$@"
    lead
    join 1 2 3 4 5
}

finished() {
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    says "$at/coordinator.out" '"event":"finished"' || die 'the study did not finish'
    says "$at/site-5.log" 'no records are held out' || die 'site-5 does not say what is missing'
    [ ! -s "$at/site-1.log" ] || ! says "$at/site-1.log" 'no records' || die 'site-1 has records'
    tool sums "$at" >"$at/rounds"
    tool evaluations "$at" >"$at/evaluations"
}

# After the second round and at the end: 401 + 402 + 403 + 404 records, not one more or less.
exact() {
    study .inf 2
    finished
    printf '0 2 1610.0\n1 3 1610.0\n' | cmp - "$at/evaluations" || die 'other counts came out'
    [ "$(cat "$at/rounds")" = 5 ] || die "$(cat "$at/rounds") rounds instead of 5"
    tool holds "$at/coordinator/evaluation-1.json" 'd["accuracy_error"] == 0'
    tool holds "$at/coordinator/evaluation-1.json" 'd["accuracy"] > 0.5'
}

# The noise of five shares moves the counts, and costs; each site's ledger has it.
noisy() {
    study 8 0
    finished
    tool holds "$at/coordinator/evaluation-0.json" \
        'd["accuracy_error"] > 0 and abs(d["seen"] - 1610) > 0.01 and abs(d["seen"] - 1610) < 400'
    says "$at/coordinator.log" 'evaluation, 5 of 5 sites' || die 'the round is not named'
    says "$at/coordinator.log" 'after 3 training rounds, accuracy' || die 'nothing is told'
    for v in 1 5; do
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger"
        tool holds "$at/ledger" 'd["releases"] == 4 and 6 < d["epsilon"] <= 8'
    done
}

# A coordinator that dies behind an evaluation does not ask for it again.
killed() {
    study .inf 1
    soon says "$at/coordinator.out" '"event":"evaluation"'
    crash coordinator
    lead_again
    finished
    for number in 0 1 2; do
        tool holds "$at/coordinator/evaluation-$number.json" 'round(d["seen"]) == 1610'
    done
    [ "$(cut -d ' ' -f 1 "$at/evaluations" | tr '\n' ' ')" = '0 1 2 ' ] ||
        die 'not each evaluation once'
}

# unusable ARGUMENT...: of a site's run; nothing is opened
unusable() {
    code=0
    "$client" run --dir "$at/nowhere" --connect tcp://127.0.0.1:9 "$@" 2>"$at/said.log" || code=$?
    [ "$code" = 2 ] || die "$* ended with $code"
    says "$at/said.log" '--holdout' || die "$* is refused for another reason"
    : >"$at/said.log"
}

arguments() {
    unusable --images a --labels b --holdout-images c
    unusable --images a --labels b --holdout-labels c
    unusable --images a --labels b --holdout-split val
    unusable --npz a --holdout-split val --holdout-labels c
    tool npz "$scratch/all.npz" 12 4 100
    prepare .inf 0
    lead
    start site-1 "$client" run --dir "$at/site-1" --connect "$address" --npz "$scratch/all.npz" \
        --holdout-split train --events --put-in "$at/site-1"
    soon says "$at/site-1.log" '100 of 100 held-out records are training records too'
    "$client" run --dir "$at/site-2" --connect "$address" --npz "$scratch/all.npz" \
        --holdout-split nothing 2>"$at/said.log" && die 'a split that is not there was read'
    says "$at/said.log" E-DATA || die 'a split that is not there is not named'
}

"$case"
