#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Weights go in and out of studies as files, and a file that does not fit is refused with a sentence.
. "$(dirname "$0")/flow.sh"
at=$scratch/weights
mkdir "$at"

# study HIDDEN: an MLP on images of 8 x 8
study() {
    cat <<END
schema: 1
study: {id: weights, rehearsal: true}
sites: {expected: 4, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 8, width: 8, classes: 3, hidden: [$1]}
privacy: {unit: site, epsilon: .inf}
END
}
study 5 >"$at/study.yaml"

weights() {
    /usr/bin/python3 "$(dirname "$tools")/weights.py" "$@"
}

# lab CODE SUBCOMMAND ARGUMENT...
lab() {
    want=$1 code=0
    shift
    "$lab" "$@" >"$at/out" 2>"$at/lab.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
}

# init CODE ARGUMENT...: to $at/own.state
init() {
    code=$1
    shift
    lab "$code" init --study "$at/study.yaml" --out "$at/own.state" "$@"
}

export_to() {
    lab 0 export --study "$at/study.yaml" --state "$at/own.state" --out "$1"
}

# refused SENTENCE FILE [ARGUMENT...]: and nothing is written
refused() {
    sentence=$1 file=$2
    shift 2
    rm -f "$at/own.state"
    init 7 --init "$file" "$@"
    grep -qF -e "$sentence" "$at/lab.log" || die "does not say: $sentence"
    [ ! -e "$at/own.state" ] || die 'a refused file made a state'
}

init_takes_a_part() {
    init 0
    export_to "$at/drawn"
    for type in F32 F16 BF16 F64; do
        weights write "$at/part" fc2.bias:$type:3:-2 fc2.weight:$type:3x5:1
        init 0 --init "$at/part"
        grep -qF 'fc1.weight is not in' "$at/lab.log" || die 'does not say what is drawn'
        ! grep -qF 'fc2' "$at/lab.log" || die 'says that what it took is drawn'
        export_to "$at/own"
        weights merged "$at/own" "$at/part" "$at/drawn"
    done
    weights write "$at/all" fc1.weight:F32:5x1x8x8 fc1.bias:F32:5 fc2.bias:F32:3 fc2.weight:F32:3x5
    init 0 --init "$at/all"
    [ ! -s "$at/lab.log" ] || die 'something is drawn'
    export_to "$at/own"
    weights merged "$at/own" "$at/all" "$at/drawn"
}

init_refuses() {
    weights write "$at/other" fc2.bias:F32:3 fc7.bias:F32:3
    refused 'no tensor fc7.bias' "$at/other"
    init 0 --init "$at/other" --ignore-unknown
    weights write "$at/none" fc7.bias:F32:3
    refused 'none of its tensors' "$at/none" --ignore-unknown
    weights write "$at/turned" fc2.weight:F32:5x3
    refused 'fc2.weight has not' "$at/turned" --ignore-unknown
    weights write "$at/whole" fc2.bias:I64:3
    refused 'I64' "$at/whole"
    weights write "$at/infinite" fc2.bias:F32:3:inf
    refused 'infinite' "$at/infinite"
    refused 'absent' "$at/absent"
    refused 'safetensors' "$at/study.yaml"
}

export_is_exact() {
    init 0
    export_to "$at/own"
    weights holds "$at/own" '{n: s for n, (s, x) in t.items()} == {"fc1.weight": [5, 64],
        "fc1.bias": [5], "fc2.weight": [3, 5], "fc2.bias": [3]}' 'm["study"] == "weights"' \
        'len(m["study_hash"]) == 64'
    cp "$at/own.state" "$at/first.state"
    init 0 --init "$at/own" --seed 2
    cmp "$at/own.state" "$at/first.state" || die 'the way out and in again changed a bit'
    study 6 >"$at/study.yaml"
    lab 7 export --study "$at/study.yaml" --state "$at/own.state" --out "$at/never"
    [ ! -e "$at/never" ] || die 'wrote the weights of another model'
    lab 2 export --study "$at/study.yaml" --out "$at/never"
}

"$case"
