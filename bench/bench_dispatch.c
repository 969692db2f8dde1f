// bench_dispatch: what placing a call costs, and what affinity gains.
//
//   bench_dispatch
//
// First measures the CPU microseconds for one call that is queued, sent,
// answered and credited while 100,000 others are queued for 1,000 workers. Then
// simulates clusters in virtual time, whose model servers keep one prompt
// prefix per slot: how busy they are, and how many calls find their prefix, in
// dispatch's order and in naive orders; more and more equal workers; a teacher
// and a student on the same machines, and apart; workers that vanish and come
// back.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

enum {
    QUEUED = 100000,
    WORKERS = 1000,
    WORKERS_MOST = 100000,
    ROUNDS = 1000000
};

struct load {
    const char *name;
    int calls_a_trial;
    int n_jobs;
    int n_workers;
    bool clock; // also tick and ask for the deadline on every call
};

// The leases in flight, first in, first out.
struct out_queue {
    struct action actions[2 * WORKERS_MOST];
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
        if (action.kind != ACTION_SEND)
            continue;
        size_t at = (out->first + out->count++) % (2 * WORKERS_MOST);
        out->actions[at] = action;
    }
}

static void answer_first(struct dispatch *dispatch, struct out_queue *out,
                         int64_t now)
{
    struct action action = out->actions[out->first];
    int64_t call = 0;

    out->first = (out->first + 1) % (2 * WORKERS_MOST);
    out->count--;
    if (dispatch_done(dispatch, action.worker, action.lease, now, &call))
        dispatch_credit(dispatch, action.worker, action.lease, now);
    // Otherwise its copy was answered first.
}

static double cpu_us(void)
{
    return (double)clock() * 1e6 / CLOCKS_PER_SEC;
}

static int64_t memory_bytes(void)
{
    long pages = 0;
    long skipped = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%ld %ld", &skipped, &pages) != 2)
        exit(EXIT_FAILURE);
    (void)fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void measure_cost(const struct load *load)
{
    static struct out_queue out;
    struct dispatch *dispatch = open_dispatch(true);
    int64_t id = 0;
    double begin = 0;

    out = (struct out_queue){0};
    for (int32_t worker = 1; worker <= load->n_workers; worker++)
        join(dispatch, worker, 1);
    while (id < QUEUED + 2 * load->n_workers)
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

// Must run first: later measurements get memory that was used before.
static void measure_memory(void)
{
    int64_t before = memory_bytes();
    struct dispatch *dispatch = open_dispatch(true);

    for (int32_t worker = 1; worker <= WORKERS_MOST; worker++)
        join(dispatch, worker, 1);
    printf("%d workers take %lld bytes each\n", WORKERS_MOST,
           (long long)(memory_bytes() - before) / WORKERS_MOST);
    dispatch_free(dispatch);
}

// --- a cluster in virtual time ---

enum {
    MACHINES_MOST = 256,
    TRIALS_MOST = 400,
    RUNS = 10,         // per plan, with different call lengths; prints the mean
    PREFIX_MS = 5200,  // at speed 1: reading 1,200 tokens of prefix
    CALL_MS = 2400,    // at speed 1: the rest, on average
    LETTER_MS = 14000, // the same for a letter to the teacher
    SWAP_MS = 20000,   // loading another model, on any machine
    BEAT_MS = 1000,
    LIVENESS_MS = 3000,
};

enum order { ORDER_DISPATCH, ORDER_ARRIVAL, ORDER_INTERLEAVED };

// What a search asks at once, and waits for before it asks more: `prompts`
// trials of `rows` calls, or that many letters to the teacher.
struct stage {
    int prompts, rows; // rows 0: letters
};

struct plan {
    int n_machines;
    int speeds; // of machine i: 1 << (i % n / (n / speeds))
    int n_trials, trial_calls, window;
    const struct stage *stages; // instead of overlapping trials; NULL: none
    int n_stages;
    int steps;   // calls per row, each asked once the one before is answered,
                 // each step with its own prompt; 0: 1
    int teacher; // every n-th call is the teacher's; 0: none
    bool apart;  // only the first machine has the teacher's model, and no other
    enum order order;
    int64_t fails_ms; // mean time between failures of a machine; 0: never
    int64_t away_ms;  // mean time that it stays away
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
    const struct plan *plan;
    struct call *calls; // owned, in the order of their numbers
    int n_calls;
    int first[TRIALS_MOST + 1]; // a trial's first call
    struct dispatch *dispatch;
    struct machine machines[MACHINES_MOST];
    int32_t workers; // joined so far
    uint64_t chance;
    int64_t now, beat_ms;
    int left[TRIALS_MOST]; // calls without an answer
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

static int steps_of(const struct plan *plan)
{
    return plan->steps > 1 ? plan->steps : 1;
}

// --- the calls of a plan ---

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
    const struct plan *plan = cluster->plan;

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
    const struct plan *plan = cluster->plan;
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

static bool has_model(const struct cluster *cluster,
                      const struct machine *machine, int model)
{
    const struct plan *plan = cluster->plan;

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
    const struct plan *plan = cluster->plan;
    const struct call *call = &cluster->calls[id];
    const int64_t trials[] = {[ORDER_DISPATCH] = call->trial,
                              [ORDER_ARRIVAL] = 0,
                              [ORDER_INTERLEAVED] =
                                  id - cluster->first[call->trial]};
    bool grouped = plan->order == ORDER_DISPATCH;

    queue(cluster->dispatch,
          &(struct dispatch_call){.id = id,
                                  .model = call->model,
                                  .kind = call->kind,
                                  .prefix_size = call->read_ms,
                                  .trial = trials[plan->order],
                                  .batch =
                                      plan->stages != NULL ? cluster->stage : 0,
                                  .group = grouped ? call->prefix : id + 1,
                                  .timeout_ms = 600000,
                                  .window = plan->window},
          cluster->now);
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
    const struct plan *plan = cluster->plan;
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
        cluster->now + work / machine->speed + (swaps ? SWAP_MS : 0);
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

// Sums over the runs.
struct tally {
    double busy, useful, reused, wall_s, of_best, twice, swaps;
};

static void tally(struct tally *tally, const struct cluster *cluster)
{
    const struct plan *plan = cluster->plan;
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
    tally->busy += (double)busy / (double)here;
    tally->useful += (double)cluster->useful_ms / (double)here;
    tally->reused += (double)cluster->reused / (double)cluster->begun;
    tally->wall_s += (double)cluster->now / 1000;
    tally->of_best += (double)cluster->now / ((double)work / (double)speed);
    tally->swaps += (double)cluster->swaps;
    tally->twice += (double)(cluster->begun - n) / (double)n;
}

static void run_once(const struct plan *plan, uint64_t salt, struct tally *out)
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
    tally(out, &cluster);
    free(cluster.calls);
    dispatch_free(cluster.dispatch);
}

static double measure(const char *name, const struct plan *plan)
{
    struct tally mean = {0};

    for (uint64_t salt = 0; salt < RUNS; salt++)
        run_once(plan, salt, &mean);
    printf("%-20s busy %5.1f %%  useful %5.1f %%  prefix reused %5.1f %%  "
           "wall %5.0f s, %.2f of the best  made twice %.1f %%\n",
           name, 100 * mean.busy / RUNS, 100 * mean.useful / RUNS,
           100 * mean.reused / RUNS, mean.wall_s / RUNS, mean.of_best / RUNS,
           100 * mean.twice / RUNS);
    if (plan->teacher > 0)
        printf("%-20s %.1f models loaded in place of another\n", "",
               mean.swaps / RUNS);
    return mean.wall_s / RUNS;
}

static void measure_affinity(int trial_calls)
{
    struct plan plan = {.n_machines = 8,
                        .speeds = 4,
                        .n_trials = 60,
                        .window = 4,
                        .trial_calls = trial_calls};

    printf("8 workers of speeds 1:1:2:2:4:4:8:8, window 4, %d calls a trial:\n",
           trial_calls);
    measure("dispatch", &plan);
    plan.order = ORDER_ARRIVAL;
    measure("in order of arrival", &plan);
    plan.order = ORDER_INTERLEAVED;
    measure("trials interleaved", &plan);
}

static void measure_steps(void)
{
    struct plan plan = {
        .n_machines = 8, .speeds = 4, .n_trials = 60, .window = 4};

    printf("the same workers, programs of several steps, 35 rows a trial:\n");
    for (plan.steps = 2; plan.steps <= 3; plan.steps++) {
        char name[40];
        plan.trial_calls = 35 * plan.steps;
        (void)snprintf(name, sizeof name, "%d steps", plan.steps);
        measure(name, &plan);
    }
}

static void measure_speed_up(struct plan plan, const int *counts, size_t n)
{
    double alone = 0;

    for (size_t i = 0; i < n; i++) {
        char name[40];
        plan.n_machines = counts[i];
        (void)snprintf(name, sizeof name, "%d workers", counts[i]);
        double wall = measure(name, &plan);
        alone = i == 0 ? wall : alone;
        printf("%20s %.1f times as quick as one, %.0f %% of them\n", "",
               alone / wall, 100 * alone / wall / counts[i]);
    }
}

static void measure_trials(const struct plan *plan, const int *counts, size_t n)
{
    printf("a job of %d trials of %d calls, window %d, on equal workers:\n",
           plan->n_trials, plan->trial_calls, plan->window);
    measure_speed_up(*plan, counts, n);
}

// The requests of screen_and_race in a run of 1,000 calls on jobs/intent_200:
// screens of many prompts on few rows, races of few prompts on more and more
// rows, letters.
static void measure_search(const int *counts, size_t n)
{
    static const struct stage stages[] = {
        {1, 32}, {1, 32}, {11, 0}, {12, 4}, {4, 4},  {5, 6},  {3, 7},  {3, 16},
        {2, 32}, {2, 0},  {8, 4},  {5, 6},  {4, 6},  {3, 16}, {2, 32}, {2, 0},
        {8, 4},  {4, 5},  {3, 7},  {2, 14}, {1, 32}, {1, 32},
    };
    struct plan plan = {.speeds = 1,
                        .window = 4,
                        .stages = stages,
                        .n_stages = sizeof stages / sizeof *stages};

    for (int i = 0; i < plan.n_stages; i++)
        plan.n_trials += stages[i].prompts;
    printf("the stages of a search, on equal workers:\n");
    measure_speed_up(plan, counts, n);
}

// Every tenth call is the teacher's. The minimum of swaps is that one machine
// changes to the teacher, or that all change once per window of trials.
static void measure_swaps(void)
{
    struct plan plan = {.n_machines = 8,
                        .speeds = 1,
                        .n_trials = 20,
                        .trial_calls = 100,
                        .window = 4,
                        .teacher = 10};

    printf("equal workers, 20 trials of 100 calls, every tenth a teacher's, "
           "%d s for loading a model:\n",
           SWAP_MS / 1000);
    for (; plan.n_machines > 0; plan.n_machines /= 2) {
        char name[40];

        (void)snprintf(name, sizeof name, "both on %d", plan.n_machines);
        measure(name, &plan);
    }
    plan.n_machines = 1;
    plan.trial_calls = 20;
    measure("one, 20 calls", &plan);
    plan.n_machines = 8;
    plan.trial_calls = 100;
    plan.apart = true;
    measure("a teacher apart", &plan);
}

static void measure_failures(void)
{
    struct plan plan = {.n_machines = 50,
                        .speeds = 3,
                        .n_trials = 200,
                        .trial_calls = 100,
                        .window = 8,
                        .fails_ms = 300000,
                        .away_ms = 60000};

    printf(
        "50 workers, speeds spread fourfold, window 8, 100 calls a trial:\n");
    measure("each fails in 300 s", &plan);
    plan.fails_ms = 0;
    measure("none fails", &plan);
}

int main(void)
{
    static const struct load loads[] = {
        {"1 job, trials of 250 calls", 250, 1, WORKERS, false},
        {"4 jobs, trials of 250 calls", 250, 4, WORKERS, false},
        {"1 job, trials of 35 calls", 35, 1, WORKERS, false},
        {"1 job, a trial and a group each", 1, 1, WORKERS, false},
        {"1 job, trials of 250 calls, with the clock", 250, 1, WORKERS, true},
        {"the same, 10,000 workers", 250, 1, 10000, true},
        {"the same, 100,000 workers", 250, 1, WORKERS_MOST, true},
    };
    static const int some[] = {1, 2, 4, 8, 16, 32};
    static const int many[] = {1, 2, 4, 8, 16, 64, 256};
    const struct plan small = {
        .speeds = 1, .n_trials = 6, .trial_calls = 60, .window = 4};
    const struct plan large = {
        .speeds = 1, .n_trials = 24, .trial_calls = 300, .window = 4};

    measure_memory();
    printf("queue + send + done + credit, %d queued, %d workers:\n", QUEUED,
           WORKERS);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        measure_cost(&loads[i]);
    for (int calls = 35; calls <= 140; calls *= 2)
        measure_affinity(calls);
    measure_steps();
    measure_trials(&small, some, sizeof some / sizeof *some);
    measure_trials(&large, many, sizeof many / sizeof *many);
    measure_search(some, sizeof some / sizeof *some);
    measure_swaps();
    measure_failures();
    return EXIT_SUCCESS;
}
