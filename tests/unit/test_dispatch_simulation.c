// A cluster in virtual time, driven by one seed. Workers of different speeds
// have to read prompts that are new to them, and they fail, hang, vanish, fall
// silent, drain and come back, over a network that loses and delays messages.
// Some jobs may use only a few of them. After each event dispatch must be
// sound. Once faults stop, every call must be answered, and each counts once.
//
// DISPATCH_SEEDS=100000 in the environment runs that many seeds instead of 200.

#include "dispatch/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "dispatch_check.h"

enum {
    MAX_MACHINES = 9,
    MAX_CALLS = 120,
    MAX_EVENTS = 16384,
    MAX_LEASES = 4096,
    N_JOBS = 3,
    TIMEOUT_MS = 10000,
    READ_MS = 4000, // time to read a prompt, at speed 1
    FAULTS_STOP_MS = 120000,
    GIVE_UP_MS = 3600000,
};

enum event_kind {
    EVENT_QUEUE,   // a: call
    EVENT_ARRIVE,  // a: machine, b: lease. A call reaches its worker
    EVENT_WORKED,  // a: machine, b: lease. The model server is done
    EVENT_ANSWER,  // a: worker, b: lease
    EVENT_FAULT,   // a: worker, b: lease, c: fault
    EVENT_CREDIT,  // a: worker, b: lease
    EVENT_BEAT,    // a: machine
    EVENT_JOIN,    // a: machine
    EVENT_CRASH,   // a: machine
    EVENT_LEAVE,   // a: machine
    EVENT_DRAIN,   // a: machine
    EVENT_CANCEL,  // a: call
    EVENT_NOTHING, // dispatch_tick is called before each event
};
enum { EVENT_COUNT = EVENT_NOTHING + 1 };

struct event {
    int64_t at, order;
    enum event_kind kind;
    int64_t a, b, c;
};

// One computer. Each time it joins, it is a new worker to dispatch.
struct machine {
    int32_t worker; // 0: not connected
    int64_t life;   // increases when it dies: calls from before are lost
    int slots;
    int speed;
    int64_t group; // of its last call, whose prompt it has read
    int64_t silent_until;
    bool lost; // it is silent, and its leases were counted
};

struct call_fate {
    int sent, answered;
    bool cancelled;
    int64_t trial, group;
    int32_t job, model;
};

struct lease_fate {
    int64_t call;
    int machine;
    int64_t life;
    int64_t sent_ms;
    bool out; // sent, and not over as far as dispatch knows
};

struct world {
    uint64_t random;
    int64_t now;
    struct dispatch *dispatch;
    struct event events[MAX_EVENTS];
    int n_events;
    int64_t order;
    struct machine machines[MAX_MACHINES];
    int n_machines;
    int32_t last_worker;
    struct call_fate calls[MAX_CALLS];
    int n_calls;
    int32_t limits[N_JOBS]; // most workers per job; 0: no limit
    struct lease_fate leases[MAX_LEASES];
    int64_t n_lost;  // leases that were out when their worker vanished
    int n_over;      // calls that are answered or cancelled
    char wrong[160]; // the first thing that went wrong
};

// --- chance and time ---

static uint64_t chance(struct world *world, uint64_t below)
{
    uint64_t z = (world->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

// Returns true in per_mille of a thousand cases, while faults last.
static bool fate(struct world *world, uint64_t per_mille)
{
    return world->now < FAULTS_STOP_MS && chance(world, 1000) < per_mille;
}

static void expect(struct world *world, bool holds, const char *what,
                   int64_t which)
{
    if (!holds && world->wrong[0] == '\0')
        (void)snprintf(world->wrong, sizeof world->wrong,
                       "%s (%lld, at %lld ms)", what, (long long)which,
                       (long long)world->now);
}

static void plan(struct world *world, int64_t in_ms, enum event_kind kind,
                 int64_t a, int64_t b, int64_t c)
{
    int at = world->n_events++;

    cr_assert_lt(at, MAX_EVENTS - 1);
    struct event event = {world->now + in_ms, ++world->order, kind, a, b, c};
    for (; at > 0 && world->events[(at - 1) / 2].at > event.at;
         at = (at - 1) / 2)
        world->events[at] = world->events[(at - 1) / 2];
    world->events[at] = event;
}

static struct event pop(struct world *world)
{
    struct event first = world->events[0];
    struct event moved = world->events[--world->n_events];
    int at = 0;

    for (;;) {
        int child = 2 * at + 1;
        if (child >= world->n_events)
            break;
        if (child + 1 < world->n_events &&
            world->events[child + 1].at < world->events[child].at)
            child++;
        if (world->events[child].at >= moved.at)
            break;
        world->events[at] = world->events[child];
        at = child;
    }
    world->events[at] = moved;
    return first;
}

static int64_t on_the_way(struct world *world)
{
    return 1 + (int64_t)chance(world, fate(world, 20) ? 4000 : 20);
}

// --- what reaches dispatch ---

static void lose_leases(struct world *world, int32_t worker)
{
    for (int i = 0; i < MAX_LEASES; i++) {
        struct lease_fate *lease = &world->leases[i];
        if (!lease->out || lease->machine != worker)
            continue;
        lease->out = false;
        world->n_lost++;
    }
}

static void on_queue(struct world *world, const struct event *event)
{
    const struct call_fate *fated = &world->calls[event->a];

    if (fated->cancelled) // while the call was parked
        return;
    struct dispatch_call call = {.id = event->a,
                                 .job = fated->job,
                                 .model = fated->model,
                                 .trial = fated->trial,
                                 .group = fated->group,
                                 .timeout_ms = TIMEOUT_MS};

    expect(world, dispatch_queue(world->dispatch, &call, world->now, NULL),
           "a call was not queued", event->a);
}

static void on_answer(struct world *world, const struct event *event)
{
    int64_t call = -1;

    if (dispatch_done(world->dispatch, (int32_t)event->a, event->b, world->now,
                      &call)) {
        expect(world, call == world->leases[event->b].call,
               "an answer was taken for another call's", call);
        expect(world, world->calls[call].answered++ == 0,
               "a call was answered twice", call);
        expect(world, !world->calls[call].cancelled,
               "a cancelled call was answered", call);
        world->n_over++;
    }
    world->leases[event->b].out = false;
    plan(world, (int64_t)chance(world, 50), EVENT_CREDIT, event->a, event->b,
         0);
}

static void on_fault(struct world *world, const struct event *event)
{
    world->leases[event->b].out = false;
    dispatch_fault(world->dispatch, (int32_t)event->a, event->b,
                   (enum call_fault)event->c, world->now);
}

static void on_credit(struct world *world, const struct event *event)
{
    dispatch_credit(world->dispatch, (int32_t)event->a, event->b, world->now);
}

static void on_cancel(struct world *world, const struct event *event)
{
    struct call_fate *call = &world->calls[event->a];

    if (call->answered == 0 && !call->cancelled) {
        call->cancelled = true;
        world->n_over++;
    }
    dispatch_cancel(world->dispatch, event->a, world->now);
}

static void on_nothing(struct world *world, const struct event *event)
{
    (void)world;
    (void)event;
}

// --- what machines do ---

static bool is_same_life(const struct world *world, int64_t lease)
{
    const struct lease_fate *known = &world->leases[lease];

    for (int i = 0; i < world->n_machines; i++) {
        if (world->machines[i].worker == known->machine)
            return world->machines[i].life == known->life;
    }
    return false;
}

static struct machine *machine_of(struct world *world, int32_t worker)
{
    for (int i = 0; i < world->n_machines; i++) {
        if (world->machines[i].worker == worker)
            return &world->machines[i];
    }
    return NULL;
}

static void on_arrive(struct world *world, const struct event *event)
{
    struct machine *machine = &world->machines[event->a];
    int64_t group = world->calls[world->leases[event->b].call].group;
    int64_t takes = 100 + (int64_t)chance(world, 3000) / machine->speed;

    if (!is_same_life(world, event->b))
        return;
    if (machine->group != group)
        takes += READ_MS / machine->speed;
    machine->group = group;
    if (fate(world, 20))
        takes += 12000 + (int64_t)chance(world, 20000); // beyond the time limit
    plan(world, takes, EVENT_WORKED, event->a, event->b, 0);
}

static void on_worked(struct world *world, const struct event *event)
{
    static const enum call_fault faults[] = {
        FAULT_REFUSED, FAULT_TIMEOUT, FAULT_BUSY,    FAULT_SERVER,
        FAULT_BROKEN,  FAULT_GARBAGE, FAULT_REQUEST, FAULT_LOST};
    int32_t worker = world->leases[event->b].machine;

    if (!is_same_life(world, event->b))
        return;
    if (fate(world, 30)) // the report is lost
        return;
    if (fate(world, 150))
        plan(world, on_the_way(world), EVENT_FAULT, worker, event->b,
             (int64_t)faults[chance(world, 8)]);
    else
        plan(world, on_the_way(world), EVENT_ANSWER, worker, event->b, 0);
    if (fate(world, 20)) // it comes twice
        plan(world, on_the_way(world), EVENT_ANSWER, worker, event->b, 0);
}

static void on_beat(struct world *world, const struct event *event)
{
    struct machine *machine = &world->machines[event->a];

    if (fate(world, 10))
        machine->silent_until = world->now + (int64_t)chance(world, 6000);
    if (machine->worker != 0 && world->now >= machine->silent_until)
        dispatch_heard(world->dispatch, machine->worker, world->now);
    plan(world, 1000, EVENT_BEAT, event->a, 0, 0);
}

static void on_join(struct world *world, const struct event *event)
{
    struct machine *machine = &world->machines[event->a];

    if (machine->worker != 0)
        return;
    machine->worker = ++world->last_worker;
    machine->lost = false;
    machine->life++;
    expect(world,
           dispatch_join(world->dispatch, machine->worker, machine->slots,
                         world->now, NULL),
           "a worker could not join", machine->worker);
    for (int32_t model = 1; model <= 2; model++) {
        if (event->a % 3 != model || world->n_machines < 3)
            expect(
                world,
                dispatch_serves(world->dispatch, machine->worker, model, NULL),
                "a worker has no models", machine->worker);
    }
}

// The machine is gone, and dispatch finds out by its silence. When it starts
// again it is another worker.
static void on_crash(struct world *world, const struct event *event)
{
    struct machine *machine = &world->machines[event->a];

    lose_leases(world, machine->worker);
    machine->worker = 0;
    machine->life++;
    plan(world, 1 + (int64_t)chance(world, 10000), EVENT_JOIN, event->a, 0, 0);
}

static void part(struct world *world, struct machine *machine, int64_t after)
{
    lose_leases(world, machine->worker);
    machine->worker = 0;
    machine->life++;
    machine->silent_until = 0;
    plan(world, after, EVENT_JOIN, machine - world->machines, 0, 0);
}

static void on_leave(struct world *world, const struct event *event)
{
    struct machine *machine = &world->machines[event->a];

    if (machine->worker == 0)
        return;
    dispatch_leave(world->dispatch, machine->worker, world->now);
    part(world, machine, 1 + (int64_t)chance(world, 10000));
}

static void on_drain(struct world *world, const struct event *event)
{
    if (world->machines[event->a].worker == 0)
        return;
    dispatch_drain(world->dispatch, world->machines[event->a].worker);
    plan(world, 5000, EVENT_LEAVE, event->a, 0, 0);
}

// --- the actions of dispatch ---

// Returns how many workers have calls of the job. Calls that have been out for
// long are left out, since they may have ended without a word.
static int32_t workers_of(const struct world *world, int32_t job,
                          int64_t last_lease)
{
    int32_t n = 0;

    for (int32_t worker = 1; worker <= world->last_worker; worker++) {
        bool has = false;
        for (int64_t i = 1; i <= last_lease && !has; i++) {
            const struct lease_fate *lease = &world->leases[i];
            has = lease->out && lease->machine == worker &&
                  world->now - lease->sent_ms < TIMEOUT_MS &&
                  world->calls[lease->call].job == job;
        }
        n += has;
    }
    return n;
}

static void act_send(struct world *world, const struct action *action)
{
    struct machine *machine = machine_of(world, action->worker);
    struct call_fate *call = &world->calls[action->call];

    cr_assert_lt(action->lease, MAX_LEASES);
    expect(world, call->answered == 0, "an answered call was sent again",
           action->call);
    expect(world, !call->cancelled, "a cancelled call was sent", action->call);
    call->sent++;
    if (machine == NULL) { // it has crashed, which dispatch does not know yet
        world->n_lost++;
        return;
    }
    world->leases[action->lease] = (struct lease_fate){
        action->call, action->worker, machine->life, world->now, true};
    expect(world,
           world->limits[call->job] == 0 ||
               workers_of(world, call->job, action->lease) <=
                   world->limits[call->job],
           "a job has more workers than it may have", action->call);
    if (!fate(world, 20))
        plan(world, on_the_way(world), EVENT_ARRIVE, machine - world->machines,
             action->lease, 0);
}

static void act(struct world *world, const struct action *action)
{
    struct machine *machine = machine_of(world, action->worker);

    switch (action->kind) {
    case ACTION_SEND:
        act_send(world, action);
        break;
    case ACTION_CANCEL:
        // The worker does not obey: its answer still comes.
        world->leases[action->lease].out = false;
        break;
    case ACTION_DROP:
        if (machine != NULL) // otherwise it has crashed
            part(world, machine, 1 + (int64_t)chance(world, 5000));
        break;
    case ACTION_PARK:
        // Does what a coordinator does; the job is resumed some time later.
        dispatch_cancel(world->dispatch, action->call, world->now);
        plan(world, 5000, EVENT_QUEUE, action->call, 0, 0);
        break;
    }
}

static void prove(struct world *world)
{
    const char *wrong = dispatch_check(world->dispatch);

    expect(world, wrong == NULL, wrong, 0);
}

static void settle(struct world *world)
{
    struct action action;

    prove(world);
    while (dispatch_next(world->dispatch, world->now, &action)) {
        act(world, &action);
        if (world->wrong[0] != '\0')
            return;
    }
    prove(world);
    int64_t deadline = dispatch_deadline(world->dispatch);
    expect(world, deadline < 0 || deadline > world->now,
           "there is something to do already", deadline);
}

// Calls of a worker that is considered silent may be asked again elsewhere.
static void count_silent(struct world *world)
{
    for (int i = 0; i < world->n_machines; i++) {
        struct machine *machine = &world->machines[i];
        struct dispatch_worker_view view = {0};

        if (!dispatch_worker_look(world->dispatch, machine->worker, &view))
            continue;
        bool silent = view.state == DISPATCH_WORKER_SILENT;
        if (silent && !machine->lost)
            lose_leases(world, machine->worker);
        machine->lost = silent;
    }
}

static void step(struct world *world)
{
    static void (*const handlers[EVENT_COUNT])(struct world *,
                                               const struct event *) = {
        [EVENT_QUEUE] = on_queue,     [EVENT_ARRIVE] = on_arrive,
        [EVENT_WORKED] = on_worked,   [EVENT_ANSWER] = on_answer,
        [EVENT_FAULT] = on_fault,     [EVENT_CREDIT] = on_credit,
        [EVENT_BEAT] = on_beat,       [EVENT_JOIN] = on_join,
        [EVENT_CRASH] = on_crash,     [EVENT_LEAVE] = on_leave,
        [EVENT_DRAIN] = on_drain,     [EVENT_CANCEL] = on_cancel,
        [EVENT_NOTHING] = on_nothing,
    };
    int64_t deadline = dispatch_deadline(world->dispatch);

    if (deadline >= 0 && deadline < world->events[0].at) {
        world->now = deadline > world->now ? deadline : world->now;
        dispatch_tick(world->dispatch, world->now);
        count_silent(world);
    } else {
        struct event event = pop(world);
        world->now = event.at;
        dispatch_tick(world->dispatch, world->now);
        count_silent(world);
        settle(world);
        handlers[event.kind](world, &event);
    }
    settle(world);
}

// --- a run ---

static void plan_calls(struct world *world)
{
    uint64_t n_jobs = chance(world, 2) == 0 ? 1 : N_JOBS;
    uint64_t n_models = 1 + chance(world, 2);

    world->n_calls = 20 + (int)chance(world, MAX_CALLS - 20);
    for (int i = 0; i < world->n_calls; i++) {
        struct call_fate *call = &world->calls[i];
        call->job = (int32_t)chance(world, n_jobs);
        call->model = 1 + (int32_t)(n_models > 1 && chance(world, 4) == 0);
        call->trial = i / 20;
        call->group = call->trial * 4 + (int64_t)chance(world, 2);
        plan(world, (int64_t)chance(world, 60000), EVENT_QUEUE, i, 0, 0);
        if (chance(world, 50) == 0)
            plan(world, 60001 + (int64_t)chance(world, 20000), EVENT_CANCEL, i,
                 0, 0);
    }
}

static void plan_machines(struct world *world)
{
    static const enum event_kind troubles[] = {EVENT_CRASH, EVENT_LEAVE,
                                               EVENT_DRAIN};

    world->n_machines = 1 + (int)chance(world, MAX_MACHINES);
    for (int i = 0; i < world->n_machines; i++) {
        world->machines[i].slots = 1 + (int)chance(world, 4);
        world->machines[i].speed = 1 << chance(world, 4);
        plan(world, (int64_t)chance(world, 5000), EVENT_JOIN, i, 0, 0);
        plan(world, 0, EVENT_BEAT, i, 0, 0);
        for (uint64_t n = chance(world, 4); n > 0; n--)
            plan(world, (int64_t)chance(world, FAULTS_STOP_MS),
                 troubles[chance(world, 3)], i, 0, 0);
    }
}

static void plan_limits(struct world *world)
{
    for (int32_t job = 0; job < N_JOBS; job++) {
        if (chance(world, 2) == 0)
            continue;
        world->limits[job] = 1 + (int32_t)chance(world, 4);
        expect(
            world,
            dispatch_set_limit(world->dispatch, job, world->limits[job], NULL),
            "a limit was not taken", job);
    }
}

static void judge(struct world *world)
{
    struct dispatch_counts counts;
    int64_t sent = 0;

    dispatch_count(world->dispatch, &counts);
    for (int i = 0; i < world->n_calls; i++) {
        const struct call_fate *call = &world->calls[i];
        expect(world, call->answered == (call->cancelled ? 0 : 1),
               "a call was not answered once", i);
        sent += call->sent;
    }
    expect(world, sent == counts.sent, "sends are miscounted", sent);
    expect(world,
           sent <=
               world->n_calls + counts.faults + counts.hedged + world->n_lost,
           "calls were repeated without a reason", sent);
    expect(world,
           counts.queued + counts.waiting + counts.leased + counts.parked == 0,
           "calls are left over", 0);
}

static void run(struct world *world, uint64_t seed)
{
    struct dispatch_config config = {.liveness_ms = 3000,
                                     .hedge = seed % 4 != 0};

    memset(world, 0, sizeof *world);
    world->random = seed;
    world->dispatch = dispatch_new(&config, NULL);
    cr_assert_not_null(world->dispatch);
    plan_machines(world);
    plan_calls(world);
    plan_limits(world);
    while (world->wrong[0] == '\0' && world->n_over < world->n_calls) {
        step(world);
        expect(world, world->now < GIVE_UP_MS, "calls were never answered",
               world->n_calls - world->n_over);
    }
    if (world->wrong[0] == '\0')
        judge(world);
    dispatch_free(world->dispatch);
}

Test(dispatch_simulation, every_call_is_answered_once_whatever_goes_wrong)
{
    static struct world world;
    const char *wanted = getenv("DISPATCH_SEEDS");
    uint64_t seeds = wanted != NULL ? strtoull(wanted, NULL, 10) : 200;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run(&world, seed);
        cr_assert_str_eq(world.wrong, "", "seed %llu: %s",
                         (unsigned long long)seed, world.wrong);
    }
}
