#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write dp-bound.csv: lower bounds on epsilon by direct sums and bisection in 40 digits, needs
mpmath. No code is shared with dp/bound.c, which works with ratios of neighbours in doubles.

method, four counts (one-run: canaries, guesses, correct, 0; else: false positives, negatives, false
negatives, positives; gaussian: mu, 0, 0, 0), delta, confidence, the bound, and the same bound as
other software gives it: values of google-deepmind/jax_privacy (auditing.py, Apache-2.0; its root
finder stops at 1e-6), computed with it and scipy; nan where we have none.
"""
import sys
from mpmath import mp, mpf, binomial, erfinv, exp, log, ncdf, sqrt

mp.dps = 40
CAP = mpf(256)


def last(refuted, high):
    low = mpf(0)
    if not refuted(low + mpf(10) ** -30):
        return low
    while high - low > mpf(10) ** -16:
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def masses(n, q):
    mass, p = [], (1 - q) ** n
    for k in range(n + 1):
        mass.append(p)
        p = p * (n - k) / (k + 1) * q / (1 - q)
    return mass


def one_run(m, r, v, delta, alarm):
    def refuted(epsilon):
        mass = masses(r, 1 / (1 + exp(-epsilon)))
        beta = sum(mass[v:])
        alpha, below = mpf(0), mpf(0)
        for i in range(1, v + 1):
            below += mass[v - i]
            alpha = max(alpha, below / i)
        return beta + 2 * m * delta * alpha < alarm
    return last(refuted, mpf(40))


def inverse(p):
    return sqrt(mpf(2)) * erfinv(2 * p - 1)


def gaussian(mu, delta):
    if mu == 0:
        return mpf(0)
    if delta == 0:
        return CAP
    return min(CAP, last(lambda e: ncdf(mu / 2 - e / mu) - exp(e) * ncdf(-mu / 2 - e / mu) > delta,
                         mpf(300)))


def one_run_fdp(m, r, v, delta, alarm):
    def refuted(mu):
        right, wrong = alarm * v / m, alarm * (r - v) / m
        for i in range(v - 1, -1, -1):
            least = max(wrong, ncdf(inverse(right) - mu))
            right += mpf(i) / (r - i) * (least - wrong)
            wrong = least
            if right + wrong > mpf(r) / m:
                return True
        return False
    low, high = mpf(0), mpf(20)
    while high - low > mpf(10) ** -12:
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return gaussian(low, delta)


def limit(k, n, chance):
    if k == n:
        return mpf(1)
    low, high = mpf(0), mpf(1)
    while high - low > mpf(10) ** -22:
        p = (low + high) / 2
        term, tail = binomial(n, k) * p ** k * (1 - p) ** (n - k), mpf(0)
        for j in range(k, -1, -1):
            tail += term
            if term < tail * mpf(10) ** -30:
                break
            term = term * j / (n - j + 1) * (1 - p) / p
        low, high = (p, high) if tail > chance else (low, p)
    return high


def clopper_pearson(a, n0, b, n1, delta, alarm):
    fp, fn = limit(a, n0, alarm / 2), limit(b, n1, alarm / 2)
    best = mpf(0)
    for one, other in ((fn, fp), (fp, fn)):
        if 1 - delta - one > 0:
            best = max(best, log((1 - delta - one) / other))
    return best


def gdp(a, n0, b, n1, delta, alarm):
    fp, fn = limit(a, n0, alarm / 2), limit(b, n1, alarm / 2)
    if fp == 1 or fn == 1:
        return mpf(0)
    return gaussian(max(mpf(0), inverse(1 - fp) - inverse(fn)), delta)


ROWS = [
    ('one-run', (100, 100, 60, 0), '0', '0.95', '0.05191494'),
    ('one-run', (100, 100, 80, 0), '0', '0.95', '0.95839205'),
    ('one-run', (100, 100, 95, 0), '1e-05', '0.95', '2.17171363'),
    ('one-run', (1000, 100, 90, 0), '1e-05', '0.95', '1.62614348'),
    ('one-run', (1000, 1000, 600, 0), '1e-05', '0.95', '0.29722695'),
    ('one-run', (5000, 500, 490, 0), '1e-05', '0.95', '3.33566969'),
    ('one-run', (5000, 500, 500, 0), '1e-05', '0.95', '4.97775757'),
    ('one-run', (5000, 100, 100, 0), '1e-05', '0.95', '3.35241974'),
    ('one-run', (10000, 1000, 900, 0), '1e-06', '0.99', '1.95154030'),
    ('one-run', (400, 400, 300, 0), '0', '0.99', '0.82846011'),
    ('one-run', (20, 20, 20, 0), '0', '0.95', '1.82271561'),
    ('one-run', (50, 50, 50, 0), '0.001', '0.95', '2.63918637'),
    ('one-run', (1000, 500, 400, 0), '0.0001', '0.9', 'nan'),
    ('one-run', (100, 100, 50, 0), '0', '0.95', 'nan'),
    ('one-run-fdp', (100, 100, 80, 0), '1e-05', '0.95', 'nan'),
    ('one-run-fdp', (100, 100, 100, 0), '1e-05', '0.95', 'nan'),
    ('one-run-fdp', (1000, 100, 90, 0), '1e-05', '0.95', 'nan'),
    ('one-run-fdp', (1000, 1000, 600, 0), '1e-06', '0.99', 'nan'),
    ('one-run-fdp', (2000, 200, 190, 0), '1e-05', '0.9', 'nan'),
    ('one-run-fdp', (100, 100, 50, 0), '1e-05', '0.95', 'nan'),
    ('clopper-pearson', (10, 1000, 300, 1000), '1e-05', '0.95', '3.60044148'),
    ('clopper-pearson', (0, 500, 0, 500), '0', '0.95', '4.90559421'),
    ('clopper-pearson', (50, 1000, 50, 1000), '1e-05', '0.9', '2.70185421'),
    ('clopper-pearson', (0, 10000, 9000, 10000), '1e-06', '0.95', '5.54272059'),
    ('clopper-pearson', (9000, 10000, 0, 10000), '1e-06', '0.95', 'nan'),
    ('clopper-pearson', (500, 1000, 500, 1000), '0', '0.95', 'nan'),
    ('clopper-pearson', (3, 40, 40, 40), '0', '0.95', 'nan'),
    ('gdp', (10, 1000, 300, 1000), '1e-05', '0.95', '13.41630532'),
    ('gdp', (0, 500, 0, 500), '0', '0.95', '256.0'),
    ('gdp', (50, 1000, 50, 1000), '1e-05', '0.9', 'nan'),
    ('gdp', (0, 10000, 9000, 10000), '1e-06', '0.95', 'nan'),
    ('gdp', (500, 1000, 500, 1000), '1e-05', '0.95', 'nan'),
    ('gdp', (0, 40, 40, 40), '1e-05', '0.95', 'nan'),
    ('gaussian', ('3.85345988', 0, 0, 0), '1e-05', '0.95', '23.18863066'),
    ('gaussian', ('2.53130343', 0, 0, 0), '1e-05', '0.95', '13.41630532'),
    ('gaussian', ('3.59276902', 0, 0, 0), '1e-05', '0.95', '21.12033866'),
    ('gaussian', ('1.91263484', 0, 0, 0), '1e-05', '0.95', '9.46336119'),
    ('gaussian', ('4.87931365', 0, 0, 0), '0', '0.95', '256.0'),
    ('gaussian', ('0.01', 0, 0, 0), '1e-05', '0.95', 'nan'),
    ('gaussian', ('0.001', 0, 0, 0), '1e-30', '0.95', 'nan'),
    ('gaussian', ('1', 0, 0, 0), '1e-90', '0.95', 'nan'),
    ('gaussian', ('20', 0, 0, 0), '0.3', '0.95', 'nan'),
    ('gaussian', ('0.5', 0, 0, 0), '0.9', '0.95', 'nan'),
]

out = open(sys.argv[1], 'w')
out.write('method,count,count,count,count,delta,confidence,bound,elsewhere\n')
for method, c, delta, confidence, elsewhere in ROWS:
    d, alarm = mpf(delta), 1 - mpf(confidence)
    if method == 'gaussian':
        bound = gaussian(mpf(c[0]), d)
    elif method == 'one-run':
        bound = one_run(*c[:3], d, alarm)
    elif method == 'one-run-fdp':
        bound = one_run_fdp(*c[:3], d, alarm)
    elif method == 'gdp':
        bound = gdp(*c, d, alarm)
    else:
        bound = clopper_pearson(*c, d, alarm)
    out.write('%s,%s,%s,%s,%s,%s,%s,%s,%s\n' %
              (method, *c, delta, confidence, mp.nstr(bound, 13), elsewhere))
out.close()
