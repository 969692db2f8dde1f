// remove: takes a job and what belongs to it out of a store.
//
// The store is locked meanwhile, so it is refused while a run or a coordinator
// writes to it. Calls are shared: those that the job paid for go with it only
// when no other job asks the same model, since another may have used them and
// would have to pay again to be replayed. Where calls stay, the job's row stays
// as well, empty and in state "removed": calls name who paid for them. v_jobs
// leaves it out, and running the job again fills it.

#ifndef STORE_REMOVE_H
#define STORE_REMOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct removed {
    char job[320]; // its id
    int64_t trials;
    int64_t calls; // removed with it
    int64_t kept;  // of those that it paid for
};

// job as query_job takes it, except "". All of it is one transaction. ERR_BUSY
// while another process writes to the store; ERR_INPUT for a job that is not
// there.
bool store_remove(const char *path, const char *job, struct removed *out,
                  struct err *err);

#endif
