// serve: a compiled program over HTTP.
//
//   POST /predict        takes a JSON object of inputs and gives
//                        {"outputs": {...}}; for a list it gives a list
//   GET  /openapi.json   describes inputs and outputs
//   GET  /healthz        200 while the process is alive
//   GET  /readyz         200 while the model server has the model and new
//                        requests are taken
//   GET  /metrics        Prometheus text
//
// http/server.h bounds everything that a stranger may send, and
// predict/service.h what may wait. With a token, every path but the two probes
// requires it.

#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "http/address.h"
#include "model/model.h"
#include "program/run/compiled.h"

struct serve;

enum {
    SERVE_MOST_INPUTS = 1000,   // in one request
    SERVE_BODY_BYTES = 8 << 20, // of one request
};

struct serve_options {
    const struct compiled *compiled; // borrowed until the end
    struct model_address model;
    struct http_address address;
    const char *token_file; // NULL: only for programs on this machine
    int slots;              // calls in flight at the model server
    int64_t timeout_ms;     // of a call
    bool allow_exec;        // run the programs of exec steps
};

// First asks the model server for the model, as student_open does.
struct serve *serve_start(const struct serve_options *options, struct err *err);

const char *serve_place(const struct serve *serve);   // "127.0.0.1:8071"
const char *serve_warning(const struct serve *serve); // "" or a sentence
bool serve_simulated(const struct serve *serve);

// Takes no new requests; requests that were taken continue.
void serve_drain(struct serve *serve);
bool serve_is_idle(struct serve *serve);

void serve_stop(struct serve *serve); // accepts NULL

#endif
