#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A FedRA study of real processes, one of which dies in the middle of a round: every block that is
# opened is the sum of at least three sites that hold it, and who holds little sends little. In mode
# exclusive who cannot hold all sends nothing.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"
sizes='patch: 4, dim: 16, depth: 4, heads: 2, mlp: 32'

# study BACKBONE MODE CAPACITIES
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: fedra, rehearsal: true}
sites: {expected: 6, colluding: 1, min_contributors: 2}
model: {kind: vit, height: 8, width: 8, classes: 4, $sizes, rank: 4, backbone: $1}
privacy: {unit: site, epsilon: 20}
pruning: {mode: none}
allocation: {mode: $2, capacities: [$3], min_holders: 3}
rounds: {count: 3, local_epochs: 10, local_batch: 20}
deadlines: {gather_ms: 60000, keys_ms: 60000, shares_ms: 60000, input_ms: 200000,
            confirm_ms: 60000, unmask_ms: 60000, grace_ms: 300}
END
    printf 'max_epsilon: 20\nlifetime_epsilon: 200\nmin_sites: 4\nmin_contributors: 2\n' \
        >"$at/policy.yaml"
    printf 'allow_rehearsal: true\n' >>"$at/policy.yaml"
}

# prepare MODE CAPACITIES: six enrolled sites, of which the fourth trains long
prepare() {
    tool npz "$at/other.npz" 8 3 300
    "$lab" pretrain --npz "$at/other.npz" --model vit --sizes "$sizes" --epochs 1 --batch 20 \
        --rate 0.01 --out "$at/backbone" >"$at/pretrain" 2>"$at/pretrain.log"
    backbone=$at/backbone
    study "$(sed -n 's/^hash //p' "$at/pretrain")" "$1" "$2"
    tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 40
    enrol 6
    tool idx "$at/site-4/data.images" "$at/site-4/data.labels" 8 4 8000
    "$aggregator" check "$at/study.yaml" >"$at/check.log"
}

# Site 4 dies while the others are done and wait for it.
without_4() {
    lead
    join 1 2 3 4 5 6
    soon says "$at/site-1.out" '"event":"masked","site":"site-1","round":1}'
    crash site-4
    ended 0 coordinator site-1 site-2 site-3 site-5 site-6
    verified
    says "$at/coordinator.out" '"event":"finished"' || die 'the study did not finish'
    bound=$(sed -n 's/^ok  privacy    at most epsilon \([0-9.]*\) .* against: server$/\1/p' \
        "$at/check.log")
    grep '"event":"round"' "$at/coordinator.out" >"$at/rounds"
    tool holds "$at/rounds" "0 < d['epsilon']['server'] <= $bound"
    for v in 1 2 3 5 6; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger"
        tool holds "$at/ledger" "d['intact'] and d['releases'] == 3"
    done
}

# Sites hold 4, 2, 1, 4, 2 and 1 blocks: two blocks with four holders and two with three.
dropout() {
    prepare private '4, 2, 1'
    says "$at/check.log" 'at least 2 honest contributors' || die 'check promises a block too much'
    without_4
    # Without site 4 two blocks of the first round stay sealed; then three blocks are served.
    tool blocks "$at" 128 320 68 >"$at/blocks"
    printf '%s\n' '1 3 3' '2 3 3 3' '3 3 3 3' | cmp -s - "$at/blocks" ||
        die "blocks were opened with other sites: $(cat "$at/blocks")"
    tool sent "$at" 1 2 3
    tool sent "$at" 1 5 6
}

# Sites 1, 2, 4 and 5 hold all four blocks; 3 and 6 guard shares and nothing else.
exclusive() {
    prepare exclusive '4, 4, 1'
    without_4
    tool blocks "$at" 128 320 68 >"$at/blocks"
    printf '%s\n' '1 3 3 3 3' '2 3 3 3 3' '3 3 3 3 3' | cmp -s - "$at/blocks" ||
        die "blocks were opened with other sites: $(cat "$at/blocks")"
    tool sent "$at" 1 3
    for v in 3 6; do
        [ ! -s "$at/site-$v/put-in-1" ] || die "site-$v had something to put in"
    done
    "$lab" simulate --study "$at/study.yaml" --backbone "$backbone" --dropout 0.1 \
        --images "$at/site-4/data.images" --labels "$at/site-4/data.labels" \
        --holdout-images "$scratch/small.images" --holdout-labels "$scratch/small.labels" \
        >"$at/simulated" 2>&1 || die "the simulation failed: $(cat "$at/simulated")"
    says "$at/simulated" 'what the sites put in: all exact' || die "$(cat "$at/simulated")"
}

"$case"
