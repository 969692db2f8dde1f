#include "coordinator/coordinator.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/clock.h"
#include "common/text.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/background.h"
#include "coordinator/clients.h"
#include "coordinator/delivery.h"
#include "coordinator/flight.h"
#include "coordinator/inbox.h"
#include "coordinator/job_work.h"
#include "coordinator/jobs.h"
#include "coordinator/kept_calls.h"
#include "coordinator/landing.h"
#include "coordinator/peers.h"
#include "coordinator/running_job.h"
#include "coordinator/side_call.h"
#include "wire/inproc.h"
#include "wire/listener.h"

enum {
    MAX_OPENINGS = 8,             // submissions being read, or waiting for it
    MAX_OPENING_BYTES = 96 << 20, // bytes of their files
    MAX_QUESTIONS = 64,           // commands being read, or waiting for it
    MAX_QUERIES = 16,             // the same for SQL that clients wrote
    ACTIVE_MS = 250,              // longest wait while a job runs
    IDLE_MS = 500,                // longest wait otherwise
    BUSY_CHECK_MS = 500, // between two checks whether anybody is working
    HALTED_MS = 1500, // a longer turn, with its wait, means that this process
                      // was halted
};

struct coordinator {
    struct engine engine;
    struct listener *listener; // owned
    struct peers *peers;       // owned
    struct inbox *inbox;       // owned
    struct jobs *jobs;         // owned
    struct clients *clients;   // owned
    int64_t turn_ms;           // when the last turn began
    int64_t busy_check_ms;     // when note_busy last looked
    int64_t faults_seen;       // faults counted at that time
    void *zmq;
    void *control;       // the loop's end
    void *control_owner; // the owner's end
    char endpoint[256];
    char inside[INPROC_NAME_BYTES];
    pthread_t thread;
    bool started;
    atomic_bool ended;
};

// --- actions of dispatch ---

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

static void act(struct coordinator *c, int64_t now)
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

// Somebody is working if calls are in flight and there was no fault lately, or
// while a program of the user, such as a slow metric, owes an answer.
static void note_busy(struct coordinator *c, int64_t now)
{
    struct dispatch_counts counts;

    if (now - c->busy_check_ms < BUSY_CHECK_MS)
        return;
    c->busy_check_ms = now;
    dispatch_count(c->engine.dispatch, &counts);
    // While the disk is behind, nothing is sent, so a lack of answers says
    // nothing about the workers.
    if (c->engine.behind || jobs_have_busy_programs(c->jobs) ||
        (counts.leased > 0 && counts.faults == c->faults_seen))
        c->engine.busy_ms = now;
    c->faults_seen = counts.faults;
}

// After a halt, as by Ctrl-Z or on a crowded machine, nobody has been silent:
// it was us who could not hear. Who was silent before stays so.
static void note_halt(struct coordinator *c, int64_t now)
{
    struct dispatch *dispatch = c->engine.dispatch;
    struct dispatch_worker_view view;

    if (now - c->turn_ms > HALTED_MS) {
        c->engine.busy_ms = now;
        for (const struct worker_info *w = c->engine.workers.workers; w != NULL;
             w = w->next)
            if (dispatch_worker_look(dispatch, w->number, &view) &&
                view.state != DISPATCH_WORKER_SILENT)
                dispatch_heard(dispatch, w->number, now);
    }
    c->turn_ms = now;
}

static void drain(struct coordinator *c)
{
    struct err ended = ERR_CLEAR;

    store_set_patience(c->engine.store, 0); // or we might wait for a full disk
    err_set(&ended, ERR_STOPPED,
            "the coordinator stopped before it got to this query: ask again "
            "when it is back");
    background_dismiss(c->engine.query_chores, &ended);
    jobs_drain(c->jobs);
}

// --- the loop ---

static bool was_told_to_stop(struct coordinator *c)
{
    char order;
    bool any = false;

    while (zmq_recv(c->control, &order, 1, ZMQ_DONTWAIT) >= 0)
        any = true;
    return any;
}

// While the disk is behind, or workers gather, nothing is sent. So a call that
// is due to be sent is no reason to begin the next turn at once.
static long wait_ms(struct coordinator *c, int64_t now)
{
    int64_t deadline = dispatch_deadline(c->engine.dispatch);
    int64_t wait = jobs_count(c->jobs) > 0 ? ACTIVE_MS : IDLE_MS;

    if (turn_was_unfinished(&c->engine.turn))
        return 0;
    if ((c->engine.behind || now < c->engine.gather_until_ms) &&
        deadline <= now)
        return (long)wait;
    if (deadline >= 0 && deadline - now < wait)
        wait = deadline - now;
    return wait < 0 ? 0 : (long)wait;
}

static void wait_for_events(struct coordinator *c)
{
    zmq_pollitem_t items[7 + 2 * JOBS_MOST] = {
        {.socket = wire_handle(listener_socket(c->listener)),
         .events = ZMQ_POLLIN},
        {.socket = connections_handle(listener_connections(c->listener)),
         .events = ZMQ_POLLIN},
        {.socket = c->control, .events = ZMQ_POLLIN},
        {.fd = store_notice_fd(c->engine.store), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.job_chores), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.read_chores), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.query_chores), .events = ZMQ_POLLIN},
    };
    int n = 7;

    for (struct running_job *running = jobs_first(c->jobs); running != NULL;
         running = running_job_next(running)) {
        const struct job_programs *programs =
            running_job_work_of(running)->programs;

        items[n++] = (zmq_pollitem_t){.socket = running_job_pair(running),
                                      .events = ZMQ_POLLIN};
        if (programs != NULL)
            items[n++] = (zmq_pollitem_t){.fd = job_programs_fd(programs),
                                          .events = ZMQ_POLLIN};
    }
    zmq_poll(items, n, wait_ms(c, clock_monotonic_ms()));
}

static void turn(struct coordinator *c)
{
    struct turn *turn = &c->engine.turn;
    int64_t now;

    wait_for_events(c);
    turn_begin(turn, "orders");
    now = clock_monotonic_ms();
    note_halt(c, now);
    if (was_told_to_stop(c) && !jobs_are_draining(c->jobs))
        drain(c);
    turn_step(turn, "what peers sent");
    inbox_receive(c->inbox, now);
    turn_step(turn, "answers that are durable");
    landing_settle(&c->engine, now);
    turn_step(turn, "what the background did");
    background_take(c->engine.job_chores);
    background_take(c->engine.read_chores);
    background_take(c->engine.query_chores);
    jobs_take_up(c->jobs, now);
    turn_step(turn, "running jobs");
    dispatch_tick(c->engine.dispatch, now);
    c->engine.behind = store_behind(c->engine.store);
    jobs_work(c->jobs, now);
    turn_step(turn, "calls to be sent");
    delivery_send_proofs(c->peers, now);
    if (!c->engine.behind)
        act(c, now);
    delivery_flush(c->peers, now);
    turn_step(turn, "heartbeats and progress");
    note_busy(c, now);
    peers_beat(c->peers, now);
    clients_tend(c->clients, now);
    jobs_save_time(c->jobs, now);
    turn_end(turn);
}

static void *run_loop(void *arg)
{
    struct coordinator *c = arg;

    jobs_survey(c->jobs);
    while (!jobs_are_draining(c->jobs) || jobs_first(c->jobs) != NULL ||
           !background_is_idle(c->engine.job_chores) ||
           !background_is_idle(c->engine.read_chores) ||
           !background_is_idle(c->engine.query_chores) ||
           clients_wait(c->clients))
        turn(c);
    atomic_store(&c->ended, true);
    return NULL;
}

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

static void *pair_socket(void *zmq, const char *endpoint, bool bind)
{
    void *socket = zmq_socket(zmq, ZMQ_PAIR);

    if (socket == NULL)
        return NULL;
    zmq_setsockopt(socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    if ((bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) ==
        0)
        return socket;
    zmq_close(socket);
    return NULL;
}

static bool open_control(struct coordinator *c, struct err *err)
{
    char endpoint[INPROC_NAME_BYTES];

    inproc_name(endpoint, "control");
    c->control = pair_socket(c->zmq, endpoint, true);
    if (c->control != NULL)
        c->control_owner = pair_socket(c->zmq, endpoint, false);
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

    c->listener = listener_open(c->zmq, options->listen, options->keys, err);
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

static bool open_engine(struct coordinator *c,
                        const struct coordinator_options *options,
                        struct err *err)
{
    struct dispatch_config config = {.liveness_ms =
                                         WIRE_HEARTBEAT_MS * WIRE_LIVENESS,
                                     .hedge = true,
                                     .leases_from = first_id()};

    c->engine = (struct engine){
        .zmq = c->zmq,
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
    c->zmq = zmq;
    if (!open_control(c, err) || !open_engine(c, options, err) ||
        !open_listener(c, options, err) ||
        !open_parts(c, options->program, err))
        goto fail;
    if (pthread_create(&c->thread, NULL, run_loop, c) != 0) {
        err_set(err, ERR_IO, "cannot start the coordinator's thread");
        goto fail;
    }
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

struct engine *coordinator_engine(struct coordinator *c)
{
    return &c->engine;
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
