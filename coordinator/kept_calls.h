// kept_calls: what workers still hold from before they joined.
//
// A worker that loses its coordinator lets its model server finish, and keeps
// the answers. When it joins again, it names them by the keys that came with
// the calls. If a job asks for one of them within KEPT_CALLS_MS, the call goes
// to that worker before any other worker could get it. So nothing that was in
// progress when a coordinator was restarted is asked twice.
//
// Workers come back some moments apart, and the first of them would be sent
// what the others already have in progress. So after a start that found a job
// in progress, nothing else is sent for KEPT_GATHER_MS.
//
// What a worker names decides only which of the waiting calls it gets first, so
// a worker gains nothing by lying. Call only from the loop's thread.

#ifndef COORDINATOR_KEPT_CALLS_H
#define COORDINATOR_KEPT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hash.h"

enum {
    KEPT_CALLS_MS = 30000, // after the worker joined; the worker uses the same
    KEPT_GATHER_MS = 2000, // after the coordinator's start
};

struct kept_call {
    struct hash key;
    int32_t worker;
    int64_t until_ms;
};

struct kept_calls {
    struct kept_call *items; // owned
    size_t n, cap;
};

void kept_calls_release(struct kept_calls *kept);

// Notes the calls that a worker named. keys holds len bytes of hashes, one
// after another, of which at most `most` are taken. Calls for which there is
// no memory are not noted, and are asked like any others.
void kept_calls_note(struct kept_calls *kept, int32_t worker, const char *keys,
                     size_t len, size_t most, int64_t now);

// Finds the next kept call that a job waits for; out is the action that sends
// it to its worker. Start with *at = 0 and call until it returns false. Kept
// calls that nobody asked for in time are forgotten on the way.
struct engine;
struct action;
bool kept_calls_give(struct engine *engine, size_t *at, int64_t now,
                     struct action *out);

#endif
