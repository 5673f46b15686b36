#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What plays a study in one process: over sockets it comes to the same, bit for bit.
. "$(dirname "$0")/flow.sh"
at=$scratch/real
mkdir "$at"
tool npz "$scratch/tiny.npz" 28 4 600
data="--npz $scratch/tiny.npz"

# study UNIT EPSILON [KEYS]: of 6 sites, 5 of which must stay
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: real, rehearsal: true}
sites: {expected: 6, colluding: 1, threshold: 5, min_contributors: 2}
model: {kind: mlp, classes: 4, hidden: [16, 16]}
privacy: {unit: $1, epsilon: $2, delta: 1.0e-5, clip: 2${3:-}}
pruning: {mode: none}
rounds: {count: 5, learning_rate: 0.5}
END
}

# alike COMMAND...: of the study, once in memory and once over sockets
alike() {
    for real in '' --real; do
        # shellcheck disable=SC2086 # no argument where it is empty
        "$lab" "$@" $real --study "$at/study.yaml" --seed 4 --format json >"$at/json$real" \
            2>"$at/real.log" || die "failed: $* $real"
    done
    tool holds "$at/json" "d['real'] is False"
    tool holds "$at/json--real" "d['real'] is True"
    tool alike "$at/json" "$at/json--real" real seconds processor_seconds
}

# shellcheck disable=SC2086 # $data is a list of arguments
simulate() {
    study patient 3.0 ', sampling: 0.2, records: 600, exploration_clip: 2'
    sed -i 's/mode: none/mode: private/' "$at/study.yaml"
    alike simulate $data --partition dirichlet:1
    study site 8.0 ', rotation: hadamard, dropouts: xnoise'
    alike simulate $data --dropout 0.1
    tool holds "$at/json--real" "d['finished'] and sum(r['dropped'] for r in d['rounds']) > 1"
}

# Sites that a limit of their own takes out of the study, and rounds that fail.
# shellcheck disable=SC2086 # $data is a list of arguments
ends() {
    study site 4.0
    for with in '--lifetime-epsilon 3' '--dropout 1'; do
        for real in '' --real; do
            code=0
            "$lab" simulate $data $with $real --study "$at/study.yaml" --format json \
                >"$at/json$real" 2>"$at/real.log" || code=$?
            [ "$code" = 5 ] || die "$with ended with $code"
        done
        tool alike "$at/json" "$at/json--real" real seconds processor_seconds
        tool holds "$at/json--real" "d['stop'] and not d['finished']"
    done
}

mechanism() {
    study patient 8.0 ', sampling: 0.1, records: 8000'
    alike audit mechanism --coordinates 256 --trials 1000
    alike audit mechanism --coordinates 256 --trials 1000 --sampled
    study site 8.0 ', rounding: stochastic'
    alike audit mechanism --trials 64
    study patient 8.0 ', sampling: 0.1, records: 8000'
    "$lab" audit mechanism --study "$at/study.yaml" --coordinates 256 --trials 64 --real >"$at/out"
    says "$at/out" "programs' transport on 127.0.0.1" || die 'the report does not say how'
}

# shellcheck disable=SC2086 # $data is a list of arguments
members() {
    study patient 3.0 ', sampling: 1.0, records: 700'
    alike audit canary $data --public --canaries 100
    study patient 3.0 ', sampling: 1.0, records: 300'
    alike audit mia $data --references 4 --references-by federated
}

inversion() {
    study patient 4.0 ', sampling: 0.2, records: 75'
    alike audit inversion --batch 3 --rounds 3
}

# refused CODE TEXT COMMAND...
refused() {
    want=$1 text=$2 code=0
    shift 2
    "$lab" "$@" --study "$at/study.yaml" --real >"$at/out" 2>"$at/real.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code"
    says "$at/real.log" "$text" || die "$* did not say: $text"
    [ ! -s "$at/out" ] || die "$* printed a result"
}

# shellcheck disable=SC2086 # $data is a list of arguments
arguments() {
    study site 8.0
    refused 2 'nothing else sends messages' simulate $data --method top-k
    refused 2 'none is' audit mia $data --model model.state
    ulimit -n 100
    refused 1 'ulimit -n' simulate $data
    refused 1 'ulimit -n' audit mechanism --trials 64
    refused 1 'ulimit -n' audit canary $data --public
    refused 1 'ulimit -n' audit mia $data
    refused 1 'ulimit -n' audit inversion
    "$lab" audit mechanism --study "$at/study.yaml" --trials 64 >"$at/out" || die 'memory needs no files'
}

"$case"
