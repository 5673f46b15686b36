#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One process of a study loses power at one of its fsyncs, or is killed there, and is started again
# with the same command line: the study ends as if nothing had been, and every journal is true.
# Called: flow_crash.sh LAB CLIENT AGGREGATOR CASE POWER-LIBRARY
. "$(dirname "$0")/flow.sh"
power=$5
checks=$(dirname "$tools")/flow_crash.py
at=$scratch/study
rehearsal=yes
sites='1 2 3 4 5'

# What all runs start from: enrolled sites that have not met.
prepare() {
    mkdir "$at"
    cat >"$at/study.yaml" <<END
schema: 1
study:
  id: crash
  rehearsal: true
sites:
  expected: 5
  colluding: 0
  min_contributors: 2
model:
  kind: mlp
  height: 8
  width: 8
  classes: 4
  hidden: [8, 8]
privacy:
  unit: site
  epsilon: 3
pruning:
  mode: none
rounds:
  count: 3
  local_epochs: 1
  local_batch: 20
deadlines:
  gather_ms: 60000
  keys_ms: 30000
  shares_ms: 30000
  input_ms: 30000
  confirm_ms: 30000
  unmask_ms: 30000
  grace_ms: 5000
END
    printf 'min_collusion: 0\nmin_contributors: 2\nallow_rehearsal: true\n' >"$at/policy.yaml"
    tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 40
    enrol 5
    mv "$at" "$scratch/enrolled"
}

# doomed PROGRAM NAME N HOW: make $scratch/doomed, which runs PROGRAM until NAME's N-th fsync
doomed() {
    cat >"$scratch/doomed" <<END
#!/bin/sh
export POWER_FOLDER='$at/$2' POWER_COUNT='$at/count' POWER_AT=$3 POWER_HOW=$4
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
exec env LD_PRELOAD='$power' '$1' "\$@"
END
    chmod +x "$scratch/doomed"
}

# join_with PROGRAM SITE
join_with() {
    program=$client client=$1
    join "$2"
    client=$program
}

again() {
    case $1 in
    coordinator) lead_again ;;
    *) join_with "$client" "${1#site-}" ;;
    esac
}

over() {
    [ -s "$at/$1.exit" ]
}

# Every site has the last model. A coordinator that could not wait for one is started again for it.
served() {
    for v in $sites; do
        over "site-$v" && continue
        if over coordinator; then
            [ "$(cat "$at/coordinator.exit")" = 0 ] || die "$point: the coordinator gave up"
            again coordinator
        fi
        return 1
    done
}

# It waits for sites that were served by the one before it; stopped, it ends well all the same.
dismiss() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        over coordinator && return
        sleep 0.2
    done
    send TERM coordinator
}

# run VICTIM N HOW: one study, whose victim dies once
run() {
    point="$1, fsync $2 of $points ($3)"
    rm -rf "$at"
    cp -r "$scratch/enrolled" "$at"
    address=tcp://127.0.0.1:$(tool port)
    case $1 in
    coordinator) doomed "$aggregator" "$1" "$2" "$3" ;;
    *) doomed "$client" "$1" "$2" "$3" ;;
    esac
    if [ "$1" = coordinator ]; then lead_again "$scratch/doomed"; else lead_again; fi
    for v in $sites; do
        if [ "$1" = "site-$v" ]; then join_with "$scratch/doomed" "$v"; else join "$v"; fi
    done
    soon over "$1"
    code=$(cat "$at/$1.exit")
    if [ "$code" = 137 ]; then
        again "$1"
    elif [ "$code" != 0 ]; then
        die "$point: it ended with $code"
    fi
    soon served
    dismiss
    ended 0 coordinator site-1 site-2 site-3 site-4 site-5
    verified
    for v in $sites; do
        "$client" ledger --dir "$at/site-$v" --format json >"$at/ledger-$v"
    done
    "$aggregator" ledger --dir "$at/coordinator" --format json >"$at/ledger-coordinator"
    tool sums "$at" >/dev/null && /usr/bin/python3 "$checks" check "$at" 3 "$1" || die "$point"
}

# count VICTIM: how many fsyncs it makes in a study; sets points
count() {
    points=none
    run "$1" 0 before
    points=$(cat "$at/count")
    [ "$points" -gt 5 ] || die "$1 calls fsync only $points times"
}

# some VICTIM: six points, spread over its life, each way twice
some() {
    prepare
    count "$1"
    i=0
    for how in before after kill kill before after; do
        i=$((i + 1))
        run "$1" $((points * i / 6)) "$how"
    done
}

# every VICTIM: each fsync, in each way
every() {
    prepare
    count "$1"
    for how in before after kill; do
        for n in $(seq "$points"); do run "$1" "$n" "$how"; done
    done
}

"${case%%_*}" "$(echo "${case#*_}" | tr _ -)"
