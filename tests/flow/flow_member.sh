#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Audits of what a model remembers of its records: membership inference.
. "$(dirname "$0")/flow.sh"
at=$scratch/member
mkdir "$at"
tool npz "$scratch/tiny.npz" 28 4 600

# study UNIT EPSILON [KEYS]: of 5 sites
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: audited, rehearsal: true}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, classes: 4, hidden: [8, 8]}
privacy: {unit: $1, epsilon: $2, delta: 1.0e-5, clip: 2${3:-}}
pruning: {mode: none}
rounds: {count: 5}
END
}

# audit CODE KIND ARGUMENT...: the document is in $at/json; nothing stays in memory's folder
audit() {
    want=$1 kind=$2 code=0
    shift 2
    "$lab" audit "$kind" --study "$at/study.yaml" --format json "$@" >"$at/json" \
        2>"$at/audit.log" || code=$?
    [ "$code" = "$want" ] || die "$kind $* ended with $code, not with $want"
}

check() {
    for expression in "$@"; do tool holds "$at/json" "$expression"; done
}

without_time() {
    grep -v '"seconds"' "$1"
}

# One command: trained by the study on whom a coin chose, and attacked.
mia_trains() {
    study patient 3.0 ', sampling: 0.3, records: 300'
    audit 0 mia --npz "$scratch/tiny.npz" --references 4 --threads 1 --out "$at/out"
    check "d['audit'] == 'mia' and d['schema_version'] == 1" \
        "d['verdict'] == 'pass' and d['claim']['unit'] == 'patient'" \
        "0 < d['claim']['epsilon'] < 3 and d['claim']['delta'] == 1e-5" \
        "d['headline']['method'] == 'one-run'" \
        "d['headline']['epsilon_lower_bound'] <= d['claim']['epsilon']" \
        "d['members'] + d['nonmembers'] == 600 and 200 < d['members'] < 400" \
        "d['membership_by_coins'] is True and d['references'] == 4" \
        "[a['name'] for a in d['attacks']] == ['lira', 'rmia']" \
        "all(0 < a['auc'] < 1 and 2 <= len(a['roc']) <= 400 for a in d['attacks'])" \
        "all(a['roc'][0][0] == 0 and a['roc'][-1] == [1, 1] for a in d['attacks'])" \
        "all(not a['points'][0]['measured'] for a in d['attacks'])" \
        "all('tpr' not in a['points'][0] for a in d['attacks'])" \
        "all(a['points'][1]['measured'] for a in d['attacks'])" \
        "all(p['tpr_low'] <= p['tpr'] <= p['tpr_high'] for a in d['attacks'] for p in a['points'][1:])" \
        "all(p['members'] == d['members'] for a in d['attacks'] for p in a['points'][1:])" \
        "all(p['nonmembers'] == d['nonmembers'] // 2 for a in d['attacks'] for p in a['points'][1:])" \
        "{b['method'] for b in d['bounds']} == {'one-run', 'clopper-pearson'}"
    [ "$(cat "$at/json")" = "$(cat "$at/out/mia.json")" ] || die "the file is not what was printed"
    [ "$(head -n 1 "$at/out/mia-roc.csv")" = attack,fpr,tpr ] || die "no curve"
    [ "$(wc -l <"$at/out/mia-points.csv")" = 5 ] || die "not four points"
    cp "$at/json" "$at/first"
    audit 0 mia --npz "$scratch/tiny.npz" --references 4 --threads 2
    without_time "$at/first" >"$at/one"
    without_time "$at/json" >"$at/two"
    cmp -s "$at/one" "$at/two" || die "the same seed gave another document"
}

mia_by_studies() {
    study site .inf
    audit 0 mia --npz "$scratch/tiny.npz" --references 4 --references-by federated --records 150
    check "d['references_by'] == 'federated' and d['members'] + d['nonmembers'] == 300" \
        "d['claim'] is None and d['verdict'] == 'inconclusive'"
}

# A model without noise that learnt labels which mean nothing by heart.
mia_catches() {
    study site .inf
    sed -i 's/count: 5/count: 40, local_epochs: 3, local_batch: 10/; s/clip: 2/clip: 100/' \
        "$at/study.yaml"
    tool muddle "$scratch/tiny.npz" "$at/muddled.npz"
    audit 0 mia --npz "$at/muddled.npz" --records 150 --references 8
    check "d['verdict'] == 'inconclusive' and d['claim'] is None" \
        "d['attacks'][1]['auc'] > 0.75" "d['headline']['epsilon_lower_bound'] > 0.5" \
        "d['accuracy']['members'] > d['accuracy']['nonmembers'] + 0.2"
}

# A model that nobody trained knows no record, in whichever file it comes.
mia_of_a_file() {
    study patient 3.0 ', sampling: 0.3, records: 300'
    "$lab" init --study "$at/study.yaml" --out "$at/final.state"
    "$lab" export --study "$at/study.yaml" --state "$at/final.state" --out "$at/final.safetensors"
    tool idx "$at/m.images" "$at/m.labels" 28 4 300
    tool idx "$at/n.images" "$at/n.labels" 28 4 280
    data="--images $at/m.images --labels $at/m.labels --holdout-images $at/n.images"
    data="$data --holdout-labels $at/n.labels --references 4"
    # shellcheck disable=SC2086 # a list of arguments
    {
        audit 0 mia --model "$at/final.state" $data
        check "d['members'] == 300 and d['nonmembers'] == 280" \
            "d['verdict'] == 'pass' and d['claim']['epsilon'] == 3" \
            "d['headline']['method'] == 'clopper-pearson'" \
            "d['headline']['epsilon_lower_bound'] < 0.5" \
            "all(0.4 < a['auc'] < 0.6 for a in d['attacks'])" \
            "[b['method'] for b in d['bounds']] == 2 * ['clopper-pearson']"
        grep -v '"seconds"\|"model"' "$at/json" >"$at/one"
        audit 0 mia --model "$at/final.safetensors" $data
        grep -v '"seconds"\|"model"' "$at/json" >"$at/two"
        cmp -s "$at/one" "$at/two" || die "the two files gave two documents"
        audit 0 mia --model "$at/final.state" $data --records 90
        check "d['members'] == 90 and d['nonmembers'] == 90" "d['verdict'] == 'inconclusive'" \
            "d['headline'] is None and d['bounds'] == []"
        head -c 1000 "$at/final.state" >"$at/cut.state"
        audit 7 mia --model "$at/cut.state" $data
        head -c 1000 "$at/final.safetensors" >"$at/cut.safetensors"
        audit 7 mia --model "$at/cut.safetensors" $data
    }
}

mia_refuses() {
    study site .inf
    audit 2 mia --npz "$scratch/tiny.npz" --references 5
    says "$at/audit.log" "--references 5: it is even" || die "not why"
    audit 2 mia --npz "$scratch/tiny.npz" --references 2
    audit 2 mia --npz "$scratch/tiny.npz" --references-by hand
    audit 2 mia --images a --labels b --model c
    says "$at/audit.log" "records to test on are needed" || die "not why"
    audit 7 mia --npz "$at/none.npz"
    audit 1 mia --npz "$scratch/tiny.npz" --model "$at/none.state"
    sed -i 's/classes: 4/classes: 3/' "$at/study.yaml"
    audit 7 mia --npz "$scratch/tiny.npz"
    says "$at/audit.log" "has not the shape" || die "not why"
    echo 'schema: 2' >"$at/study.yaml"
    audit 5 mia --npz "$scratch/tiny.npz"
}

"$case"
