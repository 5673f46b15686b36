#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the programs refuse, said by the programs: each with its stable name, with what to do, and
# with the exit code that --help promises.
. "$(dirname "$0")/flow.sh"
pristine=$scratch/pristine
rehearsal=
at=$pristine
mkdir "$at"

cat >"$at/study.yaml" <<'END'
schema: 1
study:
  id: refusals
sites:
  expected: 5
  colluding: 1
  min_contributors: 3
model:
  kind: mlp
  height: 8
  width: 8
  classes: 4
  hidden: [8]
privacy:
  unit: site
  epsilon: 3
pruning:
  mode: none
rounds:
  count: 2
deadlines:
  grace_ms: 300
END
printf '# the officer decides\nmax_epsilon: 3\n' >"$at/policy.yaml"
tool idx "$scratch/small.images" "$scratch/small.labels" 8 4 20
tool idx "$scratch/odd.images" "$scratch/odd.labels" 9 4 20
enrol 5

# world NAME: a fresh copy of the study
world() {
    at=$scratch/$1
    cp -a "$pristine" "$at"
}

# refused CODE ID TEXT COMMAND...
refused() {
    want=$1 id=$2 text=$3 code=0
    shift 3
    "$@" >"$at/refused.log" 2>&1 || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
    for said in "$id" "$text" 'To do: '; do
        says "$at/refused.log" "$said" || die "$* does not say: $said"
    done
    rm "$at/refused.log"
}

# run [DATA]: site 1 in the foreground, to an address where nobody is
run() {
    timeout 60 "$client" run --dir "$at/site-1" --connect tcp://127.0.0.1:9 \
        --images "${1:-$scratch/small}.images" --labels "${1:-$scratch/small}.labels"
}

lead_here() {
    timeout 60 "$aggregator" run --dir "$at/coordinator" --study "$at/study.yaml" \
        --manifest "$at/manifest" --initial "$at/initial.state" --listen 'tcp://127.0.0.1:*'
}

keys() {
    world keys
    chmod 640 "$at/site-1/key" "$at/coordinator/key"
    refused 3 E-KEY-FILE 'chmod 600' run
    refused 3 E-KEY-FILE 'chmod 600' lead_here
    rm "$at/site-1/key"
    refused 3 E-KEY-FILE site-1/key run
    "$client" keygen --dir "$at/other" --name other >/dev/null
    mv "$at/other/key" "$at/site-1/key"
    refused 3 E-MEMBER-UNKNOWN 'not in the manifest' run
}

pin_refused() {
    refused 3 E-MANIFEST-QUORUM 'governance key' \
        "$client" pin --dir "$at/site-1" --manifest "$1" --study "$at/study.yaml" \
        --policy "$at/policy.yaml"
    cmp -s "$at/site-1/manifest" "$pristine/site-1/manifest" || die 'the pinned manifest changed'
    cp "$1" "$at/site-1/manifest"
    refused 3 E-MANIFEST-QUORUM 'governance key' run
    cp "$pristine/site-1/manifest" "$at/site-1/manifest"
}

manifests() {
    world manifest
    # one of the two signatures is cut off; a site's name is altered
    head -c -65 "$at/manifest" >"$at/unsigned"
    pin_refused "$at/unsigned"
    sed 's/site-4/site-8/' "$at/manifest" >"$at/altered"
    pin_refused "$at/altered"
    # signed well, but another one than was pinned
    printf '%064d\n' 0 >"$at/site-1/manifest.pin"
    refused 3 E-MANIFEST 'does not hold' run
    # the study wants AES, and the only site has no instructions for it
    echo 'secagg: {cipher: aes256-ctr}' >>"$at/study.yaml"
    refused 1 E-PLAN-CIPHER 'declared no AES' \
        "$aggregator" manifest --dir "$at/coordinator" --study "$at/study.yaml" \
        --governor "$at/officer-a/request" --out "$at/slow" \
        "$(dirname "$0")/../fuzz/corpus/manifest/request_without_aes"
    [ ! -e "$at/slow" ] || die 'the manifest was written'
}

studies() {
    world studies
    echo '# one word more' >>"$at/site-1/study.yaml"
    refused 3 E-STUDY-HASH 'not the file that the manifest names' run
    echo 'grid: 7' >>"$at/site-1/study.yaml"
    refused 5 E-STUDY 'grid' run
    echo '# one word more' >>"$at/study.yaml"
    refused 3 E-STUDY-HASH 'another study file' lead_here
}

# stricter LINE: the officer's policy has this one as its fourth line
stricter() {
    printf '# the officer decides\n\n\n%s\n' "$1" >"$at/site-1/policy.yaml"
    refused 5 E-POLICY-FLOOR "policy.yaml:4: ${1%%:*}" run
}

policies() {
    world policies
    stricter 'max_epsilon: 2.5'
    stricter 'max_delta: 1.0e-6'
    stricter 'min_sites: 5'
    stricter 'min_contributors: 4'
    stricter 'min_collusion: 2'
    stricter 'require_unit: patient'
    # a rehearsal is another study, with another manifest
    sed -i 's/id: refusals/id: refusals\n  rehearsal: true/' "$at/study.yaml"
    printf 'allow_rehearsal: true\nmax_epsilon: 0.1\n' >"$at/policy.yaml"
    manifest >/dev/null
    for v in 1 2 3 4 5; do
        rm "$at/site-$v/journal.db"
        pin "$v" >/dev/null
    done
    stricter 'allow_rehearsal: false'
    # a budget that the first release would break: refused at the plan, and nothing is spent
    cp "$at/policy.yaml" "$at/site-1/policy.yaml"
    lead
    join 1 2 3 4 5
    ended 5 site-1
    says "$at/site-1.log" E-POLICY-EPSILON || die 'site-1 does not say E-POLICY-EPSILON'
    "$client" ledger --dir "$at/site-1" --format json >"$at/ledger"
    tool holds "$at/ledger" 'd["releases"] == 0 and d["epsilon"] == 0'
    send TERM coordinator
    ended 1 coordinator
}

# A journal that is lost, or that keeps another study's budget, is not taken for an empty one.
journals() {
    world journals
    rm "$at/site-1/journal.db"
    refused 1 E-LEDGER 'restore journal.db and ledger.db from one backup' run
    rm "$at/site-1/journal.db"
    pin 1 >/dev/null
    manifest --needed 1 >/dev/null
    refused 1 E-LEDGER 'belongs to another manifest' "$client" pin --dir "$at/site-1" \
        --manifest "$at/manifest" --study "$at/study.yaml" --policy "$at/policy.yaml"
    cmp -s "$at/site-1/manifest" "$pristine/site-1/manifest" || die 'the pinned manifest changed'
}

data() {
    world data
    refused 7 E-DATA 'shape' run "$scratch/odd"
    refused 7 E-DATA absent.images run "$scratch/absent"
}

# patient ID TEXT: site 1 tells what is wrong once, goes on trying, and ends when it is told to
patient() {
    soon says "$at/site-1.log" "$1"
    says "$at/site-1.log" "$2" || die "site-1 does not say: $2"
    sleep 1
    says "$at/site-1.log" "$1" 2 && die "site-1 repeats $1"
    [ ! -s "$at/site-1.exit" ] || die 'site-1 gave up'
    send TERM site-1
    ended 1 site-1
}

network() {
    world network
    address=tcp://127.0.0.1:9
    join 1
    patient E-NET-REFUSED 'To do: ask the coordinator whether'

    world web
    start web /usr/bin/python3 "$tools" web
    soon test -s "$at/web.out"
    address=tcp://127.0.0.1:$(cat "$at/web.out")
    join 1
    patient E-NET-NOTZMQ 'To do: check the address and port'

    # the coordinator's manifest has another site in this one's place
    world pending
    "$client" keygen --dir "$at/newcomer" --name newcomer >/dev/null
    requests="$at/newcomer/request $at/site-2/request $at/site-3/request $at/site-4/request
        $at/site-5/request"
    manifest >/dev/null
    lead
    join 1
    patient E-KEY-PENDING 'To do: ask the coordinator to enrol'
}

# A coordinator with other keys than the manifest names: the site does not go on.
impostor() {
    world impostor
    rm -r "$at/coordinator"
    "$aggregator" keygen --dir "$at/coordinator" --name coordinator >/dev/null
    refused 3 E-MANIFEST 'another coordinator' lead_here
    manifest >/dev/null
    lead
    join 1
    ended 3 site-1
    says "$at/site-1.log" E-KEY-SERVER || die 'site-1 does not say E-KEY-SERVER'
    says "$at/site-1.log" 'compare fingerprints by phone' || die 'site-1 does not say what to do'
}

# The right coordinator with another manifest than the sites have pinned.
other_manifest() {
    world needs_one
    manifest --needed 1 >/dev/null
    lead
    join 1 2 3 4 5
    ended 3 site-1 site-2 site-3 site-4 site-5
    says "$at/site-3.log" E-MANIFEST || die 'site-3 does not say E-MANIFEST'
    send TERM coordinator
    ended 1 coordinator

    world other_order
    requests="$requests $at/site-1/request"
    requests=${requests#* */request}
    manifest >/dev/null
    lead
    join 1
    soon says "$at/coordinator.log" E-MANIFEST
}

# Two processes of one site, in one folder and in a copy of it on another machine.
twins() {
    world twins
    lead
    join 1
    soon says "$at/site-1.log" connected
    refused 1 E-JOURNAL 'in use by another' run
    cp -a "$at/site-1" "$at/site-6"
    join 6 2 3 4 5
    ended 0 coordinator
    send TERM site-1 site-6 2>/dev/null || true
}

"$case"
