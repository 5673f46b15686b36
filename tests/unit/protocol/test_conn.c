/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/conn.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/check.h"
#include "tests/lib/oom.h"
#include "tests/unit/protocol/ends.h"

static void a_connection_is_known_from_its_beginning_to_its_end(void)
{
    AUTO(conn_free) struct conns conns = {0};
    CHECK(conn_find(&conns, 5) == NULL);
    CHECK(conn_find(&conns, -1) == NULL);
    CHECK_OK(conn_open(&conns, 5));
    CHECK(conn_find(&conns, 4) == NULL);
    CHECK(conn_find(&conns, 5) != NULL && conn_find(&conns, 5)->peer == CONN_NOBODY);
    conn_find(&conns, 5)->peer = 7;
    CHECK_OK(conn_open(&conns, 500));
    CHECK_NUMBER(7, conn_close(&conns, 5));
    CHECK(conn_close(&conns, 5) == CONN_NOBODY);
    CHECK(conn_close(&conns, 9000) == CONN_NOBODY);
    CHECK_OK(conn_open(&conns, 5)); /* a new one with the number of the old */
    CHECK(conn_find(&conns, 5)->peer == CONN_NOBODY);
}

static void bytes_that_do_not_become_frames_are_hoarded(void)
{
    AUTO(conn_free) struct conns conns = {0};
    uint8_t bytes[1000] = {0};
    int pair[2];
    ends_tcp_pair(pair);
    CHECK_OK(conn_open(&conns, pair[0]));
    CHECK(!conn_hoards(&conns, pair[0], 100, 0));
    CHECK(send(pair[1], bytes, sizeof bytes, 0) == sizeof bytes);
    CHECK(recv(pair[0], bytes, 1, 0) == 1); /* they have come */
    CHECK(!conn_hoards(&conns, pair[0], 1000, 0));
    CHECK(conn_hoards(&conns, pair[0], 999, 0));
    CHECK(!conn_hoards(&conns, pair[0], 999, 1));
    CHECK(conn_hoards(&conns, pair[0], 998, 0));
    conn_read(&conns, pair[0], 500);
    CHECK(!conn_hoards(&conns, pair[0], 500, 0));
    conn_read(&conns, pair[0], 1 << 30); /* nothing is saved up */
    CHECK(!conn_hoards(&conns, pair[0], 0, 0));
    CHECK(send(pair[1], bytes, sizeof bytes, 0) == sizeof bytes);
    CHECK(recv(pair[0], bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes);
    CHECK(conn_hoards(&conns, pair[0], 0, 0));
    CHECK(!conn_hoards(&conns, pair[1], 0, 0)); /* not known */
    close(pair[0]);
    close(pair[1]);
}

static void the_other_side_sees_a_cut(void)
{
    uint8_t byte;
    int pair[2];
    ends_tcp_pair(pair);
    conn_shut(pair[0]);
    CHECK(recv(pair[1], &byte, 1, 0) == 0);
    close(pair[0]);
    close(pair[1]);
}

static void out_of_memory_leaves_a_connection_unknown(void)
{
    OOM_EACH {
        AUTO(conn_free) struct conns conns = {0};
        const enum status status = conn_open(&conns, 3);
        oom_stop();
        if (status != STATUS_OK) CHECK_STATUS(STATUS_NOMEM, status);
        CHECK((status == STATUS_OK) == (conn_find(&conns, 3) != NULL));
    }
}

int main(void)
{
    RUN(a_connection_is_known_from_its_beginning_to_its_end);
    RUN(bytes_that_do_not_become_frames_are_hoarded);
    RUN(the_other_side_sees_a_cut);
    RUN(out_of_memory_leaves_a_connection_unknown);
    return check_done();
}
