// backlog: the calls that wait for a worker, and who may take them.
//
// Calls lie in buckets by (model, job, workers that failed them; trial;
// group). Which of them a slot gets is offer.h.
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

// Of the calls that wait in it.
int64_t lane_oldest_trial(const struct lane *lane);

// Whether worker may be given the lane's calls: they have not failed there, and
// its job has a seat for it (seat.h), or no limit. For a free seat a worker
// that works for no other job with a limit comes first, where one is idle. Who
// sits already takes nothing newer while calls wait that nobody who sits can
// take: so one seat is soon without a call, and another worker has it.
bool backlog_admits(const struct dispatch *dispatch,
                    const struct dispatch_worker *worker,
                    const struct lane *lane);

// Whether a worker without any seat can be admitted to some lane of the model.
bool backlog_is_open(const struct model *model);

// When nobody has a call to take any more: a job whose seats are all taken, one
// of them without a call, and an idle worker that could take a call of it if
// it had that seat. NULL: there is none.
struct dispatch_worker *backlog_find_seat(const struct dispatch *dispatch,
                                          struct share **share);

// Whether a worker that serves the model, and is not at rest, is none of these.
bool backlog_is_spared(const struct dispatch *dispatch,
                       const struct model *model, const int32_t *failed,
                       int n_failed);

#endif
