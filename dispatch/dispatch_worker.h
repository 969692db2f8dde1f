// dispatch_worker: the workers, what each serves, and what it has free.
//
// All memory of a worker is taken when it joins: slots + 1 leases that take a
// place, and as many for leases that ended and may still be answered; beyond
// those the oldest is forgotten. What a lease goes through is lease.h's.

#ifndef DISPATCH_DISPATCH_WORKER_H
#define DISPATCH_DISPATCH_WORKER_H

#include "dispatch/dispatch_state.h"

// A worker that serves no model yet. NULL without memory.
struct dispatch_worker *dispatch_worker_join(struct dispatch *dispatch,
                                             int32_t number, size_t n_slots,
                                             int64_t now);
struct dispatch_worker *dispatch_worker_find(const struct dispatch *dispatch,
                                             int32_t number);

// Takes a worker out of all lists. Its leases must be unused (lease_move).
void dispatch_worker_remove(struct dispatch *dispatch,
                            struct dispatch_worker *worker);
// Frees one that has left. NULL is fine.
void dispatch_worker_free(struct dispatch_worker *worker);

// Serves model from now on. False without memory.
bool dispatch_worker_serve(struct dispatch_worker *worker, struct model *model);
void dispatch_worker_unserve(struct dispatch_worker *worker,
                             struct model *model);
struct served_model *
dispatch_worker_served(const struct dispatch_worker *worker,
                       const struct model *model); // NULL: serves it not

void dispatch_worker_heard(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t now);
// When the worker will have been silent for too long: to be given calls, or to
// be remembered at all.
int64_t dispatch_worker_silence_ends(const struct dispatch *dispatch,
                                     const struct dispatch_worker *worker);
// That is when it is to be looked at next.
void dispatch_worker_set_alarm(struct dispatch *dispatch,
                               struct dispatch_worker *worker);
void dispatch_worker_drain(struct dispatch *dispatch,
                           struct dispatch_worker *worker);

// It has not been heard for long, or is heard again.
void dispatch_worker_set_silent(struct dispatch *dispatch,
                                struct dispatch_worker *worker, bool silent);

// One more fault in a row, unless it is the same call again: that one call
// fails everywhere says nothing of a worker.
void dispatch_worker_failed(struct dispatch_worker *worker, int64_t call);

// Whether the worker is at rest for its faults: it gets one call at a time
// until it answers one.
bool dispatch_worker_rests(const struct dispatch_worker *worker);

// No calls until then (or until the longer pause that it has already).
void dispatch_worker_pause(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t until);
void dispatch_worker_resume(struct dispatch *dispatch,
                            struct dispatch_worker *worker);

// How quick a slot of a worker is at one kind of calls of a model, by what it
// did of them of late, or else the others.
struct speed {
    int64_t kind;
    int64_t us;              // a call takes, its prompt read; 0: not known
    int64_t rate;            // calls in 1000 s; 1 or more, also if not known
    const struct pace *pace; // how it reads; NULL: that is of no use, since it
                             // is not known how long the calls then take
};

struct speed dispatch_worker_speed(const struct dispatch_worker *worker,
                                   const struct model *model, int64_t kind);
// How long it reads the prompt of the group, whose calls are of the kind; 0
// while that is not known.
int64_t speed_read_ms(const struct speed *speed, const struct group *group);
// The same in one.
int64_t dispatch_worker_read_ms(const struct dispatch_worker *worker,
                                const struct model *model,
                                const struct group *group);

// Whether the worker's next slot has not the prompt of the group.
bool dispatch_worker_has_to_read(const struct dispatch_worker *worker,
                                 const struct group *group);
// A call took so long there.
void dispatch_worker_timed(struct dispatch_worker *worker,
                           const struct lease *lease, int64_t ms);

// An answer to a call of model came: no faults in a row any more, no pause.
void dispatch_worker_succeeded(struct dispatch *dispatch,
                               struct dispatch_worker *worker,
                               struct model *model, int64_t now);

// The slot that the next call is meant for: an idle one, else the one that has
// been at work longest.
struct slot *dispatch_worker_next_slot(const struct dispatch_worker *worker);

// A call of this group and model was queued: the next of its idle slots, and
// its worker, come before others.
void dispatch_worker_return(struct dispatch *dispatch, struct group *group,
                            struct model *model);

// Its next slot, which is idle, is left free until then, or until it is
// released: by a call that is queued, or that the worker is sent or answers.
void dispatch_worker_hold(struct dispatch *dispatch,
                          struct dispatch_worker *worker, int64_t until);
void dispatch_worker_release(struct dispatch *dispatch,
                             struct dispatch_worker *worker);
// One of the workers that are held and serve the model, if there is any. A call
// is worth one slot at most, so each that is queued releases one.
void dispatch_worker_release_one(struct dispatch *dispatch,
                                 struct model *model);

// Lists the worker under each of its models by what it has free now, and
// counts it there; and in the jobs where it has a seat. After whatever changed
// its places, its slots or the model that it has loaded.
void dispatch_worker_file(struct dispatch_worker *worker);

#endif
