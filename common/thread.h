// thread: one that takes no signals, since those are the program's loop's.

#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"

// `whose` completes "cannot start a thread for ". pthread_join ends it.
bool thread_start(pthread_t *thread, void *(*run)(void *user), void *user,
                  const char *whose, struct err *err);

#endif
