/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: all readers of protocol/msg.h. The first byte chooses the kind, the rest is the body, to
 * which the prefix and a good signature are put. What was accepted is written back to the same
 * bytes: there is one encoding. make_msg.c makes the corpus. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/lib/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    uint8_t signer[SIGN_PUBLIC_BYTES];
    messages_signer(signer);
    const enum msg_kind kind = 1 + data[0] % (MSG_KIND_COUNT - 1);
    AUTO(buffer_free) struct buffer in = {0}, out = {0};
    wire_begin(&in, kind);
    write_bytes(&in, data + 1, size - 1);
    if (messages[kind].is_signed) wire_sign(&in, 0, messages_seed);
    REQUIRE(in.status == STATUS_OK && msg_kind_of(buffer_view(&in)) == kind);
    const enum status status = messages[kind].again(&out, buffer_view(&in), signer);
    REQUIRE(status == STATUS_OK || status == STATUS_FORMAT);
    if (status != STATUS_OK) return 0;
    REQUIRE(out.n == in.n && memcmp(out.at, in.at, in.n) == 0);
    return 0;
}
