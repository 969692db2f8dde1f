// thread: starts threads that take no signals; those are for the program's
// loop.

#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"

// `whose` completes "cannot start a thread for ". End it with pthread_join.
bool thread_start(pthread_t *thread, void *(*run)(void *user), void *user,
                  const char *whose, struct err *err);

#endif
