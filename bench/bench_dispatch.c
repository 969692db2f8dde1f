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

#include "bench/fleet.h"
#include "bench/tally.h"
#include "dispatch/dispatch.h"

// --- what a call costs

static struct dispatch *open_dispatch(void)
{
    struct dispatch_config config = {.hedge = true};
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
    struct dispatch *dispatch = open_dispatch();
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
    struct dispatch *dispatch = open_dispatch();

    for (int32_t worker = 1; worker <= WORKERS_MOST; worker++)
        join(dispatch, worker, 1);
    printf("%d workers take %lld bytes each\n", WORKERS_MOST,
           (long long)(memory_bytes() - before) / WORKERS_MOST);
    dispatch_free(dispatch);
}

// --- what affinity gains

enum { RUNS = 10 }; // per plan, with different call lengths; prints the mean

static double measure(const char *name, const struct fleet_plan *plan)
{
    struct fleet_sums mean = {0};

    for (uint64_t salt = 0; salt < RUNS; salt++)
        fleet_run(plan, salt, &mean);
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
    struct fleet_plan plan = {.n_machines = 8,
                              .speeds = 4,
                              .n_trials = 60,
                              .window = 4,
                              .trial_calls = trial_calls};

    printf("8 workers of speeds 1:1:2:2:4:4:8:8, window 4, %d calls a trial:\n",
           trial_calls);
    measure("dispatch", &plan);
    plan.order = FLEET_ORDER_ARRIVAL;
    measure("in order of arrival", &plan);
    plan.order = FLEET_ORDER_INTERLEAVED;
    measure("trials interleaved", &plan);
}

static void measure_steps(void)
{
    struct fleet_plan plan = {
        .n_machines = 8, .speeds = 4, .n_trials = 60, .window = 4};

    printf("the same workers, programs of several steps, 35 rows a trial:\n");
    for (plan.steps = 2; plan.steps <= 3; plan.steps++) {
        char name[40];
        plan.trial_calls = 35 * plan.steps;
        (void)snprintf(name, sizeof name, "%d steps", plan.steps);
        measure(name, &plan);
    }
}

static void measure_speed_up(struct fleet_plan plan, const int *counts,
                             size_t n)
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

static void measure_trials(const struct fleet_plan *plan, const int *counts,
                           size_t n)
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
    static const struct fleet_stage stages[] = {
        {1, 32}, {1, 32}, {11, 0}, {12, 4}, {4, 4},  {5, 6},  {3, 7},  {3, 16},
        {2, 32}, {2, 0},  {8, 4},  {5, 6},  {4, 6},  {3, 16}, {2, 32}, {2, 0},
        {8, 4},  {4, 5},  {3, 7},  {2, 14}, {1, 32}, {1, 32},
    };
    struct fleet_plan plan = {.speeds = 1,
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
    struct fleet_plan plan = {.n_machines = 8,
                              .speeds = 1,
                              .n_trials = 20,
                              .trial_calls = 100,
                              .window = 4,
                              .teacher = 10};

    printf("equal workers, 20 trials of 100 calls, every tenth a teacher's, "
           "%d s for loading a model:\n",
           FLEET_SWAP_MS / 1000);
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
    struct fleet_plan plan = {.n_machines = 50,
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
    const struct fleet_plan small = {
        .speeds = 1, .n_trials = 6, .trial_calls = 60, .window = 4};
    const struct fleet_plan large = {
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
