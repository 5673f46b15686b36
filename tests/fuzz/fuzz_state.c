/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: state_read. The first byte is the number of coordinates. What was accepted is finite,
 * zero where nothing is kept, has no clip below 0, and is written back to the same bytes. */
#include <math.h>
#include <string.h>

#include "protocol/state.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of((struct view){data, size});
    const size_t n = read_u8(&r);
    const struct view in = read_view(&r, r.left);
    AUTO(state_free) struct state state = {0};
    if (state_read(&state, in, n) != STATUS_OK) {
        REQUIRE(state.weight == NULL && state.keep.word == NULL);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        REQUIRE(bits_has(&state.keep, i) ? isfinite(state.weight[i]) : state.weight[i] == 0);
    REQUIRE(isfinite(state.clip) && state.clip >= 0);
    AUTO(buffer_free) struct buffer again = {0};
    state_write(&again, &state);
    REQUIRE(again.n == in.n && memcmp(again.at, in.at, in.n) == 0);
    return 0;
}
