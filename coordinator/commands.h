// commands: what clients ask of a running coordinator beside SUBMIT.
//
// Verbs are rows of a table. A verb has up to two halves:
//
//   read   off the loop, from the store, by SQL that may take seconds; what a
//          client wrote itself, in a process of its own
//   act    on the loop, with what was read: from the jobs and workers that are
//          here now
//
// What a history answers (jobs, show: store/lookup.h) is known by its row
// there.

#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include <jansson.h>

#include "coordinator/running_job.h"
#include "wire/message.h"

struct jobs;
struct peer;
struct verb;
struct verb_told;

// Where a command acts; all borrowed.
struct command_scene {
    struct engine *engine;
    struct jobs *jobs;
    const struct peer *peer; // who asks
};

// The i-th verb of a coordinator, as docs/protocol.md tells of it; NULL: there
// are no more. Those of a history are told by lookup_told.
const struct verb_told *command_told(size_t i);

// The verb of that name. NULL with ERR_INPUT: there is none.
const struct verb *command_verb(const char *name, struct err *err);

// Whether it has a half that runs off the loop.
bool command_reads(const struct verb *verb);

// Whether that half runs what a client wrote, which is for query_child_ask.
bool command_is_query(const struct verb *verb);

// Does that half, if it is not a query of a client's. For any thread. NULL on
// failure.
json_t *command_read(const struct verb *verb, struct store *store,
                     const struct command *command, struct err *err);

// Whether it has the half that runs on the loop. If not, what was read is the
// reply.
bool command_acts(const struct verb *verb);

// The other half: takes what was read (NULL for a verb that reads nothing) and
// gives the reply. NULL with err set on failure, and without when the reply
// follows later.
json_t *command_act(const struct verb *verb, const struct command_scene *at,
                    const struct command *command, json_t *found,
                    struct err *err);

// The text of a reply: the answer (taken), or what is wrong. The caller frees;
// NULL without memory. For any thread: that of 30 MiB is not made on the loop.
char *command_text(json_t *answer, const struct err *err);

#endif
