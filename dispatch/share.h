// share: the jobs that have calls, and what each of them is entitled to.
//
// A job's share lives while the job has calls or a limit on its workers
// (seat.h). Each call takes the share of its job and drops it again.
//
// The neediest job is served first: the one with the fewest leased calls for
// its priority. That alone would give each of three jobs a third of a single
// slot, whatever their priorities. So what each job has already had counts too,
// measured as the time that its calls held slots:
//
//     need = had_ms + in_work * usual_ms / priority     the lowest is the
//                                                       neediest
//
// A job is not compensated for the past, neither for the time when it did not
// exist nor for the time when no free worker could take its calls: had_ms never
// counts as more than two calls behind the highest that any job had when it was
// served. So a restarted coordinator begins with equal jobs, and nothing is
// lost.

#ifndef DISPATCH_SHARE_H
#define DISPATCH_SHARE_H

#include "dispatch/dispatch_state.h"

// Returns NULL if the job has none.
struct share *share_find(const struct dispatch *dispatch, int32_t job);

// Returns the share of the call's job, creating it if there is none, and sets
// its priority to the call's. Returns NULL when out of memory.
struct share *share_take(struct dispatch *dispatch,
                         const struct dispatch_call *call);
void share_drop(struct dispatch *dispatch, struct share *share);

// One of its calls held a slot for slot_ms.
void share_charge(struct dispatch *dispatch, struct share *share,
                  int64_t slot_ms);

// Notes that one of its calls was sent: from now on no job counts as more than
// two calls behind this one.
void share_serve(struct dispatch *dispatch, struct share *share);

// Returns how much the job has had, in ms divided by its priority, for
// comparison with other jobs. One call changes it by share_step.
double share_need(const struct dispatch *dispatch, const struct share *share);
double share_step(const struct dispatch *dispatch, const struct share *share);

// Allows at most max_workers workers for the job; 0: no limit. Returns false,
// changing nothing, when out of memory.
bool share_set_limit(struct dispatch *dispatch, int32_t job,
                     int32_t max_workers);

// Frees the shares that were kept only for their limit. No calls may be left.
void shares_free(struct dispatch *dispatch);

#endif
