#include "worker/worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "common/thread.h"
#include "model/reach.h"
#include "worker/link.h"
#include "worker/orders.h"
#include "worker/states.h"
#include "worker/worker_state.h"

// Times in milliseconds; docs/protocol.md says where each comes from.
enum {
    SEND_RETRY_MS = 50, // while there is no connection yet
    TICK_MS = 1000,     // the loop never sleeps longer
};
#define FRAME_ARENA_MAX ((size_t)2 * WIRE_MAX_BYTES)

// --- the loop ---

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due_ms(const struct worker *worker, int64_t now_ms)
{
    int64_t due_ms = now_ms + TICK_MS;

    if (worker->state == APART || worker->state == GREETING)
        due_ms = sooner(due_ms, uplink_due_ms(worker->uplink));
    if (worker->state == GREETING && !uplink_has_greeted(worker->uplink))
        due_ms = sooner(due_ms, now_ms + SEND_RETRY_MS);
    if (worker->state == SERVING || worker->state == DRAINING)
        due_ms = sooner(due_ms, worker->pulse.next_ms);
    if (worker->held.n + worker->held.n_kept > worker->held.n_open &&
        worker->busy_ms > now_ms)
        due_ms = sooner(due_ms, worker->busy_ms);
    return due_ms;
}

static void wait_for_work(struct worker *worker)
{
    struct err err = ERR_CLEAR;
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = next_due_ms(worker, now_ms) - now_ms;

    if (wait_ms < 0 || uplink_pending(worker->uplink))
        wait_ms = 0;
    if (!model_poll(worker->client, uplink_fd(worker->uplink), wait_ms, &err))
        log_error("poll-failed", "worker %s: %s", worker->name, err.text);
}

// Does what is needed in any state.
static void do_upkeep(struct worker *worker, int64_t now_ms)
{
    atomic_store(&worker->turned_ms, now_ms);
    atomic_store(&worker->serving, worker->state == SERVING);
    if (worker->held.n + worker->held.n_open > 0)
        pulse_has_call(&worker->pulse, now_ms);
    if (worker->idle_ms > 0 &&
        pulse_idle_for_ms(&worker->pulse, now_ms) >= worker->idle_ms &&
        !atomic_exchange(&worker->drain, true))
        log_info("worker-idle",
                 "worker %s has had no call for %" PRId64 " s and is ending",
                 worker->name, worker->idle_ms / 1000);
    restart_tend(&worker->restart, worker->name, now_ms);
    if (server_watch_away_ms(worker->watch, now_ms) >= RESTART_AFTER_MS)
        restart_begin(&worker->restart, worker->name,
                      "the model server does not answer", now_ms);
}

static void *run(void *user)
{
    struct worker *worker = user;

    pulse_init(&worker->pulse, clock_monotonic_ms());
    while (worker->state != ENDED) {
        orders_receive(worker);
        orders_report_lacks(worker);
        do_upkeep(worker, clock_monotonic_ms());
        if (atomic_load(&worker->drain) && worker->state != DRAINING)
            states_begin_drain(worker);
        if (uplink_is_open(worker->uplink))
            pulse_connection(&worker->pulse, uplink_is_up(worker->uplink),
                             clock_monotonic_ms());
        if (worker->state != ENDED)
            states_step(worker, clock_monotonic_ms());
        link_flush(worker);
        if (worker->state != ENDED)
            wait_for_work(worker);
    }
    link_part(worker);
    restart_end(&worker->restart);
    link_drop_calls(worker, held_is_kept);
    log_info("worker-ended", "worker %s has ended", worker->name);
    atomic_store(&worker->ended, true);
    return NULL;
}

// --- called by others ---

static bool set_name(struct worker *worker, const char *name, struct err *err)
{
    char host[64] = "worker";

    if (name != NULL && !text_is_utf8(name, strlen(name))) {
        err_set(err, ERR_INPUT, "the worker's name is not UTF-8 text");
        return false;
    }
    if (name != NULL && strlen(name) >= WORKER_NAME_BYTES) {
        err_set(err, ERR_INPUT, "the worker's name is too long (over %d bytes)",
                WORKER_NAME_BYTES - 1);
        return false;
    }
    if (name != NULL && name[0] != '\0') {
        memcpy(worker->name, name, strlen(name) + 1);
        return true;
    }
    if (gethostname(host, sizeof host) == 0)
        host[sizeof host - 1] = '\0';
    (void)text_print(worker->name, sizeof worker->name, "%s-%ld", host,
                     (long)getpid());
    return true;
}

static void free_worker(struct worker *worker)
{
    uplink_free(worker->uplink);
    server_watch_free(worker->watch);
    model_client_free(worker->client);
    arena_release(&worker->arena);
    kept_prefixes_release(&worker->prefixes);
    buf_release(&worker->lacks);
    free(worker);
}

// Opens the worker's connections to its server and its coordinator.
static bool open_both_ends(struct worker *worker, void *context,
                           const struct worker_options *options,
                           struct err *err)
{
    struct server_watch_options watch = {.worker = worker->name,
                                         .url = worker->address.url,
                                         .digest = options->digest,
                                         .refusal = options->refusal,
                                         .look_ms = options->look_ms};

    worker->uplink = uplink_new(context, options->coordinator, worker->name,
                                options->key, err);
    if (worker->uplink != NULL)
        worker->client = model_client_new(&worker->address, err);
    watch.client = worker->client;
    if (worker->client != NULL)
        worker->watch = server_watch_new(&watch, err);
    return worker->watch != NULL;
}

struct worker *worker_start(void *context, const struct worker_options *options,
                            struct err *err)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL || sodium_init() < 0) {
        free(worker);
        err_nomem(err, "a worker");
        return NULL;
    }
    worker->address = options->address;
    worker->idle_ms = options->idle_ms;
    worker->guest = options->guest;
    worker->guest.port = reach_local_port(options->address.url);
    worker->restart.command = options->restart_cmd;
    worker->arena = ARENA_INIT(FRAME_ARENA_MAX);
    worker->prefixes = KEPT_PREFIXES_INIT;
    worker->lacks = BUF_INIT(WIRE_MAX_HELD * WIRE_LEASE_BYTES + 1);
    atomic_store(&worker->answered_ms, -1);
    atomic_store(&worker->turned_ms, clock_monotonic_ms());
    if (set_name(worker, options->name, err) &&
        open_both_ends(worker, context, options, err) &&
        thread_start(&worker->thread, run, worker, "a worker", err))
        return worker;
    free_worker(worker);
    return NULL;
}

void worker_drain(struct worker *worker)
{
    atomic_store(&worker->drain, true);
    model_wake(worker->client);
}

bool worker_serving(const struct worker *worker)
{
    return atomic_load(&worker->served);
}

struct worker_health worker_get_health(const struct worker *worker)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t answered_ms = atomic_load(&worker->answered_ms);

    return (struct worker_health){
        .serving = atomic_load(&worker->serving),
        .turn_ms = now_ms - atomic_load(&worker->turned_ms),
        .answer_ms = answered_ms < 0 ? -1 : now_ms - answered_ms,
        .server_fails = server_watch_fails(worker->watch)};
}

bool worker_ended(const struct worker *worker)
{
    return atomic_load(&worker->ended);
}

void worker_stop(struct worker *worker)
{
    if (worker == NULL)
        return;
    worker_drain(worker);
    pthread_join(worker->thread, NULL);
    free_worker(worker);
}
