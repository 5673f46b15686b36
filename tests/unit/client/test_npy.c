/* SPDX-License-Identifier: Apache-2.0 */
#include "client/data/npy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"

static enum status parse(struct npy *out, const char *text)
{
    return npy_parse(out, (struct view){(const uint8_t *)text, strlen(text)});
}

static void header_of_numpy_is_read(void)
{
    struct npy npy = {0};
    CHECK_OK(
        parse(&npy, "{'descr': '|u1', 'fortran_order': False, 'shape': (546, 28, 28), }   \n"));
    CHECK_NUMBER(3, npy.n_dims);
    CHECK_NUMBER(546, npy.dim[0]);
    CHECK_NUMBER(28, npy.dim[2]);
    CHECK_NUMBER(1, npy.item_bytes);
    CHECK(!npy.is_signed);
    CHECK_OK(parse(&npy, "{'descr': '<i8', 'fortran_order': False, 'shape': (7,), }\n"));
    CHECK_NUMBER(1, npy.n_dims);
    CHECK_NUMBER(8, npy.item_bytes);
    CHECK(npy.is_signed);
    CHECK_OK(parse(&npy, "{'shape': (), 'fortran_order': False, 'descr': '<u4'}"));
    CHECK_NUMBER(0, npy.n_dims);
    CHECK_NUMBER(4, npy.item_bytes);
}

static void other_headers_are_refused(void)
{
    static const char *const text[] = {
        "",
        "{}",
        "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'shape': (1,)}",
        "{'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (1,)}",
        "{'descr': '>i8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u2', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<u3', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u16', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,2,3,4,5)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551617,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<ea' ",
    };
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct npy npy = {.n_dims = 77};
        CHECK_STATUS(STATUS_FORMAT, parse(&npy, text[i]));
        CHECK_NUMBER(77, npy.n_dims);
    }
}

static void shortened_header_is_refused(void)
{
    static const char text[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (546, 28, 28), }";
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        /* On a heap block of its own, so that a sanitizer sees a read past it. */
        uint8_t *part = malloc(n + (n == 0));
        REQUIRE(part != NULL);
        memcpy(part, text, n);
        struct npy npy = {.n_dims = 77};
        CHECK_STATUS(STATUS_FORMAT, npy_parse(&npy, (struct view){part, n}));
        CHECK_NUMBER(77, npy.n_dims);
        free(part);
    }
}

static void versions_one_and_two_have_their_length_fields(void)
{
    CHECK_NUMBER(2, npy_length_bytes((const uint8_t *)"\x93NUMPY\1"));
    CHECK_NUMBER(4, npy_length_bytes((const uint8_t *)"\x93NUMPY\2"));
    CHECK_NUMBER(0, npy_length_bytes((const uint8_t *)"\x93NUMPY\3"));
    CHECK_NUMBER(0, npy_length_bytes((const uint8_t *)"\x93NUMPY\1\1"));
    CHECK_NUMBER(0, npy_length_bytes((const uint8_t *)"\x93NUMPX\1"));
}

int main(void)
{
    RUN(header_of_numpy_is_read);
    RUN(other_headers_are_refused);
    RUN(shortened_header_is_refused);
    RUN(versions_one_and_two_have_their_length_fields);
    return check_done();
}
