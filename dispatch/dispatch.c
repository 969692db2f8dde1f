#include "dispatch/dispatch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "dispatch/backlog.h"
#include "dispatch/blame.h"
#include "dispatch/dispatch_state.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/hedge.h"
#include "dispatch/lease.h"
#include "dispatch/offer.h"
#include "dispatch/queued_call.h"
#include "dispatch/seat.h"
#include "dispatch/share.h"

// --- creating and freeing ---

struct dispatch *dispatch_new(const struct dispatch_config *config,
                              struct err *err)
{
    struct dispatch *dispatch = calloc(1, sizeof *dispatch);

    if (dispatch == NULL) {
        err_nomem(err, "the scheduler");
        return NULL;
    }
    dispatch->config = *config;
    dispatch->last_lease = config->leases_from;
    ring_init(&dispatch->all_models);
    ring_init(&dispatch->active);
    ring_init(&dispatch->cancels);
    ring_init(&dispatch->drops);
    ring_init(&dispatch->parks);
    return dispatch;
}

// Nothing is heard from this worker: its calls are sent elsewhere. If it
// answers one after all, that still counts.
static void fall_silent(struct dispatch *dispatch,
                        struct dispatch_worker *worker, int64_t now)
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

// Removes the worker; its calls come back. The caller frees it.
static void retire(struct dispatch *dispatch, struct dispatch_worker *worker,
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

// Frees the lost workers with this number, or all of them, that the caller has
// not been told about yet.
static void free_drops(struct dispatch *dispatch, int32_t number, bool all)
{
    struct ring *at = dispatch->drops.next;

    while (at != &dispatch->drops) {
        struct dispatch_worker *worker =
            RING_OWNER(at, struct dispatch_worker, link);
        at = at->next;
        if (!all && worker->node.key != number)
            continue;
        ring_remove(&worker->link);
        dispatch_worker_free(worker);
    }
}

static void free_calls(struct dispatch *dispatch)
{
    struct table_node *node = table_next(&dispatch->calls, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&dispatch->calls, node);
        queued_call_forget(dispatch, RING_OWNER(node, struct queued_call, node),
                           0);
        node = next;
    }
}

static void free_models(struct dispatch *dispatch)
{
    while (!ring_empty(&dispatch->all_models)) {
        struct model *model =
            RING_OWNER(dispatch->all_models.next, struct model, all);
        ring_remove(&model->all);
        free(model);
    }
}

static void free_workers(struct dispatch *dispatch)
{
    struct table_node *node = table_next(&dispatch->workers, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&dispatch->workers, node);
        struct dispatch_worker *worker =
            RING_OWNER(node, struct dispatch_worker, node);
        retire(dispatch, worker, 0);
        dispatch_worker_free(worker);
        node = next;
    }
}

void dispatch_free(struct dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    free_calls(dispatch);
    shares_free(dispatch);
    free_workers(dispatch);
    free_drops(dispatch, 0, true);
    free_models(dispatch);
    table_release(&dispatch->calls);
    table_release(&dispatch->shares);
    table_release(&dispatch->models);
    table_release(&dispatch->groups);
    table_release(&dispatch->workers);
    table_release(&dispatch->leases);
    free(dispatch);
}

// --- workers ---

bool dispatch_join(struct dispatch *dispatch, int32_t worker, int slots,
                   int64_t now, struct err *err)
{
    if (slots < 1 || slots > DISPATCH_MAX_SLOTS) {
        err_set(err, ERR_INPUT,
                "worker %" PRId32 " offers %d slots; it must be 1 to %d",
                worker, slots, DISPATCH_MAX_SLOTS);
        return false;
    }
    dispatch_leave(dispatch, worker, now);
    free_drops(dispatch, worker, false);
    if (dispatch_worker_join(dispatch, worker, (size_t)slots, now) == NULL) {
        err_nomem(err, "a worker");
        return false;
    }
    return true;
}

bool dispatch_serves(struct dispatch *dispatch, int32_t worker, int32_t model,
                     struct err *err)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    dispatch->settled = false;
    if (known == NULL) {
        err_set(err, ERR_INPUT, "worker %" PRId32 " has not joined", worker);
        return false;
    }
    struct model *served = backlog_model(dispatch, model);
    if (served == NULL || !dispatch_worker_serve(known, served)) {
        err_nomem(err, "a worker's model");
        return false;
    }
    return true;
}

void dispatch_refuse(struct dispatch *dispatch, int32_t worker, int32_t number)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);
    struct table_node *node = table_find(&dispatch->models, number);

    dispatch->settled = false;
    if (known != NULL && node != NULL)
        dispatch_worker_unserve(known, RING_OWNER(node, struct model, node));
}

bool dispatch_forget_model(struct dispatch *dispatch, int32_t number)
{
    struct table_node *node = table_find(&dispatch->models, number);
    struct model *model =
        node == NULL ? NULL : RING_OWNER(node, struct model, node);

    if (model == NULL || model->n_calls > 0)
        return model == NULL;
    for (struct table_node *at = table_next(&dispatch->workers, NULL);
         at != NULL; at = table_next(&dispatch->workers, at)) {
        struct dispatch_worker *worker =
            RING_OWNER(at, struct dispatch_worker, node);
        dispatch_worker_unserve(worker, model);
        if (worker->loaded == model)
            worker->loaded = NULL;
    }
    ring_remove(&model->all);
    table_remove(&dispatch->models, &model->node);
    free(model);
    return true;
}

void dispatch_heard(struct dispatch *dispatch, int32_t worker, int64_t now)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    if (known == NULL)
        return;
    if (known->silent)
        dispatch->settled = false;
    dispatch_worker_heard(dispatch, known, now);
}

void dispatch_set_silence(struct dispatch *dispatch, int32_t worker,
                          int64_t silence_ms)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    if (known == NULL || known->rhythm_ms == silence_ms)
        return;
    known->rhythm_ms = silence_ms;
    dispatch_worker_set_alarm(dispatch, known);
}

void dispatch_suspect(struct dispatch *dispatch, int32_t worker, int64_t now)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    if (known == NULL || known->silent || !ring_empty(&known->busy))
        return;
    known->rhythm_ms = 0;
    known->fed_ms = now;
    dispatch_worker_set_alarm(dispatch, known);
}

void dispatch_set_behind(struct dispatch *dispatch, bool behind)
{
    dispatch->behind = behind;
}

void dispatch_drain(struct dispatch *dispatch, int32_t worker)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    dispatch->settled = false;
    if (known != NULL)
        dispatch_worker_drain(dispatch, known);
}

void dispatch_leave(struct dispatch *dispatch, int32_t worker, int64_t now)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    dispatch->settled = false;
    if (known == NULL)
        return;
    retire(dispatch, known, now);
    dispatch_worker_free(known);
}

// --- calls ---

bool dispatch_limit(struct dispatch *dispatch, int32_t job, int32_t max_workers,
                    struct err *err)
{
    bool ok = share_limit(dispatch, job, max_workers);

    dispatch->settled = false;
    if (!ok)
        err_nomem(err, "a job's limit on workers");
    return ok;
}

bool dispatch_queue(struct dispatch *dispatch, const struct dispatch_call *call,
                    int64_t now, struct err *err)
{
    struct queued_call *queued = NULL;

    dispatch->settled = false;
    if (queued_call_find(dispatch, call->id) != NULL) {
        err_set(err, ERR_INPUT, "call %" PRId64 " is already queued", call->id);
        return false;
    }
    queued = queued_call_make(dispatch, call);
    if (queued == NULL || !backlog_add(dispatch, queued, now)) {
        queued_call_free(dispatch, queued);
        err_nomem(err, "a call");
        return false;
    }
    table_add(&dispatch->calls, &queued->node, call->id);
    queued_call_enter(dispatch, queued, STATE_QUEUED);
    return true;
}

void dispatch_cancel(struct dispatch *dispatch, int64_t call, int64_t now)
{
    struct queued_call *queued = queued_call_find(dispatch, call);

    dispatch->settled = false;
    if (queued != NULL)
        queued_call_forget(dispatch, queued, now);
}

// --- answers and faults ---

// Returns the lease if it belongs to this worker, otherwise NULL.
static struct lease *lease_of(const struct dispatch *dispatch, int32_t worker,
                              int64_t lease)
{
    struct table_node *node = table_find(&dispatch->leases, lease);
    struct lease *known =
        node == NULL ? NULL : RING_OWNER(node, struct lease, node);

    return known != NULL && known->worker->node.key == worker ? known : NULL;
}

// Like lease_of, but also notes that the worker was heard.
static struct lease *hear_lease(struct dispatch *dispatch, int32_t worker,
                                int64_t lease, int64_t now)
{
    dispatch->settled = false;
    dispatch_heard(dispatch, worker, now);
    return lease_of(dispatch, worker, lease);
}

bool dispatch_find(const struct dispatch *dispatch, int32_t worker,
                   int64_t lease, int64_t *call)
{
    const struct lease *known = lease_of(dispatch, worker, lease);

    if (known == NULL || known->queued == NULL)
        return false;
    *call = known->queued->node.key;
    return true;
}

bool dispatch_done(struct dispatch *dispatch, int32_t worker, int64_t lease,
                   int64_t now, int64_t *call)
{
    struct lease *known = hear_lease(dispatch, worker, lease, now);

    if (known == NULL || known->queued == NULL)
        return false;
    struct queued_call *queued = known->queued;
    bool held = known->state == LEASE_HELD;
    if (held && known->slot != NULL) {
        pace_usual_learn(&queued->model->usual, queued->group->kind,
                         now - known->began_ms);
        dispatch_worker_learn_time(known->worker, known, now - known->began_ms);
    }
    blame_overtaken(queued, known);
    dispatch_worker_succeeded(dispatch, known->worker, queued->model, now);
    lease_move(dispatch, known, held ? LEASE_ANSWERED : LEASE_UNUSED, now);
    *call = queued->node.key;
    queued_call_forget(dispatch, queued, now);
    return true;
}

void dispatch_credit(struct dispatch *dispatch, int32_t worker, int64_t lease,
                     int64_t now)
{
    struct lease *known = hear_lease(dispatch, worker, lease, now);

    if (known != NULL && known->state == LEASE_ANSWERED)
        lease_move(dispatch, known, LEASE_UNUSED, now);
}

bool dispatch_confirm(struct dispatch *dispatch, int32_t worker, int64_t lease,
                      int64_t now)
{
    struct lease *known = lease_of(dispatch, worker, lease);

    if (known != NULL)
        known->confirmed_ms = now;
    return known != NULL;
}

static struct action send_again(struct dispatch *dispatch, struct lease *lease,
                                int64_t now)
{
    lease_send_again(dispatch, lease, now);
    return (struct action){.kind = ACTION_SEND,
                           .worker = (int32_t)lease->worker->node.key,
                           .call = lease->call,
                           .lease = lease->node.key};
}

bool dispatch_resend(struct dispatch *dispatch, int32_t worker, int64_t lease,
                     int64_t now, struct action *out)
{
    struct lease *known = lease_of(dispatch, worker, lease);

    if (known == NULL || known->state != LEASE_HELD)
        return false;
    *out = send_again(dispatch, known, now);
    return true;
}

bool dispatch_unconfirmed(struct dispatch *dispatch, int32_t worker,
                          int64_t now, struct action *out)
{
    struct dispatch_worker *known = dispatch_worker_find(dispatch, worker);

    if (known == NULL || known->n_places == 0)
        return false;
    for (size_t i = 0; i < known->n_leases; i++) {
        struct lease *lease = &known->leases[i];

        if (lease->state != LEASE_HELD ||
            now - lease->confirmed_ms < DISPATCH_ACK_MS)
            continue;
        *out = send_again(dispatch, lease, now);
        return true;
    }
    return false;
}

bool dispatch_fault(struct dispatch *dispatch, int32_t worker, int64_t lease,
                    enum call_fault fault, int64_t now)
{
    struct lease *known = hear_lease(dispatch, worker, lease, now);

    assert((unsigned)fault < CALL_FAULT_COUNT);
    if (known == NULL || known->queued == NULL)
        return false;
    if (known->state == LEASE_HELD)
        blame_fault(dispatch, known, fault, LEASE_UNUSED, now);
    else // its fault counted when the lease ended
        lease_move(dispatch, known, LEASE_UNUSED, now);
    return true;
}

// --- time ---

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
            fall_silent(dispatch, worker, now);
        } else {
            retire(dispatch, worker, now);
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

// --- actions ---

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

void dispatch_count(const struct dispatch *dispatch,
                    struct dispatch_counts *out)
{
    *out = (struct dispatch_counts){
        .workers = dispatch->workers.count - dispatch->n_silent,
        .slots = dispatch->n_slots,
        .queued = dispatch->n_state[STATE_QUEUED],
        .waiting = dispatch->n_state[STATE_WAITING],
        .leased = dispatch->n_state[STATE_LEASED],
        .parked = dispatch->n_state[STATE_PARKED],
        .sent = dispatch->n_sent,
        .faults = dispatch->n_faults,
        .hedged = dispatch->n_hedged,
        .swaps = dispatch->n_swaps,
    };
}

int64_t dispatch_silences(const struct dispatch *dispatch)
{
    return dispatch->n_silences;
}

bool dispatch_can_serve(const struct dispatch *dispatch, int32_t model)
{
    struct table_node *node = table_find(&dispatch->models, model);

    return node != NULL && RING_OWNER(node, struct model, node)->n_live > 0;
}

static enum dispatch_worker_state state_of(const struct dispatch_worker *worker)
{
    if (worker->silent)
        return DISPATCH_WORKER_SILENT;
    if (worker->draining)
        return DISPATCH_WORKER_DRAINING;
    if (dispatch_worker_rests(worker))
        return DISPATCH_WORKER_RESTING;
    return DISPATCH_WORKER_SERVING;
}

bool dispatch_worker_look(const struct dispatch *dispatch, int32_t worker,
                          struct dispatch_worker_view *out)
{
    const struct dispatch_worker *known =
        dispatch_worker_find(dispatch, worker);

    if (known == NULL)
        return false;
    *out = (struct dispatch_worker_view){.state = state_of(known),
                                         .n_faults = known->n_faults,
                                         .n_calls = known->n_places,
                                         .heard_ms = known->heard_ms};
    return true;
}
