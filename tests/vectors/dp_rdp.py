#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make dp-rdp.csv: Renyi divergences of Poisson-sampled discrete Gaussians, in 60 digits.

`formula` is the binomial sum as published, with nothing rearranged. `lattice` and `reverse` know no
formula: they add up M(k)^a P(k)^(1-a) and P(k)^a M(k)^(1-a) over the integers, for the mixture
M = (1-q) P + q P(. - shift), as far as any term matters. Rows of other programs are copied below.
Usage: dp_rdp.py > dp-rdp.csv
"""
from decimal import Decimal, getcontext
from math import comb

getcontext().prec = 60
getcontext().Emax = 10**9

COPIED = """\
50,2.5,1,0.01,50,0.0238460375,1e-4,dp_accounting b5b0286 rdp_privacy_accountant_test.py
100,2.5,1,0.01,50,167.416308,1e-4,dp_accounting b5b0286 rdp_privacy_accountant_test.py
2,0.1,1,0.01,1,90.7896596280238,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
10,0.1,1,0.01,1,494.8831442377909,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
128,0.1,1,0.01,1,6395.3585686314445,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
2,0.25,1,0.01,1,6.790784234628705,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
64,0.25,1,0.01,1,507.3217318745518,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
2,0.5,1,0.01,1,0.005345502314345245,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
10,0.5,1,0.01,1,14.883144237791036,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py
128,0.5,1,0.01,1,251.35856863144505,1e-6,autodp 06489ea unit_test_dp_sgd_poisson_sampling_add_remove.py"""


def formula(order, sigma, shift, q):
    z2 = (Decimal(sigma) / Decimal(shift)) ** 2
    q = Decimal(q)
    moment = sum(comb(order, j) * (1 - q) ** (order - j) * q ** j * (Decimal(j * (j - 1)) / (2 * z2)).exp()
                 for j in range(order + 1))
    return moment.ln() / (order - 1)


def lattice(order, sigma, shift, q, reverse):
    sigma, shift, q = Decimal(sigma), int(shift), Decimal(q)
    reach = int(18 * sigma) + (order + 1) * shift
    p = {k: (-Decimal(k * k) / (2 * sigma * sigma)).exp() for k in range(-reach - shift, reach + 1)}
    moment = total = Decimal(0)
    for k in range(-reach, reach + 1):
        mixed = (1 - q) * p[k] + q * p[k - shift]
        ratio = p[k] / mixed if reverse else mixed / p[k]
        moment += (mixed if reverse else p[k]) * ratio ** order
        total += p[k]
    return (moment / total).ln() / (order - 1)


print("order,sigma,shift,q,times,rdp,tolerance,source")
for order, sigma, shift, q in [(2, "1", "1", "0.5"), (2, "10", "1", "0.0001"), (3, "100", "1", "0.001"),
                               (8, "4", "1", "0.01"), (32, "1", "1", "0.01"), (128, "5", "1", "0.001"),
                               (256, "1", "10", "0.3"), (1024, "40", "1", "0.2"), (1024, "2", "1", "0.00001"),
                               (512, "3", "1", "0.999")]:
    print(f"{order},{sigma},{shift},{q},1,{formula(order, sigma, shift, q):.20e},2e-9,formula")
for order, sigma, shift, q in [(2, "4", "1", "0.1"), (3, "4", "5", "0.01"), (5, "7", "3", "0.5"), (16, "4", "2", "0.05")]:
    for reverse in (False, True):
        value = lattice(order, sigma, shift, q, reverse)
        tolerance, name = ("inf", "reverse") if reverse else ("2e-9", "lattice")
        print(f"{order},{sigma},{shift},{q},1,{value:.20e},{tolerance},{name}")
print(COPIED)
