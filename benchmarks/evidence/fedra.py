#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fedra.py LAB DATA FOLDER KIND: what studies of FedRA begin with, from Fashion-MNIST.

KIND.safetensors      a small transformer trained on 6,000 records, any of its blocks left out
                      in each step (LayerDrop)
rest/                 the other 54,000 records, for the sites
test-*.idx            the first 3,000 test records
start.state           adapters that change nothing yet, and the backbone's classifier
exits.state           the same, with that classifier behind each block (DepthFL)"""
import gzip
import json
import pathlib
import struct
import subprocess
import sys

TEST_RECORDS = 3000
SIZES = {"vit": "patch: 7, dim: 32, depth: 12, heads: 4, mlp: 64",
         "mixer": "patch: 7, dim: 32, depth: 12, mlp: 64, tokens_mlp: 32"}
PIXELS = "pixel_mean: 0.2860, pixel_deviation: 0.3530"
STUDY = """schema: 1
study: {{id: start, rehearsal: true}}
model: {{{model}, backbone: {backbone}}}
privacy: {{unit: site}}
pruning: {{mode: none}}
"""


def test_records(folder):
    """The head of Debian's files: idx begins with a magic number and the count, four bytes each."""
    for what, header, size in (("images", 16, 28 * 28), ("labels", 8, 1)):
        dimensions = "idx3" if what == "images" else "idx1"
        with gzip.open(f"/usr/share/datasets/fashion-mnist/t10k-{what}-{dimensions}-ubyte.gz") as whole:
            head = whole.read(header + TEST_RECORDS * size)
        (folder / f"test-{what}.idx").write_bytes(head[:4] + TEST_RECORDS.to_bytes(4, "big") + head[8:])


def copy_classifier(backbone, out):
    """safetensors: eight bytes with the size of a JSON header, the header, the tensors."""
    whole = backbone.read_bytes()
    size, = struct.unpack("<Q", whole[:8])
    header, tensors, body = json.loads(whole[8:8 + size]), {}, b""
    for name in ("weight", "bias"):
        found = header[f"head.{name}"]
        first, last = found["data_offsets"]
        for block in range(1, 13):
            tensors[f"block{block}.exit.{name}"] = {**found, "data_offsets": [len(body), len(body) + last - first]}
            body += whole[8 + size + first:8 + size + last]
    head = json.dumps(tensors).encode()
    out.write_bytes(struct.pack("<Q", len(head)) + head + body)


def start(lab, folder, name, model, backbone, weights):
    """NAME.state, of a model's own weights but for these."""
    (folder / f"{name}.yaml").write_text(STUDY.format(model=model, backbone=backbone))
    subprocess.run([lab, "init", "--study", f"{name}.yaml", "--init", weights, "--ignore-unknown",
                    "--out", f"{name}.state"], cwd=folder, stdout=subprocess.DEVNULL, check=True)


def main(lab, _, folder, kind):
    """The lab works in the folder: a path in its command would be a part of the file, and of its hash."""
    folder = pathlib.Path(folder)
    (folder / "rest").mkdir(exist_ok=True)
    backbone = f"{kind}.safetensors"
    ran = subprocess.run([lab, "pretrain", "--model", kind, "--records", "6000", "--epochs", "5",
                          "--rate", "0.002", "--rest", "rest", "--out", backbone,
                          "--sizes", f"{SIZES[kind]}, {PIXELS}"],
                         cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    said = dict(line.split() for line in ran.stdout.splitlines())
    model = f"kind: {kind}, {SIZES[kind]}, {PIXELS}, rank: 4, alpha: 4"
    start(lab, folder, "start", model, said["hash"], backbone)
    copy_classifier(folder / backbone, folder / "exits.safetensors")
    start(lab, folder, "exits", f"{model}, exits: true", said["hash"], "exits.safetensors")
    test_records(folder)
    print(json.dumps({"model": model, "backbone": said["hash"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
