#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls and words that have a better way here. Exceptions are counted per file in banned.allow, so
# that one more fails, and one fewer too until the count is lowered.
set -eu
. "$(dirname "$0")/lint.sh"
here=$(cd "$(dirname "$0")" && pwd)

check() (
    cd "$1"
    allow=$here/banned.allow
    [ -f banned.allow ] && allow=banned.allow
    { echo "$allow"; sources; } | tr '\n' '\0' | xargs -0 -r awk '
    BEGIN {
        # everywhere
        n = split("rand random srand drand48 atoi atol atof strcpy strcat sprintf vsprintf gets " \
                  "alloca assert system popen setjmp longjmp", call, " ")
        for (i = 1; i <= n; i++) where[call[i]] = "."
        # libraries do not print, exit or read the clock; they compare secrets with secret_equal
        n = split("memcmp printf fprintf vprintf vfprintf puts putchar fputs perror exit _exit " \
                  "abort time clock clock_gettime gettimeofday", call, " ")
        for (i = 1; i <= n; i++) where[call[i]] = "^(base|crypto|dp|protocol|client|aggregator)/"
        # a program and its event loop are no library
        program = "(^|/)(main|run)\\.c$"
    }
    function found(word) { count[FILENAME SUBSEP word]++ }
    FNR == 1 { comment = 0; list = FILENAME ~ /banned\.allow$/ }
    list && !/^#/ && NF { allowed[$1 SUBSEP $2] = $3 }
    list { next }
    {
        # without comments and texts
        line = $0
        gsub(/\\./, "", line)
        gsub(/"[^"]*"/, "\"\"", line)
        code = ""
        while (line != "") {
            at = index(line, comment ? "*/" : "/*")
            if (at == 0) { if (!comment) code = code line; break }
            if (!comment) code = code substr(line, 1, at - 1)
            line = substr(line, at + 2)
            comment = !comment
        }
        if (code ~ /(^|[^A-Za-z0-9_])goto[ \t]/) found("goto")
        if (code ~ /^[ \t]*#/) next
        while (match(code, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
            word = substr(code, RSTART, RLENGTH - 1)
            sub(/[ \t]+$/, "", word)
            code = substr(code, RSTART + RLENGTH)
            if (word in where && FILENAME ~ where[word] && FILENAME !~ program) found(word)
        }
    }
    END {
        for (key in count) if (count[key] != allowed[key] + 0) {
            split(key, part, SUBSEP)
            print part[1] ": " part[2] " stands " count[key] " times, allowed " allowed[key] + 0
        }
        for (key in allowed) if (!(key in count)) {
            split(key, part, SUBSEP)
            print part[1] ": banned.allow has " part[2] ", which is not there any more"
        }
    }' | LC_ALL=C sort
)

plant() {
    mkdir -p "$1/crypto" "$1/client"
    printf 'int f(void) { return rand(); }\nvoid g(void) { goto out; }\n' >"$1/crypto/bad.c"
    printf '/* rand( is fine\n here: rand( */ char *s = "rand(";\nint my_rand(int);\n' >"$1/crypto/good.c"
    printf 'void p(void) { printf("x"); }\n' >"$1/client/loud.c"
    printf 'int main(void) { printf("x"); }\n' >"$1/client/main.c"
    printf 'int e(void) { return memcmp(a, b, 3) + memcmp(a, b, 4); }\n' >"$1/crypto/counted.c"
    printf 'crypto/counted.c memcmp 1 one only\ncrypto/gone.c memcmp 1 file was removed\n' \
        >"$1/banned.allow"
    planted=5
}

lint "$@"
