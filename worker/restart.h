// restart: the user's own command that brings a model server back.
//
// Run by /bin/sh when a server has been away for RESTART_AFTER_MS, or when
// calls time out one after the other although it answers (a wedged one); at
// most once in RESTART_EVERY_MS, for a server needs its time to come up, but
// again after RESTART_FAILED_MS where the command itself failed, so that what
// hindered it (a full disk, a mount that is gone) is not waited for when it has
// passed. One that takes longer than RESTART_MOST_MS is killed with its
// children. The loop never waits for it. One owner.

#ifndef WORKER_RESTART_H
#define WORKER_RESTART_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    RESTART_AFTER_MS = 10 * 1000,
    RESTART_EVERY_MS = 60 * 1000,
    RESTART_FAILED_MS = 5 * 1000,
    RESTART_MOST_MS = 120 * 1000,
    RESTART_TIMEOUTS = 2, // in a row, of a server that answers otherwise
};

struct restart {
    const char *command; // borrowed; NULL: there is none
    pid_t pid;           // 0: it does not run
    bool began;          // ever
    int64_t began_ms;    // when it last did
    bool failed;         // the last one did
};

// Begins it, when it is time again; why is for the log.
void restart_begin(struct restart *restart, const char *worker, const char *why,
                   int64_t now_ms);
// Sees whether it has ended.
void restart_tend(struct restart *restart, const char *worker, int64_t now_ms);
// Kills what still runs.
void restart_end(struct restart *restart);

#endif
