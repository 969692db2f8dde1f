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
#include "common/error_document.h"
#include "common/json.h"
#include "common/log.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/commands.h"
#include "coordinator/evaluation.h"
#include "coordinator/flight.h"
#include "coordinator/job_work.h"
#include "coordinator/link.h"
#include "coordinator/running_job.h"
#include "coordinator/running_job_result.h"
#include "store/calls.h"
#include "store/history.h"

enum {
    MAX_RUNNING = 32,    // jobs at once
    PROGRESS_MS = 250,   // between two PROGRESS of a job
    SAVE_TIME_MS = 5000, // between two notes of the time spent
    IDLE_MS = 500,       // longest wait
    BUSY_CHECK_MS = 500, // how often it is looked whether somebody works
};

struct coordinator {
    struct engine engine;
    struct link link;
    struct running_job *running_jobs; // owned
    size_t n_running;
    int32_t last_running;
    bool draining;
    int64_t progress_ms, save_ms, busy_check_ms;
    int64_t faults_seen;
    void *zmq;
    void *control;       // the loop's end
    void *control_owner; // the owner's end
    char endpoint[256];
    pthread_t thread;
    bool started;
    atomic_bool ended;
};

// --- answers ---

static void put_failed(struct coordinator *c, const struct err *why)
{
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running->next)
        running_job_close(running, why);
}

static const char *bill_name(int bill)
{
    return bill == BILL_EXEC ? "exec" : role_names[bill];
}

static bool put_call(struct engine *engine, struct flight *flight,
                     const char *worker, const struct call_answer *answer,
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
        .answer = answer,
        .worker = worker,
        .attempts = flight->sends,
        .hedged = flight->hedged,
        .finished_ms = clock_wall_ms(),
    };

    if (!answerer_of(&order->ask)->record(flight, &row, err))
        return false;
    flight->call_id = calls_put(engine->store, &row, err);
    return flight->call_id != 0;
}

// An answer is on its way to disk; its text is borrowed. Waiters and worker
// hear of it once it is durable.
static void land(struct coordinator *c, struct flight *flight,
                 const char *worker, const struct call_answer *answer)
{
    struct engine *engine = &c->engine;
    struct err err = ERR_CLEAR;

    flight->answer = *answer;
    flight->answer.text = strdup(answer->text);
    if (flight->answer.text == NULL)
        err_nomem(&err, "an answer");
    else if (put_call(engine, flight, worker, answer, &err)) {
        flight->put = store_last_put(engine->store);
        job_work_paid(flight, clock_monotonic_ms());
        flights_land(&engine->flights, flight);
        return;
    }
    if (flight->worker >= 0)
        dispatch_credit(engine->dispatch, flight->worker, flight->lease,
                        clock_monotonic_ms());
    put_failed(c, &err);
}

static void on_answered(void *user, struct flight *flight,
                        const struct worker_info *worker,
                        struct call_answer *answer)
{
    land(user, flight, worker->name, answer);
}

static void on_program_answered(void *user, struct flight *flight,
                                const struct call_answer *answer)
{
    land(user, flight, "exec", answer);
}

static void on_program_failed(void *user, struct flight *flight,
                              const char *cause)
{
    struct coordinator *c = user;

    job_work_park(&c->engine.flights, flight, cause);
}

// Tells the waiters of a durable flight, in the order in which they came.
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
        free(waiter);
    }
}

static void settle_durable(struct coordinator *c, int64_t now)
{
    struct engine *engine = &c->engine;
    uint64_t durable;
    struct flight *flight;

    store_notice_clear(engine->store);
    durable = store_durable(engine->store);
    while ((flight = flights_take_durable(&engine->flights, durable)) != NULL) {
        if (flight->worker >= 0)
            dispatch_credit(engine->dispatch, flight->worker, flight->lease,
                            now);
        tell_waiters(flight);
        flight_close(&engine->flights, flight);
    }
}

// --- actions of dispatch ---

static void do_send(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_by_id(&c->engine.flights, action->call);

    assert(flight != NULL);
    flight->sends++;
    flight->hedged = flight->hedged || action->hedge;
    if (action->hedge)
        flight->order.work->hedges++;
    link_send_call(&c->link, action, flight, now);
}

static void do_cancel(struct coordinator *c, const struct action *action,
                      int64_t now)
{
    (void)now;
    link_cancel(&c->link, action);
}

static void do_drop(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    link_drop(&c->link, action->worker, now);
}

static void do_park(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_by_id(&c->engine.flights, action->call);

    assert(flight != NULL);
    dispatch_cancel(c->engine.dispatch, action->call, now);
    job_work_park(&c->engine.flights, flight, call_fault_name(action->fault));
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

    while (dispatch_next(c->engine.dispatch, now, &action))
        acts[action.kind](c, &action, now);
}

// --- clients ---

static void tell_failure(struct coordinator *c, const struct peer *peer,
                         int64_t status, const struct err *err)
{
    char *document = error_document(err);
    struct message message = {
        .kind = MESSAGE_RESULT,
        .as.result = {.job = "",
                      .status = status,
                      .document = document == NULL ? "{}" : document,
                      .compiled = ""}};

    link_tell(&c->link, peer, &message);
    free(document);
}

// A job has a folder on this machine only if its client is in this process.
static struct bundle *unpack(const struct coordinator *c,
                             const struct submit *submit, struct err *err)
{
    const char *path = submit->n_files == 0 ? "" : submit->files[0].name;
    struct bundle *bundle = bundle_new(path, err);

    if (bundle != NULL && c->engine.local && submit->folder[0] != '\0') {
        bundle->folder = strdup(submit->folder);
        if (bundle->folder == NULL)
            err_nomem(err, "a job");
    }
    for (size_t i = 0; bundle != NULL && i < submit->n_files; i++)
        if (!bundle_add(bundle, submit->files[i].name, submit->files[i].data,
                        submit->files[i].len, err)) {
            bundle_free(bundle);
            bundle = NULL;
        }
    return bundle;
}

// The run of the same job, to be joined. Evaluations share their calls alone:
// what they score is no part of a job's id.
static struct running_job *same_job(struct coordinator *c,
                                    const struct running_job *running)
{
    if (running->request->action != REQUEST_RUN)
        return NULL;
    for (struct running_job *d = c->running_jobs; d != NULL; d = d->next)
        if (strcmp(d->id, running->id) == 0 &&
            d->request->action == REQUEST_RUN)
            return d;
    return NULL;
}

static void accept_job(struct coordinator *c, struct peer *peer,
                       struct running_job *running)
{
    struct message message = {.kind = MESSAGE_ACCEPTED,
                              .as.accepted = {.job = running->id}};

    peer->watched = running;
    link_tell(&c->link, peer, &message);
}

static bool begin_job(struct coordinator *c, struct running_job *running,
                      struct err *err)
{
    if (c->draining || c->n_running >= MAX_RUNNING) {
        err_set(err, ERR_BUSY,
                "the coordinator takes no more jobs now (%zu are running): "
                "submit again later",
                c->n_running);
        return false;
    }
    if (!running_job_begin(running, err)) {
        if (running->work.job_no != 0)
            history_job_state(c->engine.store, running->work.job_no, "failed",
                              err->text, -1, NULL, NULL);
        return false;
    }
    running->next = c->running_jobs;
    c->running_jobs = running;
    c->n_running++;
    return true;
}

// Takes request and bundle.
static struct running_job *open_job(struct coordinator *c,
                                    struct request *request,
                                    struct bundle *bundle, struct err *err)
{
    struct diags *diags = diags_new(err);
    struct running_job *running = NULL;

    if (diags == NULL || request == NULL || bundle == NULL) {
        request_free(request);
        bundle_free(bundle);
    } else {
        running =
            running_job_open(&c->engine, request, bundle, ++c->last_running,
                             clock_monotonic_ms(), diags, err);
    }
    if (running == NULL && err->code == ERR_NONE)
        diags_ok(diags, err);
    diags_free(diags);
    return running;
}

static struct running_job *open_submitted(struct coordinator *c,
                                          const struct submit *submit,
                                          struct err *err)
{
    struct request *request =
        request_read(submit->action, submit->options, err);

    return open_job(c, request, request == NULL ? NULL : unpack(c, submit, err),
                    err);
}

// --- resuming a job of the store ---

static bool reopen(void *user, const struct history_submission *stored,
                   struct err *err)
{
    struct coordinator *c = user;
    struct wire_file *files = calloc(stored->n_files + 1, sizeof *files);
    struct submit submit = {.action = "run",
                            .options = stored->options,
                            .folder = stored->folder,
                            .files = files,
                            .n_files = stored->n_files};
    struct running_job *running = NULL;

    for (size_t i = 0; files != NULL && i < stored->n_files; i++)
        files[i] = (struct wire_file){.name = stored->files[i].name,
                                      .data = stored->files[i].data,
                                      .len = stored->files[i].len};
    if (files == NULL)
        err_nomem(err, "a job's files");
    else
        running = open_submitted(c, &submit, err);
    free(files);
    if (running != NULL && begin_job(c, running, err))
        return true;
    running_job_free(running);
    return false;
}

static bool resume_job(void *user, const char *job_id, struct err *err)
{
    struct coordinator *c = user;
    int64_t job_no = history_job_no(c->engine.store, job_id, err);

    for (const struct running_job *d = c->running_jobs; d != NULL; d = d->next)
        if (strcmp(d->id, job_id) == 0) {
            err_set(err, ERR_INPUT, "job %.200s is running", job_id);
            return false;
        }
    return job_no != 0 &&
           history_load_submission(c->engine.store, job_no, reopen, c, err);
}

static void on_submitted(void *user, struct peer *peer,
                         const struct submit *submit)
{
    struct coordinator *c = user;
    struct err err = ERR_CLEAR;
    struct running_job *opened = open_submitted(c, submit, &err);
    struct running_job *same = opened == NULL ? NULL : same_job(c, opened);

    if (same != NULL) {
        running_job_free(opened);
        accept_job(c, peer, same);
        return;
    }
    if (opened != NULL && begin_job(c, opened, &err)) {
        accept_job(c, peer, opened);
        return;
    }
    running_job_free(opened);
    tell_failure(c, peer, err.code == ERR_STORE ? 3 : 2, &err);
}

static void on_commanded(void *user, struct peer *peer,
                         const struct command *command)
{
    struct coordinator *c = user;
    struct command_scene at = {.engine = &c->engine,
                               .running_jobs = c->running_jobs,
                               .resume = resume_job,
                               .user = c};
    char *text = command_answer(&at, command);
    struct message message = {
        .kind = MESSAGE_REPLY,
        .as.reply = {.document = text == NULL ? "{}" : text}};

    link_tell(&c->link, peer, &message);
    free(text);
}

static void tell_progress(struct coordinator *c, int64_t now)
{
    if (now - c->progress_ms < PROGRESS_MS)
        return;
    c->progress_ms = now;
    for (struct peer *p = c->link.peers; p != NULL; p = p->next) {
        struct message message = {.kind = MESSAGE_PROGRESS};

        if (p->watched == NULL)
            continue;
        running_job_progress(p->watched, now, &message.as.progress);
        link_tell(&c->link, p, &message);
    }
}

// --- running jobs ---

static void end_job(struct coordinator *c, struct running_job *running)
{
    struct running_job_result result = {0};
    struct message message = {.kind = MESSAGE_RESULT};

    running_job_finish(running, clock_monotonic_ms(), &result);
    message.as.result = (struct result){
        .job = running->id,
        .status = result.status,
        .document = result.document == NULL ? "{}" : result.document,
        .compiled = result.compiled == NULL ? "" : result.compiled};
    for (struct peer *p = c->link.peers; p != NULL; p = p->next)
        if (p->watched == running)
            link_tell(&c->link, p, &message);
    link_unwatch(&c->link, running);
    running_job_result_release(&result);
}

static void work_jobs(struct coordinator *c, int64_t now)
{
    const struct programs_handlers programs = {.user = c,
                                               .answered = on_program_answered,
                                               .failed = on_program_failed};
    struct running_job **at = &c->running_jobs;

    while (*at != NULL) {
        struct running_job *running = *at;

        running_job_read_notes(running);
        job_programs_read(&running->work, &programs);
        running_job_work(running, now);
        if (running->state != RUNNING_JOB_ENDED) {
            at = &running->next;
            continue;
        }
        end_job(c, running);
        *at = running->next;
        c->n_running--;
        running_job_free(running);
    }
}

static void save_time(struct coordinator *c, int64_t now)
{
    if (now - c->save_ms < SAVE_TIME_MS)
        return;
    c->save_ms = now;
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running->next)
        running_job_save_time(running, now);
}

// Somebody is at work when calls are out and no fault came lately.
static void look_busy(struct coordinator *c, int64_t now)
{
    struct dispatch_counts counts;

    if (now - c->busy_check_ms < BUSY_CHECK_MS)
        return;
    c->busy_check_ms = now;
    dispatch_count(c->engine.dispatch, &counts);
    if (counts.leased > 0 && counts.faults == c->faults_seen)
        c->engine.busy_ms = now;
    c->faults_seen = counts.faults;
}

static void drain(struct coordinator *c)
{
    struct err why = ERR_CLEAR;

    c->draining = true;
    err_set(&why, ERR_STOPPED, "stopped; run the same command again to go on");
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running->next)
        running_job_close(running, &why);
}

// --- the loop ---

static bool take_orders(struct coordinator *c)
{
    char order;
    bool any = false;

    while (zmq_recv(c->control, &order, 1, ZMQ_DONTWAIT) >= 0)
        any = true;
    return any;
}

static long wait_ms(const struct coordinator *c, int64_t now)
{
    int64_t deadline = dispatch_deadline(c->engine.dispatch);
    int64_t wait = c->n_running > 0 ? PROGRESS_MS : IDLE_MS;

    if (deadline >= 0 && deadline - now < wait)
        wait = deadline - now;
    return wait < 0 ? 0 : (long)wait;
}

static void wait_for_events(struct coordinator *c)
{
    zmq_pollitem_t items[3 + 2 * MAX_RUNNING] = {
        {.socket = wire_handle(c->link.socket), .events = ZMQ_POLLIN},
        {.socket = c->control, .events = ZMQ_POLLIN},
        {.fd = store_notice_fd(c->engine.store), .events = ZMQ_POLLIN},
    };
    int n = 3;

    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running->next) {
        items[n++] =
            (zmq_pollitem_t){.socket = running->pair, .events = ZMQ_POLLIN};
        if (running->work.programs != NULL)
            items[n++] =
                (zmq_pollitem_t){.fd = job_programs_fd(running->work.programs),
                                 .events = ZMQ_POLLIN};
    }
    zmq_poll(items, n, wait_ms(c, clock_monotonic_ms()));
}

static void turn(struct coordinator *c, const struct link_handlers *handlers)
{
    int64_t now;

    wait_for_events(c);
    now = clock_monotonic_ms();
    if (take_orders(c) && !c->draining)
        drain(c);
    link_receive(&c->link, handlers, now);
    settle_durable(c, now);
    dispatch_tick(c->engine.dispatch, now);
    work_jobs(c, now);
    act(c, now);
    look_busy(c, now);
    link_beat(&c->link, now);
    tell_progress(c, now);
    save_time(c, now);
}

static void *run_loop(void *arg)
{
    struct coordinator *c = arg;
    struct link_handlers handlers = {.user = c,
                                     .submitted = on_submitted,
                                     .commanded = on_commanded,
                                     .answered = on_answered};

    while (!c->draining || c->running_jobs != NULL)
        turn(c, &handlers);
    atomic_store(&c->ended, true);
    return NULL;
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
    char endpoint[64];

    snprintf(endpoint, sizeof endpoint, "inproc://control-%p", (void *)c);
    c->control = pair_socket(c->zmq, endpoint, true);
    if (c->control != NULL)
        c->control_owner = pair_socket(c->zmq, endpoint, false);
    if (c->control_owner != NULL)
        return true;
    err_set(err, ERR_IO, "cannot open the coordinator's control socket: %s",
            zmq_strerror(zmq_errno()));
    return false;
}

static bool open_engine(struct coordinator *c,
                        const struct coordinator_options *options,
                        struct err *err)
{
    struct dispatch_config config = {
        .liveness_ms = WIRE_HEARTBEAT_MS * WIRE_LIVENESS, .hedge = true};

    c->engine = (struct engine){.zmq = c->zmq,
                                .workers = WORKERS_INIT,
                                .servers = options->servers,
                                .wait_start_ms = options->wait_start_ms,
                                .wait_after_ms = options->wait_after_ms,
                                .call_timeout_ms = options->call_timeout_ms,
                                .local = options->local,
                                .allow_exec = options->allow_exec};
    c->engine.store = store_open(options->store, err);
    if (c->engine.store == NULL)
        return false;
    c->engine.dispatch = dispatch_new(&config, err);
    return c->engine.dispatch != NULL;
}

static void free_coordinator(struct coordinator *c)
{
    link_close(&c->link);
    flights_release(&c->engine.flights);
    dispatch_free(c->engine.dispatch);
    workers_release(&c->engine.workers);
    models_release(&c->engine.models);
    store_close(c->engine.store);
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
        !link_open(&c->link, &c->engine, zmq, options->listen, err))
        goto fail;
    snprintf(c->endpoint, sizeof c->endpoint, "%s",
             wire_endpoint(c->link.socket));
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

void coordinator_drain(struct coordinator *c)
{
    zmq_send(c->control_owner, "q", 1, ZMQ_DONTWAIT);
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
        coordinator_drain(c);
        pthread_join(c->thread, NULL);
    }
    free_coordinator(c);
}
