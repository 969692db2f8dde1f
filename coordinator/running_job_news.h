// running_job_news: what the session says on its way, for people and for the
// history: its phases, notes and trials, and the best of them.
//
// Only for the files of running_job.h. Call only from the loop's thread.

#ifndef COORDINATOR_RUNNING_JOB_NEWS_H
#define COORDINATOR_RUNNING_JOB_NEWS_H

#include "coordinator/running_job_state.h"

// Takes any note but those that change what the loop has to do: NOTE_TASK and
// NOTE_ENDED. What cannot be put is only missing from the history.
void running_job_take_news(struct running_job *running,
                           const struct note *note);

#endif
