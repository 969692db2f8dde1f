#include "worker/work.h"

#include <string.h>

#include "common/clock.h"
#include "worker/link.h"

// Times in milliseconds; docs/protocol.md says where each comes from.
enum {
    BUSY_MS = 250, // after the first 503, doubled each time
    BUSY_TRIES = 4,
    BUSY_HOLD_MS = 5000, // a call is not held here for a longer wait
};

// The server is busy: the call is tried here again in a moment. If the server
// asks for a longer wait (Retry-After), the call goes back at once, since
// another worker may have room, and this server is left alone until then.
static void send_busy_later(struct worker *worker, struct held *held,
                            const struct model_done *done)
{
    int64_t id = held->call.id;
    int64_t wait_ms = (int64_t)BUSY_MS << held->busy_tries;

    held_set_open(&worker->held, held, false);
    if (done->retry_ms > wait_ms)
        wait_ms = done->retry_ms;
    worker->busy_ms = clock_monotonic_ms() + wait_ms;
    if (++held->busy_tries < BUSY_TRIES && wait_ms <= BUSY_HOLD_MS)
        return;
    held_remove(&worker->held, held);
    (void)link_send_fault(worker, id, FAULT_BUSY, done->text);
}

// Sends the answer that has come, and keeps it until it is surely durable.
static void send_answer(struct worker *worker, struct held *held)
{
    struct message message = {.kind = MESSAGE_ANSWER};

    message.as.answer.id = held->call.id;
    message.as.answer.answer = held->answer;
    held_keep(&worker->held, held);
    held_set_sent(&worker->held, held, true);
    // Nobody paid for what a worker shows when it joins. (If the answer could
    // not be sent, link_send has already dropped it.)
    if (link_send(worker, &message) && message.as.answer.id >= WIRE_PROOF_ID)
        held_remove(&worker->held, held);
}

size_t work_count(const struct worker *worker)
{
    size_t n = 0;

    for (const struct held *at = worker->held.first; at != NULL; at = at->next)
        n += !at->kept && at->call.id < WIRE_PROOF_ID;
    return n;
}

void work_forget_durable(struct worker *worker)
{
    size_t credit = (size_t)worker->address.slots + 1;

    while (work_count(worker) + worker->held.n_sent > credit &&
           worker->held.n_sent > 0)
        held_remove(&worker->held, held_first_sent(&worker->held));
}

static void take_answer(struct worker *worker, struct held *held,
                        struct model_done *done)
{
    atomic_store(&worker->answered_ms, clock_monotonic_ms());
    server_watch_answered(worker->watch);
    worker_speed_add(&worker->speed, &done->answer);
    held_set_open(&worker->held, held, false);
    held->answered = true;
    held->answer = done->answer;
    done->answer = (struct call_answer){0};
}

// For a call that took too long: returns true if the server answers at all. If
// it does not, the fault is not the call's.
static bool server_still_answers(struct worker *worker,
                                 const struct model_done *done)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t begun_ms = now_ms - done->answer.total_us / 1000;
    bool there =
        worker->state != SERVING || server_watch_answers(worker->watch);

    if (there)
        worker_speed_miss(&worker->speed, begun_ms, now_ms);
    return there;
}

// The server says that it does not have the model of a call. If it still lists
// the model, that is an ordinary fault, which passes, and not the end of all
// calls for the model.
static bool server_still_lists(struct worker *worker, const struct held *held,
                               struct model_done *done)
{
    struct err err = ERR_CLEAR;

    if (!server_watch_lists(worker->watch, held->call.request.model))
        return false;
    err_set(&err, ERR_FAULT,
            "the server lists the model %s but says that it does not have it",
            held->call.request.model);
    done->fault = FAULT_SERVER;
    memcpy(done->text, err.text, sizeof done->text);
    return true;
}

// Returns true if the server answers when asked for its version, but no call
// comes back in time.
static bool is_wedged(const struct worker *worker)
{
    return worker->restart.command != NULL && worker->state == SERVING &&
           worker->speed.missed >= RESTART_TIMEOUTS;
}

// Returns true if somebody pulled another model under the name, and this is
// that model's answer.
static bool is_from_other_model(struct worker *worker, const struct held *held,
                                const struct model_done *done)
{
    return server_watch_exchanged(worker->watch, &held->call,
                                  done->answer.load_us);
}

static void drop_other_models_answer(struct worker *worker, struct held *held)
{
    if (worker->state == SERVING)
        link_leave(worker,
                   "the server now has a different model under the same name");
    else if (held->kept)
        held_remove(&worker->held, held);
    else
        (void)link_hand_back(
            worker, held_has_lease,
            "the server now has a different model under the same name");
}

static void report_answer(struct worker *worker, struct held *held,
                          struct model_done *done)
{
    if (is_from_other_model(worker, held, done)) {
        drop_other_models_answer(worker, held);
        return;
    }
    take_answer(worker, held, done);
    if (!held->kept)
        send_answer(worker, held);
}

// Leaves if the fault means that the server is gone or has lost the model; then
// the call goes back with all others. Returns true if it left.
static bool leaves_instead(struct worker *worker, struct held *held,
                           struct model_done *done)
{
    if (done->fault == FAULT_TIMEOUT && !server_still_answers(worker, done)) {
        link_leave(worker, "the model server no longer answers");
        return true;
    }
    if (done->fault == FAULT_MODEL && worker->state == SERVING &&
        !server_still_lists(worker, held, done)) {
        server_watch_lacks_model(worker->watch);
        link_leave(worker, "the model server has lost a model");
        return true;
    }
    return false;
}

static void report_fault(struct worker *worker, struct held *held,
                         struct model_done *done)
{
    int64_t id = held->call.id;

    if (held->kept) {
        held_remove(&worker->held, held); // nobody must hear about the fault
        return;
    }
    if (done->fault == FAULT_BUSY) {
        send_busy_later(worker, held, done);
        return;
    }
    if (leaves_instead(worker, held, done))
        return;
    held_remove(&worker->held, held);
    server_watch_failed(worker->watch);
    if (!link_send_fault(worker, id, done->fault, done->text))
        return;
    if (is_wedged(worker)) {
        restart_begin(&worker->restart, worker->name,
                      "one call after another times out", clock_monotonic_ms());
        link_leave(worker, "the model server is wedged and is being restarted");
    } else if (done->fault == FAULT_REFUSED && worker->state == SERVING) {
        link_leave(worker, "the model server went away");
    }
}

static void report(struct worker *worker, struct held *held,
                   struct model_done *done)
{
    if (done->fault == FAULT_NONE)
        report_answer(worker, held, done);
    else
        report_fault(worker, held, done);
}

void work_report_done(struct worker *worker)
{
    struct model_done done = {0};

    while (model_take_done(worker->client, &done)) {
        pulse_has_call(&worker->pulse, clock_monotonic_ms());
        struct held *held = held_by_number(&worker->held, done.id);
        if (held != NULL)
            report(worker, held, &done);
        call_answer_release(&done.answer);
    }
}

static bool begin_call(struct worker *worker, struct held *held)
{
    struct err err = ERR_CLEAR;
    int64_t timeout_ms = worker_speed_timeout_ms(
        &worker->speed, &held->call.request, held->call.timeout_ms);

    if (model_begin(worker->client, held->number, &held->call.request,
                    timeout_ms, &err)) {
        held_set_open(&worker->held, held, true);
        return true;
    }
    int64_t id = held->call.id;
    held_remove(&worker->held, held);
    return link_send_fault(worker, id, FAULT_BUSY, err.text);
}

void work_begin(struct worker *worker, int64_t now_ms)
{
    while (worker->held.n_open < (size_t)worker->address.slots &&
           now_ms >= worker->busy_ms) {
        struct held *held = held_first_waiting(&worker->held);
        if (held == NULL || !begin_call(worker, held))
            return;
    }
}

bool work_adopt(struct worker *worker, const struct call_message *call)
{
    struct held *held = held_find_key(&worker->held, call->key, call->key_len);

    if (held == NULL)
        return false;
    held_adopt(&worker->held, held, call->id);
    if (held->answered)
        send_answer(worker, held);
    return true;
}
