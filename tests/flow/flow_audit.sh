#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The auditor's command line: what it proves, what it refuses, and what it then says to do.
. "$(dirname "$0")/flow.sh"
at=$scratch/audit
mkdir "$at"

# bound METHOD ARGUMENT...: the document is in $at/json
bound() {
    "$lab" audit bound --format json --method "$@" >"$at/json" 2>"$at/audit.log" || die "failed: $*"
}

# proves NUMBER: that number, or less by no more than one can see
proves() {
    tool holds "$at/json" "$1 - 2e-6 < d['epsilon_lower_bound'] <= $1 + 1e-6" \
        || die "not $1: $(cat "$at/json")"
}

# refuses TEXT ARGUMENT...
refuses() {
    code=0 text=$1
    shift
    "$lab" audit bound "$@" >"$at/out" 2>"$at/audit.log" || code=$?
    [ "$code" = 2 ] || die "$* ended with $code"
    says "$at/audit.log" "$text" || die "$* did not say: $text"
    [ ! -s "$at/out" ] || die "$* printed a result"
}

bounds() {
    bound one-run --canaries 100 --guesses 100 --correct 80 --delta 0 --confidence 0.95
    proves 0.95839205
    bound one-run --canaries 5000 --guesses 500 --correct 500 --delta 1e-5
    proves 4.97775757
    tool holds "$at/json" "d['method'] == 'one-run' and d['delta'] == 1e-5"
    tool holds "$at/json" "d['confidence'] == 0.95 and d['correct'] == 500 and d['canaries'] == 5000"
    tool holds "$at/json" "'positives' not in d and d['at_search_limit'] is False"
    bound one-run-fdp --canaries 1000 --guesses 100 --correct 90 --delta 1e-5
    tool holds "$at/json" "1.7 < d['epsilon_lower_bound'] and 'GDP' in d['holds_for']"
    bound clopper-pearson --false-positives 10 --negatives 1000 --false-negatives 300 \
        --positives 1000 --delta 1e-5 --confidence 0.95
    proves 3.60044148
    bound gdp --false-positives 10 --negatives 1000 --false-negatives 300 --positives 1000 \
        --delta 1e-5 --confidence 0.95
    proves 13.41630532
    bound gdp --false-positives 0 --negatives 500 --false-negatives 0 --positives 500 --delta 0
    tool holds "$at/json" "d['epsilon_lower_bound'] == 256 and d['at_search_limit'] is True"
    "$lab" audit bound --method one-run --canaries 100 --guesses 100 --correct 80 --delta 0 \
        >"$at/out"
    says "$at/out" "epsilon >= 0.9583920" || die "no text"
}

mistakes() {
    run="--canaries 100 --guesses 50 --correct 40 --delta 1e-5"
    many="--false-positives 1 --negatives 9 --false-negatives 1 --positives 9 --delta 1e-5"
    # shellcheck disable=SC2086 # lists of arguments
    {
        refuses "--method is needed" $run
        refuses "--method best: it is one-run, one-run-fdp, clopper-pearson or gdp" --method best $run
        refuses "--method one-run needs --canaries" --method one-run --delta 0
        refuses "--method one-run does not take --positives" --method one-run $run --positives 3
        refuses "--method gdp needs --positives" --method gdp --false-positives 1 --negatives 9 \
            --false-negatives 1 --delta 0
        refuses "--method gdp does not take --canaries" --method gdp $many --canaries 3
        refuses "--delta is needed" --method one-run --canaries 9 --guesses 9 --correct 9
        refuses "--correct 51 is more than --guesses 50" --method one-run $run --correct 51
        refuses "--guesses 101 is more than --canaries 100" --method one-run $run --guesses 101
        refuses "--canaries must be at least 1" --method one-run --canaries 0 --guesses 0 \
            --correct 0 --delta 0
        refuses "--false-positives 10 is more than --negatives 9" --method gdp $many \
            --false-positives 10
        refuses "--false-negatives 10 is more than --positives 9" --method gdp $many \
            --false-negatives 10
        refuses "--negatives must be at least 1" --method gdp $many --negatives 0
        refuses "--correct 1.5: it is a whole number" --method one-run $run --correct 1.5
        refuses "--correct -1: it is a number from 0 to 1e+07" --method one-run $run --correct -1
        refuses "--correct 1e9: it is a number from 0 to 1e+07" --method one-run $run --correct 1e9
        refuses "--correct many: it is a number" --method one-run $run --correct many
        refuses "--delta 1: it is a number from 0 to 0.999" --method one-run $run --delta 1
        refuses "--delta nan: it is a number" --method one-run $run --delta nan
        refuses "--confidence 95: it is a number" --method one-run $run --confidence 95
        refuses "--confidence 1: it is a number" --method one-run $run --confidence 1
        refuses "--format xml: it is text or json" --method one-run $run --format xml
        refuses "Too many arguments" --method one-run $run 100
    }
    "$lab" audit bound --help >"$at/out"
    says "$at/out" "veilsum-lab audit bound --method one-run" || die "help has no example"
    says "$at/out" "--false-positives" || die "help has no options"
    "$lab" audit --help >"$at/out"
    says "$at/out" "bound" || die "help names no subcommand"
}

# study UNIT: a study of five sites is in $at/study.yaml
study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: audited}
sites: {expected: 5, colluding: 1, min_contributors: 2}
model: {kind: mlp, hidden: [16]}
privacy: {unit: $1, epsilon: 8, delta: 1.0e-5}
pruning: {mode: none}
rounds: {count: 2}
END
}

# mechanism ARGUMENT...: the document is in $at/json
mechanism() {
    "$lab" audit mechanism --study "$at/study.yaml" --format json "$@" >"$at/json" \
        2>"$at/audit.log" || die "failed: $*"
}

mechanism_is_audited() {
    study "patient, sampling: 0.1, records: 8000"
    mechanism --seed 1 --out "$at/audit"
    tool holds "$at/json" "d['audit'] == 'mechanism' and d['verdict'] == 'pass'"
    tool holds "$at/json" "d['headline']['method'] == 'gdp' and d['headline']['confidence'] == 0.95"
    tool holds "$at/json" \
        "0.9 * d['claim']['epsilon'] < d['headline']['epsilon_lower_bound'] < d['claim']['epsilon']"
    tool holds "$at/json" "d['claim']['epsilon'] <= d['claim_by_account']"
    tool holds "$at/json" "d['claim']['unit'] == 'patient' and d['claim']['delta'] == 1e-5"
    tool holds "$at/json" "'1 site' in d['claim']['adversary'] and '1 of 5' in d['claim']['dropouts']"
    tool holds "$at/json" "[b['method'] for b in d['bounds'] if b['headline']] == ['gdp']"
    tool holds "$at/json" "len(d['bounds']) == 4 and d['trials'] >= 20000"
    tool holds "$at/json" "1 < d['smallest_violation_caught'] < 1.2 and d['does_not_show']"
    [ "$(cat "$at/json")" = "$(cat "$at/audit/mechanism.json")" ] || die "another document in the folder"
    [ "$(wc -l <"$at/audit/mechanism-bounds.csv")" = 5 ] || die "not four bounds"
    says "$at/audit/mechanism-scores.csv" "score,out,in" || die "no scores"
    cp "$at/json" "$at/first"
    mechanism --seed 1
    cmp "$at/first" "$at/json" || die "the seed does not replay the audit"
    mechanism --sampled --seed 1
    tool holds "$at/json" "d['headline']['method'] == 'rate' and d['sampling'] == 0.1"
    tool holds "$at/json" \
        "0.9 * d['claim']['epsilon'] < d['headline']['epsilon_lower_bound'] < d['claim']['epsilon']"
    tool holds "$at/json" "all(b['method'] != 'gdp' for b in d['bounds'])"
    "$lab" audit mechanism --study "$at/study.yaml" --method clopper-pearson --trials 2000 \
        >"$at/out"
    says "$at/out" "what it does not show" || die "no text"
    study site
    mechanism --trials 200
    tool holds "$at/json" "d['canaries_per_round'] == 3 and d['idle_directions'] == 60 and d['seed'] is None"
    mechanism --trials 64 --repetitions 3 --seed 1
    tool holds "$at/json" "len(d['repeated_bounds']) == 3 and d['headline'] is None"
}

# declines CODE TEXT ARGUMENT...
declines() {
    code=0 want=$1 text=$2
    shift 2
    "$lab" audit mechanism "$@" >"$at/out" 2>"$at/audit.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code"
    says "$at/audit.log" "$text" || die "$* did not say: $text"
}

mechanism_mistakes() {
    study site
    declines 2 "--study is needed"
    declines 2 "it is gdp, clopper-pearson or rate" --study "$at/study.yaml" --method one-run
    declines 2 "--method rate is for records that are --sampled" --study "$at/study.yaml" \
        --method rate
    declines 2 "--method gdp is for records that are not sampled" --study "$at/study.yaml" \
        --method gdp --sampled
    declines 2 "--trials 3: it is a number from" --study "$at/study.yaml" --trials 3
    declines 5 "the study draws no sample of its records" --study "$at/study.yaml" --sampled
    # before an hour of play, and not after it
    declines 5 "are more than 10000000 scores" --study "$at/study.yaml" --coordinates 1024 \
        --trials 1000000
    sed -i 's/epsilon: 8/epsilon: .inf/; s/id: audited/id: audited, rehearsal: true/' \
        "$at/study.yaml"
    declines 5 "there is nothing to audit" --study "$at/study.yaml"
    declines 1 "cannot be read" --study "$at/none.yaml"
    study site
    declines 1 "cannot write" --study "$at/study.yaml" --trials 64 --out "$at/none/audit"
}

"$case"
