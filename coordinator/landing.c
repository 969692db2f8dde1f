#include "coordinator/landing.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/engine.h"
#include "coordinator/evaluation.h"
#include "coordinator/flight.h"
#include "coordinator/job_work.h"
#include "store/calls.h"

static const char *bill_name(int bill)
{
    return bill == BILL_EXEC ? "exec" : role_names[bill];
}

static bool put_call(struct engine *engine, struct flight *flight,
                     const char *by, const struct call_answer *answer,
                     struct err *err)
{
    const struct order *order = &flight->order;
    struct call_put row = {
        .key = order->key,
        .job_no = order->work->job_no,
        .role = bill_name(order->bill),
        .purpose = order->purpose,
        .step = order->step,
        .tail = order->ask.payload,
        .tail_len = order->ask.payload_len,
        .question = order->ask.kept == NULL ? NULL : &order->ask.kept->stored,
        .answer = answer,
        .worker = by,
        .attempts = flight->sends,
        .hedged = flight->hedged,
        .finished_ms = clock_wall_ms(),
    };

    if (!answerer_of(&order->ask)->record(flight, &row, err))
        return false;
    flight->call_id = calls_put(engine->store, &row, err);
    return flight->call_id != 0;
}

bool landing_take(struct engine *engine, struct flight *flight, const char *by,
                  const struct call_answer *answer, struct err *err)
{
    flight->answer = *answer;
    flight->answer.text = strdup(answer->text);
    if (answer->logprobs != NULL)
        flight->answer.logprobs = strdup(answer->logprobs);
    if (flight->answer.text == NULL ||
        (answer->logprobs != NULL && flight->answer.logprobs == NULL))
        err_nomem(err, "an answer");
    else if (put_call(engine, flight, by, answer, err)) {
        flight->put = store_last_put(engine->store);
        job_work_paid(flight, clock_monotonic_ms());
        flights_land(&engine->flights, flight);
        return true;
    }
    if (flight->worker >= 0)
        dispatch_credit(engine->dispatch, flight->worker, flight->lease,
                        clock_monotonic_ms());
    return false;
}

// Gives the answer of a durable flight to its waiters, in the order in which
// they joined.
static void tell_waiters(struct flight *flight)
{
    while (flight->waiters != NULL) {
        struct waiter *waiter = flight->waiters;
        struct job_work *work = evaluation_work(waiter->evaluation);
        struct err err = ERR_CLEAR;

        flight->waiters = waiter->next;
        if (!evaluation_feed(waiter, flight, &err) &&
            work->failure.code == ERR_NONE)
            work->failure = err;
        waiter_free(flight, waiter);
    }
}

void landing_settle(struct engine *engine, int64_t now)
{
    uint64_t durable;
    struct flight *flight;

    store_notice_clear(engine->store);
    durable = store_durable(engine->store);
    while (!turn_is_over(&engine->turn) &&
           (flight = flights_take_durable(&engine->flights, durable)) != NULL) {
        if (flight->worker >= 0)
            dispatch_credit(engine->dispatch, flight->worker, flight->lease,
                            now);
        tell_waiters(flight);
        flight_close(&engine->flights, flight);
    }
}
