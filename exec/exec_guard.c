// close_range is Linux's.
#define _GNU_SOURCE

#include "exec/exec_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_GROUPS = 1024, FEW_FDS = 65536 };

// What is sent: a group, or its number below 0 when it is to be forgotten.

// --- the guard: after fork, so only what is safe in a signal handler ---

// It must hold nothing of ours: not the lock of the store, no socket, and not
// the pipe of another guard.
static void close_others(int keep)
{
    long most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if ((keep == 0 ||
         syscall(SYS_close_range, 0U, (unsigned)keep - 1, 0) == 0) &&
        syscall(SYS_close_range, (unsigned)keep + 1, ~0U, 0) == 0)
        return;
#endif
    if (most < 0 || most > FEW_FDS)
        most = FEW_FDS;
    for (int fd = 0; fd < (int)most; fd++)
        if (fd != keep)
            (void)close(fd);
}

static void take_order(pid_t groups[MAX_GROUPS], pid_t order)
{
    pid_t wanted = order > 0 ? 0 : -order;
    size_t i = 0;

    while (i < MAX_GROUPS && groups[i] != wanted)
        i++;
    if (i < MAX_GROUPS)
        groups[i] = order > 0 ? order : 0;
}

// A signal at our terminal, or a service manager's to the whole family, must
// not end it before us.
static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN);
}

static void keep_guard(int fd)
{
    static pid_t groups[MAX_GROUPS]; // of the forked process alone
    pid_t order = 0;
    ssize_t got;

    (void)setpgid(0, 0);
    ignore_signals();
    close_others(fd);
    do {
        got = read(fd, &order, sizeof order);
        if (got == (ssize_t)sizeof order)
            take_order(groups, order);
    } while (got > 0 || (got < 0 && errno == EINTR));
    for (size_t i = 0; i < MAX_GROUPS; i++)
        if (groups[i] != 0)
            (void)kill(-groups[i], SIGKILL);
    _exit(0);
}

// --- our side ---

bool exec_guard_start(struct exec_guard *guard, struct err *err)
{
    int ends[2] = {-1, -1};

    *guard = EXEC_GUARD_NONE;
    if (pipe2(ends, O_CLOEXEC) == 0)
        guard->pid = fork();
    if (guard->pid == 0 && ends[0] >= 0)
        keep_guard(ends[0]);
    if (ends[0] < 0 || guard->pid < 0) {
        err_set(err, ERR_IO, "cannot start the guard of the job's programs: %s",
                strerror(errno));
        guard->pid = 0;
        if (ends[1] >= 0)
            (void)close(ends[1]);
    } else {
        guard->pipe = ends[1];
    }
    if (ends[0] >= 0)
        (void)close(ends[0]);
    return guard->pid > 0;
}

void exec_guard_stop(struct exec_guard *guard)
{
    if (guard->pid <= 0)
        return;
    (void)close(guard->pipe);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    *guard = EXEC_GUARD_NONE;
}

// Four bytes: written whole or not at all. A guard that somebody killed guards
// no longer, and the programs run on as they did before there were guards.
static void send_order(struct exec_guard *guard, pid_t order)
{
    if (guard->pid > 0)
        (void)!write(guard->pipe, &order, sizeof order);
}

void exec_guard_watch(struct exec_guard *guard, pid_t group)
{
    send_order(guard, group);
}

void exec_guard_forget(struct exec_guard *guard, pid_t group)
{
    send_order(guard, -group);
}
