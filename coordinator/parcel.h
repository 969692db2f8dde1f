// parcel: a job that is handed over inside the process instead of being sent.
//
// A client in this process has already read the job's files. As a message they
// would exist four times for a while: in the client's hands, encoded, in
// transit, and decoded. So the client leaves its bundle here, and its SUBMIT
// names no file. There is room for one bundle, since such a client submits one
// job at a time.
//
// May be called from any thread.

#ifndef COORDINATOR_PARCEL_H
#define COORDINATOR_PARCEL_H

#include <stdbool.h>

#include <pthread.h>

#include "common/err.h"
#include "program/job/bundle.h"

struct parcel {
    pthread_mutex_t lock;
    struct bundle *bundle; // owned; NULL: there is none
};

bool parcel_init(struct parcel *parcel, struct err *err);
void parcel_release(struct parcel *parcel);

// Takes bundle, and frees one that was not taken.
void parcel_put(struct parcel *parcel, struct bundle *bundle);

// Returns the bundle, which the caller owns from now on. NULL if there is none.
struct bundle *parcel_take(struct parcel *parcel);

#endif
