#include "dispatch/dispatch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "dispatch/backlog.h"
#include "dispatch/blame.h"
#include "dispatch/departure.h"
#include "dispatch/dispatch_state.h"
#include "dispatch/dispatch_worker.h"
#include "dispatch/lease.h"
#include "dispatch/queued_call.h"
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

// Frees a lost worker that the caller has not been told about yet.
static void free_drop(struct ring *at)
{
    struct dispatch_worker *worker =
        RING_OWNER(at, struct dispatch_worker, link);

    ring_remove(at);
    dispatch_worker_free(worker);
}

static void free_drops(struct dispatch *dispatch)
{
    while (!ring_empty(&dispatch->drops))
        free_drop(dispatch->drops.next);
}

static void free_drops_of(struct dispatch *dispatch, int32_t number)
{
    struct ring *at = dispatch->drops.next;

    while (at != &dispatch->drops) {
        struct ring *next = at->next;

        if (RING_OWNER(at, struct dispatch_worker, link)->node.key == number)
            free_drop(at);
        at = next;
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
        departure_gone(dispatch, worker, 0);
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
    free_drops(dispatch);
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
    free_drops_of(dispatch, worker);
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
    departure_gone(dispatch, known, now);
    dispatch_worker_free(known);
}

// --- calls ---

bool dispatch_set_limit(struct dispatch *dispatch, int32_t job,
                        int32_t max_workers, struct err *err)
{
    bool ok = share_set_limit(dispatch, job, max_workers);

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

// --- what it knows ---

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

size_t dispatch_job_leased(const struct dispatch *dispatch, int32_t job)
{
    const struct share *share = share_find(dispatch, job);

    return share == NULL ? 0 : share->in_work;
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
