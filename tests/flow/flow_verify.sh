#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the parties of a study kept is verified from their files alone, also after crashes, and each
# kind of tampering with each kind of log is found. Fifth argument: the program that tampers.
. "$(dirname "$0")/flow.sh"
tamper=$5
at=$scratch/study
mkdir "$at"
tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 40

# study ROUNDS GRACE_MS
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study:
  id: verify
sites:
  expected: 4
  colluding: 0
  min_contributors: 2
model:
  kind: mlp
  height: 8
  width: 8
  classes: 4
  hidden: [8]
privacy:
  unit: patient
  epsilon: 3
  sampling: 0.5
  records: 100
pruning:
  mode: private
  mask: random
  units: 0.5
  weights: 0
rounds:
  count: $1
deadlines:
  keys_ms: 20000
  shares_ms: 20000
  confirm_ms: 20000
  unmask_ms: 20000
  grace_ms: $2
END
    printf 'min_collusion: 0\nmin_contributors: 2\n' >"$at/policy.yaml"
    enrol 4
}

parties='coordinator site-1 site-2 site-3 site-4'

# verify CODE DIR...: the document is in $at/json
verify() {
    want=$1 code=0
    shift
    "$lab" audit verify --format json "$@" >"$at/json" 2>"$at/verify.log" || code=$?
    [ "$code" = "$want" ] || die "verify $* ended with $code: $(cat "$at/json" "$at/verify.log")"
}

# all: folders of all parties in $from
all() {
    for name in $parties; do echo "$from/$name"; done
}

# ok NAME VALUE: what the check says
ok() {
    tool holds "$at/json" "[c['ok'] for c in d['checks'] if c['name'] == '$1'] == [$2]" ||
        die "$1 is not $2: $(cat "$at/json")"
}

# The study whose parts are tampered with: six rounds, nobody dies.
quiet() {
    study 6 300
    lead
    join 1 2 3 4
    ended 0 coordinator site-1 site-2 site-3 site-4
    from=$at
    # shellcheck disable=SC2046 # a list
    verify 0 $(all)
}

# A site dies after its input and comes back, and so does the coordinator, twice.
crashes() {
    study 12 300
    lead
    join 1 2 3 4
    soon says "$at/site-1.out" '"event":"masked","site":"site-1","round":2}'
    crash site-1
    soon says "$at/coordinator.out" '"event":"round","round":3,'
    join 1
    soon says "$at/coordinator.out" '"event":"round","round":5,'
    soon says "$at/site-2.out" '"event":"shared","site":"site-2","round":6}'
    crash coordinator
    # as they are now, with a round that is open: nothing stands against it
    from=$at/now
    mkdir "$from"
    for name in $parties; do cp -r "$at/$name" "$from/$name"; done
    # shellcheck disable=SC2046 # a list
    verify 0 $(all)
    send TERM site-1 site-2 site-3 site-4
    ended 1 site-1 site-2 site-3 site-4
    : >"$at/coordinator.out"
    lead
    join 1 2 3 4
    soon says "$at/coordinator.out" '"event":"round","round":8,'
    crash coordinator
    send TERM site-1 site-2 site-3 site-4
    for v in 1 2 3 4; do soon test -s "$at/site-$v.exit"; done
    : >"$at/coordinator.out"
    lead
    join 1 2 3 4
    ended 0 coordinator site-1 site-2 site-3 site-4
    from=$at
    # shellcheck disable=SC2046 # a list
    verify 0 $(all)
    tool holds "$at/json" 'd["verdict"] == "pass" and all(c["ok"] for c in d["checks"])'
    tool holds "$at/json" 'd["claim"]["unit"] == "patient" and d["claim"]["epsilon"] == 3'
}

# What is handed over has no secrets, says the same, and one party alone is not all.
handed_over() {
    quiet
    "$aggregator" evidence --dir "$at/coordinator" --out "$at/coordinator.evidence"
    for v in 1 2 3 4; do
        "$client" evidence --dir "$at/site-$v" --out "$at/site-$v.evidence"
    done
    verify 0 "$at"/*.evidence --pin "$(cat "$at/site-1/manifest.pin")" --out "$at/report"
    tool holds "$at/json" 'd["verdict"] == "pass" and all(c["ok"] for c in d["checks"])'
    tool holds "$at/report/verify.json" 'd["verdict"] == "pass"'
    [ ! -s "$at/verify.log" ] || die 'evidence holds keys'
    verify 0 "$at/coordinator" "$at"/site-*.evidence
    says "$at/verify.log" 'holds secret keys' || die 'a folder with keys is not told of'
    "$lab" audit verify "$at"/*.evidence >"$at/text"
    for text in 'ok    quorum' 'VERIFIED' 'recomputed from plans' 'what it does not show'; do
        says "$at/text" "$text" || die "the text does not say: $text"
    done

    verify 0 "$at/coordinator.evidence"
    tool holds "$at/json" 'd["verdict"] == "inconclusive"'
    tool holds "$at/json" '"site-1 site-2 site-3 site-4" in " ".join(d["does_not_show"])'
    ok quorum True && ok epsilon True && ok bytes None && ok heads None
    verify 0 "$at/site-2.evidence"
    tool holds "$at/json" 'd["verdict"] == "inconclusive"'
    tool holds "$at/json" '"the coordinator site-1" in " ".join(d["does_not_show"])'
    ok noise True && ok bytes None && ok heads None
    verify 0 "$at/coordinator.evidence" "$at/site-1.evidence" "$at/site-2.evidence" \
        "$at/site-4.evidence"
    tool holds "$at/json" 'd["verdict"] == "inconclusive"'
    ok bytes True

    verify 6 "$at/site-2.evidence" --pin 00
    verify 6 "$at/site-2.evidence" "$at/site-2"
    verify 7 "$at/nowhere"
    mkdir "$at/empty"
    verify 6 "$at/empty"
    # any byte of it counts
    for name in coordinator site-1; do
        size=$(wc -c <"$at/$name.evidence")
        for part in 1 2 3 4 5 6 7 8 9 10 11 12; do
            tool flip "$at/$name.evidence" $((size * part / 13)) "$at/flipped"
            verify 6 "$at/flipped" "$at"/site-[234].evidence
        done
        head -c $((size - 1)) "$at/$name.evidence" >"$at/flipped"
        verify 6 "$at/flipped"
    done
}

# tampered PARTY LOG HOW CHECK TEXT: of a fresh copy
tampered() {
    from=$scratch/copy
    rm -rf "$from"
    mkdir "$from"
    for name in $parties; do cp -r "$at/$name" "$from/$name"; done
    "$tamper" "$from/$1" "$2" "$3"
    # shellcheck disable=SC2046 # a list
    verify 6 $(all)
    ok "$4" False
    tool holds "$at/json" "'''$5''' in d['summary']" || die "$1 $2 $3: $(cat "$at/json")"
}

# What the log shows by itself.
in_one_log() {
    for log in trail ledger; do
        for party in coordinator site-3; do
            tampered $party $log edited signatures "$party: $log entry"
            tampered $party $log dropped signatures 'its number is not the next'
            tampered $party $log reordered signatures 'its number is not the next'
            tampered $party $log forged signatures "$party: $log entry"
        done
    done
}

edited() { quiet && in_one_log; }

# What only the other log, or another party, shows.
cut_off() {
    quiet
    for party in coordinator site-3; do
        tampered $party ledger truncated noise 'its ledger was not told of a result'
        ok heads False
        # a trail's end alone might lack because its party was killed
        rm -rf "$from"/*
        for name in $parties; do cp -r "$at/$name" "$from/$name"; done
        "$tamper" "$from/$party" trail truncated
        # shellcheck disable=SC2046 # a list
        verify 0 $(all)
        ok heads None
        tool holds "$at/json" 'd["verdict"] == "inconclusive" and "1 trails stop" in str(d)'
    done
    tampered site-3 trail redated signatures 'its signature does not hold'
}

rewritten() {
    quiet
    tampered coordinator trail rewritten heads 'its trail does not have'
    tampered coordinator ledger rewritten noise 'other noise shares than the survivors leave'
    tampered site-3 trail rewritten bytes 'the input that was counted is not what it sent'
    tampered site-3 ledger rewritten noise 'other noise shares than the survivors leave'
}

"$case"
