#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the tests with real processes need beside a shell.

flow.py npz FILE SIDE CLASSES RECORDS           images: one bright stripe per class, on noise
flow.py idx IMAGES LABELS SIDE CLASSES RECORDS  the same in MNIST's format
flow.py muddle NPZ OUT                          the same images with labels by chance
flow.py holds FILE EXPRESSION                   of d, the last JSON object of the file
flow.py value FILE KEY                          the same object's value
flow.py alike FILE FILE KEY...                  both JSON documents are equal but for these keys
flow.py entries FOLDER KIND [ROUND]             how many entries of a kind the site's journal has
flow.py sql FILE STATEMENT                      change a database behind its owner's back
flow.py flip FILE PLACE OUT                     a copy with one bit changed in the byte at this place
flow.py sums FOLDER                             every opened sum is that of the survivors' inputs
flow.py sized FOLDER LEAST MOST                 every opened sum has so many coordinates, and so have the
                                                inputs; prints how many the last has
flow.py refined FOLDER ROUND...                 the whole model is there after these rounds, half of its
                                                units after the others; the last round to FOLDER/last
flow.py blocks FOLDER EMBED BLOCK HEAD          every opened block is the sum of one piece of each of
                                                some sites; prints each round and how many they are
flow.py sent FOLDER SITE...                     each of them sent less than the one before, by its log
flow.py clips FOLDER LEAST MOST                 a clip is so many times the one before; sites have the last
flow.py evaluations FOLDER                      what was told of each is what its opened sum says;
                                                prints their numbers and the records of each
flow.py port                                    a free port that stays free while nobody listens there
flow.py web                                     a web server on a free port, which it prints
"""
import array
import http.server
import itertools
import json
import os
import random
import socket
import sqlite3
import struct
import sys
import zipfile


def records(side, classes, n):
    chance = random.Random(n)
    labels = bytes(i % classes for i in range(n))
    images = bytearray()
    for label in labels:
        image = bytearray(chance.randrange(64) for _ in range(side * side))
        row = label * side // classes
        image[row * side:(row + 1) * side] = b"\xf0" * side
        images += image
    return bytes(images), labels


def npy(shape, content):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def npz(path, side, classes, n):
    side, classes, n = int(side), int(classes), int(n)
    with zipfile.ZipFile(path, "w") as archive:
        for split, count in ("train", n), ("val", n // 10), ("test", n // 5):
            images, labels = records(side, classes, count)
            archive.writestr(f"{split}_images.npy", npy((count, side, side), images))
            archive.writestr(f"{split}_labels.npy", npy((count, 1), labels))


def idx(images_path, labels_path, side, classes, n):
    side, classes, n = int(side), int(classes), int(n)
    images, labels = records(side, classes, n)
    with open(images_path, "wb") as file:
        file.write(struct.pack(">4B3I", 0, 0, 8, 3, n, side, side) + images)
    with open(labels_path, "wb") as file:
        file.write(struct.pack(">4BI", 0, 0, 8, 1, n) + labels)


def muddle(path, out):
    chance = random.Random(1)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(out, "w") as muddled:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith("_labels.npy"):
                start = content.index(b"\n") + 1
                classes = max(content[start:]) + 1
                content = content[:start] + bytes(chance.randrange(classes) for _ in content[start:])
            muddled.writestr(name, content)


def last_object(path):
    with open(path) as file:
        text = file.read()
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text.splitlines()[-1])


def value(path, key):
    print(last_object(path)[key])


def holds(path, expression):
    d = last_object(path)
    if not eval(expression, {"d": d}):
        sys.exit(f"{expression} does not hold of {d}")


def without(keys, x):
    if isinstance(x, dict):
        return {key: without(keys, value) for key, value in x.items() if key not in keys}
    return [without(keys, one) for one in x] if isinstance(x, list) else x


def alike(a, b, *keys):
    a, b = (without(keys, json.load(open(path))) for path in (a, b))
    if a != b:
        sys.exit("the documents differ in " + ", ".join(k for k in a if a[k] != b.get(k)))


def flip(path, place, out):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[int(place)] ^= 1
    with open(out, "wb") as file:
        file.write(content)


def sql(path, statement):
    with sqlite3.connect(path, timeout=60) as database:
        database.execute(statement)


def entries(folder, kind, number=None):
    journal = sqlite3.connect(f"{folder}/journal.db", timeout=60)
    where, values = "kind = ?", [kind]
    if number is not None:
        where, values = where + " AND round = ?", values + [number]
    print(journal.execute(f"SELECT count(*) FROM memory WHERE {where}", values).fetchone()[0])


def words(path):
    with open(path, "rb") as file:
        return array.array("I", file.read())


def sums(folder):
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    for e in rounds:
        put_in = [words(f"{folder}/site-{v + 1}/put-in-{e['round']}") for v in e["survivors"]]
        want = [sum(column) % 2**32 for column in zip(*put_in)]
        if list(words(f"{folder}/coordinator/sums-{e['round']}")) != want:
            sys.exit(f"round {e['round']}: the opened sum is not that of the inputs")
    print(len(rounds))


def sized(folder, least, most):
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    for e in rounds:
        size = len(words(f"{folder}/coordinator/sums-{e['round']}"))
        if not int(least) <= size <= int(most):
            sys.exit(f"round {e['round']} has {size} coordinates")
        for v in e["survivors"]:
            if len(words(f"{folder}/site-{v + 1}/put-in-{e['round']}")) != size:
                sys.exit(f"round {e['round']}: site {v} put in another number of coordinates")
    print(size)


def refined(folder, *whole):
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    for e in rounds:
        if (e["kept"] == e["parameters"]) != (str(e["round"]) in whole):
            sys.exit(f"after round {e['round']} {e['kept']} of {e['parameters']} are there")
    with open(f"{folder}/last", "w") as file:
        json.dump(rounds[-1], file)


def find_holders(want, pieces):
    """The ways in which one piece at most of each site adds up to it."""
    for choice in itertools.product(*(range(-1, len(own)) for own in pieces)):
        picked = [own[i] for own, i in zip(pieces, choice) if i >= 0]
        if all(sum(column) % 2**32 == x for x, *column in zip(want, *picked)):
            yield [(v, i) for v, i in enumerate(choice) if i >= 0]


def blocks(folder, embed, block, head):
    embed, block, head = int(embed), int(block), int(head)
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    for e in rounds:
        put_in = [words(f"{folder}/site-{v + 1}/put-in-{e['round']}") for v in e["survivors"]]
        put_in = [own for own in put_in if own]  # who has no block guards shares and nothing else
        opened = words(f"{folder}/coordinator/sums-{e['round']}")
        for want, *column in zip(opened[:embed] + opened[-head:],
                                 *(own[:embed] + own[-head:] for own in put_in)):
            if sum(column) % 2**32 != want:
                sys.exit(f"round {e['round']}: what all share is not the sum of the inputs")
        cut = [[own[i:i + block] for i in range(embed, len(own) - head, block)]
               for own in [opened] + put_in]
        found = [list(find_holders(want, cut[1:])) for want in cut[0]]
        if [len(ways) for ways in found] != [1] * len(cut[0]):
            sys.exit(f"round {e['round']}: blocks are sums of inputs in {found} ways")
        used = [piece for ways in found for piece in ways[0]]
        if len(set(used)) != len(used):
            sys.exit(f"round {e['round']}: a piece is in two blocks")
        print(e["round"], *sorted(len(ways[0]) for ways in found))


def sent(folder, *sites):
    put_in = [sum(os.path.getsize(f"{folder}/site-{v}/{name}")
                  for name in os.listdir(f"{folder}/site-{v}") if name.startswith("put-in-"))
              for v in sites]
    counts = []
    for v in sites:
        with open(f"{folder}/site-{v}.log") as file:
            counts += [int(line.split()[2]) for line in file if " bytes and received " in line]
    for one, next, more, less in zip(counts, counts[1:], put_in, put_in[1:]):
        if not one - next > 0.8 * (more - less) > 0:
            sys.exit(f"sites {sites} sent {counts} bytes, {put_in} of them inputs")


def removed(folder, sigma, quorum, colluding):
    """What was taken away of each sum has the variance that is too much, within 15 % (more than five
    deviations of so many coordinates), and nothing was when no noise is too much."""
    sigma, quorum, colluding = int(sigma), int(quorum), int(colluding)
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    dropped = set()
    for e in rounds:
        put_in = [words(f"{folder}/site-{v + 1}/put-in-{e['round']}") for v in e["survivors"]]
        opened = words(f"{folder}/coordinator/sums-{e['round']}")
        off = [(sum(column) - x + 2**31) % 2**32 - 2**31
               for column, x in zip(zip(*put_in), opened, strict=True)]
        n = len(e["survivors"])
        want = n * sigma**2 * (1 - (quorum - colluding) / (n - colluding))
        got = sum(x * x for x in off) / len(off)
        if not abs(got - want) <= 0.15 * want:
            sys.exit(f"round {e['round']}: {got} was taken away, {want} is too much")
        dropped.add(e["cohort"] - n)
        print(e["round"], e["cohort"], n, e["noise_multiplier"], got, want)
    if dropped != {0, 1}:
        sys.exit(f"there were {dropped} dropouts")


def clips(folder, least, most):
    """Each round's clip is the one before times least to most, and the final state has the last."""
    with open(f"{folder}/coordinator.out") as file:
        rounds = [e for e in map(json.loads, file) if e["event"] == "round"]
    for one, next in zip(rounds, rounds[1:]):
        if next["round"] == one["round"] + 1 and not (
                float(least) <= next["clip"] / one["clip"] <= float(most)):
            sys.exit(f"from {one['clip']} to {next['clip']}")
    with open(f"{folder}/site-1/final.state", "rb") as file:
        last = struct.unpack("<d", file.read(8))[0]
    if abs(last / rounds[-1]["clip"] - 1) > 1e-6:
        sys.exit(f"the final state has {last}")


def evaluations(folder):
    with open(f"{folder}/coordinator.out") as file:
        told = [e for e in map(json.loads, file) if e["event"] == "evaluation"]
    for e in told:
        if last_object(f"{folder}/coordinator/evaluation-{e['number']}.json") != e:
            sys.exit(f"evaluation {e['number']}: the file is not what was told")
        x = [w - 2**32 if w >= 2**31 else w
             for w in words(f"{folder}/coordinator/sums-{e['round']}")]
        classes = len(e["recall"])
        step = sum(x) / e["seen"]
        if step < 1 or abs(step - 2**(round(step).bit_length() - 1)) > 1e-3:
            sys.exit(f"evaluation {e['number']}: a record counts {step}")
        for c, recall in enumerate(e["recall"]):
            share = x[c] / (x[c] + x[classes + c])
            if recall is not None and abs(recall - min(max(share, 0), 1)) > 1e-6:
                sys.exit(f"evaluation {e['number']}: class {c} has {share}, not {recall}")
        print(e["number"], e["trained"], round(e["seen"], 3))


def port():
    """None that connecting sockets are given: one could get it, even the one that seeks a listener there."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        given = int(file.read().split()[0])
    while True:
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", random.SystemRandom().randrange(min(10000, given // 2), given)))
            except OSError:
                continue
            print(free.getsockname()[1])
            return


class Web(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"


def web():
    server = http.server.HTTPServer(("127.0.0.1", 0), Web)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
