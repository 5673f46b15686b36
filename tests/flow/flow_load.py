#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many sites against one real coordinator, with churn.

flow_load.py LAB CLIENT AGGREGATOR LOAD_SITES LOAD_CHECK SITES ROUNDS [SIDE HIDDEN LIMIT]

The model has SIDE x SIDE inputs and HIDDEN units (16 and 32); with LIMIT, the coordinator's memory
must stay below so many MiB.

The sites' state machines live in twenty processes, each site with keys and a connection of its own.
In every round one process, a twentieth of the sites, is killed with SIGKILL at a random moment and
started again without memory. Every opened sum must be that of its survivors' inputs, word for word,
and the least that the coordinator held in memory in a round must not grow over the rounds. Prints how long a site waits from plan to result:
percentiles, for people; nothing is asserted about time.
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

PROCESSES = 20
# Of the machine, not of the program: allocators keep some of what they were given.
GROWTH_KIB = 20 * 1024

STUDY = """schema: 1
study: {{id: load, rehearsal: true}}
sites: {{expected: {n}, colluding: {c}, threshold: {t}, min_contributors: 3}}
model: {{kind: mlp, height: {side}, width: {side}, classes: 4, hidden: [{hidden}]}}
privacy: {{unit: site, epsilon: .inf}}
pruning: {{mode: none}}
secagg: {{bits: {bits}, cipher: {cipher}}}
rounds: {{count: {rounds}, learning_rate: 1.0e-9, momentum: 0}}
deadlines: {{gather_ms: 600000, keys_ms: 900000, positions_ms: 900000, shares_ms: 900000,
            input_ms: 900000, confirm_ms: 900000, unmask_ms: 900000, grace_ms: 120000}}
"""


def threshold(n):
    """So that a sixth may be missing, or the least that is sound."""
    return n - n // 6


def cipher():
    with open("/proc/cpuinfo") as file:
        return "aes256-ctr" if " aes " in file.read() else "chacha20"


def enrol(at, lab, client, aggregator, n, rounds, side, hidden):
    run = lambda *argv: subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    with open(f"{at}/study.yaml", "w") as file:
        file.write(STUDY.format(n=n, c=n // 20, t=threshold(n), rounds=rounds,
                                side=side, hidden=hidden, cipher=cipher(),
                                bits=28 if hidden > 1000 else 32))
    for name in "coordinator", "officer":
        run(aggregator, "keygen", "--dir", f"{at}/{name}", "--name", name)
    requests = []
    for v in range(1, n + 1):
        name = f"site-{v:04}"
        run(client, "keygen", "--dir", f"{at}/{name}", "--name", name)
        requests.append(f"{at}/{name}/request")
    run(aggregator, "manifest", "--dir", f"{at}/coordinator", "--study", f"{at}/study.yaml",
        "--governor", f"{at}/officer/request", "--out", f"{at}/manifest", *requests)
    run(aggregator, "sign", "--dir", f"{at}/officer", "--manifest", f"{at}/manifest")
    run(lab, "init", "--study", f"{at}/study.yaml", "--out", f"{at}/initial.state")


peak_kib = []


def resident_kib(pid, what):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what))


class Least:
    """The least memory of a process since it was asked last."""

    def __init__(self, pid):
        self.pid, self.kib, self.over = pid, float("inf"), threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.05):
            try:
                self.kib = min(self.kib, resident_kib(self.pid, "VmRSS"))
            except (OSError, StopIteration):
                return

    def take(self):
        kib = min(self.kib, resident_kib(self.pid, "VmRSS"))
        self.kib = float("inf")
        return kib

    def end(self):
        self.over.set()
        self.thread.join()


class Fleet:
    def __init__(self, at, program, n):
        self.at, self.program, self.n = at, program, n
        self.process = {}

    def start(self, k, address):
        first = self.n * k // PROCESSES
        count = self.n * (k + 1) // PROCESSES - first
        out, err = open(f"{self.at}/load-{k}.out", "a"), open(f"{self.at}/load-{k}.log", "a")
        self.process[k] = subprocess.Popen([self.program, self.at, address, str(first), str(count)],
                                           stdout=out, stderr=err)

    def churn(self, address):
        k = random.randrange(PROCESSES)
        self.process[k].kill()
        self.process[k].wait()
        self.start(k, address)

    def waits(self):
        found = []
        for k in range(PROCESSES):
            with open(f"{self.at}/load-{k}.out") as file:
                found += [int(line.split()[5]) for line in file if line.startswith("round ")]
        return sorted(found)


def lead(at, aggregator, fleet, n):
    """Run the study; gives the events of its rounds and the coordinator's least memory in each."""
    out = open(f"{at}/coordinator.log", "w")
    coordinator = subprocess.Popen(
        [aggregator, "run", "--dir", f"{at}/coordinator", "--study", f"{at}/study.yaml",
         "--manifest", f"{at}/manifest", "--initial", f"{at}/initial.state",
         "--listen", "tcp://127.0.0.1:*", "--events"],
        stdout=subprocess.PIPE, stderr=out, text=True)
    least = Least(coordinator.pid)
    rounds, memory, address, masked = [], [], None, 0
    # A moment of the round: after so many masked inputs; above their number, before them.
    moment = random.randrange(n)
    try:
        for line in coordinator.stdout:
            event = json.loads(line)
            if event["event"] == "listening":
                address = f"tcp://127.0.0.1:{event['port']}"
                for k in range(PROCESSES):
                    fleet.start(k, address)
            elif event["event"] == "received":
                masked += 1
                if masked == moment:
                    fleet.churn(address)
            elif event["event"] == "round":
                if masked < moment:
                    fleet.churn(address)
                masked, moment = 0, random.randrange(n)
                rounds.append(event)
                memory.append(least.take())
                peak_kib.append(resident_kib(coordinator.pid, "VmHWM"))
                print(f"round {event['round']}: {len(event['survivors'])} of {event['cohort']} "
                      f"sites, {memory[-1] // 1024} MiB at least", flush=True)
        coordinator.wait()
    finally:
        least.end()
        coordinator.kill()
        for process in fleet.process.values():
            process.kill()
            process.wait()
    assert coordinator.returncode == 0, f"the coordinator ended with {coordinator.returncode}"
    return rounds, memory


def check(at, load_check, rounds):
    for event in rounds:
        text = "\n".join(map(str, event["survivors"]))
        subprocess.run([load_check, f"{at}/coordinator/sums-{event['round']}",
                        str(event["round"])], input=text, text=True, check=True)


def main():
    lab, client, aggregator, load_sites, load_check = sys.argv[1:6]
    n, count = int(sys.argv[6]), int(sys.argv[7])
    side, hidden, limit = map(int, sys.argv[8:11]) if len(sys.argv) > 8 else (16, 32, 0)
    random.seed(n)
    # A sanitizer keeps what was freed for a while; that is not the program's memory.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="veilsum-load-") as at:
        os.chmod(at, 0o700)
        enrol(at, lab, client, aggregator, n, count, side, hidden)
        fleet = Fleet(at, load_sites, n)
        try:
            began = time.monotonic()
            rounds, memory = lead(at, aggregator, fleet, n)
            took = time.monotonic() - began
            check(at, load_check, rounds)
        except BaseException:
            for name in "coordinator.log", "load-0.log":
                if os.path.exists(f"{at}/{name}"):
                    with open(f"{at}/{name}") as file:
                        print(f"== {name}", *file.readlines()[-30:], sep="\n")
            raise
        waits = fleet.waits()
        assert len(rounds) == count, f"{len(rounds)} rounds of {count} were opened"
        half = len(memory) // 2
        grown = max(memory[half:]) - max(memory[:half + 1])
        print(f"{n} sites, {count} rounds in {took:.0f} s, all sums exact; the coordinator "
              f"held {min(memory) // 1024} to {max(memory) // 1024} MiB at the least of each round, "
              f"{grown // 1024} MiB more in the second half")
        print("from plan to result, ms: " + ", ".join(
            f"{p} % {waits[min(len(waits) - 1, len(waits) * p // 100)]}"
            for p in (50, 90, 95, 99, 100)))
        assert grown <= GROWTH_KIB, "the coordinator holds more from round to round"
        peak = max(peak_kib) // 1024
        print(f"at its peak {peak} MiB were resident")
        assert not limit or peak < limit, f"the limit is {limit} MiB"


main()
