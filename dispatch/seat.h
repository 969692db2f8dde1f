// seat: the workers of a job that may not use all of them.
//
// A job with a limit of n workers has n seats. A worker that is sent a call of
// the job takes a seat, and only workers with a seat get more. It keeps the
// seat whether the job has calls for it now or not, because its model server
// has the job's prompts in its cache. The seat becomes free when the worker
// leaves, drains or falls silent and no longer holds a lease of the job. Then
// the next worker with a free place gets it.
//
// A seat that holds no call may also be given to another worker when a call
// waits that no worker with a seat can take (backlog_find_seat), because they
// work for other jobs, do not have the model or have failed the call.
//
// A job without a limit has no seats, and costs nothing.

#ifndef DISPATCH_SEAT_H
#define DISPATCH_SEAT_H

#include "dispatch/dispatch_state.h"

// Gives the job n seats, none of them taken; 0: no seats and no limit. Calls
// that workers already hold stay there and are not counted. Returns false,
// changing nothing, when out of memory.
bool seats_set(struct share *share, int32_t n);

// Returns true if all seats are taken, false for a job without a limit.
bool seats_are_full(const struct share *share);

// Returns the worker's seat, or NULL if it has none.
struct seat *seat_find(const struct share *share,
                       const struct dispatch_worker *worker);

// Returns the worker's seat, giving it a free one if it has none. Returns NULL
// if all are taken or there is no limit.
struct seat *seat_take(struct share *share, struct dispatch_worker *worker);

// Returns a taken seat without a call, or NULL if there is none.
struct seat *seat_find_idle(const struct share *share);

// Takes the seat from its worker. The seat must be without a call.
void seat_leave(struct seat *seat);

// Counts one more, or one less, place that calls of the job take at the seat's
// worker.
void seat_hold(struct seat *seat);
void seat_let_go(struct seat *seat);

// To be called when what the worker can take may have changed: lists its seats
// anew, and gives up those without a call if it will not get any more calls.
void seats_file(struct dispatch_worker *worker, bool live, bool has_place);

#endif
