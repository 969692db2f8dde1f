#include "coordinator/inbox_calls.h"

#include "common/log.h"
#include "coordinator/answer_check.h"
#include "coordinator/delivery.h"
#include "coordinator/flight.h"
#include "coordinator/side_call.h"
#include "wire/lease.h"

// --- which they hold and lack ---

// Sends calls again that the worker should have but does not name: either the
// call was lost on the way there, or its answer on the way here. The worker
// knows what it has answered, so nothing is paid for twice.
static void resend_unconfirmed(struct inbox *inbox, int32_t worker, int64_t now)
{
    struct action action;

    while (
        dispatch_unconfirmed(inbox->engine->dispatch, worker, now, &action)) {
        struct peer *peer = peers_find_worker(inbox->peers, worker);

        // The prefix that other calls refer to may have been lost with it.
        if (peer != NULL)
            mailbox_forget_prefixes(peer->mailbox);
        delivery_send_again(inbox->peers, &action, now);
    }
}

// Sends calls again that came with a prefix that the worker does not know. The
// first of them brings the prefix for the others too. Each call counts as a
// message that the peer asks for.
static void resend_lacking(struct arrival *arrival,
                           const struct heartbeat *beat)
{
    int32_t worker = arrival->peer->worker->number;
    struct inbox *inbox = arrival->inbox;
    size_t n = beat->lacks_len / WIRE_LEASE_BYTES;
    struct action action;

    if (!token_bucket_take(&arrival->peer->messages, (int64_t)n,
                           arrival->now)) {
        peers_cut_off(inbox->peers, arrival->peer,
                      "it asks for far more than it can take", arrival->now);
        return;
    }
    mailbox_forget_prefixes(arrival->peer->mailbox);
    for (size_t i = 0; i < n; i++) // sending may end the peer
        if (dispatch_resend(inbox->engine->dispatch, worker,
                            lease_read(beat->lacks + i * WIRE_LEASE_BYTES),
                            arrival->now, &action))
            delivery_send_again(inbox->peers, &action, arrival->now);
}

// Cancels a call that the worker is working on and nobody waits for: its CANCEL
// was lost.
static void confirm(struct inbox *inbox, int32_t worker, int64_t lease,
                    int64_t now)
{
    struct action cancel = {
        .kind = ACTION_CANCEL, .worker = worker, .lease = lease};

    if (!dispatch_confirm(inbox->engine->dispatch, worker, lease, now))
        delivery_cancel(inbox->peers, &cancel);
}

void inbox_compare_calls(struct arrival *arrival, const struct heartbeat *beat)
{
    int32_t worker = arrival->peer->worker->number;
    struct inbox *inbox = arrival->inbox;

    if (beat->lacks_len > 0)
        resend_lacking(arrival, beat);
    if (beat->held == NULL)
        return;
    for (size_t at = 0; at + WIRE_LEASE_BYTES <= beat->held_len;
         at += WIRE_LEASE_BYTES)
        confirm(inbox, worker, lease_read(beat->held + at), arrival->now);
    resend_unconfirmed(inbox, worker, arrival->now);
}

// --- how they ended ---

// Gives back the tokens of a message that answers a call of the worker; the
// first answer to a call is free.
static void refund_tokens(struct arrival *arrival)
{
    token_bucket_give(&arrival->peer->messages, 1);
    token_bucket_give(&arrival->peer->bytes, (int64_t)arrival->part_bytes);
}

// Returns the work of the job that pays for the call under that lease; NULL if
// there is none.
static struct job_work *payer_of(const struct engine *engine, int32_t worker,
                                 int64_t lease)
{
    struct flight *flight = NULL;
    int64_t call = 0;

    if (dispatch_find(engine->dispatch, worker, lease, &call))
        flight = flights_find_id(&engine->flights, call);
    return flight == NULL ? NULL : flight->order.work;
}

// Handles the fault of the call under that lease.
static void take_fault(struct arrival *arrival, int64_t lease,
                       enum call_fault fault, const char *text)
{
    struct worker_info *worker = arrival->peer->worker;
    struct engine *engine = arrival->inbox->engine;
    struct job_work *payer = payer_of(engine, worker->number, lease);

    if (!dispatch_fault(engine->dispatch, worker->number, lease, fault,
                        arrival->now))
        return;
    if (payer != NULL)
        payer->faults++;
    refund_tokens(arrival);
    workers_failed(&engine->workers, worker, fault, text, arrival->now);
    log_info("call-fault", "worker %s: %s", worker->name, worker->last_fault);
}

// Refuses an embedding that is not one, before it is stored for good: it counts
// as a fault of the worker. Returns true if it refused the answer.
static bool refuse_embedding(struct arrival *arrival,
                             const struct answer_message *message)
{
    struct engine *engine = arrival->inbox->engine;
    struct err why = ERR_CLEAR;
    int64_t call = 0;
    const struct flight *flight;

    if (engine->flights.n_embeddings == 0 ||
        !dispatch_find(engine->dispatch, arrival->peer->worker->number,
                       message->id, &call))
        return false;
    flight = flights_find_id(&engine->flights, call);
    if (flight == NULL || flight->order.kind != CALL_EMBED ||
        answer_is_embedding(
            &message->answer,
            &engine->models.entries[flight->order.model].embedding_size, &why))
        return false;
    take_fault(arrival, message->id, FAULT_GARBAGE, why.text);
    return true;
}

// Side calls are not stored, so there is no commit to wait for.
static void take_side_answer(struct arrival *arrival, int64_t call,
                             const struct answer_message *message)
{
    struct engine *engine = arrival->inbox->engine;
    const struct inbox_handlers *handlers = &arrival->inbox->handlers;
    struct side_call *side = side_call_find(engine, call);

    dispatch_credit(engine->dispatch, arrival->peer->worker->number,
                    message->id, arrival->now);
    if (side != NULL)
        handlers->side_call_answered(handlers->user, side, &message->answer);
}

static void land_answer(struct arrival *arrival, struct flight *flight,
                        const struct answer_message *message)
{
    const struct inbox_handlers *handlers = &arrival->inbox->handlers;
    const struct worker_info *worker = arrival->peer->worker;
    struct call_answer answer = message->answer;

    flight->worker = worker->number;
    flight->lease = message->id;
    answer_bound(&flight->order.options, &answer);
    handlers->answered(handlers->user, flight, worker, &answer);
}

void inbox_take_answer(struct arrival *arrival)
{
    const struct answer_message *message = &arrival->message->as.answer;
    struct engine *engine = arrival->inbox->engine;
    struct worker_info *worker = arrival->peer->worker;
    struct flight *flight;
    int64_t call;

    if (message->id >= WIRE_PROOF_ID) {
        proofs_answered(engine, worker, message->id, &message->answer,
                        arrival->now);
        return;
    }
    if (refuse_embedding(arrival, message) ||
        !dispatch_done(engine->dispatch, worker->number, message->id,
                       arrival->now, &call))
        return;
    refund_tokens(arrival);
    worker->calls++;
    worker->asked = true;
    flight = flights_find_id(&engine->flights, call);
    if (flight == NULL)
        take_side_answer(arrival, call, message);
    else
        land_answer(arrival, flight, message);
}

void inbox_take_fault(struct arrival *arrival)
{
    const struct fault_message *fault = &arrival->message->as.fault;
    struct worker_info *worker = arrival->peer->worker;

    if (fault->id >= WIRE_PROOF_ID) {
        proofs_failed(arrival->inbox->engine, worker, fault->id,
                      (enum call_fault)fault->fault, fault->text, arrival->now);
        return;
    }
    take_fault(arrival, fault->id, (enum call_fault)fault->fault, fault->text);
}
