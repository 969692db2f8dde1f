// seat: the workers of a job that may not have all of them.
//
// A job with a limit of n workers has n seats. A worker that is sent a call of
// it sits down on one, and only those who sit get more. It stays, whether the
// job has calls for it now or not: its model server has the job's prompts in
// its cache. A seat is free again when its worker leaves, drains or falls
// silent, and no lease of the job is held there any more; then the next worker
// with a free place has it.
//
// A seat on which nothing is at work may be given to another worker too, when
// no one who sits can take a call that waits (backlog_find_seat): they work for
// other jobs, have not the model, or have failed it.
//
// A job without a limit has no seats, and costs nothing.

#ifndef DISPATCH_SEAT_H
#define DISPATCH_SEAT_H

#include "dispatch/dispatch_state.h"

// Gives the job so many seats, none of them taken; 0: none, and no limit. What
// is at work already stays where it is and is not counted. False without
// memory, and then nothing is changed.
bool seats_set(struct share *share, int32_t n);

// Whether all seats are taken. False of a job without a limit.
bool seats_are_full(const struct share *share);

// The worker's; NULL: it has none.
struct seat *seat_find(const struct share *share,
                       const struct dispatch_worker *worker);

// The worker's, or a free one that is the worker's now; NULL: all are taken, or
// there is no limit.
struct seat *seat_take(struct share *share, struct dispatch_worker *worker);

// A taken one without a call; NULL: there is none.
struct seat *seat_find_idle(const struct share *share);

// Takes the seat from its worker. It must be without a call.
void seat_leave(struct seat *seat);

// A call of the job more, or one less, takes a place at the one who sits there.
void seat_hold(struct seat *seat);
void seat_let_go(struct seat *seat);

// What the worker can take may have changed: its seats are listed anew, and
// those without a call are left if it is not to get any more calls.
void seats_file(struct dispatch_worker *worker, bool live, bool has_place);

#endif
