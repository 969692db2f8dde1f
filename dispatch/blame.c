#include "dispatch/blame.h"

#include "dispatch/backlog.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/lease.h"
#include "dispatch/queued_call.h"

// first, doubled for each after the first, up to most.
static int64_t grown(int64_t first, int n, int64_t most)
{
    int64_t value = first;

    for (int i = 1; i < n && value < most; i++)
        value *= 2;
    return value < most ? value : most;
}

// --- the call ---

// Whether this worker is one that answers calls of the model.
static bool is_good(const struct dispatch *dispatch, int32_t number,
                    const struct model *model)
{
    const struct dispatch_worker *worker =
        dispatch_worker_find(dispatch, number);
    const struct served_model *served =
        worker == NULL ? NULL : dispatch_worker_served(worker, model);

    return served != NULL && served->good;
}

// How many workers that answer other calls have failed this one.
static int failed_by_good(const struct dispatch *dispatch,
                          const struct queued_call *queued)
{
    int n = 0;

    for (int i = 0; i < queued->n_failed; i++)
        n += is_good(dispatch, queued->failed[i], queued->model);
    return n;
}

// Whether all who should have a try have failed this call: three workers that
// answer other calls, or all that are not at rest. Only three are noted with a
// call; of more that have yet to prove themselves it counts the tries. A
// worker that is alone gets three.
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
        backlog_is_spared(dispatch, model, queued->failed, queued->n_failed))
        return false;
    return model->n_live >= 2 || fault == FAULT_MODEL ||
           queued->n_faults >= DISPATCH_WORKER_FAULTS;
}

// Whether to give up. Where every server fails now and then, three faults are
// no rarity among thousands of calls: a round that is over starts again until
// the strikes are many. Others than the three that failed it go first in the
// next round, where there are any: one of them may be able to answer it. When
// one that has yet to prove itself has failed it too, all may have it again:
// its word does not count, and it would be asked for ever.
static bool is_exhausted(const struct dispatch *dispatch,
                         struct queued_call *queued, enum call_fault fault,
                         bool believed)
{
    if (!round_is_over(dispatch, queued, fault))
        return false;
    if (queued->strikes >= DISPATCH_STRIKES)
        return true;
    if (!believed || !backlog_is_spared(dispatch, queued->model, queued->failed,
                                        queued->n_failed))
        queued->n_failed = 0;
    return false;
}

// Whether the call should wait a while. Not when others than the one that just
// failed it usually answer: they can have it at once.
static bool should_wait(const struct queued_call *queued,
                        const struct call_fault_kind *kind, bool believed)
{
    if (kind->busy)
        return true;
    return kind->strikes > 0 && (believed || queued->model->n_good == 0);
}

// No worker holds the call any more, and it has no answer.
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

void blame_nobody(struct dispatch *dispatch, struct queued_call *queued,
                  int64_t now)
{
    come_back(dispatch, queued, FAULT_LOST, false, now);
}

// Takes the first worker that does not usually answer out of those that failed
// the call; there is one. Returns how many are left.
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

// Notes on the call that this worker failed it. Where there is no room, one
// that usually answers takes the place of one that does not, or begins a round
// of its own.
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

// What the fault means for the worker's next calls.
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

// A second worker has answered what the first one still has at work. That is a
// slow worker, or one that lives and never answers: it counts as a fault of the
// worker's, but if it has answered anything meanwhile. No pause: after three of
// them it gets one call at a time until it answers one.
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

// Whether what this worker says of a call is held against the call. Before
// anybody has answered, everyone is believed; later only those who do answer:
// in an outage, or on a broken machine, every call fails.
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
