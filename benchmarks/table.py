#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the tables of docs/benchmarks.md from what the benchmarks printed: table.py CSV..."""
import csv
import sys


def print_table(title, head, rows):
    if not rows:
        return
    print(f"\n## {title}\n")
    for row in [head, ["---"] * len(head)] + rows:
        print("| " + " | ".join(row) + " |")


def read(paths):
    """Rows without comments and heads, by their first word."""
    kinds = {}
    for path in paths:
        with open(path, newline="", encoding="utf-8") as lines:
            for row in csv.reader(line for line in lines if not line.startswith("#")):
                kinds.setdefault(row[0], []).append(row[1:])
    return kinds


def rounds(kinds):
    """One line per round: both parties' times beside the least possible, and the upload."""
    lines = {}
    for party, phase, *key, ms, least in kinds.get("round", []):
        if (party, phase) in (("site", "all but noise"), ("coordinator", "all")):
            lines.setdefault(tuple(key), []).extend([f"{float(ms):.0f}", f"{float(least):.0f}"])
    for _, way, *key, size, over in kinds.get("bytes", []):
        if way == "up":
            lines[tuple(key)].extend([f"{int(size) / 1e6:.2f}", over])
    return [list(key) + line for key, line in lines.items()]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    kinds = read(sys.argv[1:])
    print_table("Goals", ["what", "measured", "goal", "met"], kinds.get("goal", []))
    print_table("Whole rounds",
                ["sites", "graph", "holders", "pads", "d", "lost %", "cipher", "site ms", "least",
                 "coordinator ms", "least", "upload MB", "over payload"], rounds(kinds))
    phases = [row for row in kinds.get("round", [])
              if float(row[-2]) >= 10 and not row[1].startswith("all")]
    print_table("Phases of at least ten milliseconds",
                ["party", "phase", "sites", "graph", "holders", "pads", "d", "lost %", "cipher",
                 "ms", "least ms"], phases)
    print_table("Pads", ["cipher", "kernel", "d", "pads", "ns an element", "over libsodium"],
                [row for row in kinds.get("pad", []) if row[0] != "cipher"])
    print_table("Turning and rounding contributions",
                ["step", "coordinates", "million a second", "times slower than memcpy"],
                kinds.get("road", []))
    print_table("Sums of spiky vectors in narrow rings",
                ["bits", "rotation", "rounding", "noise over a fine grid's", "error over a fine grid's"],
                kinds.get("error", []))
    print_table("Learning beside PyTorch",
                ["model", "mode", "batch", "threads", "clock", "images a second", "PyTorch's", "ratio",
                 "of what products allow"],
                kinds.get("learn", []))
    print_table("Training steps of pruned models",
                ["model", "batch", "units left", "time", "multiply-accumulates"],
                kinds.get("prune", []))
    print_table("Primitives", ["operation", "microseconds"], kinds.get("crypto", []))


if __name__ == "__main__":
    main()
