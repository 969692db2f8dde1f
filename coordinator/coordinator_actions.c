#include "coordinator/coordinator_actions.h"

#include <assert.h>

#include "common/text.h"
#include "coordinator/delivery.h"
#include "coordinator/flight.h"
#include "coordinator/job_work.h"
#include "coordinator/kept_calls.h"
#include "coordinator/side_call.h"

static void send_side_call(struct coordinator *c, const struct action *action,
                           int64_t now)
{
    struct side_call *side = side_call_find(&c->engine, action->call);
    struct err err = ERR_CLEAR;

    assert(side != NULL);
    if (!delivery_send_side_call(c->peers, action, side, now, &err))
        clients_refuse_side_call(c->clients, side, &err, now);
}

static void do_send(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_find_id(&c->engine.flights, action->call);
    struct err err = ERR_CLEAR;

    if (flight == NULL) {
        send_side_call(c, action, now);
        return;
    }
    flight->sends++;
    flight->hedged = flight->hedged || action->hedge;
    if (action->hedge)
        flight->order.work->hedges++;
    if (delivery_send_call(c->peers, action, flight, now, &err))
        return;
    dispatch_cancel(c->engine.dispatch, action->call, now);
    job_work_park(&c->engine.flights, flight, err.text);
}

// When a coordinator stops, its workers finish the calls that they have and
// keep the answers. The next coordinator learns of them (kept_calls.h).
static void do_cancel(struct coordinator *c, const struct action *action,
                      int64_t now)
{
    (void)now;
    if (!jobs_are_draining(c->jobs))
        delivery_cancel(c->peers, action);
}

static void do_drop(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    peers_drop_worker(c->peers, action->worker, now);
}

static void park_side_call(struct coordinator *c, int64_t call,
                           const char *cause, int64_t now)
{
    struct side_call *side = side_call_find(&c->engine, call);
    struct err err = ERR_CLEAR;

    assert(side != NULL);
    err_set(&err, ERR_IO, "the call failed wherever it was tried (%s)", cause);
    clients_refuse_side_call(c->clients, side, &err, now);
}

static void do_park(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_find_id(&c->engine.flights, action->call);
    const struct worker_fault *last = &c->engine.workers.last_fault;
    char cause[200];

    dispatch_cancel(c->engine.dispatch, action->call, now);
    text_print(cause, sizeof cause, "%s%s%s", call_fault_name(action->fault),
               last->fault == action->fault ? ": " : "",
               last->fault == action->fault ? last->text : "");
    if (flight != NULL)
        job_work_park(&c->engine.flights, flight, cause);
    else
        park_side_call(c, action->call, cause, now);
}

void coordinator_act(struct coordinator *c, int64_t now)
{
    static void (*const acts[])(struct coordinator *, const struct action *,
                                int64_t) = {
        [ACTION_SEND] = do_send,
        [ACTION_CANCEL] = do_cancel,
        [ACTION_DROP] = do_drop,
        [ACTION_PARK] = do_park,
    };
    struct action action;
    size_t at = 0;

    while (kept_calls_give(&c->engine, &at, now, &action))
        do_send(c, &action, now);
    if (now < c->engine.gather_until_ms)
        return;
    while (!turn_is_over(&c->engine.turn) &&
           dispatch_next(c->engine.dispatch, now, &action))
        acts[action.kind](c, &action, now);
}
