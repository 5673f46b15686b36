# SPDX-License-Identifier: Apache-2.0
"""coverage.py ROOT JSON FOLDER...: judge what gcovr counted; see coverage.sh."""
import json
import pathlib
import sys

FLOOR = 95.0

root, counted, folders = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
faults = []

# Each entry excuses one line; the same text twice needs two entries.
allowed = []
for number, entry in enumerate((root / "tests/coverage.allow").read_text().splitlines(), 1):
    if not entry.strip() or entry.startswith("#"):
        continue
    parts = [part.strip() for part in entry.split(" # ")]
    if len(parts) != 3 or not all(parts):
        faults.append(f"coverage.allow:{number}: not of the form file # line # reason")
        continue
    file, text, _ = parts
    source = root / file
    if not source.exists() or text not in map(str.strip, source.read_text().splitlines()):
        faults.append(f"coverage.allow:{number}: {file} has no such line any more")
    allowed.append((file, text))

with open(counted) as stream:
    files = {f["file"]: f["lines"] for f in json.load(stream)["files"]}

for folder in folders:
    ran = total = 0
    for file in sorted(f for f in files if f.startswith(folder + "/")):
        source = (root / file).read_text().splitlines()
        lines = [line for line in files[file] if not line.get("gcovr/noncode")]
        missed = [line["line_number"] for line in lines if line["count"] == 0]
        ran += len(lines) - len(missed)
        total += len(lines)
        print(f"{file:32} {len(lines):5} lines {100 - 100 * len(missed) / max(len(lines), 1):6.1f} %")
        for number in missed:
            text = source[number - 1].strip()
            if (file, text) in allowed:
                allowed.remove((file, text))
            else:
                faults.append(f"{file}:{number}: no test runs this: {text}")
    percent = 100 * ran / max(total, 1)
    print(f"{folder:32} {total:5} lines {percent:6.1f} %\n")
    if percent < FLOOR:
        faults.append(f"{folder}: {percent:.1f} % of the lines, wanted {FLOOR:g} %")

print("\n".join(faults))
sys.exit(1 if faults else 0)
