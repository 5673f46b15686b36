#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pages about simulated runs and about audits: what they say, what they make of files that cannot
# be trusted, and how a browser shows them.
. "$(dirname "$0")/flow.sh"
at=$scratch/report
mkdir "$at"

study() {
    cat >"$at/study.yaml" <<END
schema: 1
study: {id: reported, rehearsal: true}
sites: {expected: 6, colluding: 1, threshold: 5, min_contributors: 2}
model: {kind: mlp, classes: 4, hidden: [16, 16]}
privacy: {unit: site, epsilon: $1, delta: 1.0e-5, clip: 2, exploration_clip: 2}
pruning: {mode: private}
rounds: {count: 4, learning_rate: 0.5, momentum: 0.5}
END
}

# run NNNN METHOD EPSILON SEED: one run as a sweep leaves it
run() {
    mkdir -p "$at/runs/$1"
    study "$3"
    code=0 state=done
    "$lab" simulate --study "$at/study.yaml" --npz "$scratch/tiny.npz" --format json --seed "$4" \
        --method "$2" --rounds-eval 2 --threads 1 >"$at/runs/$1/result.json" 2>"$at/$1.log" ||
        { code=$? state=failed; }
    printf '{"parameters": {"method": "%s", "epsilon": "%s", "seed": %s}, "commit": "none"}' \
        "$2" "$3" "$4" >"$at/runs/$1/manifest.json"
    printf '{"state": "%s", "exit": %d, "why": null}' "$state" "$code" >"$at/runs/$1/status.json"
}

some_runs() {
    tool npz "$scratch/tiny.npz" 28 4 300
    run 0001 federated 8.0 1
    run 0002 federated 8.0 2
    run 0003 federated .inf 1
    run 0004 local-only .inf 1
    run 0005 federated -1 1
    # what a run leaves that could not even begin
    rm "$at/runs/0005/result.json"
}

some_audits() {
    mkdir "$at/audits"
    /usr/bin/python3 - "$at/audits" <<'END'
import json, sys
for verdict, name in ("pass", "mechanism"), ("inconclusive", "mia"), ("fail", "inversion"):
    document = {
        "audit": name, "verdict": verdict, "summary": "What was found, in a sentence or two.",
        "version": "0.1.0", "shows": ["this " * 9], "does_not_show": ["that"],
        "claim": {"epsilon": 1.8, "delta": 1e-5, "unit": "patient", "adjacency": "add or remove one",
                  "adversary": "server", "dropouts": "those that happened"},
        "bounds": [{"method": "gdp", "epsilon_lower_bound": 1.5, "holds_for": "Gaussian noise", "headline": True}],
        "attacks": [{"name": "lira", "auc": 0.6, "points": [{"fpr_target": 0.01, "tpr": 0.02}],
                     "roc": [[i / 400, (i / 400) ** 0.8] for i in range(1, 401)]}]}
    json.dump(document, open(f"{sys.argv[1]}/{name}.json", "w"))
END
}

page() {
    "$lab" report "$at/$1" -o "$at/$1.html" >"$at/out" 2>"$at/report.log" || die "no page of $1"
    [ "$(cat "$at/out")" = "$at/$1.html" ] || die 'it does not say where the page is'
}

has() {
    grep -qF -e "$2" "$at/$1" || die "$1 does not say: $2"
}

runs() {
    some_runs
    page runs
    has runs.html '5 runs: 4 finished, 1 failed'
    has runs.html 'unit site, adjacency: add or remove one, delta 1e-05, against the server with 1 col'
    has runs-files/failed.csv '"0005","federated, epsilon -1","failed","exit 5'
    has runs-files/summary.csv '"federated, epsilon 8.0",2,0,0.'
    has runs-files/accuracy-1.csv '"local-only",,0.'
    has runs-files/accuracy-1.csv '"federated",inf,0.'
    has runs-files/learning.csv '"federated, epsilon 8.0",'
    has runs-files/budget-1.csv '"limit '
    # what it links to is there
    for link in $(grep -o 'href="[^"]*csv"' "$at/runs.html" | sed 's/href="//;s/"$//'); do
        [ -s "$at/$link" ] || die "$link is not there"
    done
    if grep -qE '<script|http:|https:' "$at/runs.html"; then die 'the page needs something else'; fi
    cp "$at/runs.html" "$at/first.html"
    page runs
    cmp "$at/runs.html" "$at/first.html" || die 'the same runs make another page'
}

audits() {
    some_audits
    echo '[1' >"$at/audits/broken.json"
    page audits
    has audits.html 'verdict pass'
    has audits.html 'verdict fail'
    has audits.html 'verdict inconclusive'
    has audits.html 'unreadable: too large, or no JSON object'
    has audits-files/mia-roc.csv '"lira, AUC 0.6",1,1'
}

# refuses CODE TEXT ARGUMENT...
refuses() {
    code=0 want=$1 text=$2
    shift 2
    "$lab" report "$@" >"$at/out" 2>"$at/report.log" || code=$?
    [ "$code" = "$want" ] || die "$* ended with $code"
    says "$at/report.log" "$text" || die "$* did not say: $text"
    [ ! -s "$at/out" ] || die "$* printed something"
}

# 10^6 rows, too many bytes, too deep: said and survived.
hostile() {
    mkdir -p "$at/runs/0001" "$at/runs/0002" "$at/runs/0003"
    for n in 1 2 3; do
        echo '{"parameters": {"method": "<script>alert(1)</script>"}}' >"$at/runs/000$n/manifest.json"
        echo '{"state": "done", "exit": 1e99}' >"$at/runs/000$n/status.json"
    done
    /usr/bin/python3 - "$at/runs" <<'END'
import sys
with open(sys.argv[1] + "/0001/result.json", "w") as out:
    out.write('{"result": {"accuracy": 0.5}, "rounds": [' + "{}," * 1000000 + "{}]}")
with open(sys.argv[1] + "/0002/result.json", "w") as out:
    out.write('{"a": "' + "x" * 9000000 + '"}')
with open(sys.argv[1] + "/0003/result.json", "w") as out:
    out.write('{"a": ' * 100000)
END
    page runs
    has runs.html '3 runs: 1 finished, 0 failed, 0 running, 2 unreadable'
    has runs-files/failed.csv 'result.json is too large to be read'
    has runs-files/failed.csv 'result.json is no JSON object'
    if grep -qF '<script' "$at/runs.html"; then die 'words became a script'; fi
    # of audits so many, and no more
    mkdir "$at/audits"
    for n in $(seq 64); do echo '{"audit": "verify", "checks": [{}]}' >"$at/audits/$n.json"; done
    page audits
    has audits.html 'verify-64-checks.csv'
    [ "$(find "$at/audits-files" -name '*.csv' | wc -l)" = 65 ] || die 'files share a name'
    echo '{"audit": "verify"}' >"$at/audits/65.json"
    rm "$at/audits.html"
    refuses 7 'more than 64 documents' "$at/audits" -o "$at/audits.html"
    [ ! -e "$at/audits.html" ] || die 'a page of some of the audits'
}

arguments() {
    mkdir -p "$at/empty" "$at/runs/0001"
    refuses 2 'FOLDER is needed'
    refuses 2 '--output is needed' "$at/empty"
    refuses 2 'one FOLDER' "$at/empty" "$at/empty" -o "$at/x.html"
    refuses 7 'neither runs' "$at/empty" -o "$at/x.html"
    refuses 1 'cannot read' "$at/absent" -o "$at/x.html"
    refuses 1 'cannot write' "$at/runs" -o "$at/absent/x.html"
    [ ! -e "$at/x.html" ] || die 'a page of nothing'
}

# browse WIDTH FILE: its document as it is in the end
browse() {
    "$chromium" --headless --no-sandbox --disable-gpu --disable-web-security --enable-logging=stderr \
        --allow-file-access-from-files --user-data-dir="$at/profile" --window-size="$1,1200" \
        --dump-dom "file://$at/$2" >"$at/dom" 2>"$at/chromium.log" </dev/null || die "no $2"
    if grep -q 'CONSOLE' "$at/chromium.log"; then die "$2: $(grep CONSOLE "$at/chromium.log")"; fi
}

# No error, and nothing is wider than the window: a page around it measures.
browser() {
    chromium=$(command -v chromium) || { echo 'skipped: no chromium here' && exit 77; }
    some_runs
    some_audits
    page runs
    page audits
    for name in runs audits; do
        browse 1280 "$name.html"
        grep -q '</svg>' "$at/dom" || die "$name shows no figure"
        for width in 390 1280; do
            cat >"$at/frame.html" <<END
<!DOCTYPE html><title>?</title><body><iframe id="f" src="$name.html"
 style="border:0;width:${width}px;height:1200px"></iframe><script>
f.onload = () => { const e = f.contentDocument.documentElement;
  document.title = e.scrollWidth <= e.clientWidth ? "fits" : "needs " + e.scrollWidth; }</script>
END
            browse 1400 frame.html
            grep -q '<title>fits</title>' "$at/dom" ||
                die "$name at $width: $(grep -o '<title>.*</title>' "$at/dom")"
        done
    done
}

"$case"
