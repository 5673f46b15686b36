#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sweep: its rows and files, what was killed or changed meanwhile, and a row again.
. "$(dirname "$0")/flow.sh"
at=$scratch/sweep
runs=$at/runs
mkdir "$at"
tool npz "$at/tiny.npz" 8 4 200

cat >"$at/study.yaml" <<'END'
schema: 1
study: {id: tiny, rehearsal: true}
sites: {expected: 4, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 8, width: 8, classes: 4, hidden: [8, 8]}
privacy: {unit: site, epsilon: 8, delta: 1.0e-5, clip: 2, exploration_clip: 2}
pruning: {mode: private}
rounds: {count: 3}
END

# grid AXES: the sweep file
grid() {
    cat >"$at/sweep.yaml" <<END
study: [study.yaml]
simulate: {npz: tiny.npz, rounds-eval: 1}
grid: {$1}
END
}

# sweep CODE [ARGUMENT...]: what it says into $at/sweep.log
sweep() {
    want=$1 code=0
    shift
    "$lab" sweep "$at/sweep.yaml" -o "$runs" -j2 "$@" >"$at/sweep.out" 2>"$at/sweep.log" || code=$?
    [ "$code" = "$want" ] || die "sweep $* ended with $code, not with $want"
    [ ! -s "$at/sweep.out" ] || die 'it printed something'
}

# row NUMBER EXPRESSION...: of its manifest m, status s, result r
row() {
    number=$1
    shift
    for expression in "$@"; do
        /usr/bin/python3 - "$runs/$number" "$expression" <<'END' || die "$number: $expression"
import json, os, sys
def read(name):
    path = os.path.join(sys.argv[1], name)
    return json.load(open(path)) if os.path.exists(path) else None
m, s, r = read("manifest.json"), read("status.json"), read("result.json")
sys.exit(not eval(sys.argv[2]))
END
    done
}

# All but the times.
table() {
    cut -d, -f1-4,6- "$1/results.csv"
}

rows() {
    grid 'method: [autoflip, fedavg, local-only], epsilon: [.inf, 8, 0.001], pruned: [0, 0.5],
       dropout: [0.1], seed: [1, 2], rounds.count: [2]'
    sweep 0
    # 2 seeds of: fedavg and autoflip at three epsilons; local-only once
    [ "$(table "$runs" | wc -l)" = 15 ] || die "$(table "$runs" | wc -l) lines in results.csv"
    "$lab" status "$runs" >"$at/status.out"
    says "$at/status.out" '14 of 14 rows over: 9 done, 5 failed; 0 running or killed, 0 not begun' ||
        die "$(tail -n 1 "$at/status.out")"
    row 0001 's["state"] == "done" and s["exit"] == 0 and s["why"] is None and s["seconds"] > 0' \
        'm["run"] == "0001" and m["seed"] == 1 and m["study_hash"] == r["study_hash"]' \
        'm["data_hash"] == r["data_hash"] and m["test_hash"] == r["test_hash"]' \
        'm["study_text"] == open(sys.argv[1] + "/study.yaml").read()' \
        '[m["parameters"][k] for k in ("method", "epsilon", "pruned", "sites", "rounds.count")] == \
            ["fedavg", ".inf", 0, 4, 2]' \
        'r["dropout"] == 0.1 and len(r["rounds"]) == 2 and r["rounds"][0]["kept"] == r["parameters"]'
    row 0003 'm["parameters"]["method"] == "autoflip" and m["parameters"]["pruned"] == 0.5' \
        'r["rounds"][-1]["kept"] < r["parameters"]'
    row 0007 'm["parameters"]["epsilon"] == 8 and r["privacy"]["spent"]["server"] > 0'
    # what ended early keeps what it came to
    row 0008 's["state"] == "failed" and s["exit"] == 5 and "E-POLICY-EPSILON" in s["why"]' \
        'r["finished"] is False and m["data_hash"] == r["data_hash"]'
    row 0009 's["state"] == "failed" and s["exit"] == 5 and r is None' \
        '"0.001 is not within 0.01" in s["why"]'
    row 0014 'm["parameters"]["method"] == "local-only" and r["method"] == "local-only"' \
        'm["parameters"]["epsilon"] == ".inf" and r["dropout"] == 0 and r["seed"] == 2'
    # nothing is left to do, and nothing is done
    cp "$runs/0001/status.json" "$at/before"
    sweep 0
    cmp -s "$at/before" "$runs/0001/status.json" || die 'a row that is over was run again'
    # a row may have ended, and the sweep been killed, before the table had it
    cp "$runs/results.csv" "$at/table"
    head -n 3 "$at/table" >"$runs/results.csv"
    sweep 0
    cmp -s "$at/table" "$runs/results.csv" || die 'rows are missing in results.csv'
    sweep 0 --retry
    grep -c ' failed,' "$at/sweep.log" | grep -qx 5 || die 'what failed was not tried again'
}

# Killed at some moments, as often as it takes, it comes to the same.
killed() {
    grid 'method: [autoflip, random], seed: [1, 2], dropout: [0, 0.1]'
    sweep 0
    table "$runs" >"$at/whole.csv"
    runs=$at/again
    for turn in 1 2 3; do
        start "turn-$turn" "$lab" sweep "$at/sweep.yaml" -o "$runs" -j2
        soon test -e "$runs/000$turn/manifest.json"
        crash "turn-$turn"
    done
    "$lab" status "$runs" >"$at/status.out"
    # Ctrl-C is for all of a terminal's processes: the simulation ends as well, and is no failed row
    start stopped setsid "$lab" sweep "$at/sweep.yaml" -o "$runs" -j1
    soon says "$at/stopped.log" 'over'
    kill -s INT -- "-$(cat "$at/stopped.pid")"
    soon test -s "$at/stopped.exit"
    sweep 0
    table "$runs" | cmp -s - "$at/whole.csv" || die 'other results than without being killed'
    find "$runs" -name '*.new' -o -name '*.part' | grep -q . && die 'half files are left'
    # between a row's end and its line in the table
    sed -i '$d' "$runs/results.csv"
    sweep 0
    table "$runs" | cmp -s - "$at/whole.csv" || die 'the table misses a row that is over'
}

# refused SENTENCE
refused() {
    sweep 2
    grep -qF -e "$1" "$at/sweep.log" || die "it does not say: $1"
}

changed() {
    grid 'method: [local-only], seed: [1]'
    sweep 0
    cp -r "$runs" "$at/kept"
    grid 'method: [local-only], seed: [1, 2]'
    refused 'grid.seed was ["1"] and is ["1", "2"]'
    grid 'method: [local-only], seed: [1]'
    sed -i 's/tiny.npz/other.npz/' "$at/sweep.yaml"
    refused 'arguments was ["--npz"'
    grid 'method: [local-only], seed: [1]'
    sed -i 's/count: 3/count: 4/' "$at/study.yaml"
    refused 'studies was'
    sed -i 's/count: 4/count: 3/' "$at/study.yaml"
    sweep 0
    diff -r "$runs" "$at/kept" || die 'something was changed'
    echo '{' >"$runs/sweep.json"
    refused "is no sweep's"
    runs=$at/other
    grid 'method: [alone]'
    refused 'sweep.yaml:3: method: "alone" is not federated'
    grid 'partition: [halves]'
    refused '"halves" is not iid'
    grid 'dropout: [2]'
    refused 'a number from 0 to 1'
    grid 'nothing: [2]'
    refused 'nothing'
    grid 'seed: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], sites: [4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
       epsilon: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], pruned: [.1, .2, .3, .4, .5, .6, .7, .8, .9, .95]'
    refused 'more than 9999 rows'
    [ ! -e "$runs" ] || die 'a folder was made'
}

# rerun CODE SENTENCE
rerun() {
    code=0
    "$lab" rerun "$runs/0001/manifest.json" >"$at/rerun.out" 2>&1 || code=$?
    [ "$code" = "$1" ] || die "rerun ended with $code, not with $1: $(cat "$at/rerun.out")"
    says "$at/rerun.out" "$2" || die "rerun does not say: $2"
}

# change PATH OLD NEW: of a row's file
change() {
    cp "$runs/0001/$1" "$at/saved"
    sed -i "s|$2|$3|" "$runs/0001/$1"
    cmp -s "$runs/0001/$1" "$at/saved" && die "there is no $2 in $1"
    return 0
}

restore() {
    cp "$at/saved" "$runs/0001/$1"
}

again() {
    grid 'method: [autoflip], dropout: [0.1]'
    sweep 0
    rerun 0 'identical'
    change result.json '"survivors": 4' '"survivors": 3'
    rerun 6 'survivors: was 3, is 4'
    restore result.json
    change manifest.json 'count: 3' 'count: 2'
    rerun 6 'its study has not the hash'
    restore manifest.json
    change manifest.json '"commit": "' '"commit": "other'
    rerun 0 'identical'
    cp "$runs/0001/manifest.json" "$at/other.json"
    change result.json '"survivors": 4' '"survivors": 3'
    rerun 1 'another commit: was "other'
    restore result.json
    cp "$at/other.json" "$runs/0001/manifest.json"
    sed -i 's|"commit": "other|"commit": "|' "$runs/0001/manifest.json"
    rerun 0 'identical'
    cp "$at/tiny.npz" "$at/tiny.saved"
    tool npz "$at/tiny.npz" 8 4 210
    rerun 1 'other data: data_hash differs'
    rm "$at/tiny.npz"
    rerun 7 'the run gave no result'
    rm "$runs/0001/result.json"
    rerun 7 'no result.json'
    echo '{}' >"$runs/0001/manifest.json"
    rerun 2 'no manifest'
}

# Initial weights from a file: they have a hash, and other weights are told from another result.
weights() {
    "$lab" init --study "$at/study.yaml" --seed 5 --out "$at/initial.state"
    grid 'method: [fedavg]'
    sed -i 's/tiny.npz,/tiny.npz, init: initial.state,/' "$at/sweep.yaml"
    sweep 0
    row 0001 'm["initial_hash"] == r["initial_hash"] and len(m["initial_hash"]) == 64'
    head -n 1 "$runs/results.csv" | grep -q ',initial_hash$' || die 'the table does not have the hash'
    rerun 0 'identical'
    change result.json '"survivors": 4' '"survivors": 3'
    rerun 6 'the same build, study, data, weights and seed'
    restore result.json
    "$lab" init --study "$at/study.yaml" --seed 6 --out "$at/initial.state"
    rerun 1 'other initial weights: initial_hash differs'
    # what the seed draws is no file that may have changed
    runs=$at/drawn
    grid 'method: [fedavg]'
    sweep 0
    change manifest.json '"initial_hash": "' '"initial_hash": "0'
    change result.json '"survivors": 4' '"survivors": 3'
    rerun 6 'the same build'
}

# A document that was not written whole is no row's fault.
shortened() {
    grid 'method: [local-only], rounds.count: [100]'
    code=0
    (
        trap '' XFSZ
        ulimit -f 16
        "$lab" sweep "$at/sweep.yaml" -o "$runs" 2>"$at/sweep.log"
    ) || code=$?
    [ "$code" = 1 ] || die "it ended with $code"
    grep -q 'result.json.part is cut short' "$at/sweep.log" || die 'it does not say what is wrong'
    sweep 0
    row 0001 's["state"] == "done" and len(r["rounds"]) == 100'
}

# A full disk stops it, and says so; with room it goes on.
full() {
    grid 'method: [local-only, fedavg], seed: [1, 2, 3, 4]'
    sweep 0
    table "$runs" >"$at/whole.csv"
    mkdir "$at/small"
    code=0
    # shellcheck disable=SC2016 # for the shell inside
    unshare -rm sh -c '
        mount -t tmpfs -o size=96k none "$2/small" || exit 77
        "$1" sweep "$2/sweep.yaml" -o "$2/small/runs" -j2 2>"$2/full.log" && exit 3
        cp -r "$2/small/runs" "$2/stopped"
        mount -o remount,size=10m "$2/small" || exit 77
        "$1" sweep "$2/sweep.yaml" -o "$2/small/runs" -j2 2>"$2/roomy.log" || exit 4
        cp -r "$2/small/runs" "$2/resumed"' sh "$lab" "$at" || code=$?
    if [ "$code" = 77 ] || [ "$code" = 1 ]; then
        echo 'skipped: no file system of its own can be had'
        exit 77
    fi
    [ "$code" = 0 ] || die "it ended with $code: $(cat "$at/full.log")"
    grep -q 'No space left on device\|is the disk full' "$at/full.log" || die 'it does not say why'
    grep -q '^0001,done' "$at/stopped/results.csv" || die 'what was over is lost'
    table "$at/resumed" | cmp -s - "$at/whole.csv" || die 'other results than with room'
}

# mpi RANKS: the words before a program that shall be so many
mpi() {
    echo "env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n $1"
}

needs_mpi() {
    command -v mpirun >/dev/null || { echo 'skipped: there is no mpirun'; exit 77; }
    export ASAN_OPTIONS=detect_leaks=0 # OpenMPI leaves some of its own
    grid 'method: [local-only], rounds.count: [1]'
    $(mpi 1) "$lab" sweep "$at/sweep.yaml" -o "$at/probe" >"$at/mpirun.out" 2>"$at/mpirun.log" || {
        grep -q 'built without MPI' "$at/mpirun.log" || die "mpirun fails: $(cat "$at/mpirun.log")"
        echo 'skipped: built without MPI'
        exit 77
    }
}

# Four ranks come to what one process does.
ranks() {
    needs_mpi
    grid 'method: [autoflip, random], epsilon: [.inf, 8, 0.001], seed: [1, 2]'
    sweep 0
    table "$runs" >"$at/alone.csv"
    $(mpi 4) "$lab" sweep "$at/sweep.yaml" -o "$at/four" >"$at/mpirun.out" 2>"$at/mpirun.log" ||
        die "mpirun failed: $(cat "$at/mpirun.log")"
    table "$at/four" | cmp -s - "$at/alone.csv" || die 'four ranks give other results than one process'
    # a rank that dies ends them all; the same command goes on
    rm -r "$at/four"
    # shellcheck disable=SC2046 # words
    start four $(mpi 4) "$lab" sweep "$at/sweep.yaml" -o "$at/four"
    soon test -e "$at/four/0002/status.json"
    for pid in $(pgrep -P "$(cat "$at/four.pid")" | tail -n 1); do kill -KILL "$pid"; done
    soon test -s "$at/four.exit"
    runs=$at/four
    sweep 0
    table "$at/four" | cmp -s - "$at/alone.csv" || die 'other results after a rank died'
}

# The processes that work in a row's folder of $runs, and what they keep in memory.
workers() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd") in "$runs"/*) echo "$process" ;; esac
    done 2>/dev/null
}

kept() {
    for process in $(workers); do
        find "$process/fd" -type l -printf '%l\n' 2>/dev/null
    done | grep -o '^.*/veilsum-fleet-[^/]*' | sort -u
}

four_work() {
    [ "$(kept | wc -l)" = 4 ]
}

nobody_works() {
    [ -z "$(workers)" ]
}

# As the terminal does it: to all processes that it started.
interrupt() {
    kill -s INT -- "-$(cat "$at/$1.pid")"
    soon test -s "$at/$1.exit"
}

# Ctrl-C ends all ranks, nothing of theirs stays behind, and the sweep goes on.
ranks_stopped() {
    needs_mpi
    runs=$at/long
    # rounds that take longer than mpirun waits before it kills
    grid 'method: [fedavg], model.hidden: ["1000, 1000"], rounds.count: [10000], seed: [1, 2, 3, 4]'
    # shellcheck disable=SC2046 # words
    start long setsid $(mpi 4) "$lab" sweep "$at/sweep.yaml" -o "$runs"
    soon four_work
    folders=$(kept)
    interrupt long
    soon nobody_works
    for folder in $folders; do
        [ ! -e "$folder" ] || die "$folder is left behind"
    done
    runs=$at/alone
    grid 'method: [autoflip, random], dropout: [0, 0.1], rounds.count: [10], seed: [1, 2, 3, 4]'
    sweep 0
    table "$runs" >"$at/alone.csv"
    runs=$at/four
    # shellcheck disable=SC2046 # words
    start four setsid $(mpi 4) "$lab" sweep "$at/sweep.yaml" -o "$runs"
    soon says "$at/four.log" 'over'
    interrupt four
    soon nobody_works
    sweep 0
    table "$runs" | cmp -s - "$at/alone.csv" || die 'other results after the ranks were stopped'
}

"$case"
