/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: csv_parse (client/data/csv.c), schema_parse and schema_bind (client/data/schema.c), the
 * rows of client/data/table.c and gzip_inflate. Input: two bytes n (little endian), a schema of n
 * bytes, and the table. */
#include "client/data/data.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    struct reader r = reader_of((struct view){in, n});
    struct view schema = read_view(&r, read_u16(&r));
    struct view table = read_view(&r, r.left);
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {{0}};
    enum status status = csv_parse(&data, table, schema, &why);
    REQUIRE((status == STATUS_OK) == (data.pixel != NULL));
    REQUIRE((status == STATUS_OK) == (why.text[0] == 0));
    for (size_t i = 0; i < data.n; i++) REQUIRE(data.label[i] < data.classes);
    return 0;
}
