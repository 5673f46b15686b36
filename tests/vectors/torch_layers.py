#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Forward and backward passes by PyTorch in double precision, for models of a few hundred weights:
torch_layers.py >torch-layers.csv (Debian's python3-torch 1.13).

A row is model,name,numbers separated by spaces. Names: x (records one after the other), label,
logits, loss (mean), the tensors of the layout, "grad " + tensor (summed over the records) and
"grad1 " + tensor (of record 1 alone). Weights and inputs are short decimals, so that both sides
start from the same numbers."""
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def mlp():
    return (2, 3, 2), 3, [(nn.Flatten(),), ("fc1", nn.Linear(12, 5)), (nn.ReLU(),),
                          ("fc2", nn.Linear(5, 4)), (nn.ReLU(),), ("fc3", nn.Linear(4, 3))]


def cnn():
    return (1, 16, 17), 3, [("conv1", nn.Conv2d(1, 2, 5)), (nn.ReLU(),), (nn.MaxPool2d(2),),
                            ("conv2", nn.Conv2d(2, 3, 5)), (nn.ReLU(),), (nn.MaxPool2d(2),),
                            (nn.Flatten(),), ("fc", nn.Linear(3, 3))]


def twocnn():
    return (2, 8, 7), 3, [("conv1", nn.Conv2d(2, 2, 5, padding=1)), (nn.ReLU(),),
                          (nn.MaxPool2d(2, padding=1),),
                          ("conv2", nn.Conv2d(2, 2, 5, padding=1)), (nn.ReLU(),),
                          (nn.MaxPool2d(2, padding=1),), (nn.AdaptiveAvgPool2d(7),),
                          (nn.Flatten(),), ("fc1", nn.Linear(98, 4)), (nn.ReLU(),),
                          ("fc2", nn.Linear(4, 3))]


RECORDS = 3


def row(model, name, numbers, form="{:.8g}"):
    print(f"{model},{name}," + " ".join(form.format(float(x)) for x in numbers.reshape(-1)))


def run(name, shape, classes, forward, tensors):
    """Print one model. tensors: (name in the layout, parameter), in the layout's order."""
    x = torch.round(torch.randn(RECORDS, *shape), decimals=2)
    label = torch.randint(0, classes, (RECORDS,))
    for part, tensor in tensors:
        with torch.no_grad():  # biases above zero keep units alive
            moved = 1.5 * tensor + 0.02 * torch.randn(tensor.shape) + 0.3 * part.endswith("bias")
            tensor.copy_(torch.round(moved, decimals=3))
    row(name, "x", x)
    row(name, "label", label, "{:.0f}")
    logits = forward(x.reshape(RECORDS, *shape))
    losses = nn.functional.cross_entropy(logits, label, reduction="none")
    row(name, "logits", logits)
    row(name, "loss", losses.mean())
    parameters = [tensor for _, tensor in tensors]
    every = torch.autograd.grad(losses.sum(), parameters, retain_graph=True)
    first = torch.autograd.grad(losses[1], parameters)
    for (tensor, weight), all_records, one in zip(tensors, every, first):
        assert (all_records != 0).double().mean() > 0.4 and (one != 0).any(), tensor
        row(name, tensor, weight)
        row(name, "grad " + tensor, all_records)
        row(name, "grad1 " + tensor, one)


def run_layers(model):
    shape, classes, layers = model()
    net = nn.Sequential(*[layer[-1] for layer in layers])
    tensors = [(f"{name}.{part}", getattr(layer, part))
               for name, layer in (l for l in layers if len(l) == 2) for part in ("weight", "bias")]
    run(model.__name__, shape, classes, net, tensors)


def main():
    print("# torch_layers.py, PyTorch " + torch.__version__)
    for seed, model in [(0, mlp), (1, cnn), (3, twocnn)]:
        torch.manual_seed(seed)
        run_layers(model)


if __name__ == "__main__":
    main()
