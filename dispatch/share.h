// share: the jobs of the calls that are there, and what each is entitled to.
//
// A job's share lives while it has calls, or a limit on its workers (seat.h).
// Each of its calls takes it and drops it again.
//
// The neediest job is served first: the one with the fewest calls in work for
// its priority. That alone would give each of three jobs a third of a single
// slot, whatever their priorities. So what each has had counts as well, by the
// time that its calls held slots:
//
//     need = had_ms + in_work * usual_ms / priority     the least is the
//                                                       neediest
//
// What has been is not made up for, neither by a job that was not here nor by
// one whose calls no free worker could take: had_ms is never further than two
// calls behind that of the job that was served last. So a coordinator that
// starts again begins with equal jobs, and loses nothing.

#ifndef DISPATCH_SHARE_H
#define DISPATCH_SHARE_H

#include "dispatch/dispatch_state.h"

// The share of the call's job, made where it has none; its priority is the
// call's from now on. NULL without memory.
struct share *share_take(struct dispatch *dispatch,
                         const struct dispatch_call *call);
void share_drop(struct dispatch *dispatch, struct share *share);

// One call of it held a slot for so long.
void share_charge(struct dispatch *dispatch, struct share *share,
                  int64_t slot_ms);

// One of its calls is sent, before it is in work.
void share_serve(struct dispatch *dispatch, struct share *share);

// How much it has of what it is entitled to, in ms for its priority: to be
// compared. A call changes it by share_step.
double share_need(const struct dispatch *dispatch, const struct share *share);
double share_step(const struct dispatch *dispatch, const struct share *share);

// At most so many workers for the job; 0: as many as there are. False without
// memory, and then nothing is changed.
bool share_limit(struct dispatch *dispatch, int32_t job, int32_t max_workers);

// Frees those that were kept for their limit, once no calls are left.
void shares_free(struct dispatch *dispatch);

#endif
