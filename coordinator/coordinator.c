#include "coordinator/coordinator.h"

#include <stdio.h>
#include <stdlib.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/thread.h"
#include "coordinator/background.h"
#include "coordinator/coordinator_loop.h"
#include "coordinator/coordinator_state.h"
#include "coordinator/flight.h"
#include "coordinator/kept_calls.h"
#include "coordinator/side_call.h"

enum {
    MAX_OPENINGS = 8,             // submissions being read, or waiting for it
    MAX_OPENING_BYTES = 96 << 20, // bytes of their files
    MAX_QUESTIONS = 64,           // commands being read, or waiting for it
    MAX_QUERIES = 16,             // the same for SQL that clients wrote
};

// --- handlers ---

static void on_submitted(void *user, struct peer *peer,
                         const struct submit *submit, struct arena *arena)
{
    struct coordinator *c = user;

    clients_submitted(c->clients, peer, submit, arena);
}

static void on_submitted_long(void *user, struct peer *peer, struct buf *bytes)
{
    struct coordinator *c = user;

    clients_submitted_long(c->clients, peer, bytes);
}

static void on_commanded(void *user, struct peer *peer,
                         const struct command *command)
{
    struct coordinator *c = user;

    clients_commanded(c->clients, peer, command);
}

static void on_answered(void *user, struct flight *flight,
                        const struct worker_info *worker,
                        struct call_answer *answer)
{
    struct coordinator *c = user;

    jobs_answered(c->jobs, flight, worker->name, answer);
}

static void on_side_call_answered(void *user, struct side_call *side,
                                  const struct call_answer *answer)
{
    struct coordinator *c = user;

    clients_side_call_answered(c->clients, side, answer);
}

static void on_job_opened(void *user, const struct requester *requester,
                          const struct opened *opened)
{
    struct coordinator *c = user;

    clients_job_opened(c->clients, requester, opened);
}

static void on_job_ended(void *user, const struct running_job *running)
{
    struct coordinator *c = user;

    clients_job_ended(c->clients, running);
}

// --- life ---

// attach: zmq_bind or zmq_connect.
static void *pair_socket(void *zmq, int (*attach)(void *, const char *),
                         const char *endpoint)
{
    void *socket = zmq_socket(zmq, ZMQ_PAIR);

    if (socket == NULL)
        return NULL;
    zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    if (attach(socket, endpoint) == 0)
        return socket;
    zmq_close(socket);
    return NULL;
}

static bool open_control(struct coordinator *c, void *zmq, struct err *err)
{
    char endpoint[INPROC_NAME_BYTES];

    inproc_name(endpoint, "control");
    c->control = pair_socket(zmq, zmq_bind, endpoint);
    if (c->control != NULL)
        c->control_owner = pair_socket(zmq, zmq_connect, endpoint);
    if (c->control_owner != NULL)
        return true;
    err_set(err, ERR_IO, "cannot open the coordinator's control socket: %s",
            zmq_strerror(zmq_errno()));
    return false;
}

static bool open_background(struct coordinator *c, struct err *err)
{
    struct engine *engine = &c->engine;
    const struct {
        struct background **chores;
        struct background_options options;
    } parts[] = {
        // Reading a submission may take hundreds of MiB. So only two are read
        // at once, and those that wait are limited too.
        {&engine->job_chores,
         {.threads = 2,
          .max_chores = MAX_OPENINGS,
          .max_bytes = MAX_OPENING_BYTES,
          .busy = "the coordinator is still reading jobs that were just "
                  "submitted: submit again in a minute"}},
        {&engine->read_chores,
         {.threads = 2,
          .max_chores = MAX_QUESTIONS,
          .max_bytes = SIZE_MAX,
          .busy = "the coordinator has too many questions at once: ask again "
                  "in a moment"}},
        // One query at a time, apart from the other chores: a client that asks
        // for jobs does not wait for somebody else's slow query.
        {&engine->query_chores,
         {.threads = 1,
          .max_chores = MAX_QUERIES,
          .max_bytes = SIZE_MAX,
          .busy = "the coordinator has more queries than it can run: ask again "
                  "in a moment, or query a copy of the store"}},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct background_options options = parts[i].options;

        options.store = engine->store;
        *parts[i].chores = background_start(&options, err);
        if (*parts[i].chores == NULL)
            return false;
    }
    return true;
}

// Also listens over inproc, so that a part of this process can be a client like
// any other, whatever the network requires of clients.
static bool open_listener(struct coordinator *c,
                          const struct coordinator_options *options,
                          struct err *err)
{
    struct wire_socket *socket;

    c->listener =
        listener_open(c->engine.zmq, options->listen, options->keys, err);
    if (c->listener == NULL)
        return false;
    socket = listener_socket(c->listener);
    snprintf(c->endpoint, sizeof c->endpoint, "%s", wire_endpoint(socket));
    inproc_name(c->inside, "inside");
    return wire_bind_also(socket, c->inside, err);
}

// Opens peers, jobs and clients, and connects their handlers.
static bool open_parts(struct coordinator *c, const char *program,
                       struct err *err)
{
    const struct jobs_handlers jobs = {
        .user = c, .opened = on_job_opened, .ended = on_job_ended};
    const struct inbox_handlers inbox = {.user = c,
                                         .submitted = on_submitted,
                                         .submitted_long = on_submitted_long,
                                         .commanded = on_commanded,
                                         .answered = on_answered,
                                         .side_call_answered =
                                             on_side_call_answered};

    c->peers = peers_new(&c->engine, c->listener, err);
    if (c->peers != NULL)
        c->jobs = jobs_new(&c->engine, &jobs, err);
    if (c->jobs != NULL)
        c->inbox = inbox_new(c->peers, &inbox, err);
    if (c->inbox != NULL)
        c->clients = clients_new(&c->engine, c->peers, c->jobs, program, err);
    return c->clients != NULL;
}

// Returns where the ids of this coordinator's calls begin: above those of
// earlier coordinators, which had a million ids per millisecond. A worker may
// still answer a call that one of them gave it, even after it has greeted this
// one. If that id were used again, the answer would be taken for that of
// another call.
static int64_t first_id(void)
{
    return (clock_wall_ms() & (((int64_t)1 << 41) - 1)) << 20;
}

static bool open_engine(struct coordinator *c, void *zmq,
                        const struct coordinator_options *options,
                        struct err *err)
{
    struct dispatch_config config = {.liveness_ms =
                                         WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
                                     .hedge = true,
                                     .leases_from = first_id()};

    c->engine = (struct engine){
        .zmq = zmq,
        .workers = WORKERS_INIT,
        .servers = options->servers,
        .other_servers = options->other_servers,
        .refusal = options->refusal,
        .wait_start_ms = options->wait_start_ms,
        .wait_after_ms = options->wait_after_ms,
        .call_timeout_ms = options->call_timeout_ms,
        .local = options->local,
        .proofs = {.wanted = options->proofs, .last_id = first_id()},
        .read_only = options->read_only,
        .allow_exec = options->allow_exec};
    turn_init(&c->engine.turn);
    if (!handover_init(&c->engine.handover, err))
        return false;
    c->engine.store = store_open(options->store, err);
    if (c->engine.store == NULL)
        return false;
    store_set_patience(c->engine.store, options->disk_patience_ms);
    worker_rows_init(&c->engine.worker_rows, c->engine.store);
    c->engine.dispatch = dispatch_new(&config, err);
    return c->engine.dispatch != NULL && open_background(c, err);
}

static void free_coordinator(struct coordinator *c)
{
    background_stop(c->engine.job_chores);
    background_stop(c->engine.read_chores);
    background_stop(c->engine.query_chores);
    clients_free(c->clients);
    jobs_free(c->jobs);
    peers_free(c->peers);
    inbox_free(c->inbox);
    listener_close(c->listener);
    flights_release(&c->engine.flights);
    side_calls_release(&c->engine);
    kept_calls_release(&c->engine.kept);
    dispatch_free(c->engine.dispatch);
    proofs_release(&c->engine.proofs);
    workers_release(&c->engine.workers);
    models_release(&c->engine.models);
    store_close(c->engine.store);
    turn_release(&c->engine.turn);
    handover_release(&c->engine.handover);
    if (c->control != NULL)
        zmq_close(c->control);
    if (c->control_owner != NULL)
        zmq_close(c->control_owner);
    free(c);
}

struct coordinator *coordinator_start(void *zmq,
                                      const struct coordinator_options *options,
                                      struct err *err)
{
    struct coordinator *c = calloc(1, sizeof *c);

    if (c == NULL) {
        err_nomem(err, "the coordinator");
        return NULL;
    }
    if (!open_control(c, zmq, err) || !open_engine(c, zmq, options, err) ||
        !open_listener(c, options, err) ||
        !open_parts(c, options->program, err))
        goto fail;
    if (!thread_start(&c->thread, coordinator_loop, c, "the coordinator", err))
        goto fail;
    c->started = true;
    return c;

fail:
    free_coordinator(c);
    return NULL;
}

const char *coordinator_endpoint(const struct coordinator *c)
{
    return c->endpoint;
}

const char *coordinator_inside(const struct coordinator *c)
{
    return c->inside;
}

void coordinator_hand_over(struct coordinator *c, struct bundle *bundle)
{
    handover_put(&c->engine.handover, bundle);
}

bool coordinator_ended(const struct coordinator *c)
{
    return atomic_load(&c->ended);
}

void coordinator_stop(struct coordinator *c)
{
    if (c == NULL)
        return;
    if (c->started) {
        zmq_send(c->control_owner, "q", 1, ZMQ_DONTWAIT);
        pthread_join(c->thread, NULL);
    }
    free_coordinator(c);
}
