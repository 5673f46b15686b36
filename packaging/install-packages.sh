#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install those Debian packages of the given lists that are missing; does nothing when none is.
set -eu
missing=
for package in $(cat "$@"); do # one word a line
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These Debian packages are missing, and there is no sudo. As root, run:"
        echo "  apt-get update && apt-get install --no-install-recommends$missing"
        exit 1
    fi
    as_root=sudo
fi
echo "installing:$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
