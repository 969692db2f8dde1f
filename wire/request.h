// request: what a client wants done with a job, apart from the job's files.
//
// It travels as the JSON object `options` of SUBMIT. Unknown keys are ignored,
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
    const char **overrides; // "KEY=VALUE", as in --set
    size_t n_overrides;
    bool simulated; // --simulate: the job's own identity
    // For eval: the files of the bundle with the prompts (NULL: the program as
    // written) and with the rows (NULL: a share of the job's).
    const char *compiled;
    const char *data;
    bool all_steps;      // for eval
    int32_t priority;    // of the job among others; 0: the default
    int32_t max_workers; // with calls of the job at a time; 0: no limit
    const char *out;     // where `resume` puts the compiled file, on the
                         // machine of the run; NULL: the client knows
};

// "run" or "eval".
const char *request_action_name(enum request_action action);

// `options` is the JSON text. Returns NULL with ERR_PROTOCOL on failure.
struct request *request_read(const char *action, const char *options,
                             struct err *err);
bool request_write(const struct request *request, struct buf *out,
                   struct err *err);
void request_free(struct request *request); // accepts NULL

#endif
