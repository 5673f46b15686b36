#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make dp-lattice.csv: Renyi divergences of whole-number noise, shifted, in 40 digits (mpmath).

Laws are added up as they are defined: Skellam from Bessel functions, sums of discrete Gaussians one
term after the other; no code or recurrence is shared with dp/lattice.c. Beside each, the bound that
was published for it: Agarwal, Kairouz, Liu 2021, theorem 3.5, and Kairouz, Liu, Steinke 2021,
proposition 14 with one coordinate. Rows of sampled Gaussians are copied from other programs: z,
releases, rate, order, RDP, relative tolerance. Usage: dp_lattice.py > dp-lattice.csv
"""
from mpmath import besseli, exp, log, mp, mpf, nstr, pi, sqrt

mp.dps = 40

# law, sigma or variance, shares: order:shift
ROWS = {
    ('skellam', '0.25', 1):
        '1.1:1 1.1:2 1.1:8 1.5:1 1.5:2 1.5:8 2:1 4:1 4:2 4:8 8:1 8:2 16:1 16:2 32:2 32:8 64:1 '
        '64:2 64:8',
    ('skellam', '1', 1):
        '1.1:1 1.1:2 1.1:8 1.5:2 1.5:8 2:1 2:2 2:8 4:1 4:2 4:8 8:1 8:2 8:8 16:1 32:1 32:2 64:2 '
        '64:8',
    ('skellam', '4', 1):
        '1.1:1 1.1:8 1.5:1 1.5:2 1.5:8 2:2 2:8 4:2 4:8 8:1 8:2 16:1 16:2 16:8 32:1 32:2 32:8 64:1 '
        '64:2 64:8',
    ('skellam', '16', 1): '1.1:1 1.1:2 1.5:1 2:2 2:8 4:1 4:2 8:1 8:2 16:1 16:8 32:1 32:2 32:8 64:1 64:8',
    ('skellam', '64', 1):
        '1.1:2 1.1:8 1.5:1 1.5:8 2:1 2:2 4:1 4:2 4:8 8:1 8:2 8:8 16:2 16:8 32:2 32:8 64:1 64:2 '
        '64:8',
    ('skellam', '400', 1):
        '1.1:2 1.5:1 1.5:2 2:1 2:8 4:2 4:8 8:1 8:2 16:1 16:2 16:8 32:2 32:8 64:1 64:2 64:8',
    ('skellam', '2500', 1):
        '1.1:1 1.1:2 1.1:8 1.5:1 1.5:2 1.5:8 2:1 2:2 2:8 4:2 4:8 8:1 8:2 8:8 16:1 16:2 32:1 32:2 '
        '64:1 64:2 64:8',
    ('gaussian', '0.5', 10): '2:1 2:4 4:1 4:2 4:4 8:1 8:2',
    ('gaussian', '0.5', 50): '2:1 2:2 2:4 4:1 4:2 4:4 8:2 8:4',
    ('gaussian', '0.7', 10): '2:1 2:2 2:4 4:1 4:2 4:4 8:1 8:2',
    ('gaussian', '0.7', 50): '2:1 2:2 2:4 4:1 4:2 4:4 8:1 8:2 8:4',
    ('gaussian', '1.0', 10): '2:2 2:4 4:1 4:2 4:4 8:1 8:2 8:4',
    ('gaussian', '1.0', 50): '2:1 2:4 4:1 4:2 4:4 8:1 8:2 8:4',
}

COPIED = """\
sampled,2.5,50,.01,2.5,0.0010854871,1e-4,google/differential-privacy@b5b0286:rdp_privacy_accountant_test.py
sampled,2.5,50,.01,50,0.0238460375,1e-4,google/differential-privacy@b5b0286:rdp_privacy_accountant_test.py
sampled,2.5,50,.01,100,167.416308,1e-4,google/differential-privacy@b5b0286:rdp_privacy_accountant_test.py
sampled,0.1,1,.01,1.25,39.47435359280898,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.1,1,.01,2,90.7896596280238,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.1,1,.01,4.5,219.07906690372957,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.1,1,.01,10,494.8831442377909,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.1,1,.01,128,6395.3585686314445,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.25,1,.01,1.25,0.1103603174246269,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.25,1,.01,2,6.790784234628705,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.25,1,.01,4.5,30.079066903729597,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.25,1,.01,64,507.3217318745518,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.5,1,.01,2,0.005345502314345245,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.5,1,.01,10,14.883144237791036,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py
sampled,0.5,1,.01,128,251.35856863144505,1e-6,yuxiangw/autodp@06489ea:test/unit_test_dp_sgd_poisson_sampling_add_remove.py"""


def skellam(variance, reach):
    v, law = mpf(variance), []
    # I_k by its recurrence downwards, which is stable, from two Bessel functions
    high, low = besseli(reach + 1, v), besseli(reach, v)
    for k in range(reach, -1, -1):
        law.append(low * exp(-v))
        high, low = low, high + 2 * k / v * low
    return law[::-1]


def gaussian(sigma, n, reach):
    one = [exp(-mpf(k * k) / (2 * mpf(sigma) ** 2)) for k in range(reach + 1)]
    total = one[0] + 2 * sum(one[1:])
    one = [p / total for p in one]
    law = one
    for _ in range(n - 1):
        near = [(i, one[abs(i)]) for i in range(-reach, reach + 1) if one[abs(i)] > mpf(10) ** -400]
        law = [sum(p * law[abs(k - i)] for i, p in near if abs(k - i) <= reach) for k in range(reach + 1)]
    return law


def divergence(law, order, shift):
    a, reach = mpf(order), len(law) - 1
    return log(sum(exp(a * log(law[abs(k - shift)]) + (1 - a) * log(law[abs(k)]))
                   for k in range(shift - reach, reach + 1))) / (a - 1)


def published(name, spread, n, order, s):
    a, v = mpf(order), mpf(spread)
    if name == 'skellam':
        return a * s * s / (2 * v) + min(((2 * a - 1) * s * s + 6 * s) / (4 * v * v), 3 * s / (2 * v))
    tau = 10 * sum(exp(-2 * pi ** 2 * v ** 2 * mpf(k) / (k + 1)) for k in range(1, n))
    r = s / (sqrt(n) * v)
    return min(a / 2 * r * r + tau, a / 2 * (r * r + 2 * r * tau + tau ** 2), a / 2 * (r + tau) ** 2)


print('law,sigma_or_variance,shares,shift,order,rdp,published,source')
for (name, spread, n), pairs in ROWS.items():
    pairs = [pair.split(':') for pair in pairs.split()]
    most = max(float(order) * int(shift) for order, shift in pairs)
    deviation = float(spread) ** 0.5 if name == 'skellam' else float(spread) * n ** 0.5
    reach = int(most + 20 * deviation + 40)
    law = skellam(spread, reach) if name == 'skellam' else gaussian(spread, n, reach)
    for order, shift in pairs:
        rdp, bound = divergence(law, order, int(shift)), published(name, spread, n, order, int(shift))
        print(f'{name},{spread},{n},{shift},{order},{nstr(rdp, 13)},{nstr(bound, 8)},computed in 40 digits')
print(COPIED)
