// cond: waiting for a condition, but only so long.
//
// A pthread_cond_t measures its deadline by the wall clock unless it is told
// otherwise, so a wait of 200 ms takes hours where somebody sets that clock
// back. One that is made here goes by the clock that nobody can set.

#ifndef COMMON_COND_H
#define COMMON_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

// A condition for pthread_cond_timedwait; pthread_cond_destroy ends it.
void cond_init(pthread_cond_t *cond);

// The moment ms from now, for a condition that cond_init made.
struct timespec cond_deadline(int64_t ms);

#endif
