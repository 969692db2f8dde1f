// offer: decides which of the waiting calls a worker's next slot gets.
//
// dispatch.h describes the order. This walks jobs, then the oldest trials, but
// never calls, so it costs a few dozen steps whatever the number of calls. It
// reads what dispatch knows and changes nothing.
//
// A slot is left free for a while if it would read a prompt in vain:
//
//   others   |call|call|call|call|call|call|
//   slot     |. . . reading . . .|call|call|     worth it
//
//   others   |call|call|call|
//   slot     |. . . reading . . .|               in vain: none is left
//
// In the second case the slot would still be reading when the next trial
// begins, which needs slots. So the slot is left free until calls come, but for
// at most three times as long as the reading takes (OFFER_HOLD). After that it
// takes what there is, so no call waits beside a free slot for longer than
// this. The time counts from when the last of a worker's free slots became
// free, so earlier ones may be left free for longer: by as much again for each
// slot that becomes free meanwhile.
//
// The reading time is learnt (dispatch_worker_read_ms), and no slot is left
// free while it is unknown. Nor is one left free if calls of another job or
// model wait, or if the job has a limit on its workers. Reading a prompt that
// nobody works on is never in vain: it may belong to a single call that the
// search waits for. Other slots that are still reading the prompt take no calls
// meanwhile, so joining them is seldom in vain:
//
//   others   |. . . reading . . .|call|call|
//   slot     |. . . reading . . .|call|call|
//
// If the slot would get fewer than four calls, it is left free as well, for
// half as long as the reading takes (OFFER_HOLD_FEW), because a trial that
// begins meanwhile has more calls for it. This is not done for trials that are
// waited for together, since then none begins.
//
// Measured (bench_dispatch): without either rule, 32 workers are 19.3 times as
// quick as one in a short job, and 256 workers in a long job 140 times. With
// both rules the numbers are 20.6 and 150. 16 workers in the short job are 12.9
// times as quick, and 12.6 times without the second rule. Leaving a slot free
// for a few calls for as long as the whole reading takes is worse with many
// workers: 20.0 and 149 times.

#ifndef DISPATCH_OFFER_H
#define DISPATCH_OFFER_H

#include "dispatch/dispatch_state.h"

enum {
    OFFER_CALLS = 4,           // that make reading a prompt worth it at once
    OFFER_HOLD = 300,          // percent of the reading time, if in vain
    OFFER_HOLD_FEW = 50,       // the same, if for fewer calls than that
    OFFER_HOLD_MAX_MS = 60000, // upper bound on both
};

// Returns the call that the worker's next slot should get. Returns NULL if
// there is none that it may take, or none that it should take yet; then *until
// is set to a time after now, and the slot is left free until then. The call
// stays listed in the backlog.
struct queued_call *offer_find(const struct dispatch *dispatch,
                               const struct dispatch_worker *worker,
                               int64_t now, int64_t *until);

#endif
