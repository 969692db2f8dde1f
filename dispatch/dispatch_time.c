#include "dispatch/blame.h"
#include "dispatch/departure.h"
#include "dispatch/dispatch.h"
#include "dispatch/dispatch_state.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/hedge.h"
#include "dispatch/queued_call.h"

// What happens because time passes: dispatch_tick, and dispatch_deadline, which
// says when to call it.

static bool is_due(const struct heap *heap, int64_t now)
{
    return heap->root != NULL && heap->root->key <= now;
}

// Returns true if workers can be found lost now. While messages are still
// unread, a silent worker's may be among them.
static bool listens(const struct dispatch *dispatch)
{
    return dispatch->config.liveness_ms > 0 && !dispatch->behind;
}

static void lose_workers(struct dispatch *dispatch, int64_t now)
{
    while (listens(dispatch) && is_due(&dispatch->alarms, now)) {
        struct dispatch_worker *worker =
            RING_OWNER(dispatch->alarms.root, struct dispatch_worker, alarm);

        if (dispatch_worker_silence_ends(dispatch, worker) > now) {
            dispatch_worker_set_alarm(dispatch, worker);
        } else if (!worker->silent) {
            departure_silent(dispatch, worker, now);
        } else {
            departure_gone(dispatch, worker, now);
            ring_push_back(&dispatch->drops, &worker->link);
        }
    }
}

static void end_leases(struct dispatch *dispatch, int64_t now)
{
    while (is_due(&dispatch->ends, now)) {
        struct lease *lease =
            RING_OWNER(dispatch->ends.root, struct lease, end);
        blame_fault(dispatch, lease, FAULT_TIMEOUT, LEASE_LATE, now);
    }
}

static void end_pauses(struct dispatch *dispatch, int64_t now)
{
    while (is_due(&dispatch->pauses, now))
        dispatch_worker_resume(
            dispatch,
            RING_OWNER(dispatch->pauses.root, struct dispatch_worker, pause));
}

static void end_holds(struct dispatch *dispatch, int64_t now)
{
    while (is_due(&dispatch->holds, now))
        dispatch_worker_release(
            dispatch,
            RING_OWNER(dispatch->holds.root, struct dispatch_worker, hold));
}

static void end_waits(struct dispatch *dispatch, int64_t now)
{
    while (is_due(&dispatch->waits, now)) {
        struct queued_call *queued =
            RING_OWNER(dispatch->waits.root, struct queued_call, at.ready);
        queued_call_leave(dispatch, queued);
        queued_call_requeue(dispatch, queued, now);
    }
}

// Lost workers come first, so that their leases do not end with a fault.
void dispatch_tick(struct dispatch *dispatch, int64_t now)
{
    dispatch->settled = false;
    lose_workers(dispatch, now);
    end_leases(dispatch, now);
    end_pauses(dispatch, now);
    end_holds(dispatch, now);
    end_waits(dispatch, now);
}

static void sooner(int64_t *best, int64_t other)
{
    if (other >= 0 && (*best < 0 || other < *best))
        *best = other;
}

static int64_t due(const struct heap *heap)
{
    return heap->root == NULL ? -1 : heap->root->key;
}

int64_t dispatch_deadline(const struct dispatch *dispatch)
{
    int64_t best = listens(dispatch) ? due(&dispatch->alarms) : -1;

    sooner(&best, due(&dispatch->ends));
    sooner(&best, due(&dispatch->pauses));
    sooner(&best, due(&dispatch->holds));
    sooner(&best, due(&dispatch->waits));
    sooner(&best, hedge_next(dispatch).at);
    return best;
}
