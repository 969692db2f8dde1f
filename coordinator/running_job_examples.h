// running_job_examples: a job's examples in its history, for people to read
// (v_evaluations).

#ifndef COORDINATOR_RUNNING_JOB_EXAMPLES_H
#define COORDINATOR_RUNNING_JOB_EXAMPLES_H

#include "coordinator/running_job_state.h"

// Puts every example into the draft of reader, once per job and off the loop.
// Very large data is stored without its texts, since those are in the job's
// files too.
bool running_job_keep_examples(struct running_job *running,
                               struct store *reader, struct err *err);

#endif
