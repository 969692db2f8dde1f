#include "common/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/bell.h"

enum { STATUS_INTERRUPTED = 130 };

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a handler may use it");

// A handler gets no argument of ours, so these are static: a process has one
// set of handlers.
static struct bell bell = BELL_NONE;
static atomic_int came; // also read by the threads that serve pages
static struct sigaction old_int, old_term, old_hup, old_pipe;

static void handle(int number)
{
    if (atomic_exchange(&came, 1) != 0) {
        if (number == SIGHUP)
            return;
        _exit(STATUS_INTERRUPTED);
    }
    bell_ring(&bell);
}

static void mask(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(how, &set, NULL);
}

bool signals_open(struct err *err)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (!bell_open(&bell, "signals", err))
        return false;
    atomic_store(&came, 0);
    mask(SIG_BLOCK);
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGINT, &action, &old_int);
    (void)sigaction(SIGTERM, &action, &old_term);
    (void)sigaction(SIGHUP, NULL, &old_hup);
    if (old_hup.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGPIPE, &ignore, &old_pipe);
    return true;
}

void signals_serve(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    sigemptyset(&ignore.sa_mask);
    if (terminal >= 0)
        (void)close(terminal);
    else
        (void)sigaction(SIGHUP, &ignore, NULL);
}

void signals_accept(void)
{
    mask(SIG_UNBLOCK);
}

int signals_fd(void)
{
    return bell_fd(&bell);
}

bool signals_came(void)
{
    return atomic_load(&came) != 0;
}

void signals_close(void)
{
    if (bell_fd(&bell) < 0)
        return;
    mask(SIG_BLOCK);
    (void)sigaction(SIGINT, &old_int, NULL);
    (void)sigaction(SIGTERM, &old_term, NULL);
    (void)sigaction(SIGHUP, &old_hup, NULL);
    (void)sigaction(SIGPIPE, &old_pipe, NULL);
    mask(SIG_UNBLOCK);
    bell_close(&bell);
}
