// dispatch_worker: the workers, what each one serves, and what it has free.
//
// All memory for a worker is allocated when it joins: slots + 1 leases that
// take a place, and as many again for leases that ended and may still be
// answered. When these are used up, the oldest ended lease is forgotten.
// lease.h has the life of a lease.

#ifndef DISPATCH_DISPATCH_WORKER_H
#define DISPATCH_DISPATCH_WORKER_H

#include "dispatch/dispatch_state.h"

// Adds a worker that serves no model yet. Returns NULL when out of memory.
struct dispatch_worker *dispatch_worker_join(struct dispatch *dispatch,
                                             int32_t number, size_t n_slots,
                                             int64_t now);
struct dispatch_worker *dispatch_worker_find(const struct dispatch *dispatch,
                                             int32_t number);

// Removes a worker from all lists. Its leases must be unused (lease_move).
void dispatch_worker_remove(struct dispatch *dispatch,
                            struct dispatch_worker *worker);
// Frees a worker that was removed. Accepts NULL.
void dispatch_worker_free(struct dispatch_worker *worker);

// Adds a model that the worker serves. Returns false when out of memory.
bool dispatch_worker_serve(struct dispatch_worker *worker, struct model *model);
void dispatch_worker_unserve(struct dispatch_worker *worker,
                             struct model *model);
struct served_model *
dispatch_worker_served(const struct dispatch_worker *worker,
                       const struct model *model); // NULL: not served

void dispatch_worker_heard(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t now);
// Returns when the worker will have been silent for too long: too long to get
// calls, or, if it is silent already, too long to be remembered at all.
int64_t dispatch_worker_silence_ends(const struct dispatch *dispatch,
                                     const struct dispatch_worker *worker);
// Schedules the next check for silence at that time.
void dispatch_worker_set_alarm(struct dispatch *dispatch,
                               struct dispatch_worker *worker);
void dispatch_worker_drain(struct dispatch *dispatch,
                           struct dispatch_worker *worker);

// Marks the worker as silent, or as heard from again.
void dispatch_worker_set_silent(struct dispatch *dispatch,
                                struct dispatch_worker *worker, bool silent);

// Counts one more fault in a row, unless it is for the same call as the last
// one: a call that fails everywhere says nothing about a worker.
void dispatch_worker_failed(struct dispatch_worker *worker, int64_t call);

// Returns true if the worker is resting because of its faults: it then gets one
// call at a time until it answers one.
bool dispatch_worker_rests(const struct dispatch_worker *worker);

// Gives the worker no calls until that time (or until the end of a longer pause
// that it already has).
void dispatch_worker_pause(struct dispatch *dispatch,
                           struct dispatch_worker *worker, int64_t until);
void dispatch_worker_resume(struct dispatch *dispatch,
                            struct dispatch_worker *worker);

// How quick a worker's slot is at one kind of calls for a model, judging by its
// own recent calls, or by those of all workers if it has had none.
struct speed {
    int64_t kind;
    int64_t us;              // per call, its prompt already read; 0: unknown
    int64_t rate;            // calls in 1000 s; at least 1, even if unknown
    const struct pace *pace; // how it reads; NULL if `us` is unknown, since
                             // reading times are of no use then
};

struct speed dispatch_worker_speed(const struct dispatch_worker *worker,
                                   const struct model *model, int64_t kind);
// Returns how long it takes to read the prompt of the group, whose calls must
// be of that kind; 0 while that is unknown.
int64_t speed_read_ms(const struct speed *speed, const struct group *group);
// Does both steps in one.
int64_t dispatch_worker_read_ms(const struct dispatch_worker *worker,
                                const struct model *model,
                                const struct group *group);

// Returns true if the worker's next slot does not have the prompt of the group.
bool dispatch_worker_has_to_read(const struct dispatch_worker *worker,
                                 const struct group *group);
// A call took this long at the worker.
void dispatch_worker_learn_time(struct dispatch_worker *worker,
                                const struct lease *lease, int64_t ms);

// The worker answered a call for the model: clears its faults in a row and ends
// its pause.
void dispatch_worker_succeeded(struct dispatch *dispatch,
                               struct dispatch_worker *worker,
                               struct model *model, int64_t now);

// Returns the slot that the next call is meant for: an idle one, or else the
// one that has been busy longest.
struct slot *dispatch_worker_next_slot(const struct dispatch_worker *worker);

// A call of this group and model was queued: moves the next of the group's idle
// slots, and that slot's worker, ahead of others.
void dispatch_worker_prefer(struct dispatch *dispatch, struct group *group,
                            struct model *model);

// Leaves the worker's next slot, which is idle, free until that time or until
// it is released: by a call that is queued, or one that the worker is sent or
// answers.
void dispatch_worker_hold(struct dispatch *dispatch,
                          struct dispatch_worker *worker, int64_t until);
void dispatch_worker_release(struct dispatch *dispatch,
                             struct dispatch_worker *worker);
// Releases one of the held workers that serve the model, if there is any. Each
// queued call releases one, since a call is worth one slot at most.
void dispatch_worker_release_one(struct dispatch *dispatch,
                                 struct model *model);

// Lists the worker under each of its models by what it has free now, and
// updates its counts there and in the jobs where it has a seat. Call it after
// anything that changed its places, its slots or its loaded model.
void dispatch_worker_file(struct dispatch_worker *worker);

#endif
