#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes membership.csv: scores of LiRA (offline) and RMIA (offline, gamma 1, a 0.3) by the papers'
formulas, of margins that the test makes too: of 12 records under 8 and under 80 references."""
import math
import statistics

N, A = 12, 0.3


def probability(margin):
    return 1 / (1 + math.exp(-margin))


with open("membership.csv", "w") as out:
    out.write("references,record,lira,rmia\n")
    for references in 8, 80:
        target = [((11 * i) % 23 - 9) / 3 for i in range(N)]
        unseen = [[((7 * i + 5 * k * k) % 19 - 8) / 4 for k in range(references)
                   if (i + 3 * k) % 4 >= 2] for i in range(N)]
        mean = [statistics.fmean(u) for u in unseen]
        if references == 80:  # 40 for each record: a deviation of its own
            deviation = [statistics.stdev(u) for u in unseen]
        else:
            squares = sum((x - m) ** 2 for u, m in zip(unseen, mean) for x in u)
            deviation = [math.sqrt(squares / sum(len(u) - 1 for u in unseen))] * N
        ratio = []
        for x, u in zip(target, unseen):
            bar = statistics.fmean(probability(y) for y in u)
            ratio.append(probability(x) / (((1 + A) * bar + (1 - A)) / 2))
        for i in range(N):
            rank = sum(ratio[i] / z > 1 for z in ratio) / N
            out.write("%d,%d,%.12g,%.12g\n" % (references, i, (target[i] - mean[i]) / deviation[i], rank))
