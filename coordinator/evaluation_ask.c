#include "coordinator/evaluation_ask.h"

#include "common/buf.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/evaluation_calls.h"
#include "coordinator/evaluation_result.h"
#include "coordinator/flight.h"
#include "program/prompt/prompt.h"
#include "store/calls.h"

static bool join(struct evaluation *ev, struct flight *flight, enum asker asker,
                 int part, struct err *err)
{
    struct waiter waiter = {.evaluation = ev, .asker = asker, .part = part};

    if (!flight_join(flight, &waiter, err))
        return false;
    ev->waiting++;
    return true;
}

static bool take_stored(struct evaluation *ev, enum asker asker, int part,
                        const struct call_ref *ref, struct err *err)
{
    struct call_answer answer = {0};
    bool ok = calls_load(ev->work->engine->store, ref->id, &answer, err) &&
              evaluation_remember(ev, asker, part, ref, err) &&
              ev->take(ev, asker, part, &answer, err);

    call_answer_release(&answer);
    return ok;
}

// Returns the last call whose answer the item may use. An excluded row keeps
// what was answered before its exclusion, so that a replay decides as before.
// It takes nothing that came later, whether `eval` or another job asked for it.
static int64_t last_call(const struct evaluation *ev)
{
    return job_work_last_call(ev->work, ev->item->row);
}

// Ends an item that may not be paid for at its first call that is not in the
// store. Returns true if it did.
static bool end_unless_payable(struct evaluation *ev)
{
    if (last_call(ev) < INT64_MAX)
        evaluation_detach(ev, ITEM_EXCLUDED);
    else if (ev->work->time_over)
        evaluation_detach(ev, ITEM_UNPAID);
    return ev->task == NULL;
}

static bool begin_flight(struct evaluation *ev, enum asker asker,
                         const struct order *order, struct err *err)
{
    struct flights *flights = &ev->work->engine->flights;
    struct flight *flight = flights_open(flights, order, err);

    if (flight == NULL)
        return false;
    ev->work->past_replay |= order->kind != CALL_EMBED;
    if (!join(ev, flight, asker, order->ask.part, err)) {
        flights_drop(flights, flight);
        return false;
    }
    if (answerer_of(&order->ask)->begin(flight, err))
        return true;
    ev->waiting--; // nobody may join a flight that never ends
    flights_drop(flights, flight);
    return false;
}

// Takes an answer that follows from the question alone. Nothing of it is
// stored.
static bool take_at_once(struct evaluation *ev, enum asker asker,
                         const struct order *order, struct err *err)
{
    struct buf text = BUF_INIT(PROMPT_MAX_BYTES * 16);
    bool ok = answerer_of(&order->ask)->answer(order, &text, err);
    struct call_answer answer = {.outcome = CALL_TEXT,
                                 .text = text.data,
                                 .text_len = text.len,
                                 .cached_tokens = -1};

    ok = ok && ev->take(ev, asker, order->ask.part, &answer, err);
    buf_release(&text);
    return ok;
}

// The one way to an answer from outside: at once, already in flight, stored, or
// paid.
bool evaluation_ask(struct evaluation *ev, enum asker asker,
                    struct order *order, struct err *err)
{
    struct engine *engine = ev->work->engine;
    struct flight *flight;
    struct call_ref ref;

    order->work = ev->work;
    if (asker == ASKER_STEP)
        order->sampling = ev->task->sampling;
    order->age = ev->task->run.age;
    order->batch = ev->task->batch;
    if (answerer_of(&order->ask)->answer != NULL)
        return take_at_once(ev, asker, order, err);
    if (!answerer_of(&order->ask)->address(order, ev->task, err))
        return false;
    flight = flights_find(&engine->flights, &order->key);
    if (flight != NULL && last_call(ev) == INT64_MAX)
        return join(ev, flight, asker, order->ask.part, err);
    if (calls_find(engine->store, &order->key, &ref) && ref.id <= last_call(ev))
        return take_stored(ev, asker, order->ask.part, &ref, err);
    return end_unless_payable(ev) || begin_flight(ev, asker, order, err);
}
