// user_command: a user's program, as a job file names it.
//
//   exec: {command: [python3, lookup.py], timeout: 10s}
//
// The words are passed to the system as they are; no shell splits them. The
// program is asked in lines of JSON and answers in lines of JSON
// (exec/exec_pool.h). What the lines contain is up to the step or metric that
// asks.

#ifndef PROGRAM_GRAPH_USER_COMMAND_H
#define PROGRAM_GRAPH_USER_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"
#include "program/source/diag.h"
#include "program/source/node.h"

struct user_command {
    const char *const *argv; // NULL-terminated
    int64_t timeout_ms;      // for one answer
    const char *what;        // for messages: "the metric's command"
    // Checks whether a line is an answer; ERR_PROTOCOL says why it is not. May
    // be called from any thread.
    bool (*check)(const void *of, const char *text, size_t len,
                  struct err *err);
    const void *of; // the asker, for check; borrowed
};

// Reads the keys `command` and `timeout` of map into arena. The caller checks
// that there are no other keys and fills in what, check and of. Returns false
// with findings.
bool user_command_read(struct arena *arena, const struct node *map,
                       struct diags *diags, struct user_command *out);

// Adds both keys to map. Returns false when out of memory.
bool user_command_put(const struct user_command *command, json_t *map);

#endif
