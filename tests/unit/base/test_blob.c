/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blob.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static const uint8_t letter[5] = {1, 2, 3, 4, 5};

static struct blob *blob_of_letter(void)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, letter, sizeof letter);
    struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    return blob;
}

static void a_buffer_is_moved_not_copied(void)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, letter, sizeof letter);
    const uint8_t *at = bytes.at;
    AUTO(blob_free) struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    CHECK(bytes.at == NULL && bytes.n == 0 && bytes.room == 0);
    CHECK(blob_view(blob).at == at);
    CHECK_NUMBER(sizeof letter, blob_view(blob).n);
    CHECK_BYTES(letter, blob_view(blob).at, sizeof letter);
}

/* The sanitizer run shows that the last owner frees, and only the last. */
static void the_bytes_live_until_the_last_owner_frees_them(void)
{
    struct blob *first = blob_of_letter();
    struct blob *second = blob_share(first), *third = blob_share(second);
    CHECK(second == first && third == first);
    blob_free(&first);
    CHECK(first == NULL);
    CHECK_BYTES(letter, blob_view(second).at, sizeof letter);
    blob_free(&third);
    CHECK_BYTES(letter, blob_view(second).at, sizeof letter);
    blob_free(&second);
    CHECK(second == NULL);
}

static void nothing_is_an_empty_blob(void)
{
    struct blob *none = NULL;
    CHECK(blob_share(none) == NULL);
    CHECK(blob_view(none).at == NULL && blob_view(none).n == 0);
    blob_free(&none);
    CHECK(none == NULL);
}

static void an_empty_buffer_is_a_blob_of_no_bytes(void)
{
    struct buffer bytes = {0};
    AUTO(blob_free) struct blob *blob = NULL;
    CHECK_OK(blob_of(&blob, &bytes));
    CHECK(blob != NULL);
    CHECK_NUMBER(0, blob_view(blob).n);
}

static void a_buffer_that_had_run_out_of_memory_is_refused_and_emptied(void)
{
    struct buffer bytes = {0};
    write_bytes(&bytes, letter, sizeof letter);
    bytes.status = STATUS_NOMEM;
    struct blob *blob = NULL;
    CHECK_STATUS(STATUS_NOMEM, blob_of(&blob, &bytes));
    CHECK(blob == NULL);
    CHECK(bytes.at == NULL && bytes.n == 0 && bytes.status == STATUS_OK);
}

static void out_of_memory_empties_the_buffer_and_leaves_out_untouched(void)
{
    struct blob *const before = blob_of_letter();
    OOM_EACH {
        struct buffer bytes = {0};
        write_bytes(&bytes, letter, sizeof letter);
        struct blob *blob = before;
        const enum status status = blob_of(&blob, &bytes);
        oom_stop();
        CHECK(oom_hit() == (status != STATUS_OK));
        CHECK(bytes.at == NULL && bytes.n == 0 && bytes.status == STATUS_OK);
        if (status == STATUS_OK) {
            blob_free(&blob);
        } else {
            CHECK_STATUS(STATUS_NOMEM, status);
            CHECK(blob == before);
        }
    }
    struct blob *last = before;
    blob_free(&last);
}

int main(void)
{
    RUN(a_buffer_is_moved_not_copied);
    RUN(the_bytes_live_until_the_last_owner_frees_them);
    RUN(nothing_is_an_empty_blob);
    RUN(an_empty_buffer_is_a_blob_of_no_bytes);
    RUN(a_buffer_that_had_run_out_of_memory_is_refused_and_emptied);
    RUN(out_of_memory_empties_the_buffer_and_leaves_out_untouched);
    return check_done();
}
