#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# smoke.sh BENCH_MASK BENCH_NOISE BENCH_ROTATE BENCH_MODEL: their quick runs print a header and
# well-formed rows, of portable ChaCha20 and of every sampler at least; a model learns in both modes.
rows=$("$1" --quick abc123) || exit 1
number='[0-9]\+\.[0-9]\+'
row="^pad,\(chacha20\|aes256-ctr\),[a-z0-9-]\+,\(100000\|1000000\|16000000\),2,$number,$number\$"
echo "$rows"
echo "$rows" | head -n 1 | grep -q '^# commit abc123, compiler .*, cpu .' || exit 1
[ "$(echo "$rows" | grep -c '^pad,chacha20,portable,')" -eq 3 ] || exit 1
[ "$(echo "$rows" | tail -n +2 | grep -vc "$row")" -eq 0 ] || exit 1

rows=$("$2" --quick abc123) || exit 1
row="^noise,[a-z]\+,[a-z0-9-]\+,[0-9]\+,$number,$number\$"
echo "$rows"
echo "$rows" | head -n 1 | grep -q '^# commit abc123, compiler .*, cpu .' || exit 1
for sampler in plain exact table rational skellam; do
    echo "$rows" | grep -q "^noise,$sampler," || exit 1
done
[ "$(echo "$rows" | tail -n +2 | grep -vc "$row")" -eq 0 ] || exit 1

rows=$("$3" --quick abc123) || exit 1
row="^road,[a-z]\+,10000,$number,$number\$"
cell="\($number\|refused\)"
error="^error,[0-9]\+,\(none\|hadamard\),\(nearest\|stochastic\),$cell,$cell\$"
echo "$rows"
echo "$rows" | head -n 1 | grep -q '^# commit abc123, compiler .*, cpu .' || exit 1
[ "$(echo "$rows" | grep -c "$row")" -eq 4 ] || exit 1
[ "$(echo "$rows" | grep -c "$error")" -eq 8 ] || exit 1

[ "$("$4" twocnn shares 2 1 0.01 | grep -c "^prune,twocnn,2,$number,$number,$number\$")" -eq 4 ] || exit 1
for mode in batch record; do
    "$4" twocnn $mode 3 2 0.01 | grep "^$number,$number,$number\$" || exit 1
done
