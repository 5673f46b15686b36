# SPDX-License-Identifier: Apache-2.0
"""Steps of PyTorch's optimisers (python3-torch 1.13), for tests/unit/client/test_optim.c.

Three weights; the gradient of step s is (s + 1) sin(3 s + i), clipped by torch.nn.utils; one row per
setting and step: kind, rate, momentum, decay, clip (0: none), step, weights after it."""
import math
import sys

import torch

STEPS, START = 5, (1.0, -0.5, 0.25)
SETTINGS = [("sgd", 0.1, 0, 0, 0), ("sgd", 0.1, 0.9, 0, 0), ("sgd", 0.05, 0.5, 0.01, 0),
            ("sgd", 0.05, 0.9, 1e-5, 1.5), ("adam", 3e-4, 0, 0, 0), ("adam", 0.1, 0, 0.02, 0),
            ("adam", 0.1, 0, 0.02, 0.75)]

out = open(sys.argv[1], "w", encoding="ascii")
out.write("kind,rate,momentum,decay,clip,step,w0,w1,w2\n")
for kind, rate, momentum, decay, clip in SETTINGS:
    w = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    if kind == "sgd":
        optimiser = torch.optim.SGD([w], lr=rate, momentum=momentum, weight_decay=decay)
    else:
        optimiser = torch.optim.Adam([w], lr=rate, weight_decay=decay)
    for s in range(STEPS):
        w.grad = torch.tensor([(s + 1) * math.sin(3 * s + i) for i in range(3)], dtype=torch.float64)
        if clip > 0:
            torch.nn.utils.clip_grad_norm_([w], clip)
        optimiser.step()
        weights = ",".join("%.9g" % x for x in w.tolist())
        out.write("%s,%g,%g,%g,%g,%d,%s\n" % (kind, rate, momentum, decay, clip, s, weights))
