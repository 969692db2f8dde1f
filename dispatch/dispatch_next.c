#include "dispatch/backlog.h"
#include "dispatch/dispatch.h"
#include "dispatch/dispatch_state.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/hedge.h"
#include "dispatch/lease.h"
#include "dispatch/offer.h"
#include "dispatch/queued_call.h"
#include "dispatch/seat.h"
#include "dispatch/share.h"

// What the caller should do next: dispatch_next, and dispatch_send_to for a
// call whose worker is already known.

static bool tell_cancel(struct dispatch *dispatch, struct action *out)
{
    if (ring_empty(&dispatch->cancels))
        return false;
    struct lease *lease =
        RING_OWNER(dispatch->cancels.next, struct lease, link);
    *out = (struct action){.kind = ACTION_CANCEL,
                           .worker = (int32_t)lease->worker->node.key,
                           .call = lease->call,
                           .lease = lease->node.key};
    lease_move(dispatch, lease, LEASE_UNUSED, 0);
    return true;
}

static bool tell_drop(struct dispatch *dispatch, struct action *out)
{
    if (ring_empty(&dispatch->drops))
        return false;
    struct dispatch_worker *worker =
        RING_OWNER(dispatch->drops.next, struct dispatch_worker, link);
    *out = (struct action){.kind = ACTION_DROP,
                           .worker = (int32_t)worker->node.key};
    ring_remove(&worker->link);
    dispatch_worker_free(worker);
    return true;
}

static bool tell_park(struct dispatch *dispatch, struct action *out)
{
    if (ring_empty(&dispatch->parks))
        return false;
    struct queued_call *queued =
        RING_OWNER(dispatch->parks.next, struct queued_call, link);
    *out = (struct action){.kind = ACTION_PARK,
                           .call = queued->node.key,
                           .fault = (enum call_fault)queued->last};
    ring_remove(&queued->link);
    return true;
}

static void send_call(struct dispatch *dispatch, struct dispatch_worker *worker,
                      struct queued_call *queued, int64_t now,
                      struct action *out)
{
    struct lease *lease = lease_send(dispatch, worker, queued, now);

    share_serve(dispatch, queued->share);
    queued->share->served = lease->node.key;
    queued->model->fed_ms = now;
    dispatch->n_sent++;
    *out = (struct action){.kind = ACTION_SEND,
                           .worker = (int32_t)worker->node.key,
                           .call = queued->node.key,
                           .lease = lease->node.key,
                           .hedge = queued->n_held > 1};
}

// Sends the worker the call that it should have now, if there is one. Otherwise
// the worker may become held, and is then no longer in the list of its place.
static bool feed(struct dispatch *dispatch, struct dispatch_worker *worker,
                 int64_t now, struct action *out)
{
    int64_t until = now;
    struct queued_call *queued = offer_find(dispatch, worker, now, &until);

    if (queued == NULL && until > now)
        dispatch_worker_hold(dispatch, worker, until);
    if (queued == NULL)
        return false;
    queued_call_leave(dispatch, queued);
    queued_call_enter(dispatch, queued, STATE_LEASED);
    send_call(dispatch, worker, queued, now, out);
    return true;
}

// Finds a free place of this kind at a worker with a seat in a job that has
// calls waiting, and fills it.
static bool fill_seat(struct dispatch *dispatch, const struct model *model,
                      enum place place, int64_t now, struct action *out)
{
    for (struct ring *in = model->lanes.next; in != &model->lanes;
         in = in->next) {
        const struct ring *head =
            &RING_OWNER(in, struct lane, link)->share->ready;

        for (struct ring *at = head->next; at != head; at = at->next) {
            struct dispatch_worker *worker =
                RING_OWNER(at, struct seat, of_share)->worker;
            const struct served_model *served =
                dispatch_worker_served(worker, model);
            if (served != NULL && served->place == place &&
                feed(dispatch, worker, now, out))
                return true;
        }
    }
    return false;
}

// Finds a free place of this kind and a call for it. Nearly always the first
// worker gets one: it is passed over only for calls that it has failed.
static bool fill_place(struct dispatch *dispatch, const struct model *model,
                       enum place place, int64_t now, struct action *out)
{
    const struct ring *head = &model->free[place];

    if (ring_empty(head))
        return false;
    if (!backlog_is_open(model))
        return fill_seat(dispatch, model, place, now, out);
    for (struct ring *at = head->next, *next; at != head; at = next) {
        next = at->next;
        if (feed(dispatch, RING_OWNER(at, struct served_model, link)->worker,
                 now, out))
            return true;
    }
    return false;
}

bool dispatch_send_to(struct dispatch *dispatch, int64_t call, int32_t worker,
                      int64_t now, struct action *out)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);
    struct queued_call *queued = queued_call_find(dispatch, call);
    const struct served_model *served = NULL;

    if (known == NULL || queued == NULL || queued->state != STATE_QUEUED)
        return false;
    served = dispatch_worker_served(known, queued->model);
    if (served == NULL || served->place == PLACE_NONE)
        return false;
    dispatch->settled = false;
    queued_call_leave(dispatch, queued);
    queued_call_enter(dispatch, queued, STATE_LEASED);
    send_call(dispatch, known, queued, now, out);
    return true;
}

// Moves a seat from a worker that has no call of the job to an idle worker.
static bool move_seat(struct dispatch *dispatch, int64_t now,
                      struct action *out)
{
    struct share *share = NULL;
    struct dispatch_worker *worker = backlog_find_seat(dispatch, &share);

    if (worker == NULL)
        return false;
    seat_leave(seat_find_idle(share));
    (void)seat_take(share, worker);
    return feed(dispatch, worker, now, out);
}

static bool place_call(struct dispatch *dispatch, int64_t now,
                       struct action *out)
{
    const struct ring *active = &dispatch->active;

    for (int place = 0; place < PLACE_HELD; place++) {
        for (struct ring *at = active->next; at != active; at = at->next) {
            if (fill_place(dispatch, RING_OWNER(at, struct model, active),
                           (enum place)place, now, out))
                return true;
        }
    }
    return move_seat(dispatch, now, out);
}

static bool hedge_call(struct dispatch *dispatch, int64_t now,
                       struct action *out)
{
    struct hedge hedge = hedge_sooner(dispatch, now);

    if (hedge.at < 0)
        hedge = hedge_next(dispatch);
    if (hedge.at < 0 || hedge.at > now)
        return false;
    dispatch->n_hedged++;
    send_call(dispatch, hedge.worker, hedge.lease->queued, now, out);
    return true;
}

bool dispatch_next(struct dispatch *dispatch, int64_t now, struct action *out)
{
    bool found = tell_cancel(dispatch, out) || tell_drop(dispatch, out) ||
                 tell_park(dispatch, out) || place_call(dispatch, now, out) ||
                 hedge_call(dispatch, now, out);

    dispatch->settled = !found;
    return found;
}
