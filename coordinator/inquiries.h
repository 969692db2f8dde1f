// inquiries: commands whose answer is read from the store, off the loop.
//
//   loop                       a background thread                   loop
//   inquiries_ask ----------->  command_read, or an SQL query  -----> answered
//                                of a client in a separate           act, or
//                                process                             reply
//
// A client sees everything that was put before it asked. Call only from the
// loop's thread.

#ifndef COORDINATOR_INQUIRIES_H
#define COORDINATOR_INQUIRIES_H

#include <stdbool.h>

#include <jansson.h>

#include "coordinator/commands.h"
#include "coordinator/engine.h"
#include "coordinator/opening.h"

struct inquiry {
    struct requester requester; // may be gone meanwhile
    const struct verb *verb;
    const struct command *command;
    json_t *found;    // for command_act: whoever gets it takes it; or NULL
    const char *text; // without `found`, the reply; NULL when out of memory
};

struct inquiries {
    struct engine *engine; // borrowed
    const char *program;   // for query_child_ask; borrowed; NULL: not available
    void (*answered)(void *user, const struct inquiry *inquiry);
    void *user;
};

// Copies the command. Returns false, with the reason, if there will be no
// answer.
bool inquiries_ask(struct inquiries *inquiries,
                   const struct requester *requester, const struct verb *verb,
                   const struct command *command, struct err *err);

#endif
