/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: session_message, session_deadline. The coordinator's letters come in any order, lost,
 * doubled, altered with and without its signature; the site comes to rest and gives no site's
 * secrets of both kinds away. */
#include "tests/fuzz/fuzz.h"
#include "tests/lib/drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drive((struct view){data, size}, false);
    return 0;
}
