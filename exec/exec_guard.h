// exec_guard: ends the user's programs when we no longer can.
//
// A coordinator that is killed with SIGKILL ends nothing by itself, and a
// program of the user that computes, or sleeps, would go on for as long as it
// likes. So each pool has a guard: a process that holds the other end of a
// pipe, is told which process groups there are, and, when the pipe closes,
// kills those that are left. However we end, the pipe closes.
//
//    we                          guard
//    exec_guard_watch(group) --> keeps its number
//    exec_guard_forget(group) -> drops it, before the number is free again
//    (gone) ------------------->  kills what it keeps, and ends
//
// A child's parent-death signal was rejected: it reaches the child alone and
// not what that has started, and it is sent when a thread ends, not a process.
//
// Belongs to the thread of a pool.

#ifndef EXEC_EXEC_GUARD_H
#define EXEC_EXEC_GUARD_H

#include <stdbool.h>

#include <sys/types.h>

#include "common/err.h"

struct exec_guard {
    pid_t pid; // 0: none
    int pipe;  // to it; -1: none
};

#define EXEC_GUARD_NONE ((struct exec_guard){.pipe = -1})

bool exec_guard_start(struct exec_guard *guard, struct err *err);

// The guard ends, and with it what it still watches.
void exec_guard_stop(struct exec_guard *guard);

void exec_guard_watch(struct exec_guard *guard, pid_t group);
void exec_guard_forget(struct exec_guard *guard, pid_t group);

#endif
