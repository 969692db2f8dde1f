// job_state: the state of a job, as the history keeps it.
//
//   QUEUED --> RUNNING --> DONE
//     ^          |--> PAUSED    no call was answered, or a person paused it:
//     |          |              continues once a call can be answered, or by
//     |          |              `resume`
//     |          |--> STOPPED   by a person; the same command continues it
//     |          '--> FAILED    the job itself is at fault
//     '-- its coordinator ended, and takes it up again
//
// The names are those in `jobs` and in the protocol.

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

// Returns "queued", "running", ...
const char *job_state_name(enum job_state state);

// Finds the state with that name; returns false if there is none.
bool job_state_read(const char *name, enum job_state *out);

// Returns true if the run of a job in this state is over. Another run may
// continue the job, even automatically if it is paused.
bool job_state_has_ended(enum job_state state);

#endif
