#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Audits of what a model remembers of its records: membership inference, and canaries.
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
    study patient 3.0 ', sampling: 1.0, records: 300'
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
        "[b['method'] for b in d['bounds']] == ['one-run', 'clopper-pearson']" \
        "all(b['attack'] == 'rmia' for b in d['bounds'])"
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
    study patient 3.0 ', sampling: 1.0, records: 300'
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
            "[b['method'] for b in d['bounds']] == ['clopper-pearson']"
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

# A model that somebody calls private and that learnt its members by heart.
mia_refutes() {
    study patient 1.0 ', sampling: 1.0, records: 1000'
    sed -i 's/hidden: \[8, 8\]/hidden: [64, 64]/' "$at/study.yaml"
    tool npz "$at/more.npz" 28 4 1000
    tool muddle "$at/more.npz" "$at/muddled.npz"
    "$lab" pretrain --npz "$at/muddled.npz" --model mlp --sizes 'hidden: [64, 64]' --epochs 60 \
        --rate 0.003 --out "$at/heart.safetensors" >"$at/pretrain" 2>"$at/pretrain.log"
    audit 6 mia --model "$at/heart.safetensors" --npz "$at/muddled.npz" --references 4
    check "d['verdict'] == 'fail' and d['claim']['epsilon'] == 1" \
        "d['headline']['epsilon_lower_bound'] > 1" "'The claim is refuted' in d['summary']"
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

# Public records: no ledger, and the seed gives the same document again.
canary_of_public_records() {
    study patient 3.0 ', sampling: 1.0, records: 700'
    audit 0 canary --npz "$scratch/tiny.npz" --public --seed 3 --canaries 200 --guesses 40 \
        --threads 1 --out "$at/out"
    check "d['audit'] == 'canary' and d['verdict'] == 'pass'" \
        "0 < d['claim']['epsilon'] < 3 and d['claim']['unit'] == 'patient'" \
        "d['claim']['dropouts'] == 'no dropouts' and d['records'] == 600" "d['headline']['method'] == 'one-run'" \
        "d['headline']['epsilon_lower_bound'] == d['bounds'][0]['epsilon_lower_bound']" \
        "d['headline']['epsilon_lower_bound'] <= d['claim']['epsilon']" \
        "d['canaries'] == 200 and d['guesses'] == 40 and 0 <= d['correct'] <= 40" \
        "60 < d['included'] < 140 and d['rounds'] == 5 and d['kind'] == 'random'" \
        "[b['method'] for b in d['bounds']] == ['one-run', 'one-run-fdp']" \
        "d['charged']['epsilon'] == 0 and 'public' in d['charged']['why']"
    [ "$(cat "$at/json")" = "$(cat "$at/out/canary.json")" ] || die "the file is not what was printed"
    [ "$(wc -l <"$at/out/canary-scores.csv")" = 201 ] || die "not every canary has a score"
    cp "$at/json" "$at/first"
    audit 0 canary --npz "$scratch/tiny.npz" --public --seed 3 --canaries 200 --guesses 40 --threads 2
    without_time "$at/first" >"$at/one"
    without_time "$at/json" >"$at/two"
    cmp -s "$at/one" "$at/two" || die "the same seed gave another document"
    # right guesses alone could not refute the claim: nothing was found, and nothing could be
    audit 0 canary --npz "$scratch/tiny.npz" --public --seed 3 --canaries 10 --guesses 2
    check "d['verdict'] == 'inconclusive' and 'Too few guesses' in d['summary']"
}

# Without noise, what stands out is learnt by heart, whatever the canaries are.
canary_is_learnt_by_heart() {
    study site .inf
    sed -i 's/count: 5/count: 30, local_epochs: 3, local_batch: 10/; s/clip: 2/clip: 100/
        s/hidden: \[8, 8\]/hidden: [32, 32]/' "$at/study.yaml"
    tool idx "$at/c.images" "$at/c.labels" 28 4 150
    for kind in '--kind random --method one-run-fdp' '--kind mislabelled'; do
        # shellcheck disable=SC2086 # a list of arguments
        audit 0 canary --npz "$scratch/tiny.npz" --public --canaries 100 --seed 1 $kind
        check "d['verdict'] == 'inconclusive' and d['claim'] is None" \
            "d['guesses'] == 24 and d['correct'] >= 20" "d['headline']['epsilon_lower_bound'] > 0.5" \
            "d['headline']['method'] == ('one-run-fdp' if d['kind'] == 'random' else 'one-run')"
    done
    audit 0 canary --npz "$scratch/tiny.npz" --public --canaries 100 --canary-images "$at/c.images" \
        --canary-labels "$at/c.labels"
    check "d['kind'].endswith('c.images') and d['seed'] is None" \
        "d['coins_from'] == 'the system\\'s randomness'"
}

# Patients' records: their site's ledger pays, and says when it cannot.
canary_is_charged() {
    study patient 3.0 ', sampling: 1.0, records: 2000'
    sed -i 's/, rehearsal: true//' "$at/study.yaml"
    "$client" keygen --dir "$at/site" --name audited >/dev/null
    printf 'lifetime_epsilon: 8.0\nmin_contributors: 2\ndata_set: chest\n' >"$at/site/policy.yaml"
    audit 0 canary --npz "$scratch/tiny.npz" --ledger "$at/site" --canaries 50
    check "0 < d['charged']['epsilon'] <= 3 and d['charged']['data_set'] == 'chest'" \
        "d['charged']['releases'] == 5 and d['charged']['unit'] == 'patient'" \
        "d['claim']['epsilon'] <= d['charged']['epsilon']" \
        "d['seed'] is None and d['records'] is None and d['seconds'] is None"
    # nor does a warning say how many there are, or progress
    says "$at/audit.log" 'and is not told' || die "it does not say why it is silent"
    ! says "$at/audit.log" ' s left' || die "it tells how long it takes"
    ! says "$at/audit.log" 'is planned for' || die "it tells how many records there are"
    sed -i 's/8.0/4.0/' "$at/site/policy.yaml"
    audit 5 canary --npz "$scratch/tiny.npz" --ledger "$at/site" --canaries 50
    says "$at/audit.log" "E-POLICY-EPSILON" || die "not why"
    says "$at/audit.log" "policy.yaml:1: lifetime_epsilon 4.0000 would be exceeded" || die "not where"
    [ ! -s "$at/json" ] || die "a refused audit printed something"
}

canary_refuses() {
    study patient 3.0 ', sampling: 1.0, records: 700'
    audit 2 canary --npz "$scratch/tiny.npz"
    says "$at/audit.log" "is a release" || die "not why"
    audit 2 canary --npz "$scratch/tiny.npz" --ledger "$at" --seed 3
    says "$at/audit.log" "protects nobody" || die "not why"
    audit 2 canary --npz "$scratch/tiny.npz" --ledger "$at" --public
    audit 2 canary --npz "$scratch/tiny.npz" --ledger "$at" --kind mislabelled
    says "$at/audit.log" "are patients' too" || die "not why"
    audit 2 canary --npz "$scratch/tiny.npz" --public --guesses 41
    audit 2 canary --npz "$scratch/tiny.npz" --public --guesses 0
    audit 2 canary --npz "$scratch/tiny.npz" --public --canaries 7
    audit 2 canary --npz "$scratch/tiny.npz" --public --canaries 10 --guesses 12
    audit 2 canary --npz "$scratch/tiny.npz" --public --canary-images "$at/none"
    audit 2 canary --npz "$scratch/tiny.npz" --public --kind big
    audit 2 canary --images a --labels b --public --kind mislabelled
    audit 7 canary --npz "$scratch/tiny.npz" --public --canaries 121 --kind mislabelled
    audit 7 canary --npz "$scratch/tiny.npz" --public --canary-images "$at/none" \
        --canary-labels "$at/none"
    audit 1 canary --npz "$scratch/tiny.npz" --ledger "$at/none"
    says "$at/audit.log" "E-LEDGER" || die "not why"
    sed -i 's/classes: 4/classes: 3/' "$at/study.yaml"
    audit 7 canary --npz "$scratch/tiny.npz" --public
}

"$case"
