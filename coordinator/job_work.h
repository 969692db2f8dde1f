// job_work: all calls of a running job together: what they cost, which could
// not be served, and how a job leaves flights that it shares.

#ifndef COORDINATOR_JOB_WORK_H
#define COORDINATOR_JOB_WORK_H

#include "coordinator/engine.h"

// Notes that a flight's answer was put: to whom it is billed, and what it cost.
void job_work_paid(const struct flight *flight, int64_t now);
int64_t job_work_total_paid(const struct job_work *work);

// Returns true if the worker has a model of the job that the job cannot use,
// and writes why, with the remedy (worker_fits).
bool job_work_refuses(const struct job_work *work,
                      const struct worker_info *worker, char *why, size_t size);

// Gives up a call that failed wherever it was tried. The items that wait for
// it, whichever their job, become holes, and work->parked of each job says why.
// Drops the flight.
void job_work_park(struct flights *flights, struct flight *flight,
                   const char *cause);

// Call when the job's time is over. Items that wait for a call end without it,
// and the call is cancelled unless another job wants it. Answers that have
// landed are still used: a later session finds them in the store, and must not
// see more than this one did.
void job_work_break_off(struct job_work *work);

// Drops the job's evaluations and removes their waits from all flights. A
// flight that nobody waits for any more is cancelled, unless its answer is on
// its way to disk. A flight that others wait for continues, and the first of
// them pays for it.
void job_work_leave(struct job_work *work);

#endif
