#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The safetensors format a second time, by its published description alone.

weights.py write FILE NAME:DTYPE:SHAPE[:FIRST]...   numbers FIRST, FIRST + 1/8, ...; [1]; SHAPE is AxB
weights.py holds FILE EXPRESSION...                 of t, {name: (shape, numbers)}, and m, the metadata
weights.py differ FILE OTHER                        in each tensor
weights.py merged FILE PART WHOLE                   FILE has PART's tensors, and the others of WHOLE
"""
import json
import math
import struct
import sys

CODES = {"F16": "e", "F32": "f", "F64": "d", "I64": "q"}


def pack(dtype, numbers):
    if dtype == "BF16":
        return b"".join(struct.pack("<f", x)[2:] for x in numbers)
    return struct.pack(f"<{len(numbers)}{CODES[dtype]}", *numbers)


def write(path, *tensors):
    header, data = {"__metadata__": {"made": "by hand"}}, b""
    for tensor in tensors:
        name, dtype, shape, first = (tensor.split(":") + ["1"])[:4]
        shape = [int(x) for x in shape.split("x")]
        kind = int if dtype == "I64" else float
        bits = pack(dtype, [kind(float(first) + i / 8) for i in range(math.prod(shape))])
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(bits)]}
        data += bits
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        n = math.prod(entry["shape"])
        if entry["dtype"] == "BF16":
            numbers = tuple(struct.unpack("<f", b"\0\0" + data[i:i + 2])[0]
                            for i in range(begin, end, 2))
        else:
            numbers = struct.unpack(f"<{n}{CODES[entry['dtype']]}", data[begin:end])
        tensors[name] = entry["shape"], numbers
    return tensors, metadata


def holds(path, *expressions):
    t, m = read(path)
    for expression in expressions:
        if not eval(expression, {"t": t, "m": m}):
            sys.exit(f"{expression} does not hold of {path}: {list(t)}, {m}")


def differ(path, other):
    one, two = read(path)[0], read(other)[0]
    sys.exit(any(one[name] == two[name] for name in one))


def merged(path, part, whole):
    got, of_part, of_whole = read(path)[0], read(part)[0], read(whole)[0]
    for name, (shape, numbers) in got.items():
        if numbers != (of_part if name in of_part else of_whole)[name][1]:
            sys.exit(f"{name} of {path} has other numbers")
    if set(got) != set(of_whole):
        sys.exit(f"{path} has {list(got)}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
