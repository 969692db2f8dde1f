// commands: what clients can ask of a running coordinator besides SUBMIT.
//
// Verbs are rows of a table. A verb has up to two halves:
//
//   read   off the loop, from the store, by SQL that may take seconds; SQL
//          that a client wrote runs in a separate process
//   act    on the loop, with what was read and with the jobs and workers that
//          are connected now
//
// Verbs that a history can answer (jobs, show: store/lookup.h) have their rows
// there.

#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include <jansson.h>

#include "coordinator/running_job.h"
#include "wire/message.h"

struct jobs;
struct late_replies;
struct peer;
struct verb;
struct verb_about;

// What a command acts on; all borrowed.
struct command_scene {
    struct engine *engine;
    struct jobs *jobs;
    struct late_replies *late;
    const struct peer *peer; // who asks
};

// Returns the i-th verb of a coordinator, as docs/protocol.md describes it;
// NULL after the last one. lookup_about describes the verbs of a history.
const struct verb_about *command_about(size_t i);

// Finds a verb by name. Returns NULL with ERR_INPUT if there is none.
const struct verb *command_verb(const char *name, struct err *err);

// Returns true if the verb has a half that runs off the loop.
bool command_reads(const struct verb *verb);

// Returns true if that half runs SQL of a client, which is query_child_ask's
// task.
bool command_is_query(const struct verb *verb);

// Runs the read half of a verb that is not a client's query. Call from any
// thread. Returns NULL on failure.
json_t *command_read(const struct verb *verb, struct store *store,
                     const struct command *command, struct err *err);

// Returns true if the verb has a half that runs on the loop. If not, the reply
// is what was read.
bool command_acts(const struct verb *verb);

// Returns true if the reply says what the act half has put into the store.
bool command_changes(const struct verb *verb);

// Runs the act half: takes what was read (NULL for a verb that reads nothing)
// and returns the reply. Returns NULL with err set on failure, and NULL without
// err when the reply follows later.
json_t *command_act(const struct verb *verb, const struct command_scene *at,
                    const struct command *command, json_t *found,
                    struct err *err);

// Returns the text of a reply: the answer (taken), or what is wrong. The caller
// frees the result; NULL when out of memory. Call from any thread, so that a
// text of 30 MiB need not be made on the loop.
char *command_text(json_t *answer, const struct err *err);

#endif
