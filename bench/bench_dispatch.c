// bench_dispatch: what placing a call costs, and what affinity gains.
//
//   bench_dispatch
//
// First, microseconds of CPU for one call that is queued, sent, answered and
// credited while 100,000 others are queued for 1,000 workers. Second, eight
// simulated workers of speeds 1:1:2:2:4:4:8:8 in virtual time, whose model
// servers keep one prompt prefix a slot: how busy they are, and how many calls
// found their prefix there, in the order of dispatch and in order of arrival.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dispatch/dispatch.h"

static void die(const struct err *err)
{
    (void)fprintf(stderr, "bench_dispatch: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static struct dispatch *open_dispatch(bool hedge)
{
    struct dispatch_config config = {.hedge = hedge};
    struct err err = ERR_CLEAR;
    struct dispatch *dispatch = dispatch_new(&config, &err);

    if (dispatch == NULL)
        die(&err);
    return dispatch;
}

static void join(struct dispatch *dispatch, int32_t worker, int slots)
{
    struct err err = ERR_CLEAR;

    if (!dispatch_join(dispatch, worker, slots, 0, &err) ||
        !dispatch_serves(dispatch, worker, 1, &err))
        die(&err);
}

static void queue(struct dispatch *dispatch, const struct dispatch_call *call,
                  int64_t now)
{
    struct err err = ERR_CLEAR;

    if (!dispatch_queue(dispatch, call, now, &err))
        die(&err);
}

// --- cost ---

enum { QUEUED = 100000, WORKERS = 1000, ROUNDS = 1000000 };

struct load {
    const char *name;
    int calls_a_trial;
    int n_jobs;
    bool clock; // tick and ask for the deadline with every call as well
};

// Leases that are out, first in first out.
struct out_queue {
    struct action actions[2 * WORKERS];
    size_t first, count;
};

static void queue_next(struct dispatch *dispatch, const struct load *load,
                       int64_t id, int64_t now)
{
    int64_t trial = id / load->calls_a_trial;

    queue(dispatch,
          &(struct dispatch_call){.id = id,
                                  .job = (int32_t)(trial % load->n_jobs),
                                  .model = 1,
                                  .trial = trial,
                                  .group = trial,
                                  .timeout_ms = 60000,
                                  .window = QUEUED},
          now);
}

static void take_actions(struct dispatch *dispatch, struct out_queue *out,
                         int64_t now)
{
    struct action action;

    while (dispatch_next(dispatch, now, &action)) {
        size_t at = (out->first + out->count++) % (2 * WORKERS);
        out->actions[at] = action;
    }
}

static void answer_first(struct dispatch *dispatch, struct out_queue *out,
                         int64_t now)
{
    struct action action = out->actions[out->first];
    int64_t call = 0;

    out->first = (out->first + 1) % (2 * WORKERS);
    out->count--;
    if (!dispatch_done(dispatch, action.worker, action.lease, now, &call))
        abort();
    dispatch_credit(dispatch, action.worker, action.lease, now);
}

static double cpu_us(void)
{
    return (double)clock() * 1e6 / CLOCKS_PER_SEC;
}

static void measure_cost(const struct load *load)
{
    static struct out_queue out;
    struct dispatch *dispatch = open_dispatch(true);
    int64_t id = 0;
    double begin = 0;

    out = (struct out_queue){0};
    for (int32_t worker = 1; worker <= WORKERS; worker++)
        join(dispatch, worker, 1);
    while (id < QUEUED + 2 * WORKERS)
        queue_next(dispatch, load, id++, 0);
    take_actions(dispatch, &out, 0);
    begin = cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        int64_t now = i / 20;
        queue_next(dispatch, load, id++, now);
        answer_first(dispatch, &out, now);
        take_actions(dispatch, &out, now);
        if (load->clock && dispatch_deadline(dispatch) <= now)
            dispatch_tick(dispatch, now);
    }
    printf("%-44s %5.2f us a call\n", load->name, (cpu_us() - begin) / ROUNDS);
    dispatch_free(dispatch);
}

// --- affinity ---

enum {
    MACHINES = 8,
    TRIALS = 60,
    WINDOW = 4,
    PREFIX_MS = 5200, // at speed 1: reading 1,200 tokens of prefix
    CALL_MS = 2400,   // at speed 1: the rest, on average
};

struct machine {
    int speed;
    struct action held[2]; // the first one is at work
    int n_held;
    int64_t done_ms; // when it is
    int64_t busy_ms;
    int64_t prefix; // the trial whose prefix its slot keeps; -1: none
};

enum order { ORDER_DISPATCH, ORDER_ARRIVAL, ORDER_INTERLEAVED };

struct cluster {
    struct dispatch *dispatch;
    struct machine machines[MACHINES];
    enum order order;
    int trial_calls;
    int64_t now;
    int left[TRIALS]; // calls without an answer
    int n_submitted;
    int n_done; // trials, in order
    int64_t begun, reused;
};

static int64_t call_ms(int64_t id)
{
    uint64_t mixed = (uint64_t)(id + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return CALL_MS / 2 + (int64_t)((mixed >> 40) % CALL_MS);
}

// The naive orders tell dispatch nothing of prefixes: each call is a group of
// its own, and what is said to be its trial gives the order.
static void submit(struct cluster *cluster)
{
    int trial = cluster->n_submitted++;

    cluster->left[trial] = cluster->trial_calls;
    for (int i = 0; i < cluster->trial_calls; i++) {
        int64_t id = (int64_t)trial * cluster->trial_calls + i;
        const int64_t trials[] = {[ORDER_DISPATCH] = trial,
                                  [ORDER_ARRIVAL] = 0,
                                  [ORDER_INTERLEAVED] = i};
        bool grouped = cluster->order == ORDER_DISPATCH;
        queue(cluster->dispatch,
              &(struct dispatch_call){.id = id,
                                      .model = 1,
                                      .trial = trials[cluster->order],
                                      .group = grouped ? trial : id,
                                      .timeout_ms = 600000,
                                      .window = WINDOW},
              cluster->now);
    }
}

static void begin_work(struct cluster *cluster, struct machine *machine)
{
    int64_t id = machine->held[0].call;
    int64_t trial = id / cluster->trial_calls;
    bool reuses = machine->prefix == trial;
    int64_t work = call_ms(id) + (reuses ? 0 : PREFIX_MS);

    machine->done_ms = cluster->now + work / machine->speed;
    machine->busy_ms += work / machine->speed;
    machine->prefix = trial;
    cluster->begun++;
    cluster->reused += reuses;
}

static void take_off(struct cluster *cluster, struct machine *machine, int at)
{
    bool was_first = at == 0;

    if (was_first) // a cancelled call was not busy to its end
        machine->busy_ms -= machine->done_ms - cluster->now;
    machine->held[0] = machine->held[1 - at];
    machine->n_held--;
    if (was_first && machine->n_held > 0)
        begin_work(cluster, machine);
}

static void act(struct cluster *cluster, const struct action *action)
{
    struct machine *machine = &cluster->machines[action->worker - 1];

    if (action->kind == ACTION_SEND) {
        machine->held[machine->n_held++] = *action;
        if (machine->n_held == 1)
            begin_work(cluster, machine);
        return;
    }
    for (int i = 0; i < machine->n_held; i++) {
        if (machine->held[i].lease == action->lease) {
            take_off(cluster, machine, i);
            return;
        }
    }
}

static void finish_call(struct cluster *cluster, struct machine *machine)
{
    struct action action = machine->held[0];
    int64_t call = 0;

    take_off(cluster, machine, 0);
    if (!dispatch_done(cluster->dispatch, action.worker, action.lease,
                       cluster->now, &call))
        return;
    dispatch_credit(cluster->dispatch, action.worker, action.lease,
                    cluster->now);
    cluster->left[call / cluster->trial_calls]--;
    while (cluster->n_done < cluster->n_submitted &&
           cluster->left[cluster->n_done] == 0) {
        cluster->n_done++;
        if (cluster->n_submitted < TRIALS)
            submit(cluster);
    }
}

// The machine that is done next, or NULL when dispatch has to act before.
static struct machine *next_machine(struct cluster *cluster)
{
    int64_t deadline = dispatch_deadline(cluster->dispatch);
    struct machine *next = NULL;

    for (int i = 0; i < MACHINES; i++) {
        struct machine *machine = &cluster->machines[i];
        if (machine->n_held > 0 &&
            (next == NULL || machine->done_ms < next->done_ms))
            next = machine;
    }
    if (next == NULL || (deadline >= 0 && deadline < next->done_ms)) {
        cluster->now = deadline;
        return NULL;
    }
    cluster->now = next->done_ms;
    return next;
}

static void run_cluster(struct cluster *cluster)
{
    struct action action;

    while (cluster->n_submitted < WINDOW)
        submit(cluster);
    while (cluster->n_done < TRIALS) {
        while (dispatch_next(cluster->dispatch, cluster->now, &action))
            act(cluster, &action);
        struct machine *machine = next_machine(cluster);
        if (machine != NULL)
            finish_call(cluster, machine);
        else
            dispatch_tick(cluster->dispatch, cluster->now);
    }
}

static void report(const struct cluster *cluster, const char *name)
{
    struct dispatch_counts counts;
    int64_t busy = 0;
    int64_t speed = 0;
    int64_t work = 0;

    for (int i = 0; i < MACHINES; i++) {
        const struct machine *machine = &cluster->machines[i];
        busy += machine->busy_ms;
        if (machine->n_held > 0) // at work beyond the end
            busy -= machine->done_ms - cluster->now;
        speed += machine->speed;
    }
    for (int64_t id = 0; id < (int64_t)TRIALS * cluster->trial_calls; id++)
        work += call_ms(id) + (id % cluster->trial_calls == 0 ? PREFIX_MS : 0);
    dispatch_count(cluster->dispatch, &counts);
    printf("%-20s busy %5.1f %%  prefix reused %5.1f %%  wall %5.0f s, "
           "%.2f of the best  hedged %.1f %%\n",
           name, 100.0 * (double)busy / (double)(cluster->now * MACHINES),
           100.0 * (double)cluster->reused / (double)cluster->begun,
           (double)cluster->now / 1000,
           (double)cluster->now / ((double)work / (double)speed),
           100.0 * (double)counts.hedged / (double)counts.sent);
}

static void measure_affinity(const char *name, enum order order,
                             int trial_calls)
{
    static const int speeds[MACHINES] = {1, 1, 2, 2, 4, 4, 8, 8};
    struct cluster cluster = {.dispatch = open_dispatch(true),
                              .order = order,
                              .trial_calls = trial_calls};

    for (int i = 0; i < MACHINES; i++) {
        cluster.machines[i] =
            (struct machine){.speed = speeds[i], .prefix = -1};
        join(cluster.dispatch, i + 1, 1);
    }
    run_cluster(&cluster);
    report(&cluster, name);
    dispatch_free(cluster.dispatch);
}

int main(void)
{
    static const struct load loads[] = {
        {"1 job, trials of 250 calls", 250, 1, false},
        {"4 jobs, trials of 250 calls", 250, 4, false},
        {"1 job, trials of 35 calls", 35, 1, false},
        {"1 job, a trial and a group each", 1, 1, false},
        {"1 job, trials of 250 calls, with the clock", 250, 1, true},
    };

    printf("queue + send + done + credit, %d queued, %d workers:\n", QUEUED,
           WORKERS);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        measure_cost(&loads[i]);
    for (int calls = 35; calls <= 140; calls *= 2) {
        printf("8 workers of speeds 1:1:2:2:4:4:8:8, window %d, %d calls a "
               "trial:\n",
               WINDOW, calls);
        measure_affinity("dispatch", ORDER_DISPATCH, calls);
        measure_affinity("in order of arrival", ORDER_ARRIVAL, calls);
        measure_affinity("trials interleaved", ORDER_INTERLEAVED, calls);
    }
    return EXIT_SUCCESS;
}
