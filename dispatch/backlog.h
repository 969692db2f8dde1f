// backlog: the calls that wait for a worker, in the order of dispatch.h.
//
// Calls lie in buckets by (model, job, workers that failed them; trial;
// group). A choice walks jobs, then the oldest trials, never calls: for a
// worker's slot it costs a few dozen steps whatever the number of calls.
//
// Trials in a lane are a sorted list: a new trial is nearly always the newest
// and a call that comes back is of an old one, so both ends are near.

#ifndef DISPATCH_BACKLOG_H
#define DISPATCH_BACKLOG_H

#include "dispatch/dispatch_state.h"

// Finds or makes one, which lives until dispatch_forget_model. NULL without
// memory.
struct model *backlog_model(struct dispatch *dispatch, int32_t number);

// Lists a queued call. False without memory, and then nothing is changed.
bool backlog_add(struct dispatch *dispatch, struct queued_call *queued,
                 int64_t now);
void backlog_remove(struct queued_call *queued);

// Whether worker may be given this model's calls that failed on these workers:
// it is none of them, or there is no other to give them to.
bool backlog_may_take(const struct dispatch *dispatch,
                      const struct dispatch_worker *worker,
                      const struct model *model, const int32_t *failed,
                      int n_failed);

// Whether a worker that serves the model, and is not at rest, is none of these.
bool backlog_is_spared(const struct dispatch *dispatch,
                       const struct model *model, const int32_t *failed,
                       int n_failed);

// The call that the worker's next slot should get; NULL: none that it may
// take. The queued call stays listed.
struct queued_call *backlog_choose(const struct dispatch *dispatch,
                                   const struct dispatch_worker *worker,
                                   int64_t now);

#endif
