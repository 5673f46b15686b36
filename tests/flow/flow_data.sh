#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a site's program says of its records before a study, and that it trains with what it reads:
# tables, folders of images and volumes.
. "$(dirname "$0")/flow.sh"
at=$scratch/study
rehearsal=yes
mkdir "$at"

# check CODE ARGUMENT...: what it prints is in $at/said.log
check() {
    want=$1 code=0
    shift
    "$client" data check "$@" >"$at/said.log" 2>&1 || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
}

said() {
    says "$at/said.log" "$1" || die "not said: $1"
}

# study CHANNELS HEIGHT WIDTH CLASSES
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: data, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, channels: $1, height: $2, width: $3, classes: $4, hidden: [8]}
privacy: {unit: patient, epsilon: .inf, clip: 4, sampling: 0.5, records: 600}
pruning: {mode: none}
rounds: {count: 2, learning_rate: 0.5}
deadlines: {gather_ms: 60000, grace_ms: 300}
END
    printf 'min_contributors: 2\nmax_epsilon: 100\nallow_rehearsal: true\n' >"$at/policy.yaml"
}

# 24 records of class 0 and 3 of class 1; ages beyond the range, unknown ones, one record twice
table() {
    {
        echo age,smoker,out
        for i in $(seq 24); do echo "$((i + 20)),no,healthy"; done
        echo 21,no,healthy
        echo 150,yes,ill
        echo '?,yes,ill'
        echo 21,no,ill
    } >"$scratch/table.csv"
    cat >"$scratch/schema" <<END
header
missing ?
number age 0 100 missing 50
category smoker no yes
label out
class 0 healthy
class 1 ill
END
}

found() {
    table
    check 0 --csv "$scratch/table.csv" --schema "$scratch/schema" \
        --holdout-csv "$scratch/table.csv"
    said 'records: 28 records of 1 x 1 x 3 values, 2 classes'
    said 'counts below 10 are hidden'
    says "$at/said.log" '  25' && die 'a count is told that gives another away'
    said '2 records are the same'
    said '1 of these have another label'
    said '1 values lay outside'
    said '1 values were missing'
    said '28 held-out records are training records too'
    said 'do not send it'
    check 0 --csv "$scratch/table.csv" --schema "$scratch/schema" --least 2
    said '    0  25'
    said '    1  3'
    study 1 1 3 2
    check 0 --csv "$scratch/table.csv" --schema "$scratch/schema" --study "$at/study.yaml"
    said 'study: the records fit'
    study 1 1 4 2
    check 7 --csv "$scratch/table.csv" --schema "$scratch/schema" --study "$at/study.yaml" \
        --format json
    tail -n 1 "$at/said.log" >"$at/last"
    tool holds "$at/last" 'd["fits"] is False'
    head -n 1 "$at/said.log" >"$at/first"
    tool holds "$at/first" 'd["records"] == 28 and d["labels"] == [] and d["duplicates"] == 2'
    tool holds "$at/first" 'd["clamped"] == 1 and d["missing"] == 1 and d["hidden_below"] == 10'
}

formats() {
    tool idx "$scratch/a.images" "$scratch/a.labels" 8 4 60
    check 0 --images "$scratch/a.images" --labels "$scratch/a.labels"
    said '60 records of 1 x 8 x 8 values, 4 classes'
    tool npz "$scratch/a.npz" 8 4 60
    check 0 --npz "$scratch/a.npz" --holdout-split train
    said 'held out: 60 records'
    corpus=$(dirname "$0")/../fuzz/corpus
    mkdir -p "$scratch/set/cat" "$scratch/set/dog"
    cp "$corpus/png/grey" "$scratch/set/cat/1.png"
    cp "$corpus/jpeg/channels_3" "$scratch/set/dog/1.jpeg"
    check 0 --folder "$scratch/set" --size 1x6x5
    said '2 records of 1 x 6 x 5 values, 2 classes'
    study 3 4 4 2
    check 0 --folder "$scratch/set" --study "$at/study.yaml"
    said '2 records of 3 x 4 x 4 values, 2 classes'
    cp "$corpus/png/cut" "$scratch/set/dog/2.png"
    check 7 --folder "$scratch/set" --size 1x6x5
    said 'dog/2.png: the PNG is damaged'
    cp "$corpus/nifti/uint8" "$scratch/v.nii"
    printf 'v.nii,1\nv.nii,0,0,0\n' >"$scratch/volumes.csv"
    check 0 --nifti "$scratch/volumes.csv" --window=0:10 --size 1x2x3
    said '3 records of 1 x 2 x 3 values, 2 classes, 1 keys'
    said '3 records are of one key'
}

# Images that are brought to the study's size, trained with in real processes.
trained() {
    study 1 4 4 2
    tool idx "$scratch/small.images" "$scratch/small.labels" 4 2 120
    enrol 5
    mkdir -p "$scratch/set/cat" "$scratch/set/dog"
    for i in $(seq 20); do
        cp "$(dirname "$0")/../fuzz/corpus/png/grey" "$scratch/set/cat/$i.png"
        cp "$(dirname "$0")/../fuzz/corpus/png/colour" "$scratch/set/dog/$i.png"
    done
    lead
    join 1 2 3 4
    start site-5 "$client" run --dir "$at/site-5" --connect "$address" --folder "$scratch/set" \
        --events --put-in "$at/site-5"
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
}

arguments() {
    check 2
    said 'data are needed in one way'
    check 2 --npz a --csv b --schema c
    check 2 --npz a --format xml
    check 2 --npz a --least 0
    check 2 --folder a --size 28x28
    check 7 --npz "$scratch/absent"
    said E-DATA
    check 7 --folder "$scratch"
    said 'give --size'
    check 0 --help
    said 'veilsum-client data check --csv'
    code=0
    "$client" data 2>"$at/said.log" || code=$?
    [ "$code" = 2 ] || die "data alone ended with $code"
    said 'data check'
}

"$case"
