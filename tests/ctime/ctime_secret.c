/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ctime/ctime.h"

static void a_comparison_tells_its_answer_only(void)
{
    unsigned char a[100] = {1}, b[100] = {1}, c[100] = {2};
    SECRET(a, sizeof a);
    SECRET(b, sizeof b);
    SECRET(c, sizeof c);
    CHECK(secret_equal(a, b, sizeof a));
    CHECK(!secret_equal(a, c, sizeof a));
    reveal(a, sizeof a);
}

static void wiped_bytes_are_no_secret(void)
{
    unsigned char bytes[100] = {1};
    SECRET(bytes, sizeof bytes);
    secret_wipe(bytes, sizeof bytes);
    CHECK(!is_secret(bytes, sizeof bytes));
}

int main(void)
{
    RUN(marks_are_seen);
    RUN(a_comparison_tells_its_answer_only);
    RUN(wiped_bytes_are_no_secret);
    return check_done();
}
