// work: a worker's calls at its model server: begun, answered, failed.
//
// A failure is reported as what it is: a fault of the call, or a server that is
// briefly busy. If the server is gone, lacks the model or is wedged, the worker
// leaves its coordinator until that has passed.

#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include "worker/worker_state.h"

// Begins as many waiting calls as there are free slots.
void work_begin(struct worker *worker, int64_t now_ms);

// Reports everything that the model server has finished. The worker may be
// APART afterwards.
void work_report_done(struct worker *worker);

// Returns true if the same call is already in progress or answered here, either
// for an earlier coordinator, or for this one before it lost us or our
// connection broke. The model server is then not asked again, and the answer
// goes back under the new lease.
bool work_adopt(struct worker *worker, const struct call_message *call);

// Returns how many calls of jobs are held. Proofs are not counted, since they
// are beyond the worker's credit.
size_t work_count(const struct worker *worker);

// Drops answers that are surely durable.
void work_forget_durable(struct worker *worker);

#endif
