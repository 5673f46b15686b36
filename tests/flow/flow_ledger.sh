#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The budget of patients, over all studies on their data: said by the programs.
. "$(dirname "$0")/flow.sh"
rehearsal=
shared=$scratch/shared
mkdir "$shared"
tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 20

# study NAME LIFETIME: five enrolled sites; site 1 has one ledger for all its studies
study() {
    at=$scratch/$1
    mkdir "$at"
    cat >"$at/study.yaml" <<END
schema: 1
study:
  id: $1
sites:
  expected: 5
  colluding: 1
  min_contributors: 3
model:
  kind: mlp
  height: 8
  width: 8
  classes: 4
  hidden: [8]
privacy:
  unit: patient
  epsilon: 2
  sampling: 0.5
  records: 100
pruning:
  mode: private
  mask: random
  units: 0.5
  weights: 0
rounds:
  count: 6
deadlines:
  grace_ms: 300
END
    echo 'max_epsilon: 3' >"$at/policy.yaml"
    enrol 5
    cat >"$at/policy.yaml" <<END
# of the data-protection officer
max_epsilon: 3
ledger: $shared/ledger.db
data_set: chest X-rays
lifetime_epsilon: $2
END
    rm "$at/site-1/journal.db" "$at/site-1/ledger.db"
    pin 1 >/dev/null
}

# statement CODE: into $at/statement
statement() {
    code=0
    "$client" ledger --dir "$at/site-1" --format json >"$at/statement" || code=$?
    [ "$code" = "$1" ] || die "ledger ended with $code, not with $1"
}

# The first study runs to its end; the second one is refused in its midst, by the officer's line.
lifetime() {
    study first 2.2
    lead
    join 1 2 3 4 5
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    # 64-8-4, half of the units, at the start and at the end
    for trained in 0 6; do
        says "$at/coordinator.out" '"event":"cost","trained":'"$trained"',"macs":272,"macs_unpruned":544' ||
            die "no cost after $trained rounds"
    done
    says "$at/coordinator.log" 'pruned to 272 of 544 multiply-accumulates a record' || die 'no cost'
    statement 0
    tool holds "$at/statement" 'd["releases"] == 6 and d["reserved"] == 0 and d["epsilon"] <= 2'
    "$client" ledger --dir "$at/site-1" >"$at/table"
    for text in 'chain and signatures hold' 'data set chest X-rays' 'unit patient' 'delta 1e-05' \
        'server and 1 site' 'if the masks were broken' 'of 2.2000' settled; do
        says "$at/table" "$text" || die "the table does not say: $text"
    done
    "$aggregator" ledger --dir "$at/coordinator" --format json >"$at/coordinator.ledger"
    tool holds "$at/coordinator.ledger" 'd["intact"] and d["releases"] == 6 and d["reserved"] == 0'

    study second 2.2
    lead
    join 1 2 3 4 5
    ended 5 site-1
    says "$at/site-1.log" "$at/site-1/policy.yaml:5: lifetime_epsilon 2.2000 would be exceeded" ||
        die 'site-1 does not name the line'
    says "$at/site-1.log" E-POLICY-EPSILON || die 'site-1 does not say E-POLICY-EPSILON'
    statement 0
    tool holds "$at/statement" '0 < d["releases"] < 6 and len(d["studies"]) == 2'
    tool holds "$at/statement" 'd["data_sets"][0]["gate"] <= 2.2 and d["data_sets"][0]["releases"] == 6 + d["releases"]'
    # the others had ledgers of their own, and finish
    ended 0 coordinator site-2 site-3 site-4 site-5
}

# What was changed behind its back is named, and nothing is done on top of it.
tampered() {
    study first 10
    tool sql "$shared/ledger.db" "UPDATE entry SET signature = zeroblob(64) WHERE number = 2"
    statement 6
    tool holds "$at/statement" 'not d["intact"] and d["first_bad"] == 2'
    "$client" ledger --dir "$at/site-1" >"$at/table" || true
    says "$at/table" 'entry 2 does not hold: its signature' || die 'the table does not name it'
    code=0
    timeout 60 "$client" run --dir "$at/site-1" --connect tcp://127.0.0.1:9 \
        --images "$scratch/small.images" --labels "$scratch/small.labels" 2>"$at/run.log" || code=$?
    [ "$code" = 1 ] || die "run ended with $code"
    says "$at/run.log" E-LEDGER || die 'run does not say E-LEDGER'
    # another end of the same ledger: one entry is gone
    tool sql "$shared/ledger.db" "DELETE FROM entry WHERE number = 2"
    statement 6
    tool holds "$at/statement" 'd["first_bad"] == 2'
}

"$case"
