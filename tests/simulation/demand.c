// Workers are started and stopped by demand, as KEDA does it by the rule of the
// chart: starting from none, and back to none between two jobs.
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator_state.h"
#include "coordinator/engine.h"
#include "simulation/machine.h"
#include "simulation/scaler.h"
#include "simulation/scene.h"
#include "simulation/servers.h"
#include "simulation/world.h"

enum {
    // How long a job waits for a worker (coordinator.wait of the chart), and
    // how long a pod takes until its worker greets.
    CHART_WAIT_MS = 1800000,
    POD_S = 40,
    IDLE_S = 900, // between two jobs; long enough for all workers to end
};

static struct {
    struct scaler scaler;
    int64_t value; // the next value for the scaler
    int n_pods;    // started and not told to end, connected or not
    int most_pods, starts, stops;
    bool job_runs;
} pods;

// Returns what the chart asks Prometheus for: calls that wait, plus calls with
// workers, plus running jobs.
static int64_t demand(void)
{
    struct dispatch_counts counts = {0};

    if (world.coordinator != NULL)
        dispatch_count(world.coordinator->engine.dispatch, &counts);
    return (int64_t)(counts.queued + counts.waiting + counts.leased) +
           pods.job_runs;
}

static void pod_is_up(void *user)
{
    int *number = user;

    if (!world.finished && world.wrong == NULL && *number < pods.n_pods &&
        world.workers[*number] == NULL)
        world_start_worker(*number);
    free(number);
}

// Starts a pod with its model server; it is up after a while.
static void start_pod(void)
{
    int *number = malloc(sizeof *number);

    if (number == NULL)
        abort();
    *number = pods.n_pods++;
    pods.starts++;
    if (pods.most_pods < pods.n_pods)
        pods.most_pods = pods.n_pods;
    machine_at(machine_now_us() + POD_S * SECOND / 2 +
                   world_draw_seconds(POD_S),
               pod_is_up, number);
}

// Sends SIGTERM, so that the worker drains.
static void stop_pod(void)
{
    int number = --pods.n_pods;

    pods.stops++;
    if (world.workers[number] != NULL)
        world_leave_worker(number, false);
}

// Scales by the value that Prometheus read last, which may be old.
static void scale(void *user)
{
    int wanted;

    (void)user;
    if (world.finished || world.wrong != NULL)
        return;
    wanted = scaler_wants(&pods.scaler, machine_now_us() / SECOND, pods.value,
                          pods.n_pods);
    pods.value = demand();
    while (pods.n_pods < wanted)
        start_pod();
    while (pods.n_pods > wanted)
        stop_pod();
    machine_at(machine_now_us() + SCALER_INTERVAL_S * SECOND, scale, NULL);
}

// Runs one job after the other, with a pause between them in which all workers
// end.
static void *run_jobs(void *arg)
{
    (void)arg;
    for (int i = 0; i < SCENE_VARIANTS && world.wrong == NULL; i++) {
        struct err err = ERR_CLEAR;
        struct client *client =
            client_open(NULL, WORLD_ENDPOINT, NULL, 5000, &err);

        world.variant = i;
        pods.job_runs = true;
        if (client == NULL)
            world_fail(err.text);
        else
            world_submit(client);
        client_close(client);
        pods.job_runs = false;
        if (!world.finished || !world_as_undisturbed())
            world_fail("a job with workers by demand ends otherwise");
        world.finished = false;
        machine_sleep(IDLE_S * SECOND);
        if (pods.n_pods > 0)
            world_fail("workers are left though nothing is to do");
    }
    world.finished = true;
    return NULL;
}

static void configure(struct coordinator_options *options)
{
    options->wait_start_ms = CHART_WAIT_MS;
}

static void begin(void)
{
    world.patience_s = WORLD_LONG_PATIENCE_S;
    scale(NULL);
}

static const struct trouble trouble = {
    .configure = configure, .begin = begin, .client = run_jobs};

// Returns what is wrong with how often workers came and went, or NULL. No call
// may be made twice, except as a copy.
static const char *judge_pods(bool hasty, int64_t begun)
{
    if (begun > world.calls + (int64_t)world.counts.hedged)
        return "calls are made twice where workers come and go";
    if (!hasty && pods.starts > 2 * pods.most_pods)
        return "workers come and go within one job";
    if (hasty && pods.stops < 2 * SCENE_VARIANTS)
        return "no worker had to go";
    return NULL;
}

static bool follow(struct scaler rule, bool hasty)
{
    int64_t begun = 0;

    rule.calls_per_worker = 4; // the jobs here are small
    memset(&pods, 0, sizeof pods);
    pods.scaler = rule;
    (void)world_run(&trouble, 1, 0, 0);
    for (int k = 0; k < rule.most; k++)
        begun += servers_get(k)->begun;
    world_fail(judge_pods(hasty, begun));
    if (world.wrong != NULL)
        (void)fprintf(stderr,
                      "workers by demand: %s (%d starts, %d stops, %" PRId64
                      " answers, %zu copies, %" PRId64 " calls begun)\n",
                      world.wrong, pods.starts, pods.stops, world.calls,
                      world.counts.hedged, begun);
    else
        printf("workers by demand: %d at most, %d starts, %d stops, %" PRId64
               " calls, %" PRId64 " begun\n",
               pods.most_pods, pods.starts, pods.stops, world.calls, begun);
    return world.wrong == NULL;
}

// Follows the chart's rule, and also one that reacts to every change at once,
// so that workers are told to end in the middle of their calls.
bool demand_run(void)
{
    static const struct scaler at_once = {
        .most = 8, .cooldown_s = 15, .window_s = 0};

    return follow(SCALER_DEFAULTS, false) && follow(at_once, true);
}
