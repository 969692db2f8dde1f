// handover: a job that is handed over inside the process instead of being sent.
//
// A client in this process has already read the job's files. As a message they
// would exist four times for a while: in the client's hands, encoded, in
// transit, and decoded. So the client leaves its bundle here, and its SUBMIT
// names no file. There is room for one bundle, since such a client submits one
// job at a time.
//
// May be called from any thread.

#ifndef COORDINATOR_HANDOVER_H
#define COORDINATOR_HANDOVER_H

#include <stdbool.h>

#include <pthread.h>

#include "common/err.h"
#include "program/job/bundle.h"

struct handover {
    pthread_mutex_t lock;
    struct bundle *bundle; // owned; NULL: there is none
};

bool handover_init(struct handover *handover, struct err *err);
void handover_release(struct handover *handover);

// Takes bundle, and frees one that was not taken.
void handover_put(struct handover *handover, struct bundle *bundle);

// Returns the bundle, which the caller owns from now on. NULL if there is none.
struct bundle *handover_take(struct handover *handover);

#endif
