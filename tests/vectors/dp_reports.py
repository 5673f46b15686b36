#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make dp-reports.csv and dp-published.csv from a list of reference values of other accountants.

The list has the columns source, mechanism, params, composition, delta, epsilon, tolerance, kind, with
params in words. Every row becomes releases that veilsum-lab dp epsilon can be asked for, or a line
of the header that says why not. Usage: dp_reports.py LIST FOLDER
"""
import csv
import re
import sys

rows = list(csv.DictReader(open(sys.argv[1])))

REFUSED = {
    'rdp_to_eps': 'conversion alone: a case of its own in test_renyi',
    'tree_aggregation': 'tree aggregation is not offered',
    'mixture_of_gaussians': 'mixtures of Gaussians with random sensitivity are not offered',
    'truncated_subsampled_gaussian': 'truncated batches are not offered: a batch here is not cut',
    'approx_dp': 'mechanisms known by epsilon and delta alone are not offered',
    'discrete_laplace': 'discrete Laplace noise is not offered',
}
RATES = {'150/60000': '0.0025', '100/100000': '0.001', '1024/1e8': '1.024e-5'}


def source(row):
    return row['source'].replace(':python/dp_accounting/dp_accounting/', ' ').replace(',', ';').replace('"', '')


def value(params, name, default=None):
    found = re.search(name + r'\s*=\s*(?:sqrt\()?([0-9.e/*+-]+)', params)
    return found.group(1).rstrip('.') if found else default


def rule_of(row):
    kind = row['kind']
    if row['mechanism'] == 'zcdp':
        return 'zcdp'
    if kind.startswith('exact'):
        return 'exact'
    if 'gdp-clt' in kind:
        return 'gdp'
    if kind.startswith('pld-fft'):
        return 'delta' if 'on delta' in row['tolerance'] else 'pld'
    return 'rdp' if 'rdp' in kind or 'RDP order 1e10' in row['params'] else 'pld'


def gaussian(params, times):
    z = value(params, 'noise_multiplier') or value(params, 'nm')
    if 'sqrt(3)' in params:
        z = '1.7320508075688772'
    if 'sigma=1/3' in params:
        z = '0.3333333333333333'
    if params.startswith('sigma=10'):
        z = str(10 / float(value(params, 'sensitivity')))
    return f'gaussian {z.split("/")[0]} 1 {times}'


def sampled(params, times, rule):
    z = (value(params, 'nm') or value(params, 'noise_multiplier') or value(params, 'sigma')).split('/')[0]
    if '0.7/2=0.35' in params:
        z = '0.35'
    q = value(params, 'q')
    # int(90 // 0.04) in that test
    return f'gaussian {z} {RATES.get(q, q)} {"2249" if rule == "gdp" else times}'


def laplace(params, times):
    if 'hetero' in params:
        return 'laplace 1 1 3 + laplace 2 1 2'
    if 'scale b=1/' in params:
        return f'laplace {1 / float(re.search("1/([0-9.]+)", params).group(1)):.17g} 1 1'
    return f'laplace {float(value(params, "b")) / float(value(params, "sensitivity", "1")):.17g} 1 {times}'


def releases(row):
    """What to ask for, or why not."""
    name, params, times = row['mechanism'], row['params'], row['composition']
    if name in REFUSED:
        return None, REFUSED[name]
    if name.startswith('distributed'):
        return None, 'published bound: tests/vectors/dp-published.csv'
    if name.startswith('gaussian hetero'):
        return 'gaussian 8 1 1 + gaussian 4 1 30', None
    if name.startswith('gaussian (micro'):
        return 'gaussian 0.35 1 2', None
    if name == 'gaussian':
        return gaussian(params, times), None
    if name.startswith('poisson_subsampled_gaussian'):
        if 'substitute' in name:
            return None, ('Poisson sampling with one record exchanged: that the two shifts of opposite sign '
                          'are the worst pair is not proved')
        if 'hetero' in name:
            return ' + '.join(f'gaussian {1.6 + i * .2 / 9:.17g} {.05 + i * .01 / 9:.17g} 10' for i in range(10)), None
        return sampled(params, times, rule_of(row)), None
    if name == 'laplace':
        return laplace(params, times), None
    if name == 'poisson_subsampled_laplace':
        return 'laplace 0.5 0.2 3', None
    if name == 'discrete_gaussian':
        return f'discrete-gaussian {value(params, "sigma")} 1 {times} {value(params, "shift")}', None
    if name == 'skellam':
        deviation = float(re.search(r'mu=([0-9.]+)', params).group(1)) ** .5
        return f'skellam {deviation:.17g} 1 {times} {value(params, "shift")}', None
    if name == 'sum_of_discrete_gaussians':
        return 'discrete-gaussian 0.5 1 1 1 50', None
    if name == 'heterogeneous':
        return 'gaussian 0.8 0.005 100 + gaussian 8 1 200 + laplace 10 1 100', None
    assert name == 'zcdp', row
    return 'rho ' + re.search('rho=([0-9.]+)', params).group(1) + ' 1 1', None


def published(row):
    params, times, name = row['params'], row['composition'], row['mechanism']

    def get(key):
        return re.search(key + r'=([0-9.e/]+)', params).group(1)
    end = f"{times},{row['delta']},{row['epsilon']},{row['tolerance']},{source(row)}\n"
    if 'skellam' in name:
        scale = float(get('scale'))
        return (f"skellam,{(scale * float(get('central_stddev'))) ** 2:.17g},1,"
                f"{scale * float(get('l2_clip')):.17g},{get('dim')},{get('beta')},1," + end)
    gamma, exact = get('gamma'), 'tau regime' in name
    scale = float(gamma.split('/')[1]) if '/' in gamma else 1 / float(gamma)
    return (f"gaussian,{float(get('local_stddev')) * scale:.17g},{get('num_clients')},"
            f"{scale * float(get('l2_sens')):.17g},{get('dim')},{0 if exact else get('beta')},"
            f"{0 if exact else 1}," + end)


with open(sys.argv[2] + '/dp-reports.csv', 'w') as out:
    out.write('# How a reference is met: exact (the tightest accountant, within the tolerance), rdp and pld (at most the\n'
              '# reference, which is an upper bound itself, and pld at most 0.5 % below), delta (at the epsilon given), gdp, '
              'zcdp.\n# Releases: mechanism, noise, sampling, times, shift, shares. Not among them, of the list these are '
              'from:\n')
    for row in rows:
        if releases(row)[1]:
            out.write(f"#   {row['mechanism']} ({row['params'].replace(',', ';')}): {releases(row)[1]}\n")
    out.write('rule,delta,epsilon,tolerance,releases,source\n')
    for row in rows:
        if releases(row)[0]:
            out.write(f"{rule_of(row)},{row['delta']},{row['epsilon']},{row['tolerance'].split()[0]},"
                      f"{releases(row)[0]},{source(row)}\n")

with open(sys.argv[2] + '/dp-published.csv', 'w') as out:
    out.write('law,sigma_or_variance,shares,norm,dim,beta,rounded,times,delta,epsilon,tolerance,source\n')
    for row in rows:
        if row['mechanism'].startswith('distributed'):
            out.write(published(row))
