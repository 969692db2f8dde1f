// commands: what clients ask of a running coordinator beside SUBMIT.
//
// Verbs are rows of a table: jobs, show, workers, stop, resume.

#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include "coordinator/desk.h"
#include "wire/message.h"

// The reply's JSON; {"error": ...} on failure. The caller frees; NULL without
// memory. desks is the list of jobs that are running.
char *command_answer(struct engine *engine, struct desk *desks,
                     const struct command *command);

#endif
