#include "dispatch/queued_call.h"

#include <stdlib.h>

#include "dispatch/backlog.h"
#include "dispatch/group.h"
#include "dispatch/lease.h"
#include "dispatch/share.h"

struct queued_call *queued_call_find(const struct dispatch *dispatch,
                                     int64_t call)
{
    struct table_node *node = table_find(&dispatch->calls, call);

    return node == NULL ? NULL : RING_OWNER(node, struct queued_call, node);
}

struct queued_call *queued_call_make(struct dispatch *dispatch,
                                     const struct dispatch_call *call)
{
    struct queued_call *queued = NULL;
    struct share *share = share_take(dispatch, call);
    struct group *group = group_take(dispatch, call);
    struct model *model = backlog_model(dispatch, call->model);

    if (share != NULL && group != NULL && model != NULL &&
        table_reserve(&dispatch->calls, 1))
        queued = calloc(1, sizeof *queued);
    if (queued == NULL) {
        if (share != NULL)
            share_drop(dispatch, share);
        group_drop(dispatch, group);
        return NULL;
    }
    queued->share = share;
    queued->group = group;
    queued->model = model;
    queued->trial = call->trial;
    queued->batch = call->batch;
    queued->timeout_ms = call->timeout_ms;
    ring_init(&queued->link);
    model->n_calls++;
    return queued;
}

void queued_call_free(struct dispatch *dispatch, struct queued_call *queued)
{
    if (queued == NULL)
        return;
    share_drop(dispatch, queued->share);
    group_drop(dispatch, queued->group);
    queued->model->n_calls--;
    free(queued);
}

void queued_call_enter(struct dispatch *dispatch, struct queued_call *queued,
                       enum queued_state state)
{
    queued->state = (uint8_t)state;
    dispatch->n_state[state]++;
    if (state == STATE_LEASED)
        queued->share->in_work++;
}

void queued_call_leave(struct dispatch *dispatch, struct queued_call *queued)
{
    dispatch->n_state[queued->state]--;
    switch ((enum queued_state)queued->state) {
    case STATE_QUEUED:
        backlog_remove(queued);
        break;
    case STATE_WAITING:
        heap_remove(&dispatch->waits, &queued->at.ready);
        break;
    case STATE_LEASED:
        queued->share->in_work--;
        break;
    case STATE_PARKED:
        ring_remove(&queued->link);
        break;
    }
}

void queued_call_wait(struct dispatch *dispatch, struct queued_call *queued,
                      int64_t ready)
{
    heap_add(&dispatch->waits, &queued->at.ready, ready);
    queued_call_enter(dispatch, queued, STATE_WAITING);
}

void queued_call_requeue(struct dispatch *dispatch, struct queued_call *queued,
                         int64_t now)
{
    if (backlog_add(dispatch, queued, now))
        queued_call_enter(dispatch, queued, STATE_QUEUED);
    else
        queued_call_wait(dispatch, queued, now + DISPATCH_BACKOFF_MS);
}

void queued_call_park(struct dispatch *dispatch, struct queued_call *queued)
{
    ring_push_back(&dispatch->parks, &queued->link);
    queued_call_enter(dispatch, queued, STATE_PARKED);
}

void queued_call_forget(struct dispatch *dispatch, struct queued_call *queued,
                        int64_t now)
{
    while (queued->leases != NULL)
        lease_move(dispatch, queued->leases, LEASE_CANCELLED, now);
    queued_call_leave(dispatch, queued);
    table_remove(&dispatch->calls, &queued->node);
    queued_call_free(dispatch, queued);
}
