# SPDX-License-Identifier: Apache-2.0
"""An embedding, LSTM layers and a classifier in PyTorch (python3-torch 1.13), double precision, for
tests/unit/client/test_lstm.c.

For one model per line group: "spec,classes,length,embedding,units,..."; then "record,characters...,
label"; "loss,x" of that record; and "gradient,x,..." by all weights in the order of our layout:
embedding, then for each layer weight_ih, weight_hh and the bias, then the head's weight and bias.
Weight k is sin(k + 1) / 2, and bias_hh is zero, so that the gradient by bias_ih is that by our one
bias. The last line counts the parameters of the paper's model with PyTorch's two biases."""
import math
import sys

import torch
from torch import nn


class Guess(nn.Module):
    def __init__(self, classes, embedding, units):
        super().__init__()
        self.embed = nn.Embedding(classes, embedding)
        sizes = [embedding] + units
        self.lstm = nn.ModuleList(nn.LSTM(a, b, batch_first=True) for a, b in zip(sizes, units))
        self.head = nn.Linear(units[-1], classes)

    def forward(self, x):
        x = self.embed(x)
        for layer in self.lstm:
            x, _ = layer(x)
        return self.head(x[:, -1])

    def ours(self):
        yield self.embed.weight
        for layer in self.lstm:
            yield layer.weight_ih_l0
            yield layer.weight_hh_l0
            yield layer.bias_ih_l0
        yield self.head.weight
        yield self.head.bias


out = open(sys.argv[1], "w", encoding="ascii")


def row(name, values, form="%.9g"):
    out.write("%s,%s\n" % (name, ",".join(form % v for v in values)))


for classes, length, embedding, units in [(5, 6, 3, [4]), (4, 5, 2, [3, 4]), (3, 1, 2, [2])]:
    model = Guess(classes, embedding, units).double()
    k = 0
    with torch.no_grad():
        for layer in model.lstm:
            layer.bias_hh_l0.zero_()
        for tensor in model.ours():
            n = tensor.numel()
            values = [math.sin(k + i + 1) / 2 for i in range(n)]
            tensor.copy_(torch.tensor(values, dtype=torch.float64).reshape(tensor.shape))
            k += n
    row("spec", [classes, length, embedding] + units, "%d")
    for r in range(2):
        x = [(3 * i + 2 * r + i * i) % classes for i in range(length)]
        label = (r + 1) % classes
        row("record", x + [label], "%d")
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(torch.tensor([x])), torch.tensor([label]))
        loss.backward()
        row("loss", [loss.item()])
        row("gradient", torch.cat([t.grad.flatten() for t in model.ours()]).tolist())
row("paper", [sum(p.numel() for p in Guess(80, 8, [256, 256]).parameters())], "%d")
