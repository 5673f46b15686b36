/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In the child: nothing but calls that are safe after fork. */
static _Noreturn void become(char *const *argv, int out, const char *log)
{
    int null = open("/dev/null", O_RDONLY);
    int error = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null < 0 || error < 0 || dup2(null, 0) < 0 || dup2(out < 0 ? error : out, 1) < 0 ||
        dup2(error, 2) < 0)
        _exit(127);
    execv(argv[0], argv);
    _exit(127);
}

/* In the child: end with the parent, also with one that has gone already. */
static void follow(pid_t parent, int signal)
{
    if (prctl(PR_SET_PDEATHSIG, signal) != 0 || getppid() != parent) _exit(127);
}

enum status process_start(struct process *out, char *const *argv, const char *log)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return STATUS_IO;
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        follow(parent, SIGKILL);
        become(argv, ends[1], log);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return STATUS_IO;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *out = (struct process){.pid = pid, .out = ends[0]};
    return STATUS_OK;
}

static _Noreturn void become_in(char *const *argv, const char *folder, const char *output,
                                const char *log)
{
    /* who ends our process group, as mpirun does in haste, leaves it the time to clean up */
    if (setpgid(0, 0) != 0 || chdir(folder) != 0) _exit(127);
    int file = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) _exit(127);
    become(argv, file, log);
}

enum status process_start_in(struct process *out, char *const *argv, const char *folder,
                             const char *output, const char *log)
{
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        follow(parent, SIGTERM);
        become_in(argv, folder, output, log);
    }
    if (pid < 0) return STATUS_IO;
    *out = (struct process){.pid = pid, .out = -1};
    return STATUS_OK;
}

enum status process_run(char *const *argv, const char *log)
{
    const pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        follow(parent, SIGKILL);
        become(argv, -1, log);
    }
    if (pid < 0) return STATUS_IO;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return STATUS_IO;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? STATUS_OK : STATUS_IO;
}

bool process_line(struct process *process, const char **line)
{
    while (process->out >= 0) {
        uint8_t byte = 0;
        ssize_t got = read(process->out, &byte, 1);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (got <= 0) {
            (void)close(process->out);
            process->out = -1;
            return false;
        }
        write_u8(&process->line, byte == '\n' ? 0 : byte);
        if (process->line.status != STATUS_OK) return false;
        if (byte != '\n') continue;
        process->line.n = 0;
        *line = (const char *)process->line.at;
        return true;
    }
    return false;
}

bool process_ended(struct process *process)
{
    if (process->pid == 0) return true;
    if (waitpid(process->pid, &process->status, WNOHANG) != process->pid) return false;
    process->pid = 0;
    return true;
}

static void wait_for(struct process *process)
{
    while (process->pid != 0 && waitpid(process->pid, &process->status, 0) < 0)
        if (errno != EINTR) break;
    process->pid = 0;
}

static void close_output(struct process *process)
{
    if (process->out >= 0) (void)close(process->out);
    process->out = -1;
    buffer_free(&process->line);
}

void process_kill(struct process *process)
{
    if (process->pid != 0) {
        (void)kill(process->pid, SIGKILL);
        wait_for(process);
    }
    close_output(process);
}

void process_end(struct process *process, int timeout_ms)
{
    if (process->pid != 0) (void)kill(process->pid, SIGTERM);
    for (int waited = 0; !process_ended(process) && waited < timeout_ms; waited += 10)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    process_kill(process);
}
