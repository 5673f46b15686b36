#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Forward and backward passes of small transformers by PyTorch in double precision, for
tests/unit/client/test_transformer.c: torch_blocks.py >torch-blocks.csv (Debian's python3-torch 1.13).

A row is kind,rank,blocks that run (bit l: block l + 1),name,numbers separated by spaces. Names:
logits of three records, loss (their mean), and grad (summed over the records) of all trained tensors
in the order of the layout. Weight i is sin(0.7 i + 0.1) where it is trained and
cos(0.9 i + 0.2) where it is frozen, pixel i is sin(0.1 i^2), record i has label i.

A kind with +exits has a classifier behind each block (DepthFL, Kim et al., ICLR 2023, section 3): the
logits are the mean over those that run, the loss is the sum of their cross-entropies, and the
gradient also that of each one's mean divergence from the others' shares, which are taken as given."""
import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)

RECORDS, CHANNELS, HEIGHT, WIDTH, CLASSES = 3, 2, 4, 6, 3
PATCH, DIM, DEPTH, HEADS, MLP, TOKENS_MLP, ALPHA = 2, 4, 3, 2, 5, 3, 3
PATCHES = HEIGHT // PATCH * (WIDTH // PATCH)


class Source:
    """Tensors one after the other, from trained or frozen weights."""

    def __init__(self, kind, rank):
        self.kind, _, self.exits = kind.partition("+")
        self.rank = rank
        self.trained, self.n_trained, self.n_frozen = [], 0, 0

    def train(self, *shape):
        size = torch.Size(shape).numel()
        i = torch.arange(self.n_trained, self.n_trained + size)
        self.n_trained += size
        self.trained.append((torch.sin(0.7 * i + 0.1)).reshape(shape).requires_grad_())
        return self.trained[-1]

    def freeze(self, *shape):
        if self.rank == 0:
            return self.train(*shape)
        size = torch.Size(shape).numel()
        i = torch.arange(self.n_frozen, self.n_frozen + size)
        self.n_frozen += size
        return (torch.cos(0.9 * i + 0.2)).reshape(shape)

    def norm(self):
        weight, bias = self.freeze(DIM), self.freeze(DIM)
        return lambda x: functional.layer_norm(x, (DIM,), weight, bias, 1e-6)

    def linear(self, rows, cols, adapted=False):
        weight, bias = self.freeze(rows, cols), self.freeze(rows)
        if self.rank == 0 or not adapted:
            return lambda x: functional.linear(x, weight, bias)
        down, up = self.train(self.rank, cols), self.train(rows, self.rank)
        return lambda x: (functional.linear(x, weight, bias) + ALPHA / self.rank *
                          functional.linear(functional.linear(x, down), up))


def attention(source):
    qkv, proj = source.linear(3 * DIM, DIM), source.linear(DIM, DIM, True)

    def forward(x):
        n, tokens, _ = x.shape
        q, k, v = qkv(x).reshape(n, tokens, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        share = (q @ k.transpose(-2, -1) * (DIM // HEADS) ** -0.5).softmax(dim=-1)
        return proj((share @ v).transpose(1, 2).reshape(n, tokens, DIM))
    return forward


def mlp(source, inputs, hidden):
    fc1, fc2 = source.linear(hidden, inputs), source.linear(inputs, hidden, True)
    return lambda x: fc2(functional.gelu(fc1(x)))


def block(source):
    norm1 = source.norm()
    if source.kind == "vit":
        mix = attention(source)
    else:
        over_tokens = mlp(source, PATCHES, TOKENS_MLP)
        mix = lambda x: over_tokens(x.transpose(1, 2)).transpose(1, 2)
    norm2, channels = source.norm(), mlp(source, DIM, MLP)

    def forward(x):
        x = x + mix(norm1(x))
        return x + channels(norm2(x))
    return forward


def head(source, norm):
    weight, bias = source.train(CLASSES, DIM), source.train(CLASSES)

    def forward(x):
        x = norm(x)
        return functional.linear(x[:, 0] if source.kind == "vit" else x.mean(dim=1), weight, bias)
    return forward


def model(source):
    inputs = CHANNELS * PATCH * PATCH
    embed = source.linear(DIM, inputs, source.kind == "vit")
    if source.kind == "vit":
        token, position = source.freeze(1, DIM), source.freeze(PATCHES + 1, DIM)
    blocks, heads = [], []
    for _ in range(DEPTH):
        blocks.append(block(source))
        if source.exits:
            heads.append(head(source, source.norm() if source.rank == 0 else lambda x: last(x)))
    if not source.exits or source.rank > 0:
        last = source.norm()
    if not source.exits:
        heads = [head(source, last)]

    def forward(x, chosen):
        cut = functional.unfold(x, PATCH, stride=PATCH).transpose(1, 2)
        x = embed(cut)
        if source.kind == "vit":
            x = torch.cat([token.expand(len(x), 1, DIM), x], dim=1) + position
        said = []
        for number, one in enumerate(blocks):
            if chosen >> number & 1:
                x = one(x)
                if source.exits:
                    said.append(heads[number](x))
        return said if source.exits else [heads[0](x)]
    return forward


def divergence(said):
    return sum(functional.kl_div(own.log_softmax(-1), other.detach().softmax(-1), reduction="batchmean")
               for own in said for other in said if other is not own) / max(len(said) - 1, 1)


def main():
    pixels = RECORDS * CHANNELS * HEIGHT * WIDTH
    x = torch.sin(0.1 * torch.arange(pixels) ** 2).reshape(RECORDS, CHANNELS, HEIGHT, WIDTH)
    label = torch.arange(RECORDS)
    print("# torch_blocks.py, PyTorch " + torch.__version__)
    for kind, rank, chosen in [("vit", 0, 7), ("vit", 0, 5), ("vit", 2, 7), ("vit", 2, 2),
                               ("mixer", 0, 7), ("mixer", 0, 6), ("mixer", 2, 7), ("mixer", 2, 0),
                               ("vit+exits", 0, 7), ("vit+exits", 2, 3), ("mixer+exits", 0, 3),
                               ("mixer+exits", 2, 7), ("mixer+exits", 2, 1)]:
        source = Source(kind, rank)
        said = model(source)(x, chosen)
        logits = sum(said) / len(said)
        loss = sum(functional.cross_entropy(own, label) for own in said)
        learnt = RECORDS * (loss + divergence(said))
        grads = torch.autograd.grad(learnt, source.trained, allow_unused=True)
        grads = [torch.zeros_like(w) if g is None else g for g, w in zip(grads, source.trained)]
        for name, values in [("logits", [logits]), ("loss", [loss]), ("grad", grads)]:
            numbers = [v for value in values for v in value.reshape(-1).tolist()]
            print(f"{kind},{rank},{chosen},{name}," + " ".join(f"{v:.7g}" for v in numbers))


if __name__ == "__main__":
    main()
