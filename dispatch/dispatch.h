// dispatch: decides which call goes to which worker, and when. Pure.
//
// It does no I/O, reads no clock and uses no randomness: the caller feeds it
// events, each with its time, and gets back actions in order. Workers, calls,
// models, groups and jobs are small numbers that the caller assigns. A test can
// run it for a million virtual hours.
//
//            queue                 SEND                     done
//   (new) ---------> QUEUED ---------------------> LEASED -------> (gone)
//                     ^                             |
//                     | back-off is over            | fault, lease over,
//                     |                             | worker lost
//                     WAITING <---------------------+
//                                                   |
//                     PARKED (action PARK) <--------+ every worker that should
//                                                     try it has failed it
//
// Invariants, which dispatch_check (tests/dispatch_check.h) proves after every
// event in the tests:
//  1. A call is in exactly one state. A leased call is with one worker, or with
//     two or three when it is hedged.
//  2. A worker holds at most slots + 1 calls, counting those that are answered
//     but not yet durable.
//  3. A call that was reported done is never sent again.
//  4. If a call is QUEUED while a worker that serves its model and has not
//     failed it has a free place, then either an action is pending or the place
//     is deliberately left free until a planned time (offer.h).
//
// Order. First comes the job that has had the least of its share: a job of
// priority 20 gets twice the slots of a job of priority 10, or twice the time
// if there is only one slot (share.h). Within a job the oldest trial comes
// first, then affinity. Calls of one group share a prompt prefix, and a slot
// stays with its group while the group has calls, unless nobody works on a
// trial that is older by half a window. The slot then goes to the oldest trial
// that nobody works on. If there is none, it goes to the group that would
// finish last, judging by its calls, the speeds of its slots and the place of
// its trial in the window. So trials finish one after another and seldom two at
// once (offer.c says why), unless they belong to one batch, which is waited for
// as a whole.
//
// A slot is left idle for the sake of affinity only if it would read a prompt
// for nothing (for at most three times as long as the reading takes) or for
// fewer than four calls (for half as long as it takes; offer.h).
//
// A worker changes its loaded model only when no call for that model waits, or
// when calls for another model wait and none of them was sent to anybody for
// MODEL_WAIT_MS. That limit is FEW_WAIT_MS if at most two workers have the
// current model loaded and the same jobs have calls for both models: these jobs
// need both, and after the change they would only wait for the first one.
//
// Idle slots are filled before the places beyond them. A worker whose calls
// take more than a quarter of a second gets none beyond its slots, where a call
// would only wait.
//
// Speeds are learnt: for each worker and model, how long a call of each kind
// takes, and how long it takes to read a prefix of a given size (pace.h).
//
// Faults. A row of common/faults.def says what each kind of fault means, and
// for whom. A fault may count against the call, the worker or both, and most of
// the work here is to tell these apart:
//
// * A worker with QUARANTINE_FAULTS faults in a row, on different calls, is
//   resting: it is left alone for a growing time, at most QUARANTINE_MAX_MS,
//   and then gets one call at a time until it answers one. So it is back at
//   work within that time after its trouble is over.
// * A worker is good for a model if it has answered a call for that model and
//   is not resting. Once anybody has answered a call for a model, only the
//   faults of good workers count against a call: when a server is down or
//   broken every call fails, and that says nothing about any of them.
// * A failed call goes to another worker: at once if good ones are left,
//   otherwise after a back-off of at most BACKOFF_MAX_MS. A round of tries is
//   over when three good workers, or all that are not resting, have failed the
//   call (a worker that is alone must fail it three times). The call is then
//   parked if its faults weigh at least DISPATCH_STRIKES; otherwise another
//   round begins, because three faults in a row hit one call in a hundred when
//   a fifth of all requests fail. In the new round, workers that have not had
//   the call go first.
// * FAULT_BUSY and FAULT_REFUSED delay the call and the worker, and do not
//   count. FAULT_MODEL means that the worker no longer serves that model. After
//   FAULT_LOST the call comes back at once and nothing counts against it; but a
//   worker that reports it and stays has one more fault in its row.
//
// A worker that has not been heard from for liveness_ms is silent: it gets no
// calls, and the calls that it holds are sent elsewhere, but it is not
// forgotten. When it is heard again, after a broken connection or a stalled
// network, it carries on, and its answers count if they are the first. Only
// after DISPATCH_FORGET times liveness_ms is it dropped. A worker that holds no
// call may have announced that it will speak less often (dispatch_set_silence);
// from the moment that it is sent a call it has liveness_ms like the others.
//
// A lease ends after the call's timeout plus a margin, counted from when the
// call got a slot at the worker. That counts as FAULT_TIMEOUT and frees the
// place. A later answer under this lease still counts if it is the first for
// its call. The last slots + 1 ended leases of a worker are remembered.
//
// Having sent a message proves nothing: a connection that broke and came back
// may have swallowed it. So workers name the leases that they have, once a
// second. A lease that is HELD here and has not been named for DISPATCH_ACK_MS
// is sent again, to the same worker and under the same number: if it was the
// answer that got lost, the worker still has it.
//
// Limits. A job may be allowed fewer workers than there are
// (dispatch_set_limit). The workers that get its calls first keep the job, so
// that its prompts stay in their caches. A worker that leaves, drains or falls
// silent is replaced. So is one that holds no call of the job while calls wait
// that nobody with a seat can take, because they are busy with other jobs, lack
// the model or have failed these calls. Two jobs with limits get different
// workers where possible.
//
// Hedging. With two or more workers, a slot that would otherwise be idle takes
// a second copy of the call that has been out longest, once that call is late:
// after twice the usual time of its kind (the recent median) and of its worker,
// or after DISPATCH_HEDGE_BLIND_MS while too few calls of its kind have been
// answered to know that time. The time that the first slot needed to read the
// prompt is added, and so is the time that the second slot would need. A worker
// that already has the prompt and would clearly finish sooner takes a copy at
// once (hedge.h). The first valid answer counts, the other copy is cancelled,
// and the place of the cancelled lease is free at once. A third copy is sent
// after as long again, if neither of the two workers has answered anything
// since it got the call. A worker that was overtaken in this way, and has
// answered nothing since it got the call, gets one more fault in its row: so a
// worker that is alive but never answers is soon resting.
//
// Cost. To queue, send, finish and credit a call takes under 3 microseconds in
// total, whatever the number of calls and workers. Only the trials, jobs and
// models in play are ever walked, and at most a few dozen of their groups.

#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

enum {
    DISPATCH_WORKER_FAULTS = 3,      // different workers per round of tries
    DISPATCH_STRIKES = CALL_STRIKES, // weight of faults that parks a call
    DISPATCH_BACKOFF_MS = 250,       // doubled with each fault
    DISPATCH_BACKOFF_MAX_MS = 4000,
    DISPATCH_MODEL_WAIT_MS = 60000,
    DISPATCH_FEW_WAIT_MS = 600000, // if the same jobs need the loaded model too
    DISPATCH_LEASE_MARGIN_MS = 5000,
    DISPATCH_ACK_MS = 2000, // until a lease that was not named is sent again
    DISPATCH_QUARANTINE_FAULTS = 3, // in a row, until a worker is left alone
    DISPATCH_QUARANTINE_MS = 500,   // doubled with each further fault
    DISPATCH_QUARANTINE_MAX_MS = 4000,
    DISPATCH_HEDGE_MIN_MS = 500,    // minimum, however quick calls usually are
    DISPATCH_HEDGE_BLIND_MS = 8000, // while nobody knows how quick they are
    DISPATCH_FORGET = 20,   // times liveness_ms until a silent one is dropped
    DISPATCH_WINDOW = 4,    // a job's window if none is given
    DISPATCH_PRIORITY = 10, // a job's priority if none is given
    DISPATCH_MAX_SLOTS = 1024, // per worker
};

struct dispatch;

struct dispatch_config {
    int64_t liveness_ms; // silence after which calls go elsewhere; 0: never
    bool hedge;
    int64_t leases_from; // lease numbers start above this, so that no answer to
                         // an earlier coordinator's lease matches one here
};

// A call to place. The caller assigns the ids and never reuses them.
struct dispatch_call {
    int64_t id;
    int32_t job;
    int32_t model;       // number, as in dispatch_serves
    int64_t trial;       // age: smaller is older
    int64_t batch;       // trials of one batch are waited for together, so none
                         // of them is due before another; 0: the trial is alone
    int64_t group;       // calls with one prompt prefix, all of one kind
    int64_t kind;        // calls of one kind take about equally long, for
                         // example those of one step of a job
    int64_t prefix_size; // bytes of prompt that the group shares; 0: unknown
    int64_t timeout_ms;  // hard limit at the worker; the lease adds a margin
    int32_t window;      // overlapping trials of the job; 0: DISPATCH_WINDOW
    int32_t priority;    // of the job from now on; 0: DISPATCH_PRIORITY
};

enum action_kind {
    ACTION_SEND,   // send the call to the worker, under a fresh lease
    ACTION_CANCEL, // the call is no longer wanted from this worker
    ACTION_DROP,   // the worker was silent too long: forget its connection
    ACTION_PARK,   // the call failed on every worker: give it up
};

struct action {
    enum action_kind kind;
    int32_t worker;
    int64_t call;
    int64_t lease;         // for SEND and CANCEL; unique, never reused
    bool hedge;            // for SEND: this is another copy
    enum call_fault fault; // for PARK: the last fault
};

struct dispatch *dispatch_new(const struct dispatch_config *config,
                              struct err *err);
void dispatch_free(struct dispatch *dispatch); // accepts NULL

// --- events; now is in monotonic milliseconds and never goes back ---
//
// Unknown workers, leases and calls are ignored, since a peer may name one that
// is gone.

// Adds a worker with 1 to 1024 slots. If the worker is known already, it has
// reconnected, and the calls that it held come back.
bool dispatch_join(struct dispatch *dispatch, int32_t worker, int slots,
                   int64_t now, struct err *err);
// The worker serves the model.
bool dispatch_serves(struct dispatch *dispatch, int32_t worker, int32_t model,
                     struct err *err);
// The worker must not get calls for the model after all. It keeps those that it
// already has.
void dispatch_refuse(struct dispatch *dispatch, int32_t worker, int32_t model);
// Nobody asks for this model any more, so its number may be reused for another
// model. Returns false while there are calls for it.
bool dispatch_forget_model(struct dispatch *dispatch, int32_t model);
void dispatch_heard(struct dispatch *dispatch, int32_t worker, int64_t now);
// While the worker holds no call, it may be silent for silence_ms if that is
// more than liveness_ms.
void dispatch_set_silence(struct dispatch *dispatch, int32_t worker,
                          int64_t silence_ms);
// The worker's connection broke, so it may be gone: from now on it has
// liveness_ms to be heard from, even if it holds no call. The next
// dispatch_set_silence applies again.
void dispatch_suspect(struct dispatch *dispatch, int32_t worker, int64_t now);
// Tells whether messages from workers are still waiting to be read. As long as
// there are some, no worker is considered silent, since it was the caller that
// was slow.
void dispatch_set_behind(struct dispatch *dispatch, bool behind);
// The worker says that it has this lease. Returns false if nobody waits for it
// any more.
bool dispatch_confirm(struct dispatch *dispatch, int32_t worker, int64_t lease,
                      int64_t now);
// To be called after a worker has named all its leases: finds the next one that
// must be sent to it again. Returns false when there is none (left).
bool dispatch_unconfirmed(struct dispatch *dispatch, int32_t worker,
                          int64_t now, struct action *out);
// The worker says that it could not take the call of this lease in the form in
// which it came, so the call must be sent to it again. Returns false if the
// worker does not hold the lease.
bool dispatch_resend(struct dispatch *dispatch, int32_t worker, int64_t lease,
                     int64_t now, struct action *out);
// The worker takes no more calls. It keeps what it holds until it answers or
// leaves.
void dispatch_drain(struct dispatch *dispatch, int32_t worker);
// The worker is gone: its calls come back at once.
void dispatch_leave(struct dispatch *dispatch, int32_t worker, int64_t now);

// Fails when out of memory or when a call with this id already exists.
bool dispatch_queue(struct dispatch *dispatch, const struct dispatch_call *call,
                    int64_t now, struct err *err);
// Allows at most max_workers workers at a time to have calls of the job,
// whether it has any calls now or not; 0: no limit. The caller should lift the
// limit when the job is over. Fails, changing nothing, when out of memory.
bool dispatch_set_limit(struct dispatch *dispatch, int32_t job,
                        int32_t max_workers, struct err *err);
// Sends a queued call to this particular worker, because it already has the
// answer or is working on it. A limit of the job does not prevent this. Returns
// false, and does nothing, if it is not possible now.
bool dispatch_send_to(struct dispatch *dispatch, int64_t call, int32_t worker,
                      int64_t now, struct action *out);
// The call is no longer wanted, whether queued or sent.
void dispatch_cancel(struct dispatch *dispatch, int64_t call, int64_t now);

// Finds the call that the worker holds under this lease. Returns false if there
// is none.
bool dispatch_find(const struct dispatch *dispatch, int32_t worker,
                   int64_t lease, int64_t *call);
// An answer came under this lease. Returns true and the call's id if it is the
// first valid answer, false if the lease is unknown or belongs to another
// worker. The place at the worker stays taken until dispatch_credit.
bool dispatch_done(struct dispatch *dispatch, int32_t worker, int64_t lease,
                   int64_t now, int64_t *call);
// The answer is durable: the worker may get another call.
void dispatch_credit(struct dispatch *dispatch, int32_t worker, int64_t lease,
                     int64_t now);
// Returns false if the worker holds no call under this lease.
bool dispatch_fault(struct dispatch *dispatch, int32_t worker, int64_t lease,
                    enum call_fault fault, int64_t now);

// Lets time pass: leases end, lost workers are noticed, back-offs end.
void dispatch_tick(struct dispatch *dispatch, int64_t now);

// --- actions ---

// Returns the next thing to do, or false if there is nothing now. Call it until
// it returns false.
bool dispatch_next(struct dispatch *dispatch, int64_t now, struct action *out);

// Returns when dispatch_tick next has something to do, or -1 if nothing is
// planned.
int64_t dispatch_deadline(const struct dispatch *dispatch);

// `workers`, `slots` and dispatch_can_serve leave out silent workers; `slots`
// and dispatch_can_serve also leave out draining ones. `leased` counts calls,
// not leases. `swaps` counts how often a worker was sent a call for another
// model than the call before; each swap costs its server seconds to minutes.
struct dispatch_counts {
    size_t workers, slots, queued, waiting, leased, parked;
    int64_t sent, faults, hedged, swaps;
};
void dispatch_count(const struct dispatch *dispatch,
                    struct dispatch_counts *out);

// Returns how many calls of a job are with workers.
size_t dispatch_job_leased(const struct dispatch *dispatch, int32_t job);

// Returns how often a worker has fallen silent.
int64_t dispatch_silences(const struct dispatch *dispatch);

// Returns true if some live worker serves the model.
bool dispatch_can_serve(const struct dispatch *dispatch, int32_t model);

// The state of a worker, as shown to people.
enum dispatch_worker_state {
    DISPATCH_WORKER_SERVING,
    DISPATCH_WORKER_RESTING, // because of its faults in a row
    DISPATCH_WORKER_DRAINING,
    DISPATCH_WORKER_SILENT,
};
struct dispatch_worker_view {
    enum dispatch_worker_state state;
    int n_faults;   // in a row, on different calls
    size_t n_calls; // that it holds
    int64_t heard_ms;
};
bool dispatch_worker_look(const struct dispatch *dispatch, int32_t worker,
                          struct dispatch_worker_view *out);

#endif
