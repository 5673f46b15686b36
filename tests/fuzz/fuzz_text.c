/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: text_parse (client/data/text.c). Input: length and stride as one byte each, whether
 * speakers are asked for, and the text. */
#include "client/data/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    struct reader r = reader_of((struct view){in, n});
    const struct text_how how = {
        .length = read_u8(&r), .stride = read_u8(&r), .speakers = (read_u8(&r) & 1) != 0};
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    const enum status status = text_parse(&data, read_view(&r, r.left), &how, &why);
    REQUIRE((status == STATUS_OK) == (data.pixel != NULL));
    REQUIRE((status == STATUS_OK && how.speakers) == (data.key != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    for (size_t i = 0; i < data.n; i++) REQUIRE(data.label[i] < data.classes);
    for (size_t i = 0; i < data.n * data.width; i++) REQUIRE(data.pixel[i] < data.classes);
    return 0;
}
