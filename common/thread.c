#include "common/thread.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

enum { TRIED_MOST = 8 };

void thread_refused(const char *whose, int why, struct err *err)
{
    err_set(err, ERR_IO,
            "cannot start a thread for %.60s: %s; raise the limit on processes "
            "(`ulimit -u`, pids of a container) or on memory (`ulimit -v`)",
            whose, strerror(why));
}

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
        thread_refused(whose, why, err);
    return why == 0;
}

// Ends once the lock is free.
static void *wait_for_lock(void *lock)
{
    (void)pthread_mutex_lock(lock);
    (void)pthread_mutex_unlock(lock);
    return NULL;
}

bool thread_has_room(size_t n, const char *whose, struct err *err)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t tried[TRIED_MOST];
    size_t started = 0;

    assert(n <= TRIED_MOST);
    (void)pthread_mutex_lock(&lock);
    while (started < n &&
           thread_start(&tried[started], wait_for_lock, &lock, whose, err))
        started++;
    (void)pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(tried[i], NULL);
    return started == n;
}
