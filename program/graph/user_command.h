// user_command: a program of the user, as a job file names it.
//
//   exec: {command: [python3, lookup.py], timeout: 10s}
//
// The words are handed to the system as they stand; no shell splits them. It is
// asked in lines of JSON and answers in lines of JSON (exec/exec_pool.h); what
// the lines hold is the business of whoever asks, a step or a metric.

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
    // Whether a line is an answer; ERR_PROTOCOL says why not. Any thread.
    bool (*check)(const void *of, const char *text, size_t len,
                  struct err *err);
    const void *of; // borrowed: the asker, for check
};

// Reads the keys `command` and `timeout` of map, in arena; the caller checks
// that it has no others, and fills what, check and of. False with findings.
bool user_command_read(struct arena *arena, const struct node *map,
                       struct diags *diags, struct user_command *out);

// Adds both keys to map. False without memory.
bool user_command_put(const struct user_command *command, json_t *map);

#endif
