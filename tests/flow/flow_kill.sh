#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Processes that die, at every point of a round: a study of five sites, three of which must stay,
# goes on without the dead, takes them back, opens only true sums, and no journal forgets a release.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

# study GATHER_MS [ROUNDS]
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study:
  id: kill
  rehearsal: true
sites:
  expected: 5
  colluding: 0
  min_contributors: 2
model:
  kind: mlp
  height: 12
  width: 12
  classes: 4
  hidden: [32, 32]
privacy:
  unit: site
  epsilon: 3
pruning:
  mode: none
rounds:
  count: ${2:-32}
  local_epochs: 20
  local_batch: 20
deadlines:
  gather_ms: $1
  keys_ms: 30000
  shares_ms: 30000
  input_ms: 60000
  confirm_ms: 30000
  unmask_ms: 30000
  grace_ms: 300
END
    printf 'min_collusion: 0\nmin_contributors: 2\nallow_rehearsal: true\n' >"$at/policy.yaml"
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 40
    enrol 5
    # Site 5 trains long: the others are done and wait for it.
    tool idx "$at/site-5/data.images" "$at/site-5/data.labels" 12 4 4000
}

# The number of the last round that was opened.
opened() {
    sed -n 's/.*"event":"round","round":\([0-9]*\).*/\1/p' "$at/coordinator.out" | tail -n 1
}

# during EVENT SITE: it happens in a round that begins from now on; sets round
during() {
    round=$(($(opened) + 2))
    soon says "$at/site-$2.out" "\"event\":\"$1\",\"site\":\"site-$2\",\"round\":$round}"
}

# received SITE...: the coordinator has their inputs of round $round
received() {
    for v in "$@"; do
        soon says "$at/coordinator.out" "\"received\",\"round\":$round,\"site\":$((v - 1))}"
    done
}

# The line about round $round, once it is opened.
result() {
    soon says "$at/coordinator.out" "\"event\":\"round\",\"round\":$round,"
    grep "\"event\":\"round\",\"round\":$round," "$at/coordinator.out" >"$at/result"
}

remembered() {
    [ "$(tool entries "$at/site-$1" "$2" "$3")" -gt 0 ]
}

plan=1 input=2 confirm=3

# ledger SITE: into $at/ledger; whatever the site has sent is in it, and what it may send next
ledger() {
    sent=$(grep -c '"event":"masked"' "$at/site-$1.out" || true)
    "$client" ledger --dir "$at/site-$1" --format json >"$at/ledger"
    inputs=$(tool entries "$at/site-$1" "$input")
    tool holds "$at/ledger" "d['intact'] and $sent <= d['releases'] <= $inputs + 1"
}

# A dead site's ledger, which has nothing twice; and once it runs again. The study waits meanwhile:
# on a busy machine its rounds would be over before the site is back.
again() {
    send STOP coordinator
    ledger "$1"
    tool holds "$at/ledger" "$inputs <= d['releases'] and $inputs <= $sent + 1"
    before=$inputs
    send CONT coordinator
    join "$1"
    soon says "$at/site-$1.log" connected 2
    ledger "$1"
    tool holds "$at/ledger" "d['releases'] >= $before"
}

points() {
    study 60000
    lead
    # before its keys: frozen when it has reported, dead once the others wait for it
    join 1 2 3 4
    for v in 1 2 3 4; do soon says "$at/site-$v.log" connected; done
    sleep 1
    send STOP site-2
    join 5
    soon remembered 1 "$plan" 1
    crash site-2
    round=1
    result
    tool holds "$at/result" 'd["survivors"] == [0, 2, 3, 4] and d["recovered"] == 0'
    again 2

    # between its shares and its input
    during shared 5
    crash site-5
    result
    tool holds "$at/result" '4 not in d["survivors"] and d["recovered"] >= 1'
    again 5

    # after its input
    during masked 1
    crash site-1
    result
    again 1

    # after its confirmation: the others are frozen, so that no quorum confirms before
    during masked 1
    received 1 2 3 4
    send STOP site-2 site-3 site-4
    soon remembered 1 "$confirm" "$round"
    crash site-1
    send CONT site-2 site-3 site-4
    result
    tool holds "$at/result" '0 in d["survivors"] and d["recovered"] == 0'
    again 1

    # as many at once as may be missing
    during masked 3
    crash site-3 site-4
    result
    again 3
    again 4

    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    says "$at/coordinator.out" '"event":"finished"' || die 'the study did not finish'
    for v in 1 2 3 4 5; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
        ledger "$v"
        tool holds "$at/ledger" '0 < d["epsilon"] <= 3'
    done
    tool sums "$at"
}

# One site more than may be missing: the round is lost, the study stops with a reason, nobody hangs.
lost() {
    ended 4 coordinator
    for text in 'too few sites' 'missing: site-3' 'missing: site-4' 'missing: site-5'; do
        says "$at/coordinator.log" "$text" || die "the coordinator does not say: $text"
    done
    for v in 1 2; do
        soon says "$at/site-$v.log" E-NET-REFUSED
        grep -qE 'E-QUORUM|E-CONFIRMATIONS' "$at/site-$v.log" ||
            die "site-$v does not know why the round was lost"
        ledger "$v"
    done
    send TERM site-1 site-2
    ended 1 site-1 site-2
    tool sums "$at"
}

too_few_keys() {
    study 6000
    lead
    join 1 2 3 4
    for v in 1 2 3 4; do soon says "$at/site-$v.log" connected; done
    send STOP site-3 site-4
    join 5
    soon remembered 1 "$plan" 1
    crash site-3 site-4 site-5
    lost
}

too_few_shares() {
    study 6000
    lead
    join 1 2 3 4 5
    during masked 1
    received 1 2 3 4
    send STOP site-2 site-3 site-4
    soon remembered 1 "$confirm" "$round"
    crash site-3 site-4 site-5
    send CONT site-2
    lost
}

# Two sites that take nothing any more: the others get their end all the same.
stalled_end() {
    study 60000 3
    lead
    join 1 2 3 4 5
    soon says "$at/site-1.out" '"event":"masked","site":"site-1","round":3}'
    round=3
    received 1 2 3 4
    send STOP site-3 site-4
    ended 0 coordinator site-1 site-2 site-5
    crash site-3 site-4
    tool sums "$at"
}

# A coordinator that is stopped, and one that is killed: the sites say so and stay.
coordinator() {
    study 60000
    lead
    join 1 2 3 4 5
    during masked 1
    send "$1" coordinator
    ended "$2" coordinator
    for v in 1 2 3 4 5; do
        soon says "$at/site-$v.log" E-NET-REFUSED
        [ ! -s "$at/site-$v.exit" ] || die "site-$v ended"
        ledger "$v"
    done
    send TERM site-1 site-2 site-3
    send INT site-4 site-5
    ended 1 site-1 site-2 site-3 site-4 site-5
    says "$at/site-1.log" 'stopped by a signal' || die 'site-1 does not say why it ended'
}

stopped() { coordinator TERM 1; }
killed() { coordinator KILL 137; }

"$case"
