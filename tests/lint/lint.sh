# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # planted is set by the script
# What all lint scripts share. A script defines
#   check TREE   print one line per fault
#   plant TREE   write faulty files; set planted to the number of lines that check must print
# and calls `lint "$@"`, which first proves that the check can fail, then checks the real tree.

# Our C files, relative to the current directory.
sources() {
    find . \( -name .git -o -name 'build*' \) -prune -o -type f -name '*.[ch]' -print |
        sed 's|^\./||' | LC_ALL=C sort
}

headers() {
    sources | grep '\.h$' || true
}

lint() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    plant "$scratch"
    found=$(check "$scratch" | grep -c . || true)
    if [ "$found" -ne "$planted" ]; then
        echo "self-check: $planted faults were planted, $found were found:"
        check "$scratch"
        exit 1
    fi
    rm -rf "$scratch"
    faults=$(check "$1")
    [ -z "$faults" ] && exit 0
    echo "$faults"
    exit 1
}
