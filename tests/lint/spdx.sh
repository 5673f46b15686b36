#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every source file names its licence in the first line, or in the second after #!.
set -eu
. "$(dirname "$0")/lint.sh"

check() (
    cd "$1"
    find . \( -name .git -o -name 'build*' -o -name corpus -o -name data \) -prune -o -type f \
        \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name Makefile \) -print0 -o \
        -type f -name meson.build -print0 |
        xargs -0 -r awk '
        FNR == 1 { said = 0 }
        FNR <= 2 && /SPDX-License-Identifier: Apache-2\.0/ { said = 1 }
        FNR == 1 && /^#!/ { next }
        FNR <= 2 && !said { print FILENAME ": no SPDX line"; nextfile }
        { nextfile }'
)

plant() {
    printf 'int x;\nint y;\n' >"$1/bad.c"
    printf '#!/bin/sh\ntrue\n' >"$1/bad.sh"
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n' >"$1/good.sh"
    printf '/* SPDX-License-Identifier: Apache-2.0 */\nint x;\n' >"$1/good.h"
    planted=2
}

lint "$@"
