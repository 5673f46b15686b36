#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A clip that adapts, in a study of real processes: it finds its way down through the noise, also
# over a coordinator's death, and a study that cannot afford its count is refused.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

# study CLIP [SETTING]: five sites with 400 records each, half of them in a round
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: clip, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 12, width: 12, classes: 4, hidden: [16, 16]}
privacy:
  unit: patient
  epsilon: 20
  sampling: 0.5
  records: 2000
  clip: $1
  adaptive_clip: true
  clip_rate: 1.5
  ${2:-}
pruning: {mode: none}
rounds: {count: 8, learning_rate: 0.01}
deadlines: {gather_ms: 60000, keys_ms: 30000, shares_ms: 30000, input_ms: 60000,
            confirm_ms: 30000, unmask_ms: 30000, grace_ms: 300}
END
    printf 'max_epsilon: 20\nlifetime_epsilon: 20\nmin_contributors: 2\nallow_rehearsal: true\n' >"$at/policy.yaml"
}

opened() {
    says "$at/coordinator.out" '"event":"round"' "$1"
}

adapts() {
    study 100000
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 400
    enrol 5
    "$aggregator" check "$at/study.yaml" >"$at/check.log"
    says "$at/check.log" 'the clip adapts' || die 'check does not say what the count costs'
    lead
    join 1 2 3 4 5
    soon opened 3
    crash coordinator
    lead_again
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    tool sums "$at"
    # Nothing is as large as these clips: each round multiplies by about exp(-0.75), by more when
    # the noise or a site that was missed takes from the count, and by one only if they took half.
    says "$at/coordinator.log" 'the next clip is' 7 || die 'the coordinator does not say the clips'
    tool clips "$at" 0.47 0.95
    for v in 1 2 3 4 5; do
        cmp -s "$at/site-$v/final.state" "$at/site-1/final.state" || die "site-$v has another model"
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger"
        tool holds "$at/ledger" '0 < d["epsilon"] <= 20'
    done
}

refused() {
    study 1 'clip_count_noise: 0.01'
    code=0
    "$aggregator" check "$at/study.yaml" >"$at/out" 2>"$at/check.log" || code=$?
    [ "$code" = 5 ] || die "check ended with $code"
    says "$at/check.log" 'clip_count_noise: the clip' || die 'check does not say what to change'
    tool idx "$scratch/small.images" "$scratch/small.labels" 12 4 400
    code=0
    (enrol 5) 2>"$at/enrol.log" || code=$?
    pin 1 2>"$at/pin.log" || code=$?
    [ "$code" = 5 ] || die "pin ended with $code"
    says "$at/pin.log" 'clip_count_noise: the clip' || die 'a site does not say what to change'
    code=0
    "$aggregator" run --dir "$at/coordinator" --study "$at/study.yaml" --manifest "$at/manifest" \
        --initial "$at/initial.state" 2>"$at/run.log" || code=$?
    [ "$code" != 0 ] || die 'the study runs'
    says "$at/run.log" 'clip_count_noise: the clip' || die 'run does not say what to change'
}

"$case"
