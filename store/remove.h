// remove: takes a job and everything that belongs to it out of a store.
//
// The store is locked meanwhile, so removal is refused while a run or a
// coordinator writes to it. Calls are shared. Those that the job paid for are
// removed only if no other job uses the same model; otherwise that job may have
// used them, and would have to pay again for a replay. If calls stay, the job's
// row stays too, empty and in state "removed", because calls name the job that
// paid for them. v_jobs leaves it out, and running the job again fills it.

#ifndef STORE_REMOVE_H
#define STORE_REMOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct removed {
    char job[320]; // its id
    int64_t trials;
    int64_t calls; // removed with the job
    int64_t kept;  // calls that the job paid for and that stay
};

// job is anything that query_job accepts, except "". Everything happens in one
// transaction. Fails with ERR_BUSY while another process writes to the store,
// and with ERR_INPUT for a job that does not exist.
bool store_remove(const char *path, const char *job, struct removed *out,
                  struct err *err);

#endif
