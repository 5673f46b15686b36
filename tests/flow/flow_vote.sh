#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A study of real processes that votes on what is pruned, under a coordinator that dies in an
# exploration, in both votes and between rounds: it ends as if nothing had been.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

# Rounds: 1 explores; 2, 3, 5, 6, 8, 9 train; 4 and 7 vote.
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: vote, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 12, width: 12, classes: 4, hidden: [16, 16]}
privacy: {unit: site, epsilon: 8}
pruning: {mode: private, units: 0.5, weights: 0, refine_every: 2}
rounds: {count: 6, local_epochs: 10, local_batch: 20, learning_rate: 0.1}
deadlines: {gather_ms: 60000, keys_ms: 60000, shares_ms: 60000, input_ms: 200000,
            confirm_ms: 60000, unmask_ms: 60000, grace_ms: 300}
END
    # The lifetime protects records: a site's update that one of them moves may move twice as far.
    printf 'max_epsilon: 8\nlifetime_epsilon: 100\nmin_contributors: 2\nallow_rehearsal: true\n' \
        >"$at/policy.yaml"
}

# bound ADVERSARY: what check says that the study may cost against it
bound() {
    sed -n "s/^ok  privacy    at most epsilon \([0-9.]*\) .* against: $1\$/\1/p" "$at/check.log"
}

# die_now: the coordinator, and another goes on in its folder
die_now() {
    crash coordinator
    lead_again
}

# during EVENT ROUND: at site 1, while site 5 still trains
during() {
    soon says "$at/site-1.out" "\"event\":\"$1\",\"site\":\"site-1\",\"round\":$2}"
}

killed() {
    study
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 40
    enrol 5
    # Site 5 trains long: the others are done and wait for it.
    tool idx "$at/site-5/data.images" "$at/site-5/data.labels" 12 4 1000
    "$aggregator" check "$at/study.yaml" >"$at/check.log"
    lead
    join 1 2 3 4 5
    during masked 1
    die_now
    during masked 4
    die_now
    soon says "$at/coordinator.out" '"event":"round","round":5,'
    die_now
    during shared 7
    die_now
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    says "$at/coordinator.out" '"event":"finished"' || die 'the study did not finish'
    # The event of a round dies with a coordinator that has stored it and not yet said so.
    says "$at/coordinator.out" '"step":"vote"' || die 'no vote'
    tool sums "$at"
    tool refined "$at" 3 6
    server=$(bound server) collusion=$(bound 'server and 1 site')
    [ -n "$server" ] && [ -n "$collusion" ] || die "no bounds: $(cat "$at/check.log")"
    tool holds "$at/last" "0 < d['epsilon']['server'] <= $server"
    tool holds "$at/last" "0 < d['epsilon']['collusion'] <= $collusion <= 8.0001"
    for v in 1 2 3 4 5; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger"
        tool holds "$at/ledger" "d['intact'] and d['releases'] == 9 and 0 < d['epsilon'] <= $collusion"
    done
}

"$case"
