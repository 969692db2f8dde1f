// close_range and subreapers are specific to Linux.
#define _GNU_SOURCE

#include "exec/exec_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
    FEW_FDS = 65536,
    // A process may start another one just before it is killed. One that keeps
    // doing so for longer than this is a fork bomb, and is left running.
    ROUNDS_MOST = 1000,
    ROUND_NS = 1000000,
};

// Closes everything that the guard has of ours: it must not hold the lock of
// the store, a socket, or the pipe of another guard.
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

static void note_signal(int number)
{
    (void)number; // its only purpose is to interrupt ppoll
}

// A signal from our terminal, or from a service manager to the whole process
// tree, must not end the guard before us.
static void set_signals(void)
{
    static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,
                                  SIGQUIT, SIGTSTP, SIGPIPE};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t children;

    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)sigaction(SIGCHLD, &action, NULL);
    (void)sigemptyset(&children);
    (void)sigaddset(&children, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &children, NULL);
}

// Reaps whatever has ended except the program: as long as the program is not
// reaped, no other process group can get its number. Returns true once the
// program has ended.
static bool has_ended(pid_t program)
{
    siginfo_t info = {0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0) {
        if (info.si_pid == program)
            return true;
        (void)waitpid(info.si_pid, NULL, WNOHANG);
        info.si_pid = 0;
    }
    return false;
}

// Waits until the program has ended or the pipe is closed.
static void watch(int hold, pid_t program)
{
    struct pollfd end = {.fd = hold, .events = POLLIN};
    sigset_t none;

    (void)sigemptyset(&none);
    while (!has_ended(program))
        if (ppoll(&end, 1, NULL, &none) > 0)
            return;
}

// Reaps whatever has ended. Returns true once that includes the program, with
// its status.
static bool reap(pid_t program, int *status)
{
    bool ended = false;
    int how = 0;
    pid_t pid;

    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid != program)
            continue;
        ended = true;
        *status = how;
    }
    return ended;
}

// Kills every present child and returns how many there were; -1 if they cannot
// be listed.
static int kill_children(void)
{
    char text[4096];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int n = 0;

    if (fd >= 0)
        (void)close(fd);
    if (len < 0)
        return -1;
    // A number that was cut off is killed in the next round.
    while (len > 0 && text[len - 1] != ' ')
        len--;
    for (ssize_t i = 0; i < len; i++) {
        pid_t pid = 0;

        for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
            pid = pid * 10 + (text[i] - '0');
        if (pid > 0) {
            (void)kill(pid, SIGKILL);
            n++;
        }
    }
    return n;
}

// Kills the program and all that it started: first the children, then those
// that become children because their parents have died.
static void kill_all(pid_t program, int *status)
{
    const struct timespec pause = {.tv_nsec = ROUND_NS};
    bool ended = false;

    (void)kill(-program, SIGKILL);
    for (int i = 0; i < ROUNDS_MOST; i++) {
        int n = kill_children();

        ended = reap(program, status) || ended;
        if (n == 0 || (n < 0 && ended))
            return;
        (void)nanosleep(&pause, NULL);
    }
}

// Ends the way the program did, so that whoever waits for the guard learns of
// it.
static _Noreturn void end_like(int status)
{
    const struct rlimit none = {0, 0};

    if (WIFSIGNALED(status)) {
        sigset_t all;

        (void)setrlimit(RLIMIT_CORE, &none); // the program has left one
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

// Lets the program die if somebody kills its guard.
static void die_with_guard(void)
{
#ifdef PR_SET_PDEATHSIG
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

_Noreturn void exec_guard_run(int hold, int report, void (*become)(void *user),
                              void *user)
{
    pid_t program;
    int status = SIGKILL; // assume this if nothing else is known

    (void)setpgid(0, 0);
    set_signals();
#ifdef PR_SET_CHILD_SUBREAPER
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
    program = fork();
    if (program == 0) {
        die_with_guard();
        become(user);
        _exit(127);
    }
    if (program < 0) {
        int why = errno;

        (void)!write(report, &why, sizeof why);
        _exit(127);
    }
    (void)setpgid(program, program);
    close_others(hold);
    watch(hold, program);
    kill_all(program, &status);
    end_like(status);
}
