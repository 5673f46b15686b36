#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# veilsum-lab audit inversion: its documents, pictures and exit codes, and what it refuses.
. "$(dirname "$0")/flow.sh"
at=$scratch/inversion
mkdir "$at"
tool npz "$scratch/tiny.npz" 28 4 1000

# study EPSILON [MODEL]
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: inverted, rehearsal: true}
sites: {expected: 5, colluding: 1, threshold: 4, min_contributors: 2}
model: {${2:-kind: mlp, hidden: [32, 16]}, classes: 4}
privacy: {unit: patient, epsilon: $1, delta: 1.0e-5, clip: 1, sampling: 0.2, records: 75}
pruning: {mode: none}
rounds: {count: 6, learning_rate: 0.1}
END
}

# inversion CODE ARGUMENT...: the document is in $at/json
inversion() {
    want=$1 code=0
    shift
    "$lab" audit inversion --study "$at/study.yaml" --batch 3 "$@" >"$at/json" \
        2>"$at/inversion.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want"
}

check() {
    for expression in "$@"; do tool holds "$at/json" "$expression"; done
}

documents() {
    study 4
    inversion 0 --format json --out "$at/out" --npz "$scratch/tiny.npz"
    check 'd["audit"] == "inversion" and d["verdict"] == "pass" and d["schema_version"] == 1' \
        'd["claim"] is None and d["headline"] is None and d["shows"] and d["does_not_show"]' \
        '[s["name"] for s in d["stages"]] == ["plain", "masked", "noised", "sum", "noise"]' \
        '[s["above_floor"] for s in d["stages"]] == [True, False, False, False, False]' \
        'all(s["psnr_floor_interval"][0] <= s["psnr_floor"] <= s["psnr_floor_interval"][1] for s in d["stages"])' \
        'all(s["psnr_best"] >= s["psnr_mean"] and s["records"] == d["stages"][0]["records"] for s in d["stages"])' \
        'd["masked_uniform"] and d["masked_uniform_p"] > 0 and d["site_records"] == 15'
    /usr/bin/python3 - "$at/out" "$at/json" <<'END'
import base64, csv, json, struct, sys
folder = sys.argv[1]
d = json.load(open(folder + "/inversion.json"))
assert d == json.load(open(sys.argv[2]))
rows = list(csv.DictReader(open(folder + "/inversion.csv")))
for stage in d["stages"]:
    png = open(f"{folder}/inversion-{stage['name']}.png", "rb").read()
    assert base64.b64decode(stage["image"], validate=True) == png
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    shown = min(stage["records"], 8)
    # Three times as large, and four pixels around each.
    assert (width, height) == (4 + shown * 88, 4 + 2 * 88) and depth == 8 and colour == 0
    mine = [r for r in rows if r["stage"] == stage["name"] and r["in_update"] == "1"]
    assert len(mine) == stage["records"]
    assert len([r for r in rows if r["stage"] == stage["name"]]) == stage["records"] + stage["others"]
    mean = sum(float(r["psnr_db"]) for r in mine) / len(mine)
    floor = sum(float(r["guess_db"]) + float(r["chance_db"]) for r in mine) / len(mine)
    assert abs(mean - stage["psnr_mean"]) < 2e-3 and abs(floor - stage["psnr_floor"]) < 2e-3
END
    inversion 0
    says "$at/json" 'PASS: From the site' || die 'no verdict'
    says "$at/json" 'plain ' || die 'no table'
}

# Without noise the worst case is an open book, and the exit code says so.
unprotected() {
    study .inf
    inversion 6 --format json
    check 'd["verdict"] == "fail" and "adds no noise" in d["summary"]' \
        '[s["above_floor"] for s in d["stages"]][:3] == [True, False, True]'
}

# What begins with convolutions is searched.
searched() {
    study 8 'kind: cnn, hidden: [8, 16]'
    inversion 0 --batch 1 --steps 200 --format json
    check '[s["above_floor"] for s in d["stages"]] == [True, False, False, False, False]' \
        'd["stages"][0]["psnr_best"] > d["stages"][0]["psnr_floor"] + 5' \
        'd["verdict"] == "pass"'
    # A search that hardly begins finds nothing, and says so.
    inversion 0 --batch 1 --rounds 1 --steps 1 --format json
    check 'd["verdict"] == "inconclusive" and "finds little or nothing" in d["summary"]'
}

refused() {
    want=$1 sentence=$2
    shift 2
    inversion "$want" "$@"
    grep -qF -e "$sentence" "$at/inversion.log" || die "$* does not say: $sentence"
    [ ! -s "$at/json" ] || die "$* printed a result"
}

arguments() {
    study 4
    refused 2 'from 1 to 1000' --batch 0
    refused 2 'from 1 to 1000' --rounds 0
    refused 2 'from 1 to 100000' --steps 0
    refused 2 'text or json' --format xml
    refused 2 'in one way' --images images.idx
    refused 7 'absent.npz' --npz "$scratch/absent.npz"
    refused 7 'too few' --npz "$scratch/tiny.npz" --batch 190
    refused 1 'cannot write' --out "$scratch/no/such/folder"
    study -1
    refused 5 'study.yaml:5'
    study 4 'kind: vit, patch: 7, dim: 8, depth: 2, heads: 2, mlp: 8'
    refused 5 'no attack on such a model'
}

"$case"
