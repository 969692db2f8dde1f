#include "worker/states.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "worker/link.h"
#include "worker/work.h"

// Times in milliseconds; docs/protocol.md says where each comes from.
enum {
    KEPT_MS = 30000, // after WELCOME, until kept calls count as unwanted
    GUEST_WAIT_MS = GUEST_LOOK_MS, // between checks, for an absent guest
};

// The log says why, in one line, until the worker may work again.
static bool must_step_back(struct worker *worker, int64_t now_ms)
{
    const char *why = guest_refusal(&worker->guest, now_ms);

    if (why != NULL && !worker->told_stepping_back)
        log_info("worker-yields", "worker %s steps back: %s", worker->name,
                 why);
    worker->told_stepping_back = why != NULL;
    return why != NULL;
}

static void step_apart(struct worker *worker, int64_t now_ms)
{
    work_report_done(worker); // these are kept calls: there are no others
    if (!uplink_is_due(worker->uplink, now_ms))
        return;
    if (must_step_back(worker, now_ms)) {
        uplink_delay(worker->uplink, now_ms + GUEST_WAIT_MS);
        return;
    }
    if (!server_watch_probe(worker->watch) ||
        !uplink_open(worker->uplink, clock_monotonic_ms())) {
        link_part(worker);
        return;
    }
    int slots = server_watch_server(worker->watch)->slots;
    if (!worker->address.slots_given && slots > 0)
        worker->address.slots = slots;
    worker->state = GREETING;
}

// Writes the keys of the kept calls. Returns the number of bytes.
static size_t list_kept(const struct held_list *held,
                        char out[WIRE_MAX_KEPT * WIRE_KEY_BYTES])
{
    size_t len = 0;

    for (const struct held *at = held->first;
         at != NULL && len < WIRE_MAX_KEPT * WIRE_KEY_BYTES; at = at->next) {
        if (!at->kept)
            continue;
        memcpy(out + len, at->call.key, WIRE_KEY_BYTES);
        len += WIRE_KEY_BYTES;
    }
    return len;
}

// A HELLO, with room for what it says about the worker and its server.
struct introduction {
    struct hello hello;
    struct wire_model models[WIRE_MAX_MODELS];
    char kept[WIRE_MAX_KEPT * WIRE_KEY_BYTES];
};

static void introduce(const struct worker *worker,
                      const struct model_server *server,
                      struct introduction *out)
{
    out->hello = (struct hello){.version = WIRE_VERSION,
                                .role = PEER_WORKER,
                                .name = worker->name,
                                .slots = worker->address.slots,
                                .software = "promptcc " PROMPTCC_VERSION,
                                .backend = worker->address.backend,
                                .kept = out->kept,
                                .kept_len = list_kept(&worker->held, out->kept),
                                .several = 1,
                                .prefixes = WIRE_MAX_PREFIXES};
    server_watch_describe(worker->watch, server, out->models, &out->hello);
}

static void step_greeting(struct worker *worker, int64_t now_ms)
{
    work_report_done(worker);
    if (!uplink_has_greeted(worker->uplink)) {
        struct introduction own;

        introduce(worker, server_watch_server(worker->watch), &own);
        uplink_greet(worker->uplink, &own.hello);
    }
    if (uplink_is_unanswered(worker->uplink, now_ms))
        link_lose(worker);
}

// Somebody pulled a model that a job may be waiting for, while this worker may
// be busy with another one for days. So it sends the same greeting again, with
// the models that the server has now. If that cannot be sent, it is said at the
// next look.
static void tell_models(struct worker *worker, struct model_server *found)
{
    struct introduction own;

    introduce(worker, found, &own);
    if (uplink_say_hello(worker->uplink, &own.hello))
        server_watch_take(worker->watch, found);
}

// Models that came or went are no reason to give back the calls held here.
static void look_at_server(struct worker *worker, int64_t now_ms)
{
    bool has_calls = worker->held.n + worker->held.n_open > 0;
    struct model_server found = {0};

    switch (server_watch_look(worker->watch, has_calls, now_ms, &found)) {
    case SERVER_UNCHANGED:
        break;
    case SERVER_GONE:
        link_leave(worker, "the model server went away");
        break;
    case SERVER_EXCHANGED:
        link_leave(worker,
                   "the server now has a different model under the same name");
        break;
    case SERVER_CHANGED:
        if (has_calls)
            tell_models(worker, &found);
        else
            link_leave(worker, "the model server now has other models");
        break;
    }
    model_server_release(&found);
}

// Returns false if the coordinator is lost.
static bool keep_in_touch(struct worker *worker, int64_t now_ms)
{
    if (pulse_is_lost(&worker->pulse, now_ms)) {
        link_lose(worker);
        return false;
    }
    return !pulse_is_due(&worker->pulse, now_ms) || link_send_heartbeat(worker);
}

void states_begin_drain(struct worker *worker)
{
    char calls[TEXT_COUNTED_BYTES];

    if (worker->state != SERVING) {
        worker->state = ENDED;
        return;
    }
    link_drop_calls(worker, held_is_unclaimed);
    log_info("worker-drains", "worker %s finishes %s", worker->name,
             text_counted(calls, (int64_t)worker->held.n_open, "call"));
    if (!link_hand_back(worker, held_is_waiting, "the worker drains"))
        return;
    if (worker->held.n == 0 || link_send_goodbye(worker, worker->held.n))
        worker->state = DRAINING;
}

// Everything is handed in. A guest comes back when it may.
static void end_drain(struct worker *worker)
{
    if (!worker->steps_back || atomic_load(&worker->drain)) {
        worker->state = ENDED;
        return;
    }
    worker->steps_back = false;
    link_part(worker);
}

// A call that finds the server busy is not tried again here: it goes back.
static void step_draining(struct worker *worker, int64_t now_ms)
{
    if (!keep_in_touch(worker, now_ms))
        return;
    work_report_done(worker);
    if (worker->state == DRAINING)
        (void)link_hand_back(worker, held_is_waiting, "the worker drains");
    if (worker->state == DRAINING && worker->held.n == 0 &&
        link_send_goodbye(worker, 0))
        end_drain(worker);
}

static void step_serving(struct worker *worker, int64_t now_ms)
{
    if (!keep_in_touch(worker, now_ms))
        return;
    work_report_done(worker);
    if (now_ms >= worker->welcome_ms + KEPT_MS)
        link_drop_calls(worker, held_is_unclaimed); // nobody asked for them
    if (worker->state == SERVING && must_step_back(worker, now_ms)) {
        worker->steps_back = true;
        states_begin_drain(worker);
        return;
    }
    if (worker->state == SERVING)
        work_begin(worker, now_ms);
    if (worker->state == SERVING)
        look_at_server(worker, now_ms);
}

static void (*const steps[])(struct worker *, int64_t now_ms) = {
    [APART] = step_apart,
    [GREETING] = step_greeting,
    [SERVING] = step_serving,
    [DRAINING] = step_draining,
};

void states_step(struct worker *worker, int64_t now_ms)
{
    steps[worker->state](worker, now_ms);
}
