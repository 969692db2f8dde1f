// backlog: the calls that wait for a worker, in the order of dispatch.h.
//
// Calls lie in buckets by (model, job, workers that failed them; trial;
// group). A choice walks jobs, then the oldest trials, never calls: for a
// worker's slot it costs a few dozen steps whatever the number of calls.
//
// Trials in a lane are a sorted list: a new trial is nearly always the newest
// and a call that comes back is of an old one, so both ends are near.

#ifndef COORDINATOR_DISPATCH_BACKLOG_H
#define COORDINATOR_DISPATCH_BACKLOG_H

#include "coordinator/dispatch/dispatch_state.h"

// Finds or makes one; NULL without memory. Models live as long as dispatch,
// groups while refs > 0: backlog_drop_group gives one back (NULL is fine).
struct model *backlog_model(struct dispatch *dispatch, int32_t number);
struct group *backlog_group(struct dispatch *dispatch, int64_t number);
void backlog_drop_group(struct dispatch *dispatch, struct group *group);

// Lists a ticket. False without memory, and then nothing is changed.
bool backlog_add(struct dispatch *dispatch, struct ticket *ticket, int64_t now);
void backlog_remove(struct ticket *ticket);

// Whether worker may be given this model's calls that failed on these workers:
// it is none of them, or no other is left that serves the model.
bool backlog_may_take(const struct dispatch *dispatch,
                      const struct worker *worker, const struct model *model,
                      const int32_t *failed, int n_failed);

// Whether a live worker that serves the model is none of these.
bool backlog_is_spared(const struct dispatch *dispatch,
                       const struct model *model, const int32_t *failed,
                       int n_failed);

// The call that the worker's next slot should get; NULL: none that it may
// take. The ticket stays listed.
struct ticket *backlog_choose(const struct dispatch *dispatch,
                              const struct worker *worker, int64_t now);

#endif
