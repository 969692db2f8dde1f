// work: the calls of a worker at its model server: begun, answered, failed.
//
// A failure is reported as what it is: a fault of the call, or a server that is
// busy for a moment. If the server is gone, lacks the model or is wedged, the
// worker leaves its coordinator until that has passed.

#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include "worker/worker_state.h"

// Begins waiting calls, as many as there are free slots.
void work_begin(struct worker *worker, int64_t now_ms);

// Reports all that the model server is done with. The worker may be APART then.
void work_report_done(struct worker *worker);

// Whether the same call is at work here or answered already, for an earlier
// coordinator, or for this one before it lost us or our connection broke. Then
// it is not asked twice: the answer goes back under the new lease.
bool work_adopt(struct worker *worker, const struct call_message *call);

// How many calls of jobs are held. Proofs are not counted: they are beyond the
// worker's credit.
size_t work_count(const struct worker *worker);

// Forgets answers that are surely durable.
void work_forget_durable(struct worker *worker);

#endif
