// fleet: the workers, what each serves, and the leases that it holds.
//
// All memory of a worker is taken when it joins: slots + 1 leases that take a
// place, and as many for leases that ended and may still be answered; beyond
// those the oldest is forgotten.

#ifndef COORDINATOR_DISPATCH_FLEET_H
#define COORDINATOR_DISPATCH_FLEET_H

#include "coordinator/dispatch/dispatch_state.h"

enum { FLEET_MAX_SLOTS = 1024 };

// A worker without models. NULL without memory.
struct worker *fleet_join(struct dispatch *dispatch, int32_t number,
                          size_t n_slots, int64_t now);
struct worker *fleet_find(const struct dispatch *dispatch, int32_t number);

// Takes a worker out of all lists. Its leases must be unused (fleet_move).
void fleet_part(struct dispatch *dispatch, struct worker *worker);
// Frees one that parted. NULL is fine.
void fleet_free(struct worker *worker);

// Serves model from now on. False without memory.
bool fleet_stock_up(struct worker *worker, struct model *model);
void fleet_sell_out(struct worker *worker, struct model *model);
struct stock *fleet_stock(const struct worker *worker,
                          const struct model *model); // NULL: serves it not

void fleet_heard(struct dispatch *dispatch, struct worker *worker, int64_t now);
void fleet_drain(struct dispatch *dispatch, struct worker *worker);

// No calls until then (or until the longer pause that it has already).
void fleet_pause(struct dispatch *dispatch, struct worker *worker,
                 int64_t until);
void fleet_resume(struct dispatch *dispatch, struct worker *worker);
// An answer came: no faults in a row any more, and no pause.
void fleet_praise(struct dispatch *dispatch, struct worker *worker);

// The slot that the next call is meant for: an idle one, else the one that has
// been at work longest.
struct slot *fleet_next_slot(const struct worker *worker);

// Calls of this group and model were queued: the next of its idle slots, and
// its worker, come before others.
void fleet_call_home(struct group *group, struct model *model);

// Gives ticket to a worker that has a free place.
struct lease *fleet_send(struct dispatch *dispatch, struct worker *worker,
                         struct ticket *ticket, int64_t now);

// The transitions drawn in dispatch_state.h. From HELD it frees the slot,
// which the worker's next lease takes; ticket is left by all but LATE.
void fleet_move(struct dispatch *dispatch, struct lease *lease,
                enum lease_state to, int64_t now);

#endif
