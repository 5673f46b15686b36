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

tiny='patch: 4, dim: 8, depth: 4, heads: 2, mlp: 8'

# pretrain CODE ARGUMENT...: a tiny ViT on the stripes of flow.py, to $at/backbone
pretrain() {
    code=$1
    shift
    [ -f "$at/tiny.npz" ] || tool npz "$at/tiny.npz" 8 3 300
    lab "$code" pretrain --npz "$at/tiny.npz" --model vit --sizes "$tiny" --epochs 12 --batch 20 \
        --rate 0.01 --out "$at/backbone" "$@"
}

pretrain_writes_its_recipe() {
    pretrain 0
    weights holds "$at/backbone" 'float(m["accuracy"]) > 0.9' '0 < float(m["accuracy_3_blocks"]) <= 1' \
        '"accuracy_4_blocks" not in m' 'm["records"] == "300"' 'm["steps"] == "180"' \
        'm["seed"] == "1"' '"--rate 0.01" in m["command"]' 'len(m["data"]) == 64' \
        'm["model"].startswith("kind: vit, channels: 1, height: 8, width: 8, classes: 3, patch: 4")' \
        't["block4.fc2.weight"][0] == [8, 8]' 't["embed.position"][0] == [5, 8]'
    hash=$(sed -n 's/^hash //p' "$at/out")
    lab 0 weights "$at/backbone"
    grep -qxF "hash $hash" "$at/out" || die 'two hashes of one file'
    grep -qF "model: kind: vit" "$at/out" || die 'does not show the recipe'
    cp "$at/backbone" "$at/first"
    pretrain 0
    cmp "$at/backbone" "$at/first" || die 'a seed does not tell the weights'
    pretrain 0 --optimizer sgd --momentum 0.9 --rate 0.1
    weights holds "$at/backbone" 'float(m["accuracy"]) > 0.9'
    cp "$at/backbone" "$at/first"
    pretrain 0 --optimizer sgd --momentum 0.9 --rate 0.1 --seed 2
    weights differ "$at/backbone" "$at/first" || die 'another seed gives the same weights'
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: weights, rehearsal: true}
sites: {expected: 4, colluding: 1, min_contributors: 2}
model: {kind: vit, height: 8, width: 8, classes: 3, $tiny}
privacy: {unit: site, epsilon: .inf}
pruning: {mode: none}
END
    init 0 --init "$at/backbone"
    [ ! -s "$at/lab.log" ] || die 'something of a whole model is drawn'
}

pretrain_leaves_a_rest() {
    mkdir "$at/rest"
    pretrain 0 --records 100 --rest "$at/rest"
    weights holds "$at/backbone" 'm["records"] == "100"'
    for file in images labels; do
        [ "$(od -An -tu1 -j4 -N4 "$at/rest/$file.idx" | tr -d ' ')" = 000200 ] ||
            die "$file: 100 of 300 records were taken and the rest is not 200"
    done
}

pretrain_refuses() {
    pretrain 2 --rest "$at"
    pretrain 2 --sizes 'rank: 2'
    pretrain 2 --sizes "$tiny, colour: red"
    pretrain 2 --least-blocks 5
    pretrain 2 --optimizer newton
    pretrain 7 --records 301
    pretrain 7 --npz "$at/absent.npz"
    pretrain 1 --optimizer sgd --rate 1000 --momentum 0.99
    grep -qF diverged "$at/lab.log" || die 'does not say that it diverged'
    [ ! -e "$at/backbone" ] || die 'wrote a model all the same'
}

# The long way, until it has begun.
pretrain_for_hours() {
    start hours "$lab" pretrain --npz "$at/tiny.npz" --model vit --sizes "$tiny" --epochs 100000 \
        --out "$at/hours"
    soon says "$at/hours.log" 'pretrain: step'
}

pretrain_stopped() {
    tool npz "$at/tiny.npz" 8 3 300
    pretrain_for_hours
    send INT hours
    ended 1 hours
    says "$at/hours.log" 'nothing was written' || die 'does not say that nothing was written'
    rm "$at/hours.log"
    pretrain_for_hours
    crash hours
    [ "$(ls "$at" | grep -c '^hours')" = "$(ls "$at"/hours.pid "$at"/hours.exit "$at"/hours.out \
        "$at"/hours.log | wc -l)" ] || die "something is left: $(ls "$at")"
}

# frozen CODE TEXT [ARGUMENT...]: site 1 to an address where nobody is
frozen() {
    want=$1 text=$2 code=0
    shift 2
    timeout 60 "$client" run --dir "$at/site-1" --connect tcp://127.0.0.1:9 \
        --images "$scratch/small.images" --labels "$scratch/small.labels" "$@" >"$at/site.log" 2>&1 ||
        code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want: $(cat "$at/site.log")"
    for said in E-BACKBONE "$text" 'To do: '; do
        says "$at/site.log" "$said" || die "$* does not say: $said"
    done
}

backbone_is_needed_and_used() {
    pretrain 0
    hash=$(sed -n 's/^hash //p' "$at/out")
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: weights, rehearsal: true}
sites: {expected: 4, colluding: 1, min_contributors: 2}
model: {kind: vit, height: 8, width: 8, classes: 4, $tiny, rank: 2, backbone: $hash}
privacy: {unit: site, epsilon: .inf}
pruning: {mode: none}
rounds: {count: 2}
deadlines: {grace_ms: 300}
END
    printf 'min_sites: 3\nmin_contributors: 2\nallow_rehearsal: true\n' >"$at/policy.yaml"
    tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 20
    enrol 4
    frozen 5 'give its file'
    weights write "$at/forged" fc2.bias:F32:3
    frozen 5 'has the hash' --backbone "$at/forged"
    frozen 5 'cannot be read' --backbone "$at/absent"
    rehearsal=1 backbone=$at/backbone
    lead
    join 1 2 3 4
    ended 0 coordinator site-1 site-2 site-3 site-4
    [ "$(tool sums "$at")" = 2 ] || die 'not two rounds'
    lab 0 export --study "$at/study.yaml" --state "$at/site-1/final.state" --out "$at/trained"
    weights holds "$at/trained" 't["block2.fc2.lora_b"][0] == [8, 2]' \
        'any(x != 0 for x in t["block2.fc2.lora_b"][1])' '"block1.qkv.weight" not in t'
}

"$case"
