// request: what a client asks of a job, apart from its files.
//
// Travels as the JSON object `options` of SUBMIT. Unknown keys are ignored,
// wrong types refused.

#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

enum request_action { REQUEST_RUN, REQUEST_EVAL };

enum {
    REQUEST_MAX_OVERRIDES = 256,
    REQUEST_MAX_PRIORITY = 100,
    REQUEST_MAX_WORKERS = 10000,
};

struct request {
    struct arena arena;
    enum request_action action;
    const char **overrides; // "KEY=VALUE", as --set has them
    size_t n_overrides;
    bool simulated; // --simulate: the job's own identity
    // eval: the bundle's files with the prompts (NULL: the program as written)
    // and with the rows (NULL: a share of the job's)
    const char *compiled;
    const char *data;
    bool all_steps;      // eval
    int32_t priority;    // of the job among others; 0: the usual one
    int32_t max_workers; // that have calls of it at a time; 0: all there are
    const char *out;     // where the compiled file goes, on the machine of the
                         // run: for `resume`; NULL: the client knows
};

// "run" or "eval".
const char *request_action_name(enum request_action action);

// options is the JSON text. NULL with ERR_PROTOCOL.
struct request *request_read(const char *action, const char *options,
                             struct err *err);
bool request_write(const struct request *request, struct buf *out,
                   struct err *err);
void request_free(struct request *request); // NULL is fine

#endif
