#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Training beside PyTorch on the same machine in the same run: torch_beside.py BENCH_MODEL [KIND...]
prints

  learn,model,mode,batch,threads,clock,ours (images per second),PyTorch's,ours over PyTorch's,
    ours over what the products in it allow where OpenBLAS is fastest

Mode batch is a step of plain gradient descent; mode record clips each record's gradient, which
PyTorch does by a loop over the records; ours has one thread for that. One thread is timed by the
processor time that it had, two by the wall, where other work on the machine shows. The two take
turns; each has its best step. After a row come the ratios of its single turns:

  # turn,model,mode,batch,threads,ours over PyTorch's,..."""
import os
import subprocess
import sys
import time

import torch
from torch import nn

TURNS, SECONDS = 3, 2
CLIP, RATE = 1.0, 0.01


def mlp():
    return (1, 28, 28), nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(),
                                      nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


def cnn():
    return (1, 28, 28), nn.Sequential(nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(8, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Flatten(), nn.Linear(256, 10))


def twocnn():
    return (1, 24, 24), nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=1), nn.ReLU(), nn.MaxPool2d(2, padding=1),
        nn.Conv2d(32, 64, 5, padding=1), nn.ReLU(), nn.MaxPool2d(2, padding=1),
        nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 10))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def attend(self, x):
        n, span, dim = x.shape
        query, key, value = self.qkv(x).view(n, span, 3, self.heads, dim // self.heads) \
                                .permute(2, 0, 3, 1, 4)
        share = (query @ key.transpose(2, 3) * (dim // self.heads) ** -0.5).softmax(-1)
        return self.proj((share @ value).transpose(1, 2).reshape(n, span, dim))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, side=28, patch=7, dim=64, depth=12, heads=4, hidden=128, classes=10):
        super().__init__()
        self.cut, self.embed = nn.Unfold(patch, stride=patch), nn.Linear(patch * patch, dim)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.place = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2 + 1, dim))
        self.blocks = nn.Sequential(*[Block(dim, heads, hidden) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, classes)

    def forward(self, x):
        tokens = self.embed(self.cut(x).transpose(1, 2))
        x = torch.cat((self.token.expand(len(x), -1, -1), tokens), 1) + self.place
        return self.head(self.norm(self.blocks(x)[:, 0]))


def vit():
    return (1, 28, 28), ViT()


MODELS = {model.__name__: model for model in (mlp, cnn, twocnn, vit)}


def step_batch(net, x, label):
    net.zero_grad()
    nn.functional.cross_entropy(net(x), label).backward()
    with torch.no_grad():
        for weight in net.parameters():
            weight -= RATE * weight.grad


def step_record(net, x, label):
    weights = list(net.parameters())
    sums = [torch.zeros_like(weight) for weight in weights]
    for i in range(len(x)):
        net.zero_grad()
        nn.functional.cross_entropy(net(x[i:i + 1]), label[i:i + 1]).backward()
        norm = torch.sqrt(sum((weight.grad ** 2).sum() for weight in weights))
        factor = min(1.0, CLIP / float(norm))
        for total, weight in zip(sums, weights):
            total.add_(weight.grad, alpha=factor)


def torch_best(model, mode, batch, threads):
    """Images per second of the best step, by processor and by wall."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    shape, net = MODELS[model]()
    x, label = torch.randn(batch, *shape), torch.randint(0, 10, (batch,))
    step = step_batch if mode == "batch" else step_record
    step(net, x, label)
    best = [0.0, 0.0]
    end = time.monotonic() + SECONDS
    while best[0] == 0 or time.monotonic() < end:
        used, now = time.process_time(), time.monotonic()
        step(net, x, label)
        best = [max(best[0], batch / (time.process_time() - used)),
                max(best[1], batch / (time.monotonic() - now))]
    return best


def best(program, model, mode, batch, threads):
    """The same from a process of its own, whose libraries have no more threads than these."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    line = subprocess.run([*program, model, mode, str(batch), str(threads), str(SECONDS)],
                          env={**os.environ, **limits}, check=True, capture_output=True,
                          text=True).stdout
    return [float(x) for x in line.split(",")]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "torch":
        print("{},{}".format(*torch_best(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:6]))))
        return
    programs = [[sys.argv[1]], [sys.executable, __file__, "torch"]]
    print(f"# PyTorch {torch.__version__}; ours {sys.argv[1]}")
    for model in sys.argv[2:] or MODELS:
        for mode, batch, threads in [("batch", 64, 1), ("batch", 64, 2), ("batch", 350, 1),
                                     ("batch", 350, 2), ("record", 64, 1), ("record", 64, 2)]:
            work = (model, mode, batch, threads)
            clock = 0 if threads == 1 else 1
            turns = [[best(program, *work) for program in programs] for _ in range(TURNS)]
            ours, beside = [list(map(max, *turn)) for turn in zip(*turns)]
            key = ",".join(map(str, work))
            print(f"learn,{key},{['processor', 'wall'][clock]},"
                  f"{ours[clock]:.0f},{beside[clock]:.0f},{ours[clock] / beside[clock]:.2f},"
                  f"{ours[clock] / (threads * ours[2]):.2f}")
            ratios = ",".join(f"{a[clock] / b[clock]:.2f}" for a, b in turns)
            print(f"# turn,{key},{ratios}", flush=True)


if __name__ == "__main__":
    main()
