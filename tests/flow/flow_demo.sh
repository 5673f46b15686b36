#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demonstration keeps what it promises, and cleans up behind itself however it ends.
. "$(dirname "$0")/flow.sh"
at=$scratch/demo
export TMPDIR="$scratch/tmp"
mkdir "$at" "$TMPDIR"
fashion=/usr/share/datasets/fashion-mnist

# No process that has our folder in its arguments, no file.
nothing_is_left() {
    [ -z "$(ls -A "$TMPDIR")" ] || die "files are left: $(ls -A "$TMPDIR")"
    ! grep -lsF "$TMPDIR" /proc/[0-9]*/cmdline || die "a process is left"
}

# demo CODE ARGUMENT...
demo() {
    want=$1 code=0
    shift
    "$lab" demo "$@" >"$at/json" 2>"$at/demo.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
    nothing_is_left
}

# Each argument is a Python expression of d, the document.
check() {
    for expression in "$@"; do tool holds "$at/json" "$expression"; done
}

promised() {
    [ -f "$fashion/train-images-idx3-ubyte.gz" ] || {
        echo "skipped: install dataset-fashion-mnist"
        exit 77
    }
    demo 0 --format json --rounds 10 --sites 5
    check 'd["schema_version"] == 1' '0.5 < d["accuracy"] < 1' \
        'd["accuracy_unpruned_nonprivate"] is None' '0 < d["epsilon"] <= 3' 'd["delta"] == 1e-5' \
        'd["unit"] == "patient"' 'd["adversary"] == "server"' '0.1 < d["kept_fraction"] < 0.6' \
        'd["plain_bytes_per_round"] == 4 * (784 * 200 + 200 + 200 * 200 + 200 + 200 * 10 + 10)' \
        '0 < d["bytes_up_per_site_per_round"] < d["plain_bytes_per_round"] / 2' \
        'd["rounds"] == 11 == d["sums_checked"] == len(d["per_round"])' \
        'd["dropouts_recovered"] >= 2' 'd["sums_exact"] is True' 'd["seconds"] > 0'
}

variants() {
    tool npz "$scratch/tiny.npz" 28 4 1000
    tiny="--format json --rounds 10 --sites 5 --partition dirichlet:5 --npz $scratch/tiny.npz"
    whole='d["sums_exact"] is True and d["sums_checked"] == d["rounds"] and d["dropouts_recovered"] >= 2'
    # shellcheck disable=SC2086 # a list of arguments
    {
        demo 0 $tiny --baseline
        check "$whole" 'd["accuracy_unpruned_nonprivate"] > 0.9' 'd["accuracy"] > 0.3'
        demo 0 $tiny --unit site
        check "$whole" 'd["unit"] == "site"' 'd["epsilon"] <= 3'
        demo 0 $tiny --epsilon inf
        check "$whole" 'd["epsilon"] is None' 'd["epsilon_limit"] is None' 'd["accuracy"] > 0.5'
        demo 0 $tiny --epsilon inf --bits 18
        check "$whole" 'd["accuracy"] > 0.9'
        demo 0 $tiny --pruning paper
        check "$whole" 'd["kept_fraction"] < 0.6' 'd["rounds"] == 11'
        demo 0 $tiny --pruning none --model cnn
        check "$whole" 'd["kept_fraction"] == 1' 'd["rounds"] == 10'
    }
}

# refused SENTENCE ARGUMENT...: wrong arguments end with 2 and say so
refused() {
    sentence=$1
    shift
    demo 2 "$@"
    grep -qF -e "$sentence" "$at/demo.log" || die "$* does not say: $sentence"
    [ ! -s "$at/json" ] || die "$* printed a result"
}

arguments() {
    refused 'from 4 to 32' --sites 3
    refused 'a whole number' --sites 4.5
    refused 'from 8 to 10000' --rounds 7
    refused 'a number from 0.001 to inf' --epsilon 0
    refused 'a whole number' --seed 1.5
    refused 'iid, quantity:SIGMA' --partition halves
    refused 'patient or site' --unit hospital
    refused 'mlp or cnn' --model vit
    refused 'private, paper or none' --pruning some
    refused 'text or json' --format xml
    refused '--images with --labels' --images images.idx
    refused 'to test on' --images images.idx --labels labels.idx
    refused 'unrecognized option' --fast
    demo 7 --npz "$scratch/absent.npz"
    grep -qF absent.npz "$at/demo.log" || die 'does not name the missing file'
}

# Ctrl-C once a line says TEXT: no success, nothing left.
interrupt_at() {
    rm -f "$at"/demo.*
    start demo "$lab" demo --format json --sites 5 --partition dirichlet:5 --npz "$scratch/tiny.npz" --baseline
    soon says "$at/demo.log" "$1"
    send INT demo
    ended 1 demo
    [ ! -s "$at/demo.out" ] || die 'a stopped demo printed a result'
    nothing_is_left
}

interrupted() {
    tool npz "$scratch/tiny.npz" 28 4 1000
    interrupt_at 'images to 5 sites'
    interrupt_at 'baseline, epoch 1'
    interrupt_at 'one mask for all'
}

"$case"
