// restart: runs the user's own command that brings a model server back.
//
// /bin/sh runs it when a server has been away for RESTART_AFTER_MS, or when
// calls time out one after another although the server answers (it is wedged).
// It runs at most once in RESTART_EVERY_MS, since a server needs time to come
// up. If the command itself failed, it runs again after RESTART_FAILED_MS:
// whatever was in the way (a full disk, a missing mount) may be gone by then. A
// command that takes longer than RESTART_MOST_MS is killed with its children.
// The loop never waits for it. One owner.

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
    RESTART_TIMEOUTS = 2, // in a row, from a server that answers otherwise
};

struct restart {
    const char *command; // borrowed; NULL: none
    pid_t pid;           // 0: not running
    bool began;          // it was run at least once
    int64_t began_ms;    // when the last run began
    bool failed;         // the last run failed
};

// Runs the command, unless it is too soon; `why` is for the log.
void restart_begin(struct restart *restart, const char *worker, const char *why,
                   int64_t now_ms);
// Checks whether the command has ended.
void restart_tend(struct restart *restart, const char *worker, int64_t now_ms);
// Kills the command if it still runs.
void restart_end(struct restart *restart);

#endif
