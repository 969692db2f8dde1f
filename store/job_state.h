// job_state: how a job stands, as the history keeps it.
//
//   QUEUED --> RUNNING --> DONE
//     ^          |--> PAUSED    no call was answered, or a person said so: it
//     |          |              goes on when one can be, or by `resume`
//     |          |--> STOPPED   by a person; the same command goes on
//     |          '--> FAILED    the job itself is at fault
//     '-- its coordinator ended, and takes it up again
//
// Names are those of `jobs` and of the protocol.

#ifndef STORE_JOB_STATE_H
#define STORE_JOB_STATE_H

#include <stdbool.h>

enum job_state {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_PAUSED,
    JOB_STOPPED,
    JOB_DONE,
    JOB_FAILED,
    JOB_STATE_COUNT
};

// "queued", "running", ...
const char *job_state_name(enum job_state state);

// The state of that name; false: there is none.
bool job_state_read(const char *name, enum job_state *out);

// Whether the run of a job that stands so is over. Another one may go on with
// it, also by itself where it is paused.
bool job_state_has_ended(enum job_state state);

#endif
