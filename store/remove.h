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
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

// What became of one job.
struct removed {
    const char *asked; // as the caller named it; borrowed
    char job[320];     // its id; "" if there is none
    int64_t trials;
    int64_t calls;  // removed with the job
    int64_t kept;   // calls that the job paid for and that stay
    struct err err; // why it was not removed; else ERR_NONE
};

struct removal {
    const char *const *jobs; // each is anything that job_name_find accepts
    size_t n;
    // Called for each job in turn, but once if two name the same one.
    void (*done)(void *user, const struct removed *removed);
    void *user;
};

// Removes jobs, each in a transaction of its own; one that cannot be removed
// does not keep the others. What they name is settled before the first is gone:
// afterwards a name could mean an older job. Returns false, and has tried
// nothing, if the store cannot be written; ERR_BUSY: another process writes.
bool store_remove(const char *path, const struct removal *removal,
                  struct err *err);

#endif
