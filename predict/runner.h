// runner: a compiled program on a list of inputs, results in their order.
//
// A run_pool with a beginning and an end: inputs are read as there is room,
// and a result waits for those before it. Memory holds at most a few times
// `slots` runs. A server that cannot be asked ends the whole. One thread.

#ifndef PREDICT_RUNNER_H
#define PREDICT_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/err.h"
#include "model/model.h"
#include "program/run/compiled.h"

// What came of one run. outputs is an object of all outputs when err is clear
// (borrowed); else err says why there are none: ERR_INPUT for inputs that do
// not fit, ERR_PROTOCOL for a model that gave no readable answer. For inputs
// that were left out, outputs is NULL and err clear.
struct runner_result {
    size_t index; // of the input, from 0
    const json_t *outputs;
    int repairs; // replies that could not be read and were asked for again
    struct err err;
};

struct runner_io {
    void *user;
    // The next inputs (a new reference) into *values; *values NULL: there are
    // none in this place, err says why, or is clear when they were left out.
    // False when there are no more.
    bool (*next)(void *user, json_t **values, struct err *err);
    // Whether next would have to wait for whoever writes the inputs: runs that
    // are under way then go on meanwhile. NULL: it never has to.
    bool (*late)(void *user);
    // False ends the whole (a disk that is full).
    bool (*done)(void *user, const struct runner_result *result,
                 struct err *err);
    // The server has stopped to answer, and is waited for; told once each time
    // that it happens. NULL: nobody wants to know.
    void (*waits)(void *user, const char *why);
};

struct runner {
    const struct compiled *compiled; // borrowed, as all below
    struct model_client *client;
    int slots;
    int64_t timeout_ms;  // of a call
    int64_t patience_ms; // with a server that has stopped to answer
    bool allow_exec;     // for both see run_pool.h
};

// True when all inputs were worked through, whatever came of each. ERR_FAULT:
// the server cannot be asked; ERR_INPUT: it does not have the model.
bool runner_run(const struct runner *runner, const struct runner_io *io,
                struct err *err);

#endif
