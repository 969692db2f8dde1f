// inquiries: commands whose answer is read from the store, off the loop.
//
//   loop                       a thread of the background            loop
//   inquiries_ask ----------->  command_read, or an SQL query  -----> answered
//                                of a client in a process of         act, or
//                                its own                             reply
//
// What a client sees includes whatever was put before it asked. Belongs to the
// coordinator's loop.

#ifndef COORDINATOR_INQUIRIES_H
#define COORDINATOR_INQUIRIES_H

#include <stdbool.h>

#include <jansson.h>

#include "coordinator/commands.h"
#include "coordinator/engine.h"
#include "coordinator/opening.h"

struct inquiry {
    struct requester requester; // may be gone by now
    const struct verb *verb;
    const struct command *command;
    json_t *found;    // for command_act: whoever is handed it takes it, or NULL
    const char *text; // then the reply
};

struct inquiries {
    struct engine *engine; // borrowed
    const char *program;   // for query_child_ask; borrowed; NULL: there is none
    void (*answered)(void *user, const struct inquiry *inquiry);
    void *user;
};

// Copies the command. False, with the reason, when nothing will come of it.
bool inquiries_ask(struct inquiries *inquiries,
                   const struct requester *requester, const struct verb *verb,
                   const struct command *command, struct err *err);

#endif
