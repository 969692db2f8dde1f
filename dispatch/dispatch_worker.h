// dispatch_worker: the workers, what each serves, and the leases that it holds.
//
// All memory of a worker is taken when it joins: slots + 1 leases that take a
// place, and as many for leases that ended and may still be answered; beyond
// those the oldest is forgotten.

#ifndef DISPATCH_DISPATCH_WORKER_H
#define DISPATCH_DISPATCH_WORKER_H

#include "dispatch/dispatch_state.h"

enum { FLEET_MAX_SLOTS = 1024 };

// A worker without models. NULL without memory.
struct worker *dispatch_worker_join(struct dispatch *dispatch, int32_t number,
                                    size_t n_slots, int64_t now);
struct worker *dispatch_worker_find(const struct dispatch *dispatch,
                                    int32_t number);

// Takes a worker out of all lists. Its leases must be unused
// (dispatch_worker_move).
void dispatch_worker_remove(struct dispatch *dispatch, struct worker *worker);
// Frees one that parted. NULL is fine.
void dispatch_worker_free(struct worker *worker);

// Serves model from now on. False without memory.
bool dispatch_worker_serve(struct worker *worker, struct model *model);
void dispatch_worker_unserve(struct worker *worker, struct model *model);
struct served_model *
dispatch_worker_served(const struct worker *worker,
                       const struct model *model); // NULL: serves it not

void dispatch_worker_heard(struct dispatch *dispatch, struct worker *worker,
                           int64_t now);
void dispatch_worker_drain(struct dispatch *dispatch, struct worker *worker);

// No calls until then (or until the longer pause that it has already).
void dispatch_worker_pause(struct dispatch *dispatch, struct worker *worker,
                           int64_t until);
void dispatch_worker_resume(struct dispatch *dispatch, struct worker *worker);
// An answer came: no faults in a row any more, and no pause.
void dispatch_worker_succeeded(struct dispatch *dispatch,
                               struct worker *worker);

// The slot that the next call is meant for: an idle one, else the one that has
// been at work longest.
struct slot *dispatch_worker_next_slot(const struct worker *worker);

// Calls of this group and model were queued: the next of its idle slots, and
// its worker, come before others.
void dispatch_worker_return(struct group *group, struct model *model);

// Gives queued call to a worker that has a free place.
struct lease *dispatch_worker_send(struct dispatch *dispatch,
                                   struct worker *worker,
                                   struct queued_call *queued, int64_t now);

// The transitions drawn in dispatch_state.h. From HELD it frees the slot,
// which the worker's next lease takes; queued call is left by all but LATE.
void dispatch_worker_move(struct dispatch *dispatch, struct lease *lease,
                          enum lease_state to, int64_t now);

#endif
