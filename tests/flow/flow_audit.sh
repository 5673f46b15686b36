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
        refuses "--method is one-run, one-run-fdp, clopper-pearson or gdp" --method best $run
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

"$case"
