#include "common/thread.h"

#include <signal.h>
#include <string.h>

bool thread_start(pthread_t *thread, void *(*run)(void *user), void *user,
                  const char *whose, struct err *err)
{
    sigset_t all;
    sigset_t before;
    int why;

    // A thread inherits the signal mask of the thread that starts it.
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    why = pthread_create(thread, NULL, run, user);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (why != 0)
        err_set(err, ERR_IO, "cannot start a thread for %s: %s", whose,
                strerror(why));
    return why == 0;
}
