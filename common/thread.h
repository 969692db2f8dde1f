// thread: starts threads that take no signals; those are for the program's
// loop.

#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

// `whose` completes "cannot start a thread for ". End it with pthread_join.
bool thread_start(pthread_t *thread, void *(*run)(void *user), void *user,
                  const char *whose, struct err *err);

// Returns true if n more threads can run at the same time. Ask before a library
// starts threads that it cannot do without, since it may end the process.
bool thread_has_room(size_t n, const char *whose, struct err *err);

// Says that a thread could not be started, because of the errno `why`, and
// which limits to look at.
void thread_refused(const char *whose, int why, struct err *err);

#endif
