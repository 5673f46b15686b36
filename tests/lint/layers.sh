#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Includes point down only, and each third-party header has one home.
set -eu
. "$(dirname "$0")/lint.sh"

check() (
    cd "$1"
    sources | tr '\n' '\0' | xargs -0 -r awk '
    BEGIN {
        # who may include whom: the first word of a file and of what it includes
        allowed["base"] = "base"
        allowed["crypto"] = "crypto base"
        allowed["dp"] = "dp crypto base"
        allowed["protocol"] = "protocol dp crypto base"
        allowed["client"] = "client protocol dp crypto base"
        allowed["aggregator"] = "aggregator protocol dp crypto base"
        allowed["lab"] = "lab client aggregator protocol dp crypto base"
        everything = "base crypto dp protocol client aggregator lab tests benchmarks"
        allowed["tests"] = allowed["benchmarks"] = everything
        # the model and the data know nothing of the protocol but the shape of the vector
        apart = "^(base/.*|crypto/rng\\.h|protocol/layout\\.h|client/(model|data)/.*)$"
        home["sodium.h"] = "^crypto/[a-z0-9_]+\\.c$"
        home["gmp.h"] = "^(crypto|dp)/[a-z0-9_]+\\.c$"
        home["zmq.h"] = "^protocol/link(_[a-z]+)?\\.c$"
        home["cyaml/cyaml.h"] = "^protocol/settings\\.c$"
        home["cblas.h"] = "^client/model/tensor\\.c$"
        home["png.h"] = "^client/data/png\\.c$"
        home["jpeglib.h"] = "^client/data/jpeg\\.c$"
        home["zip.h"] = "^client/data/npz\\.c$"
        home["zlib.h"] = "^client/data/gzip\\.c$"
        home["sqlite3.h"] = "^base/db\\.c$"
        home["mpi.h"] = "^lab/sweep_mpi\\.c$"
        home["jansson.h"] = "^(base/event\\.c|client/model/safetensors\\.c|lab/[a-z0-9_]+\\.[ch])$"
        # a witness of the tests and the benchmarks
        home["openssl/evp.h"] = "^$"
    }
    function fault(text) { print FILENAME ":" FNR ": " text }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        split(quoted[2], to, "/"); split(FILENAME, from, "/")
        if (index(" " everything " ", " " to[1] " ") == 0)
            fault("\"" quoted[2] "\" is not relative to the root")
        else if (index(" " allowed[from[1]] " ", " " to[1] " ") == 0)
            fault(from[1] " may not include " to[1])
        else if (FILENAME ~ /^client\/(model|data)\// && quoted[2] !~ apart)
            fault("client/model and client/data may not include " quoted[2])
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
        split($0, angled, /[<>]/)
        if (angled[2] in home && FILENAME !~ home[angled[2]] && FILENAME !~ /^(tests|benchmarks)\//)
            fault("<" angled[2] "> is not at home here")
    }'
)

plant() {
    mkdir -p "$1/base" "$1/aggregator" "$1/client/model" "$1/dp" "$1/tests"
    echo '#include "crypto/mask.h"' >"$1/base/up.c"
    echo '#include "client/train.h"' >"$1/aggregator/across.c"
    echo '#include "protocol/link.h"' >"$1/client/model/net.c"
    echo '#include "sibling.h"' >"$1/dp/relative.c"
    printf '#include <sodium.h>\n#include <gmp.h>\n#include "base/bits.h"\n' >"$1/dp/homeless.h"
    printf '#include <zmq.h>\n#include "lab/fleet.h"\n' >"$1/tests/may.c"
    planted=6
}

lint "$@"
