// work: the calls of a worker at its model server: begun, answered, failed.
//
// What is wrong is told as what it is: a fault of the call, a server that is
// busy for a moment, or one that is gone, without a model or wedged, for which
// the worker leaves its coordinator until that has passed.

#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include "worker/worker_state.h"

// Begins waiting calls, as many as there are free slots.
void work_begin(struct worker *worker, int64_t now_ms);

// Reports all that the model server is done with. The worker may be APART then.
void work_report_done(struct worker *worker);

// Whether the same is at work here or answered: it was asked by an earlier
// coordinator, or by this one, which has not heard of us for a while, or over a
// connection that broke. Nothing is asked twice; the answer goes back under the
// new lease.
bool work_adopt(struct worker *worker, const struct call_message *call);

// What is held of jobs: what it shows when it joins is beyond its credit.
size_t work_count(const struct worker *worker);

// Forgets answers that are surely durable.
void work_forget_durable(struct worker *worker);

#endif
