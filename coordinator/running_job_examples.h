// The examples of a job in its history, for people (v_evaluations).

#ifndef COORDINATOR_RUNNING_JOB_EXAMPLES_H
#define COORDINATOR_RUNNING_JOB_EXAMPLES_H

#include "coordinator/running_job_state.h"

// Puts every example into the draft of reader, once a job; off the loop. Very
// large data is stored without its texts, which stand in the job's files too.
bool running_job_keep_examples(struct running_job *running,
                               struct store *reader, struct err *err);

#endif
