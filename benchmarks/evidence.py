#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs of veilsum-lab simulate for many settings and seeds, and the tables that come of them.

evidence.py --lab build/lab/veilsum-lab --out DIR [EXPERIMENT...]   run what has no result yet
evidence.py --list [EXPERIMENT...]                                  say what would be run
evidence.py --out DIR --tables [EXPERIMENT...]                      rewrite the tables and results/*.csv

An experiment is benchmarks/evidence/NAME.json and the study file that it names, in which $key stands
for a setting:

  study      the template
  text       a sentence for the table's head
  data       arguments of simulate; $VEILSUM_DATA is the folder of that variable, $HERE that of the
             experiments, $PREPARED that of what was prepared
  needs_data true where the experiment is skipped when VEILSUM_DATA is not set
  prepare    a script that makes files once, and its arguments: it is called with the lab,
             $VEILSUM_DATA, $PREPARED and them, and prints settings that all runs share
  partition, seeds, rounds_eval
  fixed      settings that all runs share; $seed in a setting is the run's
  vary       a list of settings and their values: every combination in each is a row
  baselines  rows by other methods, each with settings of its own
  against    rows, by the settings that they have in place of a row's own, which it is compared with
  columns    of the table: setting names, and of result: accuracy, balanced, auc, loss, kept, spent
             (epsilon), bytes; gain is the accuracy minus the mean of the rows to compare with, seed by
             seed: the interval is that of the differences

Every run leaves one file, a failed one too, with what it said; a file that is there is not run again
unless --again is given. A result is a mean over seeds and the half width of its 95 % interval
(Student's t, the seeds taken as independent). Rows with failed runs say how many failed.
"""
import argparse
import concurrent.futures
import csv
import hashlib
import itertools
import json
import math
import os
import pathlib
import string
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "evidence"
RUNS = FOLDER / "results"
PAGES = [HERE.parent / "docs" / "evidence.md", HERE.parent / "README.md"]
# 97.5 % quantiles of Student's t by degrees of freedom
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
     2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086]


def load(names):
    paths = [FOLDER / f"{name}.json" for name in names] or sorted(FOLDER.glob("*.json"))
    for path in paths:
        experiment = json.loads(path.read_text())
        experiment["name"] = path.stem
        yield experiment


def rows(experiment):
    """(method, settings) of each row, in the order of the table."""
    fixed = experiment.get("fixed", {})
    for baseline in experiment.get("baselines", []):
        settings = dict(baseline)
        yield settings.pop("method"), {**fixed, **settings}
    for vary in experiment["vary"]:
        for values in itertools.product(*vary.values()):
            yield "federated", {**fixed, **dict(zip(vary, values))}


def is_skipped(experiment):
    return experiment.get("needs_data", False) and "VEILSUM_DATA" not in os.environ


def prepared(options, experiment):
    return pathlib.Path(options.out).resolve() / experiment["name"] / "prepared"


def prepare(options, experiment):
    """Make the experiment's files, if that was not done, and take what it says to the settings."""
    if "prepare" not in experiment:
        return
    script, *words = experiment["prepare"]
    folder = prepared(options, experiment)
    said = folder / "settings.json"
    if not said.exists() and not options.tables:
        folder.mkdir(parents=True, exist_ok=True)
        ran = subprocess.run([FOLDER / script, os.path.abspath(options.lab),
                              os.environ.get("VEILSUM_DATA", ""), folder, *words],
                             stdout=subprocess.PIPE, text=True, check=True)
        said.write_text(ran.stdout)
    if said.exists():
        experiment["fixed"] = {**experiment.get("fixed", {}), **json.loads(said.read_text())}


def data_of(experiment, settings):
    return [string.Template(word).safe_substitute(settings) for word in experiment.get("data", [])]


def arguments(options, experiment, settings):
    place = {"VEILSUM_DATA": os.environ.get("VEILSUM_DATA", ""), "HERE": str(FOLDER),
             "PREPARED": str(prepared(options, experiment))}
    return [string.Template(word).substitute(place) for word in data_of(experiment, settings)]


def study_of(experiment, settings, seed):
    template = (FOLDER / experiment["study"]).read_text()
    text = {key: str(value).replace("$seed", str(seed)) for key, value in settings.items()}
    return string.Template(template).substitute(text)


def result_path(out, experiment, method, settings, seed):
    """Named by everything that the run depends on, so that a changed definition is a new run."""
    what = json.dumps([study_of(experiment, settings, seed), method, data_of(experiment, settings),
                       experiment["partition"], experiment.get("dropout", 0), seed])
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    return pathlib.Path(out) / experiment["name"] / f"{name}-{seed}.json"


def commit():
    asked = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"],
                           capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def run(options, experiment, method, settings, seed, path):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as study:
        study.write(study_of(experiment, settings, seed))
        study.flush()
        command = [options.lab, "simulate", "--study", study.name, "--method", method, "--seed", str(seed),
                   "--partition", experiment["partition"], "--format", "json",
                   "--threads", "1", "--rounds-eval", str(experiment.get("rounds_eval", 0)),
                   "--dropout", str(experiment.get("dropout", 0))]
        ran = subprocess.run(command + arguments(options, experiment, settings), capture_output=True, text=True,
                             check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    try:
        document = json.loads(ran.stdout)
    except ValueError:
        document = None
    result = {"experiment": experiment["name"], "method": method, "settings": settings,
              "seed": seed, "commit": commit(), "exit": ran.returncode,
              "said": ran.stderr[-2000:], "document": document}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(result, indent=1))
    beside.replace(path)
    return ran.returncode


def run_one(options, what):
    experiment, method, settings, seed = what
    path = result_path(options.out, experiment, method, settings, seed)
    if path.exists() and not options.again:
        return 0
    code = run(options, experiment, method, settings, seed, path)
    print(f"{experiment['name']}: {method} {settings} seed {seed}:",
          "done" if code == 0 else f"exit {code}", flush=True)
    return code


def run_all(options, experiments):
    pending = []
    for experiment in experiments:
        if is_skipped(experiment):
            print(f"{experiment['name']}: skipped, VEILSUM_DATA is not set")
            continue
        prepare(options, experiment)
        pending += [(experiment, method, settings, seed) for (method, settings), seed in
                 itertools.product(rows(experiment), seeds_of(options, experiment))]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return sum(code != 0 for code in pool.map(lambda what: run_one(options, what), pending))


def seeds_of(options, experiment):
    return experiment["seeds"][:options.seeds] if options.seeds else experiment["seeds"]


# --- tables ----------------------------------------------------------------------------------------

def interval(values):
    """Mean and half width; the width is None for a single value."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, None
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / (n - 1))
    return mean, T[min(n - 2, len(T) - 1)] * deviation / math.sqrt(n)


def value_of(column, d):
    """None where there is none, or infinite."""
    if column == "kept":
        return d["rounds"][-1]["kept"] / d["parameters"]
    if column == "spent":
        # against the coordinator with its colluding sites
        return d["privacy"]["spent"]["server_and_colluding_sites"] if "privacy" in d else None
    if column == "bytes":
        return d["bytes_per_site"]["up"] if "bytes_per_site" in d else None
    return d["result"][column]


def cell(column, documents):
    values = [value_of(column, d) for d in documents]
    if not values or any(x is None for x in values):
        # JSON has no infinity
        return "inf" if column == "spent" and any("privacy" in d for d in documents) else "-"
    if column == "spent":
        return f"{max(values):.4f}"
    if column == "bytes":
        return f"{max(values)}"
    mean, half = interval(values)
    if column == "kept":
        return f"{100 * mean:.1f} %"
    return f"{mean:.4f}" if half is None else f"{mean:.4f} ± {half:.4f}"


MEASURES = ("accuracy", "balanced", "auc", "loss", "kept", "spent", "bytes")


def results_of(options, experiment, method, settings):
    """What its runs left, by seed."""
    results = {}
    for seed in experiment["seeds"]:
        path = result_path(options.out, experiment, method, settings, seed)
        if path.exists():
            results[seed] = json.loads(path.read_text())
    return results


def accuracies(results):
    return {seed: r["document"]["result"]["accuracy"] for seed, r in results.items() if r["exit"] == 0}


def gain(options, experiment, method, settings, results):
    bases = [{**settings, **base} for base in experiment["against"]]
    if settings in bases:
        return "-"
    others = [accuracies(results_of(options, experiment, method, base)) for base in bases]
    differences = []
    for seed, own in accuracies(results).items():
        other = [x[seed] for x in others if seed in x]
        if other:
            differences.append(own - math.fsum(other) / len(other))
    if len(differences) < 2:
        return "-"
    mean, half = interval(differences)
    return f"{mean:+.4f} ± {half:.4f}"


def table(options, experiment):
    columns = experiment["columns"]
    lines = ["| " + " | ".join(["method"] + columns + ["runs"]) + " |",
             "|" + "---|" * (len(columns) + 2)]
    for method, settings in rows(experiment):
        results = results_of(options, experiment, method, settings)
        if not results:
            continue
        good = [r["document"] for r in results.values() if r["exit"] == 0]
        bad = len(results) - len(good)
        cells = [gain(options, experiment, method, settings, results) if c == "gain" else
                 cell(c, good) if c in MEASURES else str(settings.get(c, "-")).strip("., ") or "-" for c in columns]
        runs = f"{len(good)}" + (f", {bad} failed" if bad else "")
        lines.append("| " + " | ".join([method] + cells + [runs]) + " |")
    return lines


def not_run(options, experiment):
    """What is missing from the table, in a line of its own."""
    runs = [result_path(options.out, experiment, method, settings, seed).exists()
            for (method, settings), seed in itertools.product(rows(experiment), experiment["seeds"])]
    return [] if all(runs) else ["", f"Not run yet: {runs.count(False)} of {len(runs)} runs."]


def write_runs(options, experiment):
    """One line per run, for whoever wants to reckon anew."""
    lines = []
    for method, settings in rows(experiment):
        for seed, result in results_of(options, experiment, method, settings).items():
            done = result["exit"] == 0
            line = {"method": method, **settings, "seed": seed, "exit": result["exit"]}
            lines.append({**line, **{f"measured_{c}": value_of(c, result["document"])
                                     for c in MEASURES if done}})
    keys = list(dict.fromkeys(key for line in lines for key in line))
    RUNS.mkdir(exist_ok=True)
    with open(RUNS / f"{experiment['name']}.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, keys, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def write_table(page, mark, body):
    """Whether the page has a place for it."""
    text, first, last = page.read_text(), f"<!-- evidence: {mark} -->", "<!-- end -->"
    if first not in text:
        return False
    head, rest = text.split(first, 1)
    _, tail = rest.split(last, 1)
    page.write_text(f"{head}{first}\n{body}\n{last}{tail}")
    return True


def write_tables(options, experiments):
    for experiment in experiments:
        prepare(options, experiment)
        lines = table(options, experiment)
        if len(lines) == 2:
            continue
        write_runs(options, experiment)
        body = "\n".join([experiment["text"], "", *lines, *not_run(options, experiment)])
        if not any([write_table(page, experiment["name"], body) for page in PAGES]):
            sys.exit(f"no page has a place for {experiment['name']}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="*")
    parser.add_argument("--lab", default="build/lab/veilsum-lab")
    parser.add_argument("--out", default="evidence")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, of one thread each")
    parser.add_argument("--seeds", type=int, help="only the first so many")
    parser.add_argument("--again", action="store_true", help="also what has a result")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--tables", action="store_true")
    options = parser.parse_args()
    experiments = list(load(options.experiment))
    if options.list:
        for experiment in experiments:
            for method, settings in rows(experiment):
                study_of(experiment, settings, 1)
                print(experiment["name"], method, json.dumps(settings), len(experiment["seeds"]))
        return 0
    if options.tables:
        return write_tables(options, experiments)
    return min(run_all(options, experiments), 1)


if __name__ == "__main__":
    sys.exit(main())
