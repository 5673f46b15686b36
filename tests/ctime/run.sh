#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM LEAK: run it under memcheck, where a branch or an address that depends on a SECRET
# byte is an error that ends with 42. It must pass as it is, and end with 42 when it leaks what it
# computed by a branch or an index (ctime.h). Without valgrind the test is skipped.
command -v valgrind >/dev/null || exit 77
here=$(dirname "$0")

# wants CODE [NAME=VALUE]
wants() {
    code=$1
    shift
    env "$@" valgrind --quiet --error-exitcode=42 --suppressions="$here/passes.supp" "$program"
    got=$?
    [ "$got" -eq "$code" ] && return
    echo "$program $*: wanted exit code $code, got $got"
    exit 1
}

program=$1
wants 0
wants 42 "LEAK=$2" 2>/dev/null
