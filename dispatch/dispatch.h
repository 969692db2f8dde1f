// dispatch: which call goes to which worker, and when. Pure.
//
// No input or output, no clock, no randomness: it is fed events, each with
// the time, and returns actions in order. Workers, calls, models, groups and
// jobs are small numbers that the caller gives out. It can run for a million
// virtual hours in a test.
//
//            queue                 SEND                     done
//   (new) ---------> QUEUED ---------------------> LEASED -------> (gone)
//                     ^                             |
//                     | back-off is over            | fault, lease over,
//                     |                             | worker lost
//                     WAITING <---------------------+
//                                                   |
//                     PARKED (action PARK) <--------+ faults of all who
//                                                     should have a try
//
// Invariants, which dispatch_check (dispatch_check.h) proves after every event
// in the tests:
//  1. A call is in exactly one state; a leased one is with one worker, or
//     with two or three when it is hedged.
//  2. A worker holds at most slots + 1 calls; those that were answered and are
//     not durable yet count.
//  3. A call that was reported done is never sent again.
//  4. A call with state QUEUED, a free place at a worker that serves its
//     model and has not failed it: then an action is pending, or the place is
//     left free until a time that is planned (offer.h).
//
// Order: the job that has the least of its share first (of two jobs, one of
// priority 20 has twice the slots of one of 10, and where there is one slot,
// twice its time: share.h), then the oldest
// trial, then affinity: calls of one group share a prompt prefix; a slot stays
// with its group while it has calls, unless nobody works on a trial older by
// half a window. Then it goes to a trial that nobody works on, the oldest
// first; where there is none, to the group that would be latest, by its calls,
// the speeds of its slots and the place of its trial in the window: trials are
// done one after another, and seldom two at once (offer.c says why), unless
// they are of one batch, which is waited for as a whole. A slot is
// left idle for affinity's sake only where it would read a prompt in vain, for
// three times as long as it would read at most, or for fewer than four calls,
// for half as long (offer.h). A worker changes
// its loaded model only when no call for it waits, or calls of another wait and
// nobody was sent one for MODEL_WAIT_MS. Where at most two have its model, and
// the same jobs have calls of both, that is FEW_WAIT_MS: they need both, and
// would then wait for the first. Idle slots are filled before the places beyond
// them; a worker whose slots are at work for above a quarter of a second gets
// no call beyond them, where it would wait for nothing.
//
// Speeds are learnt: of each worker and model, how long a call of each kind
// takes, and reading a prefix by its size (pace.h).
//
// Faults. What each kind says, and of whom, is a row of the table in
// common/call.c. A fault may speak against the call, the worker or both, and
// most of the work here is to tell them apart:
//
// * A worker with QUARANTINE_FAULTS faults in a row, of different calls, is at
//   rest: it is left alone for a growing while, at most QUARANTINE_MAX_MS, then
//   gets one call at a time until it answers one. So when its fault has passed
//   it works again within that time.
// * A worker is good for a model when it has answered a call of it and is not
//   at rest. Once anybody has answered a call of a model, only good workers'
//   faults weigh against a call: where a server is down or broken every call
//   fails, and that says nothing of any of them.
// * A call that failed goes to another worker: at once where good ones are
//   left, else after a back-off of at most BACKOFF_MAX_MS. A round of tries is
//   over when three good workers, or all that are not at rest, have failed it
//   (a single one: three times). Then it is parked if its faults weigh
//   DISPATCH_STRIKES, else another round begins: where a fifth of all requests
//   fail, three faults in a row hit one call in a hundred. Workers that have
//   not had the call go first in it.
// * FAULT_BUSY and FAULT_REFUSED delay call and worker, and do not count.
//   FAULT_MODEL: the worker does not serve that model any more. FAULT_LOST: the
//   call comes back at once and nothing counts.
//
// A worker that was not heard for liveness_ms is silent: it gets no calls, and
// those that it holds are asked elsewhere, but it is not forgotten. When it is
// heard again, after a broken connection or a stalled network, it goes on, and
// what it answers counts if it is the first. Only after DISPATCH_FORGET times
// liveness_ms it is dropped. One that holds no call may have promised to speak
// more seldom (dispatch_rhythm); from the moment that it is sent one it has
// liveness_ms like the others.
//
// A lease ends at the call's timeout and a margin after the call got a slot at
// the worker. That counts as FAULT_TIMEOUT and frees the place; an answer that
// comes later under it still counts if it is the call's first. A worker's last
// slots + 1 ended leases are remembered.
//
// That a message was sent proves nothing: a connection that broke and came back
// has swallowed it. So workers name the leases that they have, once a second,
// and one that is HELD here and was not named for DISPATCH_ACK_MS is sent
// again, to the same worker and under the same number: if it was the answer
// that was lost, the worker has it still.
//
// Limits: a job may be allowed fewer workers than there are (dispatch_limit).
// Those that are sent its calls first keep it, so that its prompts stay in
// their caches. One that leaves, drains or falls silent is replaced. So is one
// that has no call of the job, when calls wait that it cannot take: it works
// for other jobs, has not the model, or has failed them. Two jobs with limits
// take different workers where they can.
//
// Hedging: with two or more workers, a slot that would be idle takes a second
// copy of the call that has been out longest, if that is over twice the usual
// time of its kind (the median of late) and of its worker, or
// DISPATCH_HEDGE_BLIND_MS while no call of it was answered; as long as its
// first slot had to read its prompt, and the second would have to, comes on
// top. One that has the prompt and would be done clearly sooner takes a copy at
// once (hedge.h). The first valid answer counts and the other is cancelled. A
// third copy is sent as much later, when neither of the two workers has
// answered anything since it got the call. A cancelled lease's place is free at
// once. A worker that was overtaken so, and has answered nothing since it got
// the call, has a fault more in its row: one that lives and never answers is
// soon at rest.
//
// Cost: a call queued, sent, done and credited is under 3 microseconds,
// whatever the number of calls and workers; only trials, jobs and models in
// play are ever walked, and a few dozen groups of them at most.

#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

enum {
    DISPATCH_WORKER_FAULTS = 3,      // different workers in a round of tries
    DISPATCH_STRIKES = CALL_STRIKES, // weight of faults until one is parked
    DISPATCH_BACKOFF_MS = 250,       // doubled a fault
    DISPATCH_BACKOFF_MAX_MS = 4000,
    DISPATCH_MODEL_WAIT_MS = 60000,
    DISPATCH_FEW_WAIT_MS = 600000, // where another model would wait instead
    DISPATCH_LEASE_MARGIN_MS = 5000,
    DISPATCH_ACK_MS = 2000, // until a lease that is not named is sent again
    DISPATCH_QUARANTINE_FAULTS = 3, // in a row, until a worker is left alone
    DISPATCH_QUARANTINE_MS = 500,   // doubled a further fault
    DISPATCH_QUARANTINE_MAX_MS = 4000,
    DISPATCH_HEDGE_MIN_MS = 500,    // however quick calls usually are
    DISPATCH_HEDGE_BLIND_MS = 8000, // while nobody knows how quick
    DISPATCH_FORGET = 20,   // times liveness_ms until a silent one is dropped
    DISPATCH_WINDOW = 4,    // a job's window where none is given
    DISPATCH_PRIORITY = 10, // and its priority
    DISPATCH_MAX_SLOTS = 1024, // of one worker
};

struct dispatch;

struct dispatch_config {
    int64_t liveness_ms; // silence after which calls go elsewhere; 0: never
    bool hedge;
    int64_t leases_from; // their numbers are above this: no answer to a lease
                         // of an earlier coordinator is one to a lease here
};

// A call to place. ids are the caller's, never reused.
struct dispatch_call {
    int64_t id;
    int32_t job;
    int32_t model;       // as dispatch_serves names it
    int64_t trial;       // age: smaller is older
    int64_t batch;       // trials of one batch are waited for together, so none
                         // of them is due before another; 0: the trial is alone
    int64_t group;       // calls of one prompt prefix; they are of one kind
    int64_t kind;        // calls of one kind take about as long, say those of
                         // one step of a job
    int64_t prefix_size; // how much of the prompt its group shares, in bytes;
                         // 0: not known
    int64_t timeout_ms;  // hard limit at the worker; the lease adds a margin
    int32_t window;      // trials of the job that overlap; 0: DISPATCH_WINDOW
    int32_t priority;    // of the job from now on; 0: DISPATCH_PRIORITY
};

enum action_kind {
    ACTION_SEND,   // call to worker, with a fresh lease
    ACTION_CANCEL, // call at worker is not wanted any more
    ACTION_DROP,   // worker was silent for long: forget its connection
    ACTION_PARK,   // call failed on every worker: give it up
};

struct action {
    enum action_kind kind;
    int32_t worker;
    int64_t call;
    int64_t lease;         // SEND, CANCEL: unique, never reused
    bool hedge;            // SEND: a second copy
    enum call_fault fault; // PARK: the last one
};

struct dispatch *dispatch_new(const struct dispatch_config *config,
                              struct err *err);
void dispatch_free(struct dispatch *dispatch); // NULL is fine

// --- events; now is monotonic milliseconds, never going back ---
//
// Unknown workers, leases and calls are ignored: a peer may name what is gone.

// slots is 1 to 1024. A worker that is known already has come back: what it
// held comes back.
bool dispatch_join(struct dispatch *dispatch, int32_t worker, int slots,
                   int64_t now, struct err *err);
// Worker serves model (by the caller's number).
bool dispatch_serves(struct dispatch *dispatch, int32_t worker, int32_t model,
                     struct err *err);
// The worker is not to get calls of model after all; those that it has stay.
void dispatch_refuse(struct dispatch *dispatch, int32_t worker, int32_t model);
// Nobody asks this model any more: its number may become another model's. False
// while there are calls of it.
bool dispatch_forget_model(struct dispatch *dispatch, int32_t model);
void dispatch_heard(struct dispatch *dispatch, int32_t worker, int64_t now);
// While the worker holds no call it may be silent for this long, if that is
// more than liveness_ms.
void dispatch_rhythm(struct dispatch *dispatch, int32_t worker,
                     int64_t silence_ms);
// It may be gone, for its connection broke: from now on it has liveness_ms to
// be heard, whatever it holds. What it says of its rhythm then counts again.
void dispatch_suspect(struct dispatch *dispatch, int32_t worker, int64_t now);
// Whether messages of workers are still to be read. While they do, no
// worker is taken for silent: the caller was slow, not they.
void dispatch_behind(struct dispatch *dispatch, bool behind);
// The worker says that it has this lease. False: nobody waits for it any more.
bool dispatch_confirm(struct dispatch *dispatch, int32_t worker, int64_t lease,
                      int64_t now);
// After it has named all that it has: the next lease that is to be sent to it
// again. False: there is none (left).
bool dispatch_unconfirmed(struct dispatch *dispatch, int32_t worker,
                          int64_t now, struct action *out);
// The worker says that it could not take the call of this lease as it came: it
// is to be sent to it again. False: the worker does not hold it.
bool dispatch_untaken(struct dispatch *dispatch, int32_t worker, int64_t lease,
                      int64_t now, struct action *out);
// Takes no more calls; what it holds stays with it until it answers or leaves.
void dispatch_drain(struct dispatch *dispatch, int32_t worker);
// Is gone: its calls come back at once.
void dispatch_leave(struct dispatch *dispatch, int32_t worker, int64_t now);

// Fails without memory, or when a call with this id is there already.
bool dispatch_queue(struct dispatch *dispatch, const struct dispatch_call *call,
                    int64_t now, struct err *err);
// At most so many workers have calls of the job at a time, whether it has any
// now or not; 0: as many as there are. To be lifted when the job is over. Fails
// without memory, and then nothing is changed.
bool dispatch_limit(struct dispatch *dispatch, int32_t job, int32_t max_workers,
                    struct err *err);
// Sends a call that is queued to this very worker, for it has the answer
// already, or at work, which no limit of the job forbids. False, and nothing
// done, where that cannot be now.
bool dispatch_give(struct dispatch *dispatch, int64_t call, int32_t worker,
                   int64_t now, struct action *out);
// The call is no longer wanted, queued or sent.
void dispatch_cancel(struct dispatch *dispatch, int64_t call, int64_t now);

// The call that the worker holds under this lease; false: none.
bool dispatch_find(const struct dispatch *dispatch, int32_t worker,
                   int64_t lease, int64_t *call);
// An answer came under this lease. True and the call's id when it is the
// first valid one; false when the lease is unknown or not this worker's.
// The place at the worker stays taken until dispatch_credit.
bool dispatch_done(struct dispatch *dispatch, int32_t worker, int64_t lease,
                   int64_t now, int64_t *call);
// The answer is durable: the worker may get another call.
void dispatch_credit(struct dispatch *dispatch, int32_t worker, int64_t lease,
                     int64_t now);
// False when the worker holds no call under this lease.
bool dispatch_fault(struct dispatch *dispatch, int32_t worker, int64_t lease,
                    enum call_fault fault, int64_t now);

// Time passes: leases end, workers are found lost, back-offs end.
void dispatch_tick(struct dispatch *dispatch, int64_t now);

// --- actions ---

// The next thing to do; false: nothing now. Ask until it is false.
bool dispatch_next(struct dispatch *dispatch, int64_t now, struct action *out);

// When dispatch_tick has something to do next; -1: nothing is planned.
int64_t dispatch_deadline(const struct dispatch *dispatch);

// workers, slots and dispatch_can_serve leave out silent workers, slots and
// dispatch_can_serve also those that drain; leased counts calls, not leases.
// swaps: how often a worker was sent a call of another model than the one
// before, each of which costs its server seconds to minutes.
struct dispatch_counts {
    size_t workers, slots, queued, waiting, leased, parked;
    int64_t sent, faults, hedged, swaps;
};
void dispatch_count(const struct dispatch *dispatch,
                    struct dispatch_counts *out);

// How often a worker has fallen silent.
int64_t dispatch_silences(const struct dispatch *dispatch);

// Whether some live worker serves model.
bool dispatch_can_serve(const struct dispatch *dispatch, int32_t model);

// What is thought of a worker, for people.
enum dispatch_worker_state {
    DISPATCH_WORKER_SERVING,
    DISPATCH_WORKER_RESTING, // for its faults in a row
    DISPATCH_WORKER_DRAINING,
    DISPATCH_WORKER_SILENT,
};
struct dispatch_worker_view {
    enum dispatch_worker_state state;
    int n_faults;   // in a row, of different calls
    size_t n_calls; // that it holds
    int64_t heard_ms;
};
bool dispatch_worker_look(const struct dispatch *dispatch, int32_t worker,
                          struct dispatch_worker_view *out);

#endif
