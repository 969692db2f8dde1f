#include "bench/fleet.h"

#include <stdlib.h>

#include "bench/tally.h"
#include "dispatch/dispatch.h"

enum {
    PREFIX_MS = 5200,  // at speed 1: reading 1,200 tokens of prefix
    CALL_MS = 2400,    // at speed 1: the rest, on average
    LETTER_MS = 14000, // the same for a letter to the teacher
    BEAT_MS = 1000,
    LIVENESS_MS = 3000,
};

struct machine {
    int32_t worker; // a new one each time it joins
    int speed;
    struct action held[2]; // the first one is in progress
    int n_held;
    int64_t began_ms, done_ms; // of the first one
    int64_t busy_ms, here_ms;
    int64_t prefix;      // kept in its slot; -1: none
    int model;           // currently loaded; 0: none
    int64_t next_ms;     // when it leaves, or comes back
    int64_t returned_ms; // present since
    bool away;
};

// A call of the plan. Times are for speed 1.
struct call {
    int64_t trial, prefix;
    int step;  // of the trial's rows
    int model; // 1: the student's, 2: the teacher's
    int kind;
    int64_t read_ms; // to read its prefix
    int64_t work_ms; // for the rest
};

struct cluster {
    const struct fleet_plan *plan;
    struct call *calls; // owned, in the order of their numbers
    int n_calls;
    int first[FLEET_TRIALS_MOST + 1]; // a trial's first call
    struct dispatch *dispatch;
    struct machine machines[FLEET_MACHINES_MOST];
    int32_t workers; // joined so far
    uint64_t chance;
    int64_t now, beat_ms;
    int left[FLEET_TRIALS_MOST]; // calls without an answer
    int n_submitted;
    int n_done; // trials, in order
    int stage;  // the next one to submit
    int64_t begun, reused, swaps, useful_ms;
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t draw(struct cluster *cluster)
{
    return mix(cluster->chance += UINT64_C(0x9e3779b97f4a7c15));
}

// Returns half of the mean up to one and a half times the mean.
static int64_t spread(uint64_t salt, int64_t id, int64_t mean_ms)
{
    return mean_ms / 2 +
           (int64_t)(mix((uint64_t)id + (salt << 32) + 1) % (uint64_t)mean_ms);
}

// Returns between zero and twice the mean.
static int64_t about(struct cluster *cluster, int64_t ms)
{
    return 1 + (int64_t)(draw(cluster) % (uint64_t)(2 * ms));
}

static int steps_of(const struct fleet_plan *plan)
{
    return plan->steps > 1 ? plan->steps : 1;
}

// --- the calls of a plan

enum { KIND_STEP = 1, KIND_LETTER = 64 };

static struct call *add_call(struct cluster *cluster)
{
    struct call *calls =
        realloc(cluster->calls, (size_t)(cluster->n_calls + 1) * sizeof *calls);

    if (calls == NULL)
        exit(EXIT_FAILURE);
    cluster->calls = calls;
    calls += cluster->n_calls++;
    *calls = (struct call){0};
    return calls;
}

// Lays out overlapping trials, all of one kind.
static void lay_out_trials(struct cluster *cluster, uint64_t salt)
{
    const struct fleet_plan *plan = cluster->plan;

    for (int64_t id = 0; id < (int64_t)plan->n_trials * plan->trial_calls;
         id++) {
        struct call *call = add_call(cluster);

        call->trial = id / plan->trial_calls;
        call->step = (int)(id % plan->trial_calls % steps_of(plan));
        call->model = plan->teacher > 0 && id % plan->teacher == 0 ? 2 : 1;
        call->kind = KIND_STEP + call->step;
        call->prefix =
            (call->trial * steps_of(plan) + call->step) * 2 + call->model;
        call->read_ms = PREFIX_MS;
        call->work_ms = spread(salt, id, CALL_MS);
    }
    for (int trial = 0; trial <= plan->n_trials; trial++)
        cluster->first[trial] = trial * plan->trial_calls;
}

// Lays out stages, whose prompts show few demos or many. A letter is a trial of
// a single call: it reads its own prompt, and its answer is long.
static void lay_out_stages(struct cluster *cluster, uint64_t salt)
{
    const struct fleet_plan *plan = cluster->plan;
    int trial = 0;

    for (int i = 0; i < plan->n_stages; i++)
        for (int at = 0; at < plan->stages[i].prompts; at++, trial++) {
            int rows = plan->stages[i].rows;
            int64_t read_ms =
                rows == 0 ? 3400 : 800 + spread(salt, -trial, 4400);

            cluster->first[trial] = cluster->n_calls;
            for (int row = 0; row < (rows == 0 ? 1 : rows); row++) {
                struct call *call = add_call(cluster);

                call->trial = call->prefix = trial;
                call->model = 1;
                call->kind = rows == 0 ? KIND_LETTER : KIND_STEP;
                call->read_ms = read_ms;
                call->work_ms = spread(salt, cluster->n_calls,
                                       rows == 0 ? LETTER_MS : CALL_MS);
            }
        }
    cluster->first[trial] = cluster->n_calls;
}

// --- machines and calls

static bool has_model(const struct cluster *cluster,
                      const struct machine *machine, int model)
{
    const struct fleet_plan *plan = cluster->plan;

    if (plan->apart)
        return (machine == cluster->machines) == (model == 2);
    return model == 1 || plan->teacher > 0;
}

static void serve(struct cluster *cluster, const struct machine *machine)
{
    struct err err = ERR_CLEAR;

    for (int model = 1; model <= 2; model++)
        if (has_model(cluster, machine, model) &&
            !dispatch_serves(cluster->dispatch, machine->worker, model, &err))
            die(&err);
}

static void join_cluster(struct cluster *cluster, struct machine *machine)
{
    machine->worker = ++cluster->workers;
    machine->away = false;
    machine->prefix = -1;
    machine->model = 0;
    machine->n_held = 0;
    machine->returned_ms = cluster->now;
    machine->next_ms =
        cluster->plan->fails_ms == 0
            ? INT64_MAX
            : cluster->now + about(cluster, cluster->plan->fails_ms);
    struct err err = ERR_CLEAR;
    if (!dispatch_join(cluster->dispatch, machine->worker, 1, cluster->now,
                       &err))
        die(&err);
    serve(cluster, machine);
}

// Leaves silently: dispatch has to notice.
static void vanish(struct cluster *cluster, struct machine *machine)
{
    if (machine->n_held > 0)
        machine->busy_ms += cluster->now - machine->began_ms;
    machine->here_ms += cluster->now - machine->returned_ms;
    machine->n_held = 0;
    machine->away = true;
    machine->next_ms = cluster->now + about(cluster, cluster->plan->away_ms);
}

// In the naive orders dispatch learns nothing about prefixes: each call is its
// own group, and what is passed as its trial determines the order.
static void ask(struct cluster *cluster, int64_t id)
{
    const struct fleet_plan *plan = cluster->plan;
    const struct call *call = &cluster->calls[id];
    const int64_t trials[] = {[FLEET_ORDER_DISPATCH] = call->trial,
                              [FLEET_ORDER_ARRIVAL] = 0,
                              [FLEET_ORDER_INTERLEAVED] =
                                  id - cluster->first[call->trial]};
    bool grouped = plan->order == FLEET_ORDER_DISPATCH;
    struct err err = ERR_CLEAR;

    if (!dispatch_queue(cluster->dispatch,
                        &(struct dispatch_call){
                            .id = id,
                            .model = call->model,
                            .kind = call->kind,
                            .prefix_size = call->read_ms,
                            .trial = trials[plan->order],
                            .batch = plan->stages != NULL ? cluster->stage : 0,
                            .group = grouped ? call->prefix : id + 1,
                            .timeout_ms = 600000,
                            .window = plan->window},
                        cluster->now, &err))
        die(&err);
}

static void submit(struct cluster *cluster)
{
    int trial = cluster->n_submitted++;
    int end = cluster->first[trial + 1];

    cluster->left[trial] = end - cluster->first[trial];
    for (int i = cluster->first[trial]; i < end; i += steps_of(cluster->plan))
        ask(cluster, i);
}

// Submits whatever may begin now: keeps the window full, or starts all of a
// stage once the one before is over.
static void submit_more(struct cluster *cluster)
{
    const struct fleet_plan *plan = cluster->plan;
    int end = cluster->n_done + plan->window;

    if (plan->stages != NULL && cluster->n_done < cluster->n_submitted)
        return;
    if (plan->stages != NULL && cluster->stage < plan->n_stages)
        end = cluster->n_done + plan->stages[cluster->stage++].prompts;
    while (cluster->n_submitted < end && cluster->n_submitted < plan->n_trials)
        submit(cluster);
}

static void begin_work(struct cluster *cluster, struct machine *machine)
{
    const struct call *call = &cluster->calls[machine->held[0].call];
    bool reuses = machine->prefix == call->prefix;
    bool swaps = machine->model != 0 && machine->model != call->model;
    int64_t work = call->work_ms + (reuses ? 0 : call->read_ms);

    machine->began_ms = cluster->now;
    machine->done_ms =
        cluster->now + work / machine->speed + (swaps ? FLEET_SWAP_MS : 0);
    machine->prefix = call->prefix;
    machine->model = call->model;
    cluster->swaps += swaps;
    cluster->begun++;
    cluster->reused += reuses;
}

static void remove_held(struct cluster *cluster, struct machine *machine,
                        int at)
{
    if (at == 0)
        machine->busy_ms += cluster->now - machine->began_ms;
    machine->held[0] = machine->held[1 - at];
    machine->n_held--;
    if (at == 0 && machine->n_held > 0)
        begin_work(cluster, machine);
}

static void act(struct cluster *cluster, const struct action *action)
{
    struct machine *machine = NULL;

    for (int i = 0; i < cluster->plan->n_machines; i++)
        if (cluster->machines[i].worker == action->worker &&
            !cluster->machines[i].away)
            machine = &cluster->machines[i];
    if (machine == NULL) // it is gone, and nobody knows yet
        return;
    if (action->kind == ACTION_SEND) {
        machine->held[machine->n_held++] = *action;
        if (machine->n_held == 1)
            begin_work(cluster, machine);
        return;
    }
    for (int i = 0; i < machine->n_held; i++) {
        if (machine->held[i].lease == action->lease) {
            remove_held(cluster, machine, i);
            return;
        }
    }
}

static void finish_call(struct cluster *cluster, struct machine *machine)
{
    struct action action = machine->held[0];
    int64_t took = cluster->now - machine->began_ms;
    int64_t call = 0;

    remove_held(cluster, machine, 0);
    if (!dispatch_done(cluster->dispatch, action.worker, action.lease,
                       cluster->now, &call))
        return;
    cluster->useful_ms += took;
    dispatch_credit(cluster->dispatch, action.worker, action.lease,
                    cluster->now);
    if (cluster->calls[call].step < steps_of(cluster->plan) - 1)
        ask(cluster, call + 1);
    cluster->left[cluster->calls[call].trial]--;
    while (cluster->n_done < cluster->n_submitted &&
           cluster->left[cluster->n_done] == 0) {
        cluster->n_done++;
        submit_more(cluster);
    }
}

static void beat(struct cluster *cluster)
{
    cluster->beat_ms = cluster->now + BEAT_MS;
    for (int i = 0; i < cluster->plan->n_machines; i++)
        if (!cluster->machines[i].away)
            dispatch_heard(cluster->dispatch, cluster->machines[i].worker,
                           cluster->now);
}

// Advances to the next event: a call that is done, a machine that leaves or
// comes back, a heartbeat, or something that dispatch has scheduled.
static void pass_time(struct cluster *cluster)
{
    int64_t next = dispatch_deadline(cluster->dispatch);

    if (next < 0 || next > cluster->beat_ms)
        next = cluster->beat_ms;
    for (int i = 0; i < cluster->plan->n_machines; i++) {
        const struct machine *machine = &cluster->machines[i];
        if (machine->n_held > 0 && machine->done_ms < next)
            next = machine->done_ms;
        if (machine->next_ms < next)
            next = machine->next_ms;
    }
    if (next > cluster->now)
        cluster->now = next;
    if (cluster->now >= cluster->beat_ms)
        beat(cluster);
    for (int i = 0; i < cluster->plan->n_machines; i++) {
        struct machine *machine = &cluster->machines[i];
        if (machine->next_ms <= cluster->now && machine->away)
            join_cluster(cluster, machine);
        else if (machine->next_ms <= cluster->now)
            vanish(cluster, machine);
        if (machine->n_held > 0 && machine->done_ms <= cluster->now)
            finish_call(cluster, machine);
    }
    dispatch_tick(cluster->dispatch, cluster->now);
}

static void run_cluster(struct cluster *cluster)
{
    struct action action;

    submit_more(cluster);
    while (cluster->n_done < cluster->plan->n_trials) {
        while (dispatch_next(cluster->dispatch, cluster->now, &action))
            act(cluster, &action);
        pass_time(cluster);
    }
}

// --- a run

static void add_up(struct fleet_sums *sums, const struct cluster *cluster)
{
    const struct fleet_plan *plan = cluster->plan;
    int64_t n = cluster->n_calls;
    int64_t busy = 0;
    int64_t here = 0;
    int64_t speed = 0;
    int64_t work = 0;

    for (int i = 0; i < plan->n_machines; i++) {
        const struct machine *machine = &cluster->machines[i];
        busy += machine->busy_ms +
                (machine->n_held > 0 ? cluster->now - machine->began_ms : 0);
        here += machine->here_ms +
                (machine->away ? 0 : cluster->now - machine->returned_ms);
        speed += machine->speed;
    }
    for (int64_t id = 0; id < n; id++) {
        const struct call *call = &cluster->calls[id];
        bool reads = id - cluster->first[call->trial] < steps_of(plan);
        work += call->work_ms + (reads ? call->read_ms : 0);
    }
    sums->busy += (double)busy / (double)here;
    sums->useful += (double)cluster->useful_ms / (double)here;
    sums->reused += (double)cluster->reused / (double)cluster->begun;
    sums->wall_s += (double)cluster->now / 1000;
    sums->of_best += (double)cluster->now / ((double)work / (double)speed);
    sums->swaps += (double)cluster->swaps;
    sums->twice += (double)(cluster->begun - n) / (double)n;
}

void fleet_run(const struct fleet_plan *plan, uint64_t salt,
               struct fleet_sums *out)
{
    static struct cluster cluster;
    struct dispatch_config config = {.hedge = true, .liveness_ms = LIVENESS_MS};
    struct err err = ERR_CLEAR;

    cluster = (struct cluster){
        .plan = plan, .chance = salt, .dispatch = dispatch_new(&config, &err)};
    if (cluster.dispatch == NULL)
        die(&err);
    if (plan->stages != NULL)
        lay_out_stages(&cluster, salt);
    else
        lay_out_trials(&cluster, salt);
    for (int i = 0; i < plan->n_machines; i++) {
        cluster.machines[i].speed = 1 << (i * plan->speeds / plan->n_machines);
        join_cluster(&cluster, &cluster.machines[i]);
    }
    run_cluster(&cluster);
    add_up(out, &cluster);
    free(cluster.calls);
    dispatch_free(cluster.dispatch);
}
