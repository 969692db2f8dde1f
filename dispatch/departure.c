#include "dispatch/departure.h"

#include "dispatch/blame.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/lease.h"

void departure_silent(struct dispatch *dispatch, struct dispatch_worker *worker,
                      int64_t now)
{
    dispatch_worker_set_silent(dispatch, worker, true);
    dispatch->n_silences++;
    for (size_t i = 0; i < worker->n_leases; i++) {
        struct lease *lease = &worker->leases[i];
        struct queued_call *queued = lease->queued;
        if (lease->state != LEASE_HELD)
            continue;
        lease_move(dispatch, lease, LEASE_LATE, now);
        if (queued->n_held == 0)
            blame_lost(dispatch, queued, now);
    }
}

void departure_gone(struct dispatch *dispatch, struct dispatch_worker *worker,
                    int64_t now)
{
    while (worker->served_models != NULL)
        dispatch_worker_unserve(worker, worker->served_models->model);
    for (size_t i = 0; i < worker->n_leases; i++) {
        struct lease *lease = &worker->leases[i];
        struct queued_call *queued = lease->queued;
        bool held = lease->state == LEASE_HELD;
        if (lease->state == LEASE_UNUSED)
            continue;
        lease_move(dispatch, lease, LEASE_UNUSED, now);
        if (held && queued->n_held == 0)
            blame_lost(dispatch, queued, now);
    }
    dispatch_worker_remove(dispatch, worker);
}
