#include "coordinator/coordinator_loop.h"

#include <zmq.h>

#include "common/clock.h"
#include "coordinator/answerers/programs.h"
#include "coordinator/background.h"
#include "coordinator/coordinator_actions.h"
#include "coordinator/delivery.h"
#include "coordinator/landing.h"
#include "coordinator/running_job.h"

enum {
    ACTIVE_MS = 250,     // longest wait while a job runs
    IDLE_MS = 500,       // longest wait otherwise
    BUSY_CHECK_MS = 500, // between two checks whether anybody is working
    HALTED_MS = 1500, // a longer turn, with its wait, means that this process
                      // was halted
};

// Somebody is working if calls are in flight and there was no fault lately, or
// while a program of the user, such as a slow metric, owes an answer.
static void note_busy(struct coordinator *c, int64_t now)
{
    struct dispatch_counts counts;

    if (now - c->watch.check_ms < BUSY_CHECK_MS)
        return;
    c->watch.check_ms = now;
    dispatch_count(c->engine.dispatch, &counts);
    // While the disk is behind, nothing is sent, so a lack of answers says
    // nothing about the workers.
    if (c->engine.behind || jobs_have_busy_programs(c->jobs) ||
        (counts.leased > 0 && counts.faults == c->watch.faults))
        c->engine.busy_ms = now;
    c->watch.faults = counts.faults;
}

// After a halt, as by Ctrl-Z or on a crowded machine, nobody has been silent:
// it was us who could not hear. Who was silent before stays so.
static void note_halt(struct coordinator *c, int64_t now)
{
    struct dispatch *dispatch = c->engine.dispatch;
    struct dispatch_worker_view view;

    if (now - c->watch.turn_ms > HALTED_MS) {
        c->engine.busy_ms = now;
        for (const struct worker_info *w = c->engine.workers.workers; w != NULL;
             w = w->next)
            if (dispatch_worker_look(dispatch, w->number, &view) &&
                view.state != DISPATCH_WORKER_SILENT)
                dispatch_heard(dispatch, w->number, now);
    }
    c->watch.turn_ms = now;
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
        coordinator_act(c, now);
    delivery_flush(c->peers, now);
    turn_step(turn, "heartbeats and progress");
    note_busy(c, now);
    peers_beat(c->peers, now);
    clients_tend(c->clients, now);
    jobs_save_time(c->jobs, now);
    turn_end(turn);
}

void *coordinator_loop(void *coordinator)
{
    struct coordinator *c = coordinator;

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
