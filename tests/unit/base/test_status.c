/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"

static void every_code_has_its_own_text(void)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        CHECK(status_text((enum status)i)[0] != '\0');
        for (int j = 0; j < i; j++)
            CHECK(strcmp(status_text((enum status)i), status_text((enum status)j)) != 0);
    }
}

static void success_is_zero(void)
{
    CHECK_NUMBER(0, STATUS_OK);
}

static void an_unknown_code_has_a_text(void)
{
    CHECK(strcmp(status_text(STATUS_COUNT), "unknown status") == 0);
    CHECK(strcmp(status_text((enum status)99), "unknown status") == 0);
}

static enum status passes_on(enum status status, int *reached)
{
    TRY(status);
    *reached = 1;
    return STATUS_OK;
}

static void try_returns_early_on_failure_only(void)
{
    int reached = 0;
    CHECK_STATUS(STATUS_AUTH, passes_on(STATUS_AUTH, &reached));
    CHECK_NUMBER(0, reached);
    CHECK_OK(passes_on(STATUS_OK, &reached));
    CHECK_NUMBER(1, reached);
}

/* The signal that ends a child which meets the condition; 0 when none does. */
static int signal_of(int condition)
{
    const pid_t child = fork();
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY);
        if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
        REQUIRE(condition);
        _exit(0);
    }
    int ended = 0;
    CHECK(waitpid(child, &ended, 0) == child);
    return WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
}

static void require_aborts_on_a_bug_only(void)
{
    CHECK_NUMBER(0, signal_of(1));
    CHECK_NUMBER(SIGABRT, signal_of(0));
}

static int freed;

static void note_free(int *x)
{
    freed = *x;
}

static void auto_frees_at_the_end_of_the_block(void)
{
    {
        AUTO(note_free) int x = 5;
        x++;
        CHECK_NUMBER(0, freed);
    }
    CHECK_NUMBER(6, freed);
}

int main(void)
{
    RUN(every_code_has_its_own_text);
    RUN(success_is_zero);
    RUN(an_unknown_code_has_a_text);
    RUN(try_returns_early_on_failure_only);
    RUN(require_aborts_on_a_bug_only);
    RUN(auto_frees_at_the_end_of_the_block);
    return check_done();
}
