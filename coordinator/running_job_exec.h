// running_job_exec: a running job's exec metrics: starting their pool, asking,
// answers.
//
// A request that ends in a fault is asked again, up to three times in all;
// then the items that wait for it are holes and the job pauses with the
// program's standard error in the reason.

#ifndef COORDINATOR_RUNNING_JOB_EXEC_H
#define COORDINATOR_RUNNING_JOB_EXEC_H

#include "coordinator/running_job.h"

enum { RUNNING_JOB_EXEC_TRIES = 3, RUNNING_JOB_EXEC_PROCESSES = 2 };

// Starts the pool when the metric has exec parts. ERR_INPUT: the command is
// not there, or the job came from afar and exec is not allowed.
bool running_job_exec_start(struct running_job *running, struct err *err);

// Ends the pool and removes what was unpacked for it.
void running_job_exec_stop(struct running_job *running);

// Asks the command of that exec part.
bool running_job_begin_exec(struct running_job *running, struct flight *flight,
                            int part, struct err *err);

// Takes what the pool has answered. landed is called for each answered
// flight, with an answer whose text is borrowed.
void running_job_read_exec(struct running_job *running,
                           void (*landed)(void *user, struct flight *flight,
                                          struct call_answer *answer),
                           void *user);

#endif
