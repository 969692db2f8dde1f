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
#include "common/text.h"
#include "coordinator/answerers/answerer.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/background.h"
#include "coordinator/commands.h"
#include "coordinator/delivery.h"
#include "coordinator/evaluation.h"
#include "coordinator/flight.h"
#include "coordinator/inbox.h"
#include "coordinator/inquiries.h"
#include "coordinator/job_work.h"
#include "coordinator/kept_calls.h"
#include "coordinator/left_jobs.h"
#include "coordinator/opening.h"
#include "coordinator/paused_jobs.h"
#include "coordinator/peers.h"
#include "coordinator/running_job.h"
#include "coordinator/running_job_result.h"
#include "coordinator/side_call.h"
#include "program/run/question_cache.h"
#include "store/calls.h"
#include "store/history.h"
#include "wire/inproc.h"
#include "wire/listener.h"

enum {
    MAX_RUNNING = 32,             // jobs at once
    MAX_OPENINGS = 8,             // submissions that are read, or wait for it
    MAX_OPENING_BYTES = 96 << 20, // of their files
    MAX_QUESTIONS = 64,           // commands that are read, or wait for it
    MAX_QUERIES = 16,             // of SQL that clients wrote, likewise
    PROGRESS_MS = 250,            // between two PROGRESS of a job
    SAVE_TIME_MS = 5000,          // between two notes of the time spent
    IDLE_MS = 500,                // longest wait
    BUSY_CHECK_MS = 500,          // between two checks whether anybody works
};

struct coordinator {
    struct engine engine;
    struct listener *listener; // owned
    struct peers *peers;       // owned
    struct inbox *inbox;       // owned
    struct openings openings;  // jobs on their way in
    struct opening_handlers opening_handlers;
    struct inquiries inquiries;       // commands that read the store
    struct left_jobs left;            // by an earlier coordinator
    struct running_job *running_jobs; // owned
    struct paused_jobs paused;        // that go on by themselves
    size_t n_running;
    bool draining;
    int64_t progress_ms, save_ms, busy_check_ms;
    int64_t faults_seen;
    void *zmq;
    void *control;       // the loop's end
    void *control_owner; // the owner's end
    char endpoint[256];
    char inside[INPROC_NAME_BYTES];
    pthread_t thread;
    bool started;
    atomic_bool ended;
};

// --- answers ---

static void put_failed(struct coordinator *c, const struct err *why)
{
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running_job_next(running))
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
        .question = order->ask.kept == NULL ? NULL : &order->ask.kept->stored,
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
    if (answer->logprobs != NULL)
        flight->answer.logprobs = strdup(answer->logprobs);
    if (flight->answer.text == NULL ||
        (answer->logprobs != NULL && flight->answer.logprobs == NULL))
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
        waiter_free(flight, waiter);
    }
}

static void settle_durable(struct coordinator *c, int64_t now)
{
    struct engine *engine = &c->engine;
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

// --- actions of dispatch ---

static void refuse_side_call(struct coordinator *c, struct side_call *side,
                             const struct err *why, int64_t now);

static void send_side_call(struct coordinator *c, const struct action *action,
                           int64_t now)
{
    struct side_call *side = side_call_find(&c->engine, action->call);
    struct err err = ERR_CLEAR;

    assert(side != NULL);
    if (!delivery_send_side_call(c->peers, action, side, now, &err))
        refuse_side_call(c, side, &err, now);
}

static void do_send(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_by_id(&c->engine.flights, action->call);
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

static void do_cancel(struct coordinator *c, const struct action *action,
                      int64_t now)
{
    (void)now;
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
    refuse_side_call(c, side, &err, now);
}

static void do_park(struct coordinator *c, const struct action *action,
                    int64_t now)
{
    struct flight *flight = flights_by_id(&c->engine.flights, action->call);
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
    while (!turn_is_over(&c->engine.turn) &&
           dispatch_next(c->engine.dispatch, now, &action))
        acts[action.kind](c, &action, now);
}

// --- clients ---

static void tell_failure(struct coordinator *c, struct peer *peer,
                         int64_t status, const struct err *err)
{
    char *document = error_document(err);
    struct message message = {
        .kind = MESSAGE_RESULT,
        .as.result = {.job = "",
                      .status = status,
                      .document = document == NULL ? "{}" : document,
                      .compiled = ""}};

    peers_tell(c->peers, peer, &message);
    free(document);
}

// The run of the same job, to be joined. Evaluations share their calls alone:
// what they score is no part of a job's id.
static struct running_job *find_same(void *user,
                                     const struct running_job *running)
{
    struct coordinator *c = user;

    if (!running_job_is_run(running))
        return NULL;
    for (struct running_job *d = c->running_jobs; d != NULL;
         d = running_job_next(d))
        if (running_job_same_history(d, running))
            return d;
    return NULL;
}

static bool begin_job(void *user, struct running_job *running, struct err *err)
{
    struct coordinator *c = user;

    if (c->draining || c->n_running >= MAX_RUNNING) {
        err_set(err, ERR_BUSY,
                "the coordinator takes no more jobs now (%zu are running): "
                "submit again later",
                c->n_running);
        return false;
    }
    if (!running_job_begin(running, clock_monotonic_ms(), err))
        return false;
    log_info("job-begun", "%s", running_job_id(running));
    paused_jobs_begun(&c->paused, running_job_id(running));
    running_jobs_add(&c->running_jobs, running);
    c->n_running++;
    return true;
}

static struct requester requester_of(const struct peer *peer,
                                     enum requester_kind kind)
{
    return (struct requester){.kind = kind, .address = peer_address(peer)};
}

// NULL: there was no memory for it.
static void reply_text(struct coordinator *c, struct peer *peer,
                       const char *text)
{
    struct message message = {
        .kind = MESSAGE_REPLY,
        .as.reply = {.document = text == NULL ? "{}" : text}};

    peers_tell(c->peers, peer, &message);
}

static void reply_to(struct coordinator *c, struct peer *peer, json_t *answer,
                     const struct err *err)
{
    char *text = command_text(answer, err);

    reply_text(c, peer, text);
    free(text);
}

static void reply_to_side_call(struct coordinator *c, struct side_call *side,
                               json_t *answer, const struct err *err,
                               int64_t now)
{
    struct peer *peer = peers_at(c->peers, &side->asker);

    if (peer != NULL)
        reply_to(c, peer, answer, err);
    else
        json_decref(answer);
    side_call_end(&c->engine, side, now);
}

static void refuse_side_call(struct coordinator *c, struct side_call *side,
                             const struct err *why, int64_t now)
{
    reply_to_side_call(c, side, NULL, why, now);
}

static void on_side_call_answered(void *user, struct side_call *side,
                                  const struct call_answer *answer)
{
    struct err err = ERR_CLEAR;

    reply_to_side_call(user, side, side_call_reply(answer), &err,
                       clock_monotonic_ms());
}

static void end_late_side_calls(struct coordinator *c, int64_t now)
{
    struct side_call *side;
    struct err err = ERR_CLEAR;

    err_set(&err, ERR_BUSY, "no worker had time for it within %d s",
            SIDE_CALL_MS / 1000);
    while ((side = side_call_late(&c->engine, now)) != NULL)
        refuse_side_call(c, side, &err, now);
}

static void tell_submitted(struct coordinator *c, struct peer *peer,
                           struct running_job *running, const struct err *err)
{
    struct message message = {.kind = MESSAGE_ACCEPTED};

    peer_ends_submission(peer, running);
    if (running == NULL) {
        tell_failure(c, peer, err->code == ERR_STORE ? 3 : 2, err);
        return;
    }
    message.as.accepted.job = running_job_id(running);
    peers_tell(c->peers, peer, &message);
}

// A job that the coordinator itself wanted to take up, and could not.
static void leave_left(struct coordinator *c, int64_t job_no,
                       const char *job_id, const struct err *why)
{
    bool passes = why->code == ERR_STORE || why->code == ERR_BUSY;

    if (!passes)
        history_job_state(c->engine.store, job_no, "paused", why->text, -1,
                          NULL, NULL);
    if (job_id != NULL && passes)
        paused_jobs_later(&c->paused, job_id, clock_monotonic_ms());
    else if (job_id != NULL)
        (void)paused_jobs_forget(&c->paused, job_id);
}

// What became of a job that somebody wanted to begin.
static void after_opening(void *user, const struct requester *requester,
                          struct running_job *running, const char *job_id,
                          const struct err *err)
{
    struct coordinator *c = user;
    struct peer *peer = requester->kind == REQUESTER_NONE
                            ? NULL
                            : peers_at(c->peers, &requester->address);

    if (running == NULL)
        log_warn("job-not-begun", "%s: %s", job_id == NULL ? "a job" : job_id,
                 err->text);
    if (running == NULL && requester->kind == REQUESTER_NONE)
        leave_left(c, requester->job_no, job_id, err);
    if (peer != NULL && requester->kind == REQUESTER_SUBMITS)
        tell_submitted(c, peer, running, err);
    else if (peer != NULL)
        reply_to(c, peer,
                 running == NULL
                     ? NULL
                     : json_pack("{s:s, s:s}", "job", running_job_id(running),
                                 "state", "running"),
                 err);
}

static void on_submitted(void *user, struct peer *peer,
                         const struct submit *submit, struct arena *arena)
{
    struct coordinator *c = user;
    struct requester requester = requester_of(peer, REQUESTER_SUBMITS);
    struct err err = ERR_CLEAR;

    if (openings_submit(&c->openings, &requester, submit, arena, &err))
        peer_begins_submission(peer);
    else
        tell_failure(c, peer, 2, &err);
}

static void on_submitted_long(void *user, struct peer *peer, struct buf *bytes)
{
    struct coordinator *c = user;
    struct requester requester = requester_of(peer, REQUESTER_SUBMITS);
    struct err err = ERR_CLEAR;

    if (openings_submit_long(&c->openings, &requester, bytes, &err))
        peer_begins_submission(peer);
    else
        tell_failure(c, peer, 2, &err);
}

// --- commands ---

static bool resume_job(void *user, const struct peer *peer, const char *job_id,
                       const struct job_share *share, struct err *err)
{
    struct coordinator *c = user;
    struct requester requester = requester_of(peer, REQUESTER_COMMANDS);

    return openings_resume(&c->openings, &requester, job_id, share, err);
}

static int64_t let_go(void *user, const char *job_id)
{
    struct coordinator *c = user;

    return paused_jobs_forget(&c->paused, job_id);
}

static void act_on(struct coordinator *c, struct peer *peer,
                   const struct verb *verb, const struct command *command,
                   json_t *found)
{
    struct command_scene at = {.engine = &c->engine,
                               .running_jobs = c->running_jobs,
                               .peer = peer,
                               .resume = resume_job,
                               .let_go = let_go,
                               .user = c};
    struct err err = ERR_CLEAR;
    json_t *answer = command_act(verb, &at, command, found, &err);

    if (answer != NULL || err.code != ERR_NONE)
        reply_to(c, peer, answer, &err);
}

static void on_read(void *user, const struct inquiry *inquiry)
{
    struct coordinator *c = user;
    const struct requester *requester = &inquiry->requester;
    struct peer *peer = peers_at(c->peers, &requester->address);

    if (peer == NULL)
        json_decref(inquiry->found);
    else if (inquiry->found == NULL)
        reply_text(c, peer, inquiry->text);
    else
        act_on(c, peer, inquiry->verb, inquiry->command, inquiry->found);
}

static void on_commanded(void *user, struct peer *peer,
                         const struct command *command)
{
    struct coordinator *c = user;
    struct err err = ERR_CLEAR;
    const struct verb *verb = command_verb(command->verb, &err);
    struct requester requester = requester_of(peer, REQUESTER_COMMANDS);

    if (verb != NULL && !command_reads(verb))
        act_on(c, peer, verb, command, NULL);
    else if (verb == NULL ||
             !inquiries_ask(&c->inquiries, &requester, verb, command, &err))
        reply_to(c, peer, NULL, &err);
}

static void tell_progress(struct coordinator *c, int64_t now)
{
    if (now - c->progress_ms < PROGRESS_MS)
        return;
    c->progress_ms = now;
    for (struct peer *peer = peers_next_watcher(c->peers, NULL, NULL);
         peer != NULL; peer = peers_next_watcher(c->peers, NULL, peer)) {
        struct message message = {.kind = MESSAGE_PROGRESS};

        running_job_progress(peer_watched(peer), now, &message.as.progress);
        peers_tell(c->peers, peer, &message);
    }
}

// --- running jobs ---

static void tell_result(struct coordinator *c, struct running_job *running)
{
    const struct running_job_result *result = running_job_result(running);
    struct message message = {.kind = MESSAGE_RESULT};

    message.as.result = (struct result){
        .job = running_job_id(running),
        .status = result->status,
        .document = result->document == NULL ? "{}" : result->document,
        .compiled = result->compiled == NULL ? "" : result->compiled};
    for (struct peer *peer = peers_next_watcher(c->peers, running, NULL);
         peer != NULL; peer = peers_next_watcher(c->peers, running, peer))
        peers_tell(c->peers, peer, &message);
    peers_unwatch(c->peers, running);
}

// What becomes of a job that has ended: one that paused for want of a worker
// waits for another. What `run` does in its own process ends with it.
static void note_end(struct coordinator *c, const struct running_job *running,
                     int64_t now)
{
    const struct job_work *work =
        running_job_work_of((struct running_job *)running);

    enum awaits awaits = running_job_awaits(running);

    if (!running_job_is_run(running) || c->engine.local)
        return;
    if (awaits == AWAITS_NOTHING || c->draining) {
        (void)paused_jobs_forget(&c->paused, work->id);
        return;
    }
    log_info("job-waits", "%s: goes on by itself when %s", work->id,
             awaits == AWAITS_WORKER ? "another worker is here"
                                     : "the disk can be read");
    paused_jobs_add(&c->paused, &c->engine, work->id, work->job_no, awaits,
                    job_work_total_paid(work) > 0, now);
}

static void work_jobs(struct coordinator *c, int64_t now)
{
    const struct programs_handlers programs = {.user = c,
                                               .answered = on_program_answered,
                                               .failed = on_program_failed};
    struct running_job *next;

    for (struct running_job *running = c->running_jobs; running != NULL;
         running = next) {
        next = running_job_next(running);
        running_job_read_notes(running);
        job_programs_read(running_job_work_of(running), &programs);
        running_job_work(running, now);
        if (!running_job_settle(running, now))
            continue;
        tell_result(c, running);
        note_end(c, running, now);
        running_jobs_remove(&c->running_jobs, running);
        c->n_running--;
        running_job_discard(running);
    }
}

static void save_time(struct coordinator *c, int64_t now)
{
    if (now - c->save_ms < SAVE_TIME_MS)
        return;
    c->save_ms = now;
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running_job_next(running))
        if (!running_job_has_ended(running))
            running_job_save_time(running, now);
}

static bool programs_at_work(const struct coordinator *c)
{
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running_job_next(running))
        if (job_programs_at_work(running_job_work_of(running)->programs))
            return true;
    return false;
}

// Somebody is at work when calls are out and no fault came lately, or while a
// program of the user, such as a slow metric, owes an answer.
static void look_busy(struct coordinator *c, int64_t now)
{
    struct dispatch_counts counts;

    if (now - c->busy_check_ms < BUSY_CHECK_MS)
        return;
    c->busy_check_ms = now;
    dispatch_count(c->engine.dispatch, &counts);
    // A disk that is behind is nothing that anybody at work can help.
    if (c->engine.behind || programs_at_work(c) ||
        (counts.leased > 0 && counts.faults == c->faults_seen))
        c->engine.busy_ms = now;
    c->faults_seen = counts.faults;
}

// Jobs of a coordinator on the network wait in the store for the next one; what
// `run` does in its own process ends with it.
static void drain(struct coordinator *c)
{
    struct err why = ERR_CLEAR, ended = ERR_CLEAR;

    c->draining = true;
    store_set_patience(c->engine.store, 0); // or it would end with the outage
    err_set(&ended, ERR_STOPPED,
            "the coordinator stopped before it came to this query: ask again "
            "when it is back");
    background_dismiss(c->engine.queries, &ended);
    err_set(
        &why, ERR_STOPPED, "%s",
        c->engine.local
            ? "stopped; run the same command again to go on"
            : "the coordinator stopped; the job goes on when it starts again");
    for (struct running_job *running = c->running_jobs; running != NULL;
         running = running_job_next(running)) {
        if (c->engine.local)
            running_job_close(running, &why);
        else
            running_job_interrupt(running, &why);
    }
}

// --- jobs that go on by themselves ---

static bool go_on(struct coordinator *c, int64_t job_no, const char *id)
{
    struct requester nobody = {.kind = REQUESTER_NONE, .job_no = job_no};
    struct err err = ERR_CLEAR;

    return c->n_running < MAX_RUNNING &&
           openings_resume(&c->openings, &nobody, id, &(struct job_share){0},
                           &err);
}

// What an earlier coordinator left; the rest waits until there is room.
static void take_up_left(struct coordinator *c, int64_t now)
{
    struct left_view job;

    if (c->draining)
        return;
    left_jobs_tick(&c->left, now);
    while (left_jobs_next(&c->left, &job) && go_on(c, job.job_no, job.id)) {
        log_info("job-taken-up", "%s", job.id);
        left_jobs_took(&c->left);
    }
}

// Jobs that paused, and for which somebody new is here.
static void take_up_paused(struct coordinator *c, int64_t now)
{
    struct paused_view job;

    while (!c->draining && paused_jobs_due(&c->paused, &c->engine, now, &job)) {
        if (go_on(c, job.job_no, job.id))
            log_info("job-taken-up", "%s: %s", job.id,
                     job.awaits == AWAITS_WORKER ? "another worker is here"
                                                 : "the disk is tried again");
        else
            paused_jobs_later(&c->paused, job.id, now);
    }
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

// While the disk is behind nothing is sent, and a call that is due to be sent
// is no reason to turn at once.
static long wait_ms(struct coordinator *c, int64_t now)
{
    int64_t deadline = dispatch_deadline(c->engine.dispatch);
    int64_t wait = c->n_running > 0 ? PROGRESS_MS : IDLE_MS;

    if (turn_was_unfinished(&c->engine.turn))
        return 0;
    if (c->engine.behind && deadline <= now)
        return (long)wait;
    if (deadline >= 0 && deadline - now < wait)
        wait = deadline - now;
    return wait < 0 ? 0 : (long)wait;
}

static void wait_for_events(struct coordinator *c)
{
    zmq_pollitem_t items[7 + 2 * MAX_RUNNING] = {
        {.socket = wire_handle(listener_socket(c->listener)),
         .events = ZMQ_POLLIN},
        {.socket = connections_handle(listener_connections(c->listener)),
         .events = ZMQ_POLLIN},
        {.socket = c->control, .events = ZMQ_POLLIN},
        {.fd = store_notice_fd(c->engine.store), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.jobs), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.reads), .events = ZMQ_POLLIN},
        {.fd = background_fd(c->engine.queries), .events = ZMQ_POLLIN},
    };
    int n = 7;

    for (struct running_job *running = c->running_jobs; running != NULL;
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
    if (take_orders(c) && !c->draining)
        drain(c);
    turn_step(turn, "what peers sent");
    inbox_receive(c->inbox, now);
    turn_step(turn, "answers that are durable");
    settle_durable(c, now);
    turn_step(turn, "what the background did");
    background_take(c->engine.jobs);
    background_take(c->engine.reads);
    background_take(c->engine.queries);
    take_up_left(c, now);
    take_up_paused(c, now);
    turn_step(turn, "running jobs");
    dispatch_tick(c->engine.dispatch, now);
    c->engine.behind = store_behind(c->engine.store);
    work_jobs(c, now);
    turn_step(turn, "calls to be sent");
    delivery_send_proofs(c->peers, now);
    if (!c->engine.behind)
        act(c, now);
    delivery_flush(c->peers, now);
    turn_step(turn, "heartbeats and progress");
    look_busy(c, now);
    end_late_side_calls(c, now);
    peers_beat(c->peers, now);
    tell_progress(c, now);
    save_time(c, now);
    turn_end(turn);
}

static void *run_loop(void *arg)
{
    struct coordinator *c = arg;

    left_jobs_survey(&c->left);
    while (!c->draining || c->running_jobs != NULL ||
           !background_idle(c->engine.jobs) ||
           !background_idle(c->engine.reads) ||
           !background_idle(c->engine.queries))
        turn(c);
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

// A submission may take hundreds of MiB while it is read: two at once, and what
// waits is bounded too.
static bool open_background(struct coordinator *c, struct err *err)
{
    struct background_options jobs = {
        .store = c->engine.store,
        .threads = 2,
        .max_chores = MAX_OPENINGS,
        .max_bytes = MAX_OPENING_BYTES,
        .busy = "the coordinator is still reading jobs that were submitted "
                "just before: submit again in a minute"};
    struct background_options reads = {
        .store = c->engine.store,
        .threads = 2,
        .max_chores = MAX_QUESTIONS,
        .max_bytes = SIZE_MAX,
        .busy = "the coordinator is asked too much at once: ask again in a "
                "moment"};

    // One at a time, and beside the others: whoever asks for jobs does not wait
    // for what somebody else made slow.
    struct background_options queries = {
        .store = c->engine.store,
        .threads = 1,
        .max_chores = MAX_QUERIES,
        .max_bytes = SIZE_MAX,
        .busy = "the coordinator has more queries than it can run: ask again "
                "in a moment, or query a copy of the store"};

    c->engine.jobs = background_start(&jobs, err);
    if (c->engine.jobs != NULL)
        c->engine.reads = background_start(&reads, err);
    if (c->engine.reads != NULL)
        c->engine.queries = background_start(&queries, err);
    return c->engine.queries != NULL;
}

// Over inproc as well, so that a part of this process is a client like others
// whatever the network asks of them.
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

static bool open_peers(struct coordinator *c, struct err *err)
{
    const struct inbox_handlers handlers = {.user = c,
                                            .submitted = on_submitted,
                                            .submitted_long = on_submitted_long,
                                            .commanded = on_commanded,
                                            .answered = on_answered,
                                            .side_call_answered =
                                                on_side_call_answered};

    c->peers = peers_new(&c->engine, c->listener, err);
    if (c->peers != NULL)
        c->inbox = inbox_new(c->peers, &handlers, err);
    return c->inbox != NULL;
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
                                .refusal = options->refusal,
                                .wait_start_ms = options->wait_start_ms,
                                .wait_after_ms = options->wait_after_ms,
                                .call_timeout_ms = options->call_timeout_ms,
                                .local = options->local,
                                .proofs = {.wanted = options->proofs},
                                .allow_exec = options->allow_exec};
    turn_init(&c->engine.turn);
    if (!parcel_init(&c->engine.parcel, err))
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
    background_stop(c->engine.jobs);
    background_stop(c->engine.reads);
    background_stop(c->engine.queries);
    left_jobs_release(&c->left);
    paused_jobs_release(&c->paused);
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
    parcel_release(&c->engine.parcel);
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
    c->opening_handlers = (struct opening_handlers){.user = c,
                                                    .find_same = find_same,
                                                    .begin = begin_job,
                                                    .ended = after_opening};
    c->inquiries = (struct inquiries){.engine = &c->engine,
                                      .program = options->program,
                                      .answered = on_read,
                                      .user = c};
    c->left.engine = &c->engine;
    c->openings = (struct openings){.engine = &c->engine,
                                    .handlers = &c->opening_handlers};
    if (!open_control(c, err) || !open_engine(c, options, err) ||
        !open_listener(c, options, err) || !open_peers(c, err))
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
    parcel_put(&c->engine.parcel, bundle);
}

bool coordinator_ended(const struct coordinator *c)
{
    return atomic_load(&c->ended);
}

struct turn_report coordinator_longest_turn(struct coordinator *c)
{
    return turn_longest(&c->engine.turn);
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
