// job_work: the calls of a running job as a whole: what they cost, which could
// not be served, and how a job leaves those that it shares.

#ifndef COORDINATOR_JOB_WORK_H
#define COORDINATOR_JOB_WORK_H

#include "coordinator/engine.h"

// A flight's answer was put: whose it is and what it cost.
void job_work_paid(const struct flight *flight, int64_t now);
int64_t job_work_total_paid(const struct job_work *work);

// A call has failed wherever it was tried: the items that wait for it, of
// whichever job, are holes, and work->parked of each job says why. Drops the
// flight.
void job_work_park(struct flights *flights, struct flight *flight,
                   const char *cause);

// The time of the job is over: items that wait for a call end without it, and
// the call is cancelled unless another job wants it. Answers that have landed
// are still used: a later session finds them in the store, and must not see
// more than this one did.
void job_work_break_off(struct job_work *work);

// Drops the job's evaluations and takes their waits out of all flights. A
// flight for which nobody waits any more is cancelled, unless its answer is on
// its way to disk; one that others wait for goes on, and the first of them pays
// for it.
void job_work_leave(struct job_work *work);

#endif
