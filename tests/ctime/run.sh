#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh WANTED PROGRAM: run it under memcheck, where a branch or an address that depends on a
# SECRET byte is an error that ends with 42. Without valgrind the test is skipped.
command -v valgrind >/dev/null || exit 77
here=$(dirname "$0")
wanted=$1
shift
valgrind --quiet --error-exitcode=42 --suppressions="$here/passes.supp" "$@"
got=$?
test "$got" -eq "$wanted" && exit 0
echo "wanted exit code $wanted, got $got"
exit 1
