#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A simulated study: what it opens, costs and says, and how it ends.
. "$(dirname "$0")/flow.sh"
at=$scratch/simulate
mkdir "$at"
tool npz "$scratch/tiny.npz" 28 4 1000
data="--npz $scratch/tiny.npz"

# study UNIT EPSILON [KEYS]: of 6 sites, 5 of which must stay
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: simulated, rehearsal: true}
sites: {expected: 6, colluding: 1, threshold: 5, min_contributors: 2}
model: {kind: mlp, classes: 4, hidden: [16, 16]}
privacy: {unit: $1, epsilon: $2, delta: 1.0e-5, clip: 2${3:-}}
pruning: {mode: private}
rounds: {count: 10, learning_rate: 0.5, momentum: 0.5}
END
}

# simulate CODE ARGUMENT...: into $at/json; nothing stays in memory's folder. $data names the records.
simulate() {
    want=$1 code=0
    shift
    # shellcheck disable=SC2086 # a list of arguments
    "$lab" simulate --study "$at/study.yaml" $data --format json "$@" \
        >"$at/json" 2>"$at/simulate.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
}

check() {
    for expression in "$@"; do tool holds "$at/json" "$expression"; done
}

# The coordinator's program says the same bounds of the study, and no more is spent.
private() {
    study patient 3.0 ', sampling: 0.2, records: 1000'
    simulate 0 --partition dirichlet:1 --rounds-eval 5 --seed 2
    "$aggregator" check "$at/study.yaml" >"$at/check"
    bound=$(sed -n 's/^ok  privacy    at most epsilon \([0-9.]*\) .* against: server$/\1/p' "$at/check")
    [ -n "$bound" ] || die 'check names no bound'
    check "d['privacy']['limit']['server'] == $bound" \
        '0 < d["privacy"]["spent"]["server"] <= d["privacy"]["limit"]["server"] <= 3' \
        'abs(d["privacy"]["by_sites_ledgers"] - d["privacy"]["spent"]["server_and_colluding_sites"]) < 1e-3' \
        'd["privacy"]["unit"] == "patient" and d["privacy"]["delta"] == 1e-5' \
        'd["finished"] and d["stop"] is None and d["sums_exact"]' \
        'len(d["rounds"]) == 11 and all(r["sums_exact"] for r in d["rounds"])' \
        '[r["round"] for r in d["rounds"] if "accuracy" in r] == [6, 11]' \
        'sum(d["records"]) == 1000 and len(d["records"]) == 6' \
        'd["bytes_per_site"]["up"] == sum(r["bytes_up"] for r in d["rounds"])' \
        '0 < d["rounds"][5]["kept"] < d["parameters"]' \
        'd["macs"]["kept"] == 6368 and d["macs"]["unpruned"] == 12864' \
        'abs(d["macs"]["share"] - 6368 / 12864) < 1e-9' 'd["result"]["auc"] is None' \
        'all(a["epsilon"]["server"] < b["epsilon"]["server"] for a, b in zip(d["rounds"], d["rounds"][1:]))' \
        'd["rounds"][-1]["epsilon"] == d["privacy"]["spent"]' \
        '[x["records"] for x in d["per_site"]] == d["records"] and d["allocation"] is None' \
        'all(0 < x["accuracy"] <= 1 and x["test"] is None for x in d["per_site"])'
}

# The same seed gives the same document but for the time that it took, however many threads.
twice() {
    simulate 0 --threads 1 "$@"
    cp "$at/json" "$scratch/first.json"
    simulate 0 --threads 2 "$@"
    /usr/bin/python3 - "$scratch/first.json" "$at/json" <<'END'
import json, sys
def document(path):
    d = json.load(open(path))
    for one in [d] + d["rounds"]:
        one.pop("seconds")
    d.pop("processor_seconds", None)
    return d
sys.exit(document(sys.argv[1]) != document(sys.argv[2]))
END
}

replayed() {
    study site 8.0
    twice --dropout 0.05 --seed 4
    check 'd["dropout"] == 0.05' 'sum(r["dropped"] for r in d["rounds"]) > 0'
}

# Shares of the coordinates, in few bits, under dropouts: exact sums of fewer bytes, that learn.
shares() {
    study site .inf
    sed -i 's/mode: private/mode: none/; s/count: 10, .*,/count: 16, coordinates: 0.1, learning_rate: 1,/
        s/clip: 2,/clip: 2, rounding: stochastic, rotation: hadamard,/' "$at/study.yaml"
    echo 'secagg: {bits: 12}' >>"$at/study.yaml"
    twice --dropout 0.05 --seed 4
    check 'd["sums_exact"]' 'sum(r["dropped"] for r in d["rounds"]) > 0' \
        'd["bytes_per_site"]["up_in_a_training_round"] < 0.15 * 4 * d["parameters"]' \
        'd["rounds"][-1]["coordinates"] == round(0.1 * 785 * 16) + round(0.1 * 17 * 16) + round(0.1 * 17 * 4)' \
        'd["result"]["accuracy"] > 0.9'
}

yardsticks() {
    study site .inf
    simulate 0 --method local-only --partition pathological:2
    check 'd["method"] == "local-only"' 'len(d["rounds"]) == 10' \
        'd["result"]["accuracy_least"] <= d["result"]["accuracy"] <= d["result"]["accuracy_most"]' \
        'd["result"]["accuracy"] < 0.8' '"privacy" not in d' \
        'min(x["test"]["accuracy"] for x in d["per_site"]) == d["result"]["accuracy_least"]' \
        'all(x["accuracy"] > x["test"]["accuracy"] for x in d["per_site"])'
    simulate 0 --method centralised --partition pathological:2
    check 'd["method"] == "centralised"' 'd["result"]["accuracy"] > 0.9' \
        'd["result"]["accuracy_least"] == d["result"]["accuracy"]'
    sed -i 's/count: 10/count: 10, coordinates: 0.1/' "$at/study.yaml"
    twice --method top-k
    check 'd["method"] == "top-k"' 'd["result"]["accuracy"] > 0.7' '"privacy" not in d' \
        'd["rounds"][0]["coordinates"] == round(0.1 * 785 * 16) + round(0.1 * 17 * 16) + round(0.1 * 17 * 4)' \
        'd["bytes_per_site"]["up_in_a_training_round"] == 8 * d["rounds"][0]["coordinates"]'
    study site .inf
    simulate 0 --partition iid --rounds-eval 0
    check 'd["method"] == "federated"' 'd["result"]["accuracy"] > 0.8' \
        'd["privacy"]["spent"]["server"] is None'
}

# Adapters on a frozen backbone, and sites whose images look different: neither is optional.
adapted() {
    tiny='patch: 7, dim: 8, depth: 4, heads: 2, mlp: 8'
    "$lab" pretrain --npz "$scratch/tiny.npz" --model vit --sizes "$tiny" --epochs 4 --rate 0.01 \
        --out "$at/backbone" >"$at/pretrain" 2>"$at/pretrain.log" || die 'no backbone'
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: adapted, rehearsal: true}
sites: {expected: 6, colluding: 1, min_contributors: 2}
model: {kind: vit, classes: 4, $tiny, rank: 2, backbone: $(sed -n 's/^hash //p' "$at/pretrain")}
privacy: {unit: site, epsilon: .inf, clip: 10}
pruning: {mode: none}
allocation: {mode: private, capacities: [4, 4, 3, 3, 2, 2], min_holders: 3}
rounds: {count: 3}
END
    refused 5 E-BACKBONE --partition iid
    simulate 0 --partition iid --backbone "$at/backbone"
    cp "$at/json" "$at/iid"
    simulate 0 --partition domain --backbone "$at/backbone"
    # every site holds as many blocks as it can, every block has holders enough
    check 'd["allocation"]["min_holders"] == 3' \
        '[sum(x) for x in zip(*d["allocation"]["rounds_held"])] == [12, 12, 9, 9, 6, 6]' \
        'all(sum(x) >= 9 and max(x) <= 3 for x in d["allocation"]["rounds_held"])'
    check 'len(d["rounds"]) == 3 and d["sums_exact"]' "d['test_hash'] != $(field iid test_hash)" \
        "d['test_records'] == $(field iid test_records)"
    simulate 0 --method centralised --backbone "$at/backbone"
    check 'd["finished"]'
}

field() {
    /usr/bin/python3 -c 'import json, sys; print(repr(json.load(open(sys.argv[1]))[sys.argv[2]]))' \
        "$at/$1" "$2"
}

tables() {
    /usr/bin/python3 - "$at" <<'END'
import sys
for part, n in ("train", 120), ("test", 40):
    with open(f"{sys.argv[1]}/{part}.csv", "w") as out:
        for i in range(n):
            print(i * 37 % 100, i * 37 % 100 // 50, i % 4, sep=",", file=out)
END
    printf 'number 1 0 100\nlabel 2\nkey 3\n' >"$at/schema"
    cat >"$at/study.yaml" <<'END'
schema: 1
study: {id: tables, rehearsal: true}
sites: {expected: 4, colluding: 1, min_contributors: 2}
model: {kind: mlp, height: 1, width: 1, classes: 2, hidden: [8, 8], pixel_mean: 0.5, pixel_deviation: 0.3}
privacy: {unit: site, epsilon: .inf, clip: 10}
pruning: {mode: none}
rounds: {count: 10}
END
    data="--csv $at/train.csv --holdout-csv $at/test.csv --schema $at/schema"
    simulate 0 --partition key
    check 'd["records"] == [30, 30, 30, 30] and d["test_records"] == 40' 'd["result"]["auc"] > 0.9'
    data="--schema $at/schema"
    refused 2 'data are needed in one way'
}

# A site's limit ends the study, and the document says so; so do rounds that fail.
stopped() {
    study site 4.0
    simulate 5 --lifetime-epsilon 4
    check 'd["finished"] is False' '"lifetime_epsilon 4.0" in d["stop"]' \
        'd["privacy"]["by_sites_ledgers"] <= 4'
    study site .inf
    simulate 5 --dropout 1
    check '"E-QUORUM" in d["stop"]' 'len(d["rounds"]) == 5 and d["result"] is None' \
        'not any(r["opened"] for r in d["rounds"])'
}

refused() {
    want=$1 sentence=$2
    shift 2
    simulate "$want" "$@"
    grep -qF -e "$sentence" "$at/simulate.log" || die "$* does not say: $sentence"
    [ ! -s "$at/json" ] || die "$* printed a result"
}

arguments() {
    study site .inf
    refused 2 'federated, local-only, centralised or top-k' --method alone
    refused 2 'iid, quantity:SIGMA' --partition halves
    refused 2 'from 0 to 1' --dropout 2
    refused 2 'text or json' --format xml
    refused 2 'in one way' --images images.idx
    refused 7 'do not suffice' --partition dirichlet:0.0001
    refused 1 'absent.state' --init "$scratch/absent.state"
    data="--npz $scratch/absent.npz"
    refused 7 'absent.npz'
    study site -1
    refused 5 'study.yaml:5' --seed 1
}

"$case"
