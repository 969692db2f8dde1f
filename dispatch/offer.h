// offer: which of the calls that wait a worker's next slot gets, in the order
// of dispatch.h.
//
// It walks jobs, then the oldest trials, never calls: so it costs a few dozen
// steps whatever the number of calls. It reads what dispatch knows and changes
// nothing.
//
// A slot is left free for a while rather than read a prompt in vain:
//
//   others   |call|call|call|call|call|call|
//   slot     |. . . reading . . .|call|call|     worth it
//
//   others   |call|call|call|
//   slot     |. . . reading . . .|               in vain: none is left
//
// It would still read when the next trial begins, and that one needs slots.
// So it is left free until calls come, but for three times as long as it
// would read at most (OFFER_HOLD): then it takes what there is, and no call has
// waited for longer beside it. Of a worker's free slots the one that became
// free last counts, so those behind it may be left free for longer: by as much
// again for each slot that becomes free meanwhile. How long it would read is
// learnt (dispatch_worker_read_ms), and nobody is left free while it is not
// known; nor where calls of another job or model wait, or the job has a limit
// on its workers. A prompt that nobody works on is never read in vain: it may
// be of a single call on which the search waits. Others that still read the
// prompt take no calls meanwhile, so to join them is seldom in vain:
//
//   others   |. . . reading . . .|call|call|
//   slot     |. . . reading . . .|call|call|
//
// Where it would get a call but no four, it is left free as well, for half as
// long as it would read (OFFER_HOLD_FEW): a trial that begins meanwhile has
// more for it. Not where trials are waited for together, since then none
// begins.
//
// Measured (bench_dispatch): without either, 32 workers are 19.3 times as quick
// as one in a short job, and 256 in a long one 140 times; with both 20.6 and
// 150. 16 in the short one are 12.9 times as quick, and without the
// second 12.6. To leave a slot free for a few calls as long as it would read is
// worse with many workers: 20.0 and 149 times.

#ifndef DISPATCH_OFFER_H
#define DISPATCH_OFFER_H

#include "dispatch/dispatch_state.h"

enum {
    OFFER_CALLS = 4,           // that a prompt is read for without waiting
    OFFER_HOLD = 300,          // percent of the time that it would read in vain
    OFFER_HOLD_FEW = 50,       // or for fewer calls than that
    OFFER_HOLD_MAX_MS = 60000, // however long that is
};

// The call that the worker's next slot should get; NULL: none that it may
// take, or none that it should take before *until, which is set then and later
// than now: its place is left free until then. The queued call stays listed.
struct queued_call *offer_find(const struct dispatch *dispatch,
                               const struct dispatch_worker *worker,
                               int64_t now, int64_t *until);

#endif
