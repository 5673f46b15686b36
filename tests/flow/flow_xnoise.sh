#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Noise that is taken away again, in a study of real processes: over the death of the coordinator and
# of a site in the middle of a round, each sum is left with the noise that was planned.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: xnoise, rehearsal: true}
sites: {expected: 5, colluding: 0, min_contributors: 2}
model: {kind: mlp, height: 12, width: 12, classes: 4, hidden: [32, 32]}
privacy: {unit: site, epsilon: 20, dropouts: xnoise}
pruning: {mode: none}
rounds: {count: 6, local_epochs: 20, local_batch: 20, learning_rate: 0.01}
deadlines: {gather_ms: 60000, keys_ms: 30000, shares_ms: 30000, input_ms: 60000,
            confirm_ms: 30000, unmask_ms: 30000, grace_ms: 300}
END
    # The lifetime protects records: a site's update that one of them moves may move twice as far.
    printf 'max_epsilon: 20\nlifetime_epsilon: 200\n' >"$at/policy.yaml"
    printf 'min_contributors: 2\nmin_collusion: 0\nallow_rehearsal: true\n' >>"$at/policy.yaml"
}

opened() {
    says "$at/coordinator.out" '"event":"round"' "$1"
}

removed() {
    study
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 40
    enrol 5
    # Site 5 trains long: the others are done and wait for it.
    tool idx "$at/site-5/data.images" "$at/site-5/data.labels" 12 4 4000
    "$aggregator" check "$at/study.yaml" >"$at/check.log"
    lead
    join 1 2 3 4 5
    soon opened 2
    crash coordinator
    lead_again
    soon opened 3
    soon says "$at/site-1.out" '"event":"masked","site":"site-1","round":5}'
    crash site-5
    ended 0 coordinator site-1 site-2 site-3 site-4
    verified
    share=$(sed -n 's/.*noise share \([0-9]*\) a site.*/\1/p' "$at/check.log")
    tool removed "$at" "$share" 3 0
    for v in 1 2 3 4; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
    done
}

"$case"
