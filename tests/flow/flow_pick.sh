#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A study of real processes whose training rounds are about a tenth of the coordinates each, drawn
# alike by all (random-k), and of which one dies in the middle of a round and comes back.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: pick, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 12, width: 12, classes: 4, hidden: [32, 32]}
privacy: {unit: site, epsilon: 20}
pruning: {mode: none}
rounds: {count: 12, coordinates: 0.1, local_epochs: 10, local_batch: 20}
deadlines: {gather_ms: 60000, keys_ms: 30000, shares_ms: 30000, input_ms: 60000,
            confirm_ms: 30000, unmask_ms: 30000, grace_ms: 300}
END
    printf 'max_epsilon: 20\nlifetime_epsilon: 200\nmin_contributors: 2\nallow_rehearsal: true\n' \
        >"$at/policy.yaml"
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 40
    enrol 5
    # Site 5 trains long: the others are done and wait for it.
    tool idx "$at/site-5/data.images" "$at/site-5/data.labels" 12 4 4000
}

killed() {
    study
    lead
    join 1 2 3 4 5
    soon says "$at/site-1.out" '"event":"masked","site":"site-1","round":2}'
    crash site-5
    soon says "$at/coordinator.out" '"event":"round","round":2,'
    join 5
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    says "$at/coordinator.out" '"event":"finished"' || die 'the study did not finish'
    tool sums "$at"
    tool sized "$at" 560 610 # of 5,828
    for v in 1 2 3 4 5; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger"
        tool holds "$at/ledger" "d['intact'] and 0 < d['epsilon'] <= 20"
    done
}

"$case"
