#include "dispatch/blame.h"

#include "dispatch/backlog.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/lease.h"
#include "dispatch/queued_call.h"

// Returns `first` doubled n - 1 times, but at most `most`.
static int64_t grown(int64_t first, int n, int64_t most)
{
    int64_t value = first;

    for (int i = 1; i < n && value < most; i++)
        value *= 2;
    return value < most ? value : most;
}

// --- the call ---

// Returns true if this worker is good for the model.
static bool is_good(const struct dispatch *dispatch, int32_t number,
                    const struct model *model)
{
    const struct dispatch_worker *worker =
        dispatch_worker_find(dispatch, number);
    const struct served_model *served =
        worker == NULL ? NULL : dispatch_worker_served(worker, model);

    return served != NULL && served->good;
}

// Returns how many good workers have failed this call.
static int failed_by_good(const struct dispatch *dispatch,
                          const struct queued_call *queued)
{
    int n = 0;

    for (int i = 0; i < queued->n_failed; i++)
        n += is_good(dispatch, queued->failed[i], queued->model);
    return n;
}

// Returns true if every worker that should try the call has failed it: three
// good workers, or all that are not resting. A call remembers only three
// workers, so with more than three that have yet to prove themselves the tries
// are counted instead. A worker that is alone gets three tries.
static bool round_is_over(const struct dispatch *dispatch,
                          const struct queued_call *queued,
                          enum call_fault fault)
{
    const struct model *model = queued->model;

    if (failed_by_good(dispatch, queued) == DISPATCH_WORKER_FAULTS)
        return true;
    if (queued->n_failed == DISPATCH_WORKER_FAULTS && model->n_good == 0 &&
        queued->n_faults >= DISPATCH_WORKER_FAULTS * model->n_awake)
        return true;
    if (call_fault_kind(fault)->strikes == 0 ||
        backlog_has_untried(dispatch, model, queued->failed, queued->n_failed))
        return false;
    return model->n_live >= 2 || fault == FAULT_MODEL ||
           queued->n_faults >= DISPATCH_WORKER_FAULTS;
}

// Returns true if the call should be given up. If every server fails now and
// then, three faults are common among thousands of calls, so a round that is
// over starts again until the strikes are many. Workers other than the three
// that failed the call go first in the next round, if there are any: one of
// them may be able to answer it. Once a worker that has yet to prove itself has
// failed it too, all may have it again. Such a worker's faults add no strikes,
// so the call would be sent around for ever.
static bool is_exhausted(const struct dispatch *dispatch,
                         struct queued_call *queued, enum call_fault fault,
                         bool believed)
{
    if (!round_is_over(dispatch, queued, fault))
        return false;
    if (queued->strikes >= DISPATCH_STRIKES)
        return true;
    if (!believed || !backlog_has_untried(dispatch, queued->model,
                                          queued->failed, queued->n_failed))
        queued->n_failed = 0;
    return false;
}

// Returns true if the call should wait a while. It need not if the worker that
// just failed it is not a good one but others are: they can have the call at
// once.
static bool should_wait(const struct queued_call *queued,
                        const struct call_fault_kind *kind, bool believed)
{
    if (kind->busy)
        return true;
    return kind->strikes > 0 && (believed || queued->model->n_good == 0);
}

// Nobody holds the call any more, and it has no answer.
static void come_back(struct dispatch *dispatch, struct queued_call *queued,
                      enum call_fault fault, bool believed, int64_t now)
{
    int times = queued->n_faults + queued->n_delays;
    int64_t delay = grown(DISPATCH_BACKOFF_MS, times, DISPATCH_BACKOFF_MAX_MS);

    queued_call_leave(dispatch, queued);
    if (is_exhausted(dispatch, queued, fault, believed))
        queued_call_park(dispatch, queued);
    else if (should_wait(queued, call_fault_kind(fault), believed))
        queued_call_wait(dispatch, queued, now + delay);
    else
        queued_call_requeue(dispatch, queued, now);
}

void blame_lost(struct dispatch *dispatch, struct queued_call *queued,
                int64_t now)
{
    come_back(dispatch, queued, FAULT_LOST, false, now);
}

// Removes the first worker that is not good from those that failed the call;
// there must be one. Returns how many are left.
static int forget_failure(const struct dispatch *dispatch,
                          struct queued_call *queued)
{
    int at = 0;

    while (at < queued->n_failed - 1 &&
           is_good(dispatch, queued->failed[at], queued->model))
        at++;
    queued->n_failed--;
    for (int i = at; i < queued->n_failed; i++)
        queued->failed[i] = queued->failed[i + 1];
    return queued->n_failed;
}

// Records that this worker failed the call. If there is no room, a good worker
// replaces one that is not good; if all are good, it starts a new round.
static void note_failure(const struct dispatch *dispatch,
                         struct queued_call *queued, int32_t worker, bool good)
{
    int n = queued->n_failed;

    if (queued->n_faults < UINT16_MAX)
        queued->n_faults++;
    for (int i = 0; i < n; i++)
        if (queued->failed[i] == worker)
            return;
    if (n == DISPATCH_WORKER_FAULTS) {
        if (!good)
            return;
        if (failed_by_good(dispatch, queued) == n)
            n = queued->n_failed = 0;
        else
            n = forget_failure(dispatch, queued);
    }
    while (n > 0 && queued->failed[n - 1] > worker) {
        queued->failed[n] = queued->failed[n - 1];
        n--;
    }
    queued->failed[n] = worker;
    queued->n_failed++;
}

// --- the worker ---

// Applies what the fault means for the worker's next calls.
static void hold_back(struct dispatch *dispatch, struct dispatch_worker *worker,
                      const struct call_fault_kind *kind, int64_t call,
                      int64_t now)
{
    int64_t pause = 0;

    if (kind->worker)
        dispatch_worker_failed(worker, call);
    if (kind->busy && worker->n_busy < INT16_MAX)
        worker->n_busy++;
    if (kind->worker && dispatch_worker_rests(worker))
        pause = grown(DISPATCH_QUARANTINE_MS,
                      worker->n_faults - DISPATCH_QUARANTINE_FAULTS + 1,
                      DISPATCH_QUARANTINE_MAX_MS);
    if (kind->busy)
        pause =
            grown(DISPATCH_BACKOFF_MS, worker->n_busy, DISPATCH_BACKOFF_MAX_MS);
    if (pause > 0)
        dispatch_worker_pause(dispatch, worker, now + pause);
}

// A worker that still holds a call when another one has answered a later copy
// is slow, or alive but never answering. That counts as a fault of the worker,
// unless it has answered anything meanwhile. There is no pause: after three
// such faults it gets one call at a time until it answers one.
void blame_overtaken(const struct queued_call *queued,
                     const struct lease *answered)
{
    for (struct lease *lease = queued->leases; lease != NULL;
         lease = lease->sibling)
        if (lease != answered && lease->state == LEASE_HELD &&
            lease->slot != NULL && lease->sent_ms < answered->sent_ms &&
            lease->worker->answered_ms < lease->sent_ms)
            dispatch_worker_failed(lease->worker, queued->node.key);
}

// --- both ---

// Returns true if this worker's fault counts against the call. Before anybody
// has answered, everyone is believed, and later only good workers are: in an
// outage, or on a broken machine, every call fails.
static bool is_believed(const struct dispatch_worker *worker,
                        const struct model *model)
{
    const struct served_model *served = dispatch_worker_served(worker, model);

    return !model->answered || (served != NULL && served->good);
}

void blame_fault(struct dispatch *dispatch, struct lease *lease,
                 enum call_fault fault, enum lease_state to, int64_t now)
{
    const struct call_fault_kind *kind = call_fault_kind(fault);
    struct dispatch_worker *worker = lease->worker;
    struct queued_call *queued = lease->queued;
    bool believed = is_believed(worker, queued->model);

    dispatch->n_faults++;
    queued->last = (uint8_t)fault;
    if (believed)
        queued->strikes = (uint16_t)(queued->strikes + kind->strikes);
    if (kind->strikes > 0)
        note_failure(dispatch, queued, (int32_t)worker->node.key, believed);
    if (kind->busy && queued->n_delays < UINT16_MAX)
        queued->n_delays++;
    if (kind->model)
        dispatch_worker_unserve(worker, queued->model);
    lease_move(dispatch, lease, to, now);
    hold_back(dispatch, worker, kind, queued->node.key, now);
    if (queued->n_held == 0)
        come_back(dispatch, queued, fault, believed, now);
}
