// commands: what clients ask of a running coordinator beside SUBMIT.
//
// Verbs are rows of a table: jobs, show, workers, stop, resume.

#ifndef COORDINATOR_COMMANDS_H
#define COORDINATOR_COMMANDS_H

#include "coordinator/running_job.h"
#include "wire/message.h"

struct command_scene {
    struct engine *engine;
    struct running_job *running_jobs; // the jobs that are running
    // Starts a job of the store anew from what was submitted.
    bool (*resume)(void *user, const char *job_id, struct err *err);
    void *user;
};

// The reply's JSON; {"error": ...} on failure. The caller frees; NULL without
// memory.
char *command_answer(const struct command_scene *at,
                     const struct command *command);

#endif
