// parcel: a job that is handed over inside the process, not sent.
//
// A client of this process has read the job's files already. As a message they
// would be there four times for a while: in its hands, encoded, on their way,
// and decoded. So it leaves its bundle here, and its SUBMIT names no file.
// There is room for one, since such a client submits one job at a time.
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

// Takes bundle, and frees what lay here.
void parcel_put(struct parcel *parcel, struct bundle *bundle);

// The caller's from now on. NULL: nothing lies here.
struct bundle *parcel_take(struct parcel *parcel);

#endif
