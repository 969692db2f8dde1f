// runner: runs a compiled program on a list of inputs, with results in their
// order.
//
// A runner is a run_pool with a beginning and an end: it reads inputs when
// there is room, and holds back each result until those before it are out.
// Memory holds at most a few times `slots` runs. A server that cannot be asked
// ends everything. One thread.

#ifndef PREDICT_RUNNER_H
#define PREDICT_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "model/model.h"
#include "program/run/compiled.h"

// The result of one run. If err is clear, outputs is an object of all outputs
// (borrowed). Otherwise err says why there are none: ERR_INPUT for inputs that
// do not fit, ERR_PROTOCOL for a model that gave no readable answer. For inputs
// that were left out, outputs is NULL and err is clear.
struct runner_result {
    size_t index; // of the input, from 0
    const json_t *outputs;
    int repairs; // how many replies were unreadable and asked for again
    struct err err;
};

struct runner_io {
    void *user;
    // Gives the next inputs in *values (a new reference). *values NULL: there
    // are none in this place, and err says why, or is clear if they were left
    // out. Returns false at the end.
    bool (*next)(void *user, json_t **values, struct err *err);
    // Returns true if `next` would block until more input is written; the runs
    // in progress then continue in the meantime. NULL: it never blocks.
    bool (*late)(void *user);
    // Takes a result. Returning false ends everything (a full disk, for
    // example).
    bool (*done)(void *user, const struct runner_result *result,
                 struct err *err);
    // Reports that the server has stopped answering and that the runner waits
    // for it; called once each time this happens. May be NULL.
    void (*waits)(void *user, const char *why);
};

struct runner {
    const struct compiled *compiled; // borrowed, like everything below
    struct model_client *client;
    int slots;
    int64_t timeout_ms;  // for each call
    int64_t patience_ms; // with a server that has stopped answering
    bool allow_exec;     // for both, see run_pool.h
};

// Returns true if all inputs were processed, whatever the result of each.
// ERR_FAULT: the server cannot be asked; ERR_INPUT: it does not have the model.
bool runner_run(const struct runner *runner, const struct runner_io *io,
                struct err *err);

#endif
