// cond: condition variables whose waits end on time.
//
// By default a pthread_cond_t measures its deadline by the wall clock, so a
// wait of 200 ms can take hours if somebody sets that clock back. The
// conditions made here use the monotonic clock, which nobody can set.

#ifndef COMMON_COND_H
#define COMMON_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

// Makes a condition for pthread_cond_timedwait; end it with
// pthread_cond_destroy.
void cond_init(pthread_cond_t *cond);

// Returns the deadline `ms` from now, for a condition made by cond_init.
struct timespec cond_deadline(int64_t ms);

#endif
