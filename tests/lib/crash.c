/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/crash.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/check.h"

void crash_step(void)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/step", getenv("POWER_FOLDER"));
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (write(STDOUT_FILENO, "", 1) != 1 || fsync(fd) != 0) _exit(1);
    (void)close(fd);
}

static const char *const name_of[] = {"not", "before", "after", "kill"};

/* In the child. The sanitizers' runtime comes with the program, behind the preloaded library. */
_Noreturn static void become(const char *act, const struct crash *crash, const char *count)
{
    char number[32];
    (void)snprintf(number, sizeof number, "%zu", crash->at);
    (void)setenv("LD_PRELOAD", POWER_LIBRARY, 1);
    (void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    (void)setenv("POWER_FOLDER", crash->folder, 1);
    (void)setenv("POWER_COUNT", count, 1);
    (void)setenv("POWER_AT", number, 1);
    (void)setenv("POWER_HOW", name_of[crash->how], 1);
    (void)execl("/proc/self/exe", "victim", act, crash->folder, (char *)NULL);
    _exit(127);
}

static void run_act(struct crash *crash, const char *act, const char *count)
{
    int end[2];
    CHECK(pipe2(end, O_CLOEXEC) == 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(end[1], STDOUT_FILENO);
        become(act, crash, count);
    }
    (void)close(end[1]);
    char byte;
    while (read(end[0], &byte, 1) == 1) crash->steps++;
    (void)close(end[0]);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    if (crash->how == CRASH_NOT)
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    else
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static size_t number_in(const char *path)
{
    size_t number = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%zu", &number) != 1) number = 0;
    (void)fclose(file);
    return number;
}

static void clear(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) return;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
}

void crash_everywhere(const char *act, crash_verify *verify)
{
    char folder[] = "/tmp/veilsum-crash-XXXXXX", count[64];
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(count, sizeof count, "%s.count", folder);
    struct crash whole = {.folder = folder};
    run_act(&whole, act, count);
    verify(&whole);
    const size_t syncs = number_in(count);
    CHECK(syncs > 0 && whole.steps > 0);
    for (enum crash_how how = CRASH_BEFORE; how <= CRASH_KILL; how++)
        for (size_t at = 1; at <= syncs; at++) {
            const size_t failures = check_failures();
            struct crash crash = {.folder = folder, .at = at, .how = how};
            clear(folder);
            run_act(&crash, act, count);
            verify(&crash);
            if (check_failures() > failures)
                printf("  %s: %s fsync %zu of %zu\n", act, name_of[how], at, syncs);
        }
    clear(folder);
    (void)rmdir(folder);
    (void)unlink(count);
}
