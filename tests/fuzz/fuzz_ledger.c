/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: ledger_entry_read, books_against, books_add. The input is blobs, one per entry. What was
 * accepted is written back to the same bytes, and costs something or nothing, but not less. */
#include <string.h>

#include "protocol/books.h"
#include "tests/fuzz/fuzz.h"

#define ENTRIES_MAX 32

static void check_costs(const struct books *books)
{
    struct books_refusal why = {0};
    const struct books_limits limits = {3, 10, 1e-5};
    for (size_t i = 0; i < books->n_studies; i++) {
        struct account account = {0};
        uint32_t count = 0;
        REQUIRE(books_of_study(&account, &count, books, i, ADVERSARY_COLLUSION) == STATUS_OK);
        REQUIRE(count <= books->n_releases);
        for (size_t k = 0; k < RDP_ORDERS; k++) REQUIRE(account.rdp[k] >= 0);
        if (books->n_releases > 0)
            (void)!books_bear(books, i, &books->release[0].release, &limits, &why);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of((struct view){data, size});
    AUTO(books_free) struct books books = {0};
    for (size_t i = 0; i < ENTRIES_MAX && r.left > 0; i++) {
        const struct view in = read_blob(&r, LEDGER_ENTRY_BYTES_MAX);
        struct ledger_entry entry = {.number = 7};
        if (ledger_entry_read(&entry, in) != STATUS_OK) {
            REQUIRE(entry.number == 7 && entry.round == 0);
            continue;
        }
        AUTO(buffer_free) struct buffer again = {0};
        ledger_entry_write(&again, &entry);
        REQUIRE(again.n == in.n && memcmp(again.at, in.at, in.n) == 0);
        if (books_against(&books, &entry) == NULL) REQUIRE(books_add(&books, &entry) == STATUS_OK);
    }
    check_costs(&books);
    return 0;
}
