// backlog: the calls that wait for a worker, and who may take them.
//
// Calls are kept in buckets by (model, job, workers that failed them; trial;
// group). Which of them a slot gets is decided in offer.h.
//
// The trials of a lane are a sorted list. A new trial is nearly always the
// newest, and a call that comes back usually belongs to an old one, so both
// ends are close.

#ifndef DISPATCH_BACKLOG_H
#define DISPATCH_BACKLOG_H

#include "dispatch/dispatch_state.h"

// Finds or creates a model, which lives until dispatch_forget_model. Returns
// NULL when out of memory.
struct model *backlog_model(struct dispatch *dispatch, int32_t number);

// Lists a queued call. Returns false, changing nothing, when out of memory.
bool backlog_add(struct dispatch *dispatch, struct queued_call *queued,
                 int64_t now);
void backlog_remove(struct queued_call *queued);

// Returns the oldest trial with calls in the lane.
int64_t lane_oldest_trial(const struct lane *lane);

// Returns true if the worker may be given the lane's calls: they have not
// failed there, and the job has a seat for the worker (seat.h) or no limit. A
// free seat goes preferably to an idle worker that has no seat in any other
// job. A worker with a seat takes nothing new while older calls wait that
// nobody with a seat can take. So one seat is soon without a call, and another
// worker gets it.
bool backlog_admits(const struct dispatch *dispatch,
                    const struct dispatch_worker *worker,
                    const struct lane *lane);

// Returns true if a worker without any seat can be admitted to some lane of the
// model.
bool backlog_is_open(const struct model *model);

// For when nobody can take another call: finds a job whose seats are all taken,
// one of them without a call, and an idle worker that could take a call of the
// job if it had that seat. Returns NULL if there is none.
struct dispatch_worker *backlog_find_seat(const struct dispatch *dispatch,
                                          struct share **share);

// Returns true if some worker that serves the model and is not resting is not
// in `failed`.
bool backlog_has_untried(const struct dispatch *dispatch,
                         const struct model *model, const int32_t *failed,
                         int n_failed);

#endif
