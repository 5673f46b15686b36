#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""heart.py LAB DATA FOLDER: the four hospitals of UCI's heart disease data as train.csv and test.csv.

Every fourth patient of each hospital is held out; a last column says which hospital it is."""
import pathlib
import sys

_, _, data, folder = sys.argv
rows = {"train": [], "test": []}
for number, name in enumerate(("cleveland", "hungarian", "switzerland", "va")):
    path = pathlib.Path(data) / "heart_disease_4sites" / f"processed.{name}.data"
    for i, line in enumerate(path.read_text().split()):
        rows["test" if i % 4 == 3 else "train"].append(f"{line},{number}\n")
for part, lines in rows.items():
    (pathlib.Path(folder) / f"{part}.csv").write_text("".join(lines))
print("{}")
