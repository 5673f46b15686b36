# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the tests with real processes share. Each is called: TEST LAB CLIENT AGGREGATOR CASE
# Nothing is asserted about time: what is waited for has two minutes, then the test fails.
set -eu
lab=$1 client=$2 aggregator=$3 case=$4
tools=$(cd "$(dirname "$0")" && pwd)/flow.py
scratch=$(mktemp -d "${TMPDIR:-/tmp}/veilsum-flow-XXXXXX")

clean() {
    code=$?
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then
        for log in "$scratch"/*/*.log; do
            [ -s "$log" ] && echo "== ${log#"$scratch"/}" && tail -n 20 "$log"
        done
    fi
    for pid in "$scratch"/*/*.pid; do
        [ ! -s "$pid" ] || [ -s "${pid%.pid}.exit" ] || kill -KILL "$(cat "$pid")" || true
    done 2>/dev/null
    wait
    rm -rf "$scratch"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

die() {
    echo "$case: $*"
    exit 1
}

tool() {
    /usr/bin/python3 "$tools" "$@"
}

# soon COMMAND...: it succeeds before long
soon() {
    left=1200
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || die "waited in vain for: $*"
        sleep 0.1
    done
}

# says FILE TEXT [TIMES]
says() {
    [ -f "$1" ] && [ "$(grep -cF -e "$2" "$1")" -ge "${3:-1}" ]
}

# start NAME COMMAND...: in the background; $at/NAME.out and .log grow, .pid and at its end .exit
start() {
    name=$at/$1
    shift
    rm -f "$name.pid" "$name.exit"
    {
        code=0
        sh -c 'echo $$ >"$0.pid" && exec "$@" >>"$0.out" 2>>"$0.log" </dev/null' "$name" "$@" ||
            code=$?
        echo "$code" >"$name.exit"
    } 2>/dev/null &
    until [ -s "$name.pid" ]; do sleep 0.01; done
}

# send SIGNAL NAME...
send() {
    signal=$1
    shift
    for name in "$@"; do kill "-$signal" "$(cat "$at/$name.pid")"; done
}

# crash NAME...: kill -9, and they are gone
crash() {
    send KILL "$@"
    for name in "$@"; do soon test -s "$at/$name.exit"; done
}

# ended CODE NAME...: they end by themselves, with this code
ended() {
    want=$1
    shift
    for name in "$@"; do
        soon test -s "$at/$name.exit"
        [ "$(cat "$at/$name.exit")" = "$want" ] ||
            die "$name ended with $(cat "$at/$name.exit"), not with $want"
    done
}

# verified: what the parties kept of the study in $at holds and agrees
verified() {
    "$lab" audit verify "$at/coordinator" "$at"/site-? >"$at/verified" 2>/dev/null ||
        die "not verified: $(cat "$at/verified")"
    says "$at/verified" VERIFIED || die "not all verified: $(cat "$at/verified")"
}

# enrol SITES: keys, manifest and pins for $at/study.yaml and $at/policy.yaml
enrol() {
    for name in coordinator officer-a officer-b; do
        "$aggregator" keygen --dir "$at/$name" --name "$name"
    done
    requests=
    for v in $(seq "$1"); do
        "$client" keygen --dir "$at/site-$v" --name "site-$v"
        requests="$requests $at/site-$v/request"
    done
    manifest
    for v in $(seq "$1"); do pin "$v"; done
    "$lab" init --study "$at/study.yaml" --out "$at/initial.state"
} >/dev/null

# manifest [ARGUMENT...]: of the sites in $requests
manifest() {
    # shellcheck disable=SC2086 # a list
    "$aggregator" manifest --dir "$at/coordinator" --study "$at/study.yaml" \
        --governor "$at/officer-a/request" --governor "$at/officer-b/request" --out "$at/manifest" \
        "$@" $requests
    "$aggregator" sign --dir "$at/officer-a" --manifest "$at/manifest"
    "$aggregator" sign --dir "$at/officer-b" --manifest "$at/manifest"
}

pin() {
    "$client" pin --dir "$at/site-$1" --manifest "$at/manifest" --study "$at/study.yaml" \
        --policy "$at/policy.yaml"
}

# lead: start the coordinator on a free port; sets address
lead() {
    address=tcp://127.0.0.1:$(tool port)
    lead_again
    soon says "$at/coordinator.out" '"listening"'
}

# lead_again [PROGRAM]: at the address where it was
lead_again() {
    start coordinator "${1:-$aggregator}" run --dir "$at/coordinator" --study "$at/study.yaml" \
        --manifest "$at/manifest" --initial "$at/initial.state" --listen "$address" --events
}

# join SITE...: with the data $scratch/small, or its own in $at/SITE, and with what lies there as
# held, and with the backbone, if it is set; in a rehearsal, which has rehearsal set, it writes down what it puts in
join() {
    for v in "$@"; do
        data=$scratch/small
        [ -f "$at/site-$v/data.images" ] && data=$at/site-$v/data
        held=
        [ -f "$at/site-$v/held.images" ] && held=$at/site-$v/held
        start "site-$v" "$client" run --dir "$at/site-$v" --connect "$address" \
            --images "$data.images" --labels "$data.labels" --events \
            ${held:+--holdout-images "$held.images" --holdout-labels "$held.labels"} \
            ${backbone:+--backbone "$backbone"} ${rehearsal:+--put-in "$at/site-$v"}
    done
}
