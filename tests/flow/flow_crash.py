#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What must hold of a study in which a process crashed.

flow_crash.py check FOLDER ROUNDS VICTIM   what was opened, and what the sites' journals say
"""
import collections
import json
import sqlite3
import sys

PLAN, INPUT, CONFIRM, RELEASE, RESULT = range(1, 6)


def need(holds, what):
    if not holds:
        sys.exit(what)


def opened(folder):
    """The event of each opened round; one that is told twice is told the same."""
    events = {}
    with open(f"{folder}/coordinator.out") as file:
        for event in map(json.loads, file):
            if event["event"] == "round":
                known = events.setdefault(event["round"], event)
                need(known["survivors"] == event["survivors"], f"two results of {event}")
    return events


def rows(folder, site):
    journal = sqlite3.connect(f"{folder}/site-{site + 1}/journal.db")
    return journal.execute("SELECT kind, round, session, hash FROM memory ORDER BY id").fetchall()


def check_rounds(events, rounds, victim):
    """A coordinator may die when a round is on disk and nobody was told yet."""
    numbers = [e["number"] for _, e in sorted(events.items())]
    untold = set(range(int(rounds))) - set(numbers)
    need(numbers == sorted(set(numbers)) and len(untold) <= (victim == "coordinator"),
         f"the rounds that were opened: {numbers}")


def check_models(folder, n):
    models = set()
    for site in range(n):
        with open(f"{folder}/site-{site + 1}/final.state", "rb") as file:
            models.add(file.read())
    need(len(models) == 1, "the sites have different models")


def check_sessions(entries):
    """In a session a site answers once, and all sites answer to the same."""
    said = collections.defaultdict(set)
    for site, its in enumerate(entries):
        once = collections.Counter((kind, session) for kind, _, session, _ in its)
        need(max(once.values(), default=0) <= 1, f"site-{site + 1} answered twice in a session")
        for kind, _, session, value in its:
            if kind in (PLAN, CONFIRM, RELEASE):
                said[PLAN if kind == PLAN else CONFIRM, session].add(value)
    for (kind, session), values in said.items():
        need(len(values) == 1, f"session {session.hex()}: the sites know {len(values)} "
             f"{'plans' if kind == PLAN else 'survivor sets'}")


def check_ledger(folder, site, its, events):
    inputs = [number for kind, number, _, _ in its if kind == INPUT]
    for number, event in events.items():
        need(site not in event["survivors"] or number in inputs,
             f"site-{site + 1} forgot its input of round {number}")
    with open(f"{folder}/site-{site + 1}.out") as file:
        # a letter that was lost is sent again, the same bytes
        sent = {e["round"] for e in map(json.loads, file) if e["event"] == "masked"}
    need(sent <= set(inputs), f"site-{site + 1} sent inputs {sent}, remembers {inputs}")
    with open(f"{folder}/ledger-{site + 1}") as file:
        ledger = json.load(file)
    need(ledger["releases"] == len(inputs),
         f"site-{site + 1} counts {ledger['releases']} releases of {inputs}")
    need(0 < ledger["epsilon"] <= 3, f"site-{site + 1} has spent {ledger['epsilon']}")
    need(ledger["intact"], f"site-{site + 1}'s ledger does not hold")
    counted = {row["round"] for row in ledger["rows"] if row["state"] != "void"}
    need(counted == set(inputs), f"site-{site + 1} counts rounds {counted} of {inputs}")
    results = {number for kind, number, _, _ in its if kind == RESULT}
    settled = {row["round"] for row in ledger["rows"] if row["state"] == "settled"}
    need(settled == results, f"site-{site + 1} settled {settled} of {results}")


def check_coordinator(folder, events):
    with open(f"{folder}/ledger-coordinator") as file:
        ledger = json.load(file)
    need(ledger["intact"], "the coordinator's ledger does not hold")
    settled = {row["round"] for row in ledger["rows"] if row["state"] == "settled"}
    need(set(events) <= settled, f"the coordinator settled {settled} of {set(events)}")


def check(folder, rounds, victim, n=5):
    events = opened(folder)
    check_rounds(events, rounds, victim)
    check_models(folder, n)
    entries = [rows(folder, site) for site in range(n)]
    check_sessions(entries)
    for site in range(n):
        check_ledger(folder, site, entries[site], events)
    check_coordinator(folder, events)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
