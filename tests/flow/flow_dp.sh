#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# veilsum-lab dp says what it should, to people and to programs, and refuses with a sentence.
. "$(dirname "$0")/flow.sh"
at=$scratch/dp
mkdir "$at"

# dp CODE ARGUMENT...
dp() {
    want=$1 code=0
    shift
    "$lab" dp "$@" >"$at/json" 2>"$at/dp.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code, not with $want: $(cat "$at/dp.log")"
}

# Each argument is a Python expression of d, the document.
check() {
    for expression in "$@"; do tool holds "$at/json" "$expression"; done
}

epsilon() {
    dp 0 epsilon --mechanism gaussian --noise-multiplier 4 --compositions 30 --delta 1e-5 --format json
    check '6.3257 < d["epsilon"] < 6.3258' 'd["accountant"] == "gdp"' 'd["guaranteed"] is True' \
        'd["adjacency"] == "add or remove one"' '"record" in d["unit"]' 'd["compositions"] == 30'
    dp 0 epsilon --mechanism subsampled-gaussian --noise-multiplier 1 --sampling 0.01 \
        --compositions 1000 --delta 1e-5 --accountant all --format json
    check 'abs(d["epsilon"] - 1.8282) < 1e-3' 'd["accountant"] == "pld"' \
        'abs(d["accountants"]["rdp"]["epsilon"] - 2.10132) < 1e-4' \
        'd["accountants"]["gdp"]["approximate"] is True' \
        'd["accountants"]["gdp"]["guaranteed"] is False' \
        'd["accountants"]["gdp"]["epsilon"] < d["epsilon"] < d["accountants"]["rdp"]["epsilon"]'
    dp 0 epsilon --mechanism subsampled-gaussian --noise-multiplier 1 --sampling 0.01 \
        --compositions 1000 --delta 1e-5 --accountant gdp --format json
    check 'd["approximate"] is True' 'd["guaranteed"] is False'
    for name in discrete-gaussian skellam; do
        dp 0 epsilon --mechanism $name --noise-multiplier 10 --compositions 3 --delta 1e-5 \
            --accountant all --format json
        check 'd["accountant"] == "pld"' '0.5 < d["epsilon"] < 0.8' \
            'd["epsilon"] < d["accountants"]["rdp"]["epsilon"]' \
            'd["accountants"]["rdp"]["epsilon"] < d["accountants"]["rdp_published"]["epsilon"] * 1.00001'
    done
    dp 0 epsilon --mechanism skellam --noise-multiplier 10 --delta 1e-5
    grep -q '^rdp_published  0.37' "$at/json" || die 'no published bound beside skellam'
    dp 0 epsilon --mechanism zcdp --rho 0.1 --compositions 5 --delta 1e-6 --format json
    check '5.221534 < d["epsilon"] < 5.221536' 'd["rho"] == 0.1' 'd["adjacency"] == "that of rho"'
    dp 0 epsilon --mechanism laplace --noise-multiplier 2 --compositions 4 --delta 0 --format json
    check 'abs(d["epsilon"] - 2) < 1e-6'
    dp 0 epsilon --mechanism subsampled-gaussian-wor --noise-multiplier 2 --sampling 0.1 --delta 1e-5 \
        --format json
    check 'd["adjacency"] == "replace one"'
    dp 0 epsilon --mechanism laplace --noise-multiplier 10 --compositions 50 --delta 1e-5
    grep -q '^epsilon 2.79.. at delta 1e-05' "$at/json" || die 'no table'
    grep -q 'add or remove one' "$at/json" || die 'no adjacency'
}

schedule() {
    {
        echo 'mechanism,noise_multiplier,sampling,compositions'
        echo 'subsampled-gaussian,0.8,0.005,100 # the pilot'
        echo
        echo 'gaussian 8 1 200'
        echo 'laplace,10,1,100'
    } >"$at/list.csv"
    dp 0 epsilon --schedule "$at/list.csv" --delta 1e-6 --format json
    check 'abs(d["epsilon"] - 11.1492) < 0.005' 'd["releases"] == 400'
    for fault in 'gaussian' 'gaussian 1 2' 'gaussian 1 1 0' 'gaussian 1 1 1 1' 'exponential 1' 'gaussian x'; do
        printf 'gaussian 1\n%s\n' "$fault" >"$at/bad.csv"
        dp 7 epsilon --schedule "$at/bad.csv" --delta 1e-6
        grep -q 'bad.csv:2: ' "$at/dp.log" || die "does not name the line of: $fault"
    done
    printf 'gaussian 1\nsubsampled-gaussian-wor 1 0.1\n' >"$at/bad.csv"
    dp 7 epsilon --schedule "$at/bad.csv" --delta 1e-6
    : >"$at/bad.csv"
    dp 7 epsilon --schedule "$at/bad.csv" --delta 1e-6
    dp 7 epsilon --schedule "$at/absent" --delta 1e-6
}

plan() {
    dp 0 plan --target-epsilon 3 --delta 1e-5 --rounds 30 --sites 10 --threshold 7 --collusion 2 \
        --dropout 0.1 --format json
    check '2.99 < d["epsilon"] <= 3.0' 'abs(d["noise_multiplier"] - 8.1972) < 1e-3' \
        'abs(d["noise_multiplier_per_site"] * 5 ** 0.5 - d["noise_multiplier"]) < 1e-9' \
        'd["epsilon_expected"] < d["epsilon"]' 'd["epsilon_reported_by_pld"] < d["epsilon_expected"]' \
        'd["epsilon_by_adversary"]["server"] < 3 < d["epsilon_by_adversary"]["all_but_one_site"]' \
        '[r["sites_that_stayed"] for r in d["by_survivors"]] == [10, 9, 8, 7]' \
        'abs(d["extra_noise"]["both"] - 2 ** 0.5) < 1e-9' 'd["per_round"]["rdp"] > 0'
    dp 0 plan --target-epsilon 1 --delta 1e-6 --rounds 100 --sites 8 --threshold 6 --sampling 0.02
    grep -q 'epsilon 1.0000 at delta 1e-06' "$at/json" || die 'no table'
}

study() {
    cat >"$at/site.yaml" <<'END'
study: {id: whole}
sites: {expected: 8, colluding: 1}
privacy: {unit: site, epsilon: 5.0, delta: 1.0e-5}
pruning: {mode: none}
END
    dp 0 study --study "$at/site.yaml" --format json
    check '([(c["adversary"], c["dropouts"], c["noise_shares"]) for c in d["costs"]] ==
            [("model reader", 0, 8), ("model reader", 3, 5), ("server", 0, 8), ("server", 3, 5),
             ("server and 1 site", 0, 7), ("server and 1 site", 3, 4), ("everybody but one site", 3, 1)])' \
        'all(c["epsilon_pld"] < c["epsilon_lattice"] <= c["epsilon_published"] <= c["epsilon_gate"]
             for c in d["costs"])' \
        'd["costs"][5]["epsilon_gate"] == 5.0' \
        'all(c["unit"] == "site" and c["adjacency"] == "add or remove one" and c["delta"] == 1e-5
             for c in d["costs"])' \
        'd["releases"][0]["coordinates"] == 199210 and d["releases"][0]["times"] == 50'
    # 50 Gaussians of the multiplier that the shares make, by the command for lists
    z=$(/usr/bin/python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))["releases"][0]
print(2 * r["sigma"] / r["norm2"] ** 0.5)' "$at/json")
    cp "$at/json" "$at/study.json"
    dp 0 epsilon --mechanism gaussian --noise-multiplier "$z" --compositions 50 --delta 1e-5 --format json
    tool holds "$at/study.json" "0 <= d['costs'][5]['epsilon_pld'] - $(/usr/bin/python3 -c '
import json, sys
print(json.load(open(sys.argv[1]))["epsilon"])' "$at/json") < 2e-4"
    cat >"$at/patient.yaml" <<'END'
study: {id: part}
sites: {expected: 8, colluding: 1}
privacy: {unit: patient, epsilon: 3.0, delta: 1.0e-5, sampling: 0.05, records: 5000}
END
    dp 0 study --study "$at/patient.yaml"
    grep -q '^server and 1 site  *3  *4  *3.0000  *2.9.*-  patient  add or remove one  1e-05' "$at/json" ||
        die 'no line with unit, adjacency and delta'
    dp 5 study --study "$at/site.yaml" --sites 12
    # what is taken away again counts for nobody
    sed 's/delta: 1.0e-5/delta: 1.0e-5, dropouts: xnoise/' "$at/site.yaml" >"$at/xnoise.yaml"
    dp 0 study --study "$at/xnoise.yaml" --format json
    check '[c["noise_shares"] for c in d["costs"]] == [4] * 6 + [1]' \
        'd["costs"][6]["epsilon_gate"] > 21 and d["costs"][6]["epsilon_published"] > 16' \
        'd["costs"][6]["epsilon_lattice"] > 16 and d["costs"][6]["epsilon_pld"] > 15'
    # the least that a share may have is counted for those who are sure to hold a block, not for all
    cat >"$at/blocks.yaml" <<'END'
study: {id: blocks}
sites: {expected: 300, colluding: 1, min_contributors: 2}
model: {kind: vit, channels: 3, classes: 7, rank: 8, freeze_a: true}
privacy: {unit: patient, epsilon: 90.0, delta: 1.0e-6, sampling: 0.1, records: 7000}
pruning: {mode: none}
secagg: {bits: 18}
allocation: {mode: private, capacities: [1]}
rounds: {count: 1}
END
    dp 0 study --study "$at/blocks.yaml" --format json
    check 'd["releases"][0]["sigma"] / 2 ** 0.5 < 75 ** 0.5 * 4' \
        '[c["noise_shares"] for c in d["costs"]] == [2] * 6 + [1]' \
        'all(c["epsilon_pld"] > 60 for c in d["costs"])'
    # a table of the sampler takes more of delta where epsilon is larger
    sed 's/delta: 1.0e-5/delta: 1.0e-15, sampler: table/' "$at/site.yaml" >"$at/table.yaml"
    dp 0 study --study "$at/table.yaml" --format json
    check 'd["costs"][5]["epsilon_gate"] == 5.0' \
        '[d["costs"][6]["epsilon_" + by] for by in ("gate", "lattice", "pld", "published")] == [None] * 4'
    printf 'study: {id: none}\nprivacy: {epsilon: -1}\n' >"$at/bad.yaml"
    dp 5 study --study "$at/bad.yaml"
    sed 's/epsilon: 5.0/epsilon: .inf/; s/id: whole/id: whole, rehearsal: true/' "$at/site.yaml" >"$at/inf.yaml"
    dp 5 study --study "$at/inf.yaml"
    grep -q 'adds no noise' "$at/dp.log" || die 'does not say that there is no noise'
}

# refused SENTENCE ARGUMENT...
refused() {
    sentence=$1
    shift
    dp 2 "$@"
    grep -qF -e "$sentence" "$at/dp.log" || die "$* does not say: $sentence"
    [ ! -s "$at/json" ] || die "$* printed a result"
}

arguments() {
    refused '--delta is needed' epsilon --mechanism gaussian --noise-multiplier 1
    refused '--mechanism and --noise-multiplier' epsilon --delta 1e-5
    refused 'needs --sampling' epsilon --mechanism subsampled-gaussian --noise-multiplier 1 --delta 1e-5
    refused 'it is gaussian' epsilon --mechanism exponential
    refused 'from 0.01 to 1e+06' epsilon --noise-multiplier 0
    refused 'rdp, pld, gdp or all' epsilon --accountant best
    refused 'whole number' epsilon --compositions 1.5
    refused 'give it alone' epsilon --schedule x --mechanism gaussian --noise-multiplier 1 --delta 1e-5
    refused 'epsilon, plan or study' budget
    refused '--study is needed' study
    refused 'zcdp needs --rho' epsilon --mechanism zcdp --delta 1e-5
    refused 'goes with --mechanism zcdp' epsilon --mechanism gaussian --noise-multiplier 1 --rho 1 --delta 1e-5
    refused 'at most the 5 sites' plan --target-epsilon 1 --delta 1e-5 --rounds 1 --sites 5 --threshold 6
    refused 'no noise is left' plan --target-epsilon 1 --delta 1e-5 --rounds 1 --sites 5 --threshold 3 \
        --collusion 3
    refused 'lower --threshold' plan --target-epsilon 1 --delta 1e-5 --rounds 1 --sites 5 --threshold 5 \
        --dropout 0.2
    dp 5 epsilon --mechanism laplace --noise-multiplier 1 --delta 1e-5 --accountant gdp
    dp 5 plan --target-epsilon 1e-6 --delta 1e-100 --rounds 1000000 --sites 5 --threshold 5
    dp 0 --help
    for word in epsilon delta adjacency 'noise multiplier' sampling compositions accountant threshold \
        dropout collusion adversary rho; do
        grep -q "^  $word " "$at/json" || die "--help does not explain $word"
    done
}

"$case"
