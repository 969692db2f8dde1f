// simulate: a whole cluster in one process, on one seed.
//
//   simulate [--seeds N] [--first SEED] [--workers N] [--twice] [--verbose]
//
// See README.md. A seed that fails is printed with what is wrong, and
// `simulate --first SEED --seeds 1` runs it again, step by step the same.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sched.h>

#include "client/client.h"
#include "common/log.h"
#include "coordinator/coordinator.h"
#include "coordinator/engine.h"
#include "dispatch/dispatch_check.h"
#include "simulation/disk.h"
#include "simulation/judge.h"
#include "simulation/machine.h"
#include "simulation/network.h"
#include "simulation/scaler.h"
#include "simulation/scene.h"
#include "simulation/servers.h"
#include "worker/worker.h"

enum {
    WORKERS_MOST = 100,
    GHOSTS_MOST = 256,
    COORDINATOR = 1, // processes
    CLIENT = 2,
    FIRST_WORKER = 3,
    // After faults have stopped. A server that hangs is found when its call's
    // time is over, which may be ten minutes; whatever the network has lost is
    // missed within seconds.
    GIVE_UP_S = 3600,
    GIVE_UP_SOON_S = 400,
    // From a worker's death, of which no connection tells, until its calls are
    // taken from it: three heartbeats, and what a turn of the loop takes.
    MISSED_MS = 3500,
    DEATHS = 20,
    // From the loss of a message until it is sent once more; and from a call
    // without the prefix that was lost until it is sent with it.
    REPEATED_MS = 6000,
    OVERTAKEN_MS = 500,
    CALLS_KEPT = 4096,
    // With workers by demand: how long a job waits for one (coordinator.wait of
    // the chart), and what a pod takes until its worker greets.
    CHART_WAIT_MS = 1800000,
    POD_S = 40,
    IDLE_S = 900, // between two jobs: none may be left by then
    // An outage of everything of a kind. It lasts longer than a job waits, so
    // that the job has paused, and been tried again and again, by then.
    OUTAGE_BEGINS_S = 5,
    OUTAGE_S = 900,
    RECOVERS_S = 10, // from the repair until all is at full pace again
    // Runs of the same job differ by up to twenty seconds, as chance deals the
    // delays: how long one takes is said by the median of this many.
    PACE_RUNS = 5,
};

#define ENDPOINT "tcp://coordinator:7000"
#define SECOND INT64_C(1000000)

// How bad it gets: a share of seeds has none of a kind, others much of it.
struct weather {
    struct network_faults network;
    struct disk_faults disk;
    double cut, cut_all, crash, power, kill_worker, stop, stop_coordinator,
        drain, away, wall, full; // chance a second
    double fails, hangs;         // of servers
};

// What befalls a run: nothing, faults of all kinds, one death, the loss of one
// message, workers that are started and stopped by demand, servers that all are
// away until one comes that answers, or an outage of all that is of one kind.
enum trouble {
    TROUBLE_NONE,
    TROUBLE_WEATHER,
    TROUBLE_DEATH,
    TROUBLE_LOSS,
    TROUBLE_SCALING,
    TROUBLE_PAUSE,
    TROUBLE_OUTAGE
};

// Which message is lost: the first of its kind.
static const struct loss {
    const char *name;
    enum message_kind kind;
    bool proof;     // of what a worker shows when it joins
    bool overtakes; // it is the call behind it that is looked at
} losses[] = {
    {.name = "HELLO", .kind = MESSAGE_HELLO},
    {.name = "WELCOME", .kind = MESSAGE_WELCOME},
    {.name = "CALL", .kind = MESSAGE_CALL},
    {.name = "ANSWER", .kind = MESSAGE_ANSWER},
    {.name = "a proof", .kind = MESSAGE_CALL, .proof = true},
    {.name = "its answer", .kind = MESSAGE_ANSWER, .proof = true},
    {.name = "SUBMIT", .kind = MESSAGE_SUBMIT},
    {.name = "RESULT", .kind = MESSAGE_RESULT},
    {.name = "a prefix", .kind = MESSAGE_CALL, .overtakes = true},
};

// What is out for OUTAGE_S, and then repaired.
static void servers_go(void), servers_freeze(void), servers_fail(void),
    links_break(void), coordinator_freezes(void), coordinator_dies(void),
    disk_fills(void), disk_fails(void), workers_die(void);

static const struct outage {
    const char *name;
    void (*begin)(void);
} outages[] = {
    {"the servers are gone", servers_go},
    {"the servers are frozen", servers_freeze},
    {"the servers fail", servers_fail},
    {"the network is gone", links_break},
    {"the coordinator is frozen", coordinator_freezes},
    {"the coordinator is gone", coordinator_dies},
    {"the disk is full", disk_fills},
    {"the disk fails", disk_fails},
    {"the workers are gone", workers_die},
};

static const struct loss *lost;       // in the next run with TROUBLE_LOSS
static const struct outage *out_next; // in the next one with TROUBLE_OUTAGE
static struct scaler rule;            // in the next one with TROUBLE_SCALING
static char *undisturbed[SCENE_VARIANTS];      // compiled files; owned
static int64_t undisturbed_us[SCENE_VARIANTS]; // until they were there; median

static struct {
    uint64_t seed;
    enum trouble trouble;
    int variant;
    int n_workers;
    struct weather weather;
    char folder[64], store[96];
    struct coordinator *coordinator;
    struct judge *judge;
    struct worker *workers[WORKERS_MOST];
    struct worker *ghosts[GHOSTS_MOST];
    int n_ghosts;
    int process; // the last one given out
    int worker_process[WORKERS_MOST];
    bool crashed; // the coordinator's copy is made, it is a ghost
    bool power_gone;
    bool healed;
    int64_t heal_us;
    int64_t crashes, kills;
    int64_t dead_us;   // when worker 0 vanished with calls; 0: it did not
    int64_t missed_us; // and when it had none any more
    const struct loss *loss;
    int64_t lost_us, repeated_us; // when; 0: not yet
    int64_t lost_id;              // of a CALL or an ANSWER
    char lost_name[64];           // of a HELLO or a WELCOME
    const struct outage *outage;
    int64_t done_us; // when the job was done
    // Workers by demand.
    struct scaler scaler;
    int64_t value; // that the scaler is given next
    int n_pods;    // started and not told to end, connected or not
    int most_pods, starts, stops;
    bool job_runs;
    int64_t calls, hedged; // answered in all; copies
    // The client.
    pthread_t client;
    bool finished;
    uint64_t runs, durable; // that check has seen
    int64_t submissions;
    char *compiled; // owned
    const char *wrong;
    char words[400];
} world;

static void fail(const char *wrong)
{
    if (world.wrong != NULL || wrong == NULL)
        return;
    (void)snprintf(world.words, sizeof world.words, "%s", wrong);
    world.wrong = world.words;
}

// --- the client ---

static bool gives_up(void *user)
{
    (void)user;
    return world.wrong != NULL;
}

static void submit(struct client *client)
{
    struct client_watch watch = {.wants_to_leave = gives_up};
    struct client_result result = {0};
    struct err err = ERR_CLEAR;

    world.submissions++;
    if (client_submit(client, scene_submit(world.variant), true, &watch,
                      &result, &err)) {
        machine_trace_add((uint64_t)result.status);
        if (result.status == 0) {
            world.compiled = strdup(result.compiled);
            world.finished = true;
        } else if (result.status != 3)
            fail(result.document);
    }
    client_result_release(&result);
}

// A job that was paused is submitted again, as people do.
static void *run_client(void *arg)
{
    (void)arg;
    while (!world.finished && world.wrong == NULL) {
        struct err err = ERR_CLEAR;
        struct client *client = client_open(NULL, ENDPOINT, NULL, 5000, &err);

        if (client != NULL)
            submit(client);
        client_close(client);
        if (!world.finished)
            machine_sleep(SECOND);
    }
    return NULL;
}

// --- the coordinator ---

static void start_coordinator(void)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    struct err err = ERR_CLEAR;

    options.listen = ENDPOINT;
    options.store = world.store;
    options.proofs = world.trouble == TROUBLE_LOSS;
    if (world.trouble == TROUBLE_SCALING)
        options.wait_start_ms = CHART_WAIT_MS;
    machine_set_process(COORDINATOR);
    world.coordinator = coordinator_start(NULL, &options, &err);
    machine_set_process(0);
    if (world.coordinator == NULL) {
        if (world.trouble != TROUBLE_WEATHER || world.healed)
            fail(err.text);
        return;
    }
    world.durable = 0;
    fail(judge_open(world.judge, world.store));
}

static void copy_of(char *out, size_t size, const char *suffix)
{
    (void)snprintf(out, size, "%s%s.copy", world.store, suffix);
}

// On whatever thread: from here on the coordinator is a ghost, whom nobody
// hears and whose disk is not the one that the next one finds.
static void crash_now(void)
{
    static const char *const suffixes[] = {"", "-wal"};
    char path[128], copy[128];

    if (world.crashed)
        return;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s%s", world.store, suffixes[i]);
        copy_of(copy, sizeof copy, suffixes[i]);
        (void)unlink(copy);
        (void)disk_copy(path, copy, world.power_gone);
    }
    network_kill(ENDPOINT);
    world.crashed = true;
    world.crashes++;
}

static void bury_coordinator(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[128], copy[128];

    judge_close(world.judge);
    disk_set_faults(&(struct disk_faults){0});
    coordinator_stop(world.coordinator);
    world.coordinator = NULL;
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", world.store, suffixes[i]);
        copy_of(copy, sizeof copy, suffixes[i]);
        (void)unlink(path);
        (void)rename(copy, path);
    }
    if (!world.healed)
        disk_set_faults(&world.weather.disk);
    world.crashed = false;
}

// --- workers ---

static void start_worker(int number)
{
    struct worker_options options = {.coordinator = ENDPOINT};
    struct err err = ERR_CLEAR;
    char name[32];

    (void)snprintf(name, sizeof name, "worker-%d", number);
    options.name = name;
    options.address =
        (struct model_address){.backend = "ollama", .slots = 1 + number % 3};
    (void)snprintf(options.address.url, sizeof options.address.url,
                   "http://server-%d", number);
    world.worker_process[number] = FIRST_WORKER + world.process++;
    machine_set_process(world.worker_process[number]);
    world.workers[number] = worker_start(NULL, &options, &err);
    machine_set_process(0);
    if (world.workers[number] == NULL)
        abort();
}

static void leave_worker(int number, bool killed)
{
    if (world.n_ghosts == GHOSTS_MOST)
        return;
    if (killed)
        network_kill_process(world.worker_process[number]);
    worker_drain(world.workers[number]);
    world.ghosts[world.n_ghosts++] = world.workers[number];
    world.workers[number] = NULL;
    world.kills++;
}

// --- weather ---

static bool happens(double chance)
{
    return chance > 0 && machine_chance(chance);
}

static int64_t seconds(int64_t most)
{
    return SECOND / 10 + (int64_t)machine_below((uint64_t)(most * SECOND));
}

static double some(double often, double most)
{
    return machine_chance(often) ? most * (double)machine_below(1000) / 1000
                                 : 0;
}

static void draw_weather(struct weather *w)
{
    *w = (struct weather){
        .network = {.delay_us = 1 + (int64_t)machine_below(30000),
                    .lost = some(0.4, 0.05),
                    .twice = some(0.3, 0.05),
                    .late = some(0.3, 0.05)},
        .disk = {.sync_us = 1 + (int64_t)machine_below(20000),
                 .fails = some(0.2, 0.01)},
        .cut = some(0.5, 0.5),
        .cut_all = some(0.2, 0.1),
        .crash = some(0.5, 0.2),
        .power = some(0.4, 0.15),
        .kill_worker = some(0.5, 0.5),
        .stop = some(0.4, 0.4),
        .stop_coordinator = some(0.2, 0.1),
        .drain = some(0.3, 0.2),
        .away = some(0.4, 0.3),
        .wall = some(0.3, 0.2),
        .full = some(0.2, 0.1),
        .fails = some(0.5, 0.3),
        .hangs = some(0.3, 0.05)};
    if (machine_chance(0.2)) // a disk that is terribly slow
        w->disk.sync_us *= 50;
}

static void end_full_disk(void *user)
{
    (void)user;
    if (!world.healed)
        disk_set_faults(&world.weather.disk);
}

static void fill_disk(void)
{
    struct disk_faults full = world.weather.disk;

    full.full = true;
    disk_set_faults(&full);
    machine_at(machine_now_us() + seconds(8), end_full_disk, NULL);
}

static void strike(void)
{
    const struct weather *w = &world.weather;
    int number = (int)machine_below((uint64_t)world.n_workers);
    int64_t now = machine_now_us();

    if (happens(w->cut))
        network_cut_one(seconds(6));
    if (happens(w->cut_all))
        network_cut_all(seconds(6));
    if (happens(w->wall))
        machine_jump_wall((int64_t)machine_below(7200) * SECOND -
                          3600 * SECOND);
    if (happens(w->away))
        servers_get(number)->away_us = now + seconds(10);
    if (happens(w->stop))
        machine_stop_process(world.worker_process[number], now + seconds(8));
    if (happens(w->stop_coordinator))
        machine_stop_process(COORDINATOR, now + seconds(5));
    if (happens(w->full))
        fill_disk();
    if (world.workers[number] == NULL)
        start_worker(number);
    else if (happens(w->kill_worker))
        leave_worker(number, true);
    else if (happens(w->drain))
        leave_worker(number, false);
    world.power_gone = happens(w->power);
    if (world.power_gone || happens(w->crash))
        disk_crash_at((int)machine_below(60), crash_now);
}

static void heal(void)
{
    world.healed = true;
    network_heal();
    servers_heal();
    disk_crash_at(-1, NULL);
    disk_set_faults(&(struct disk_faults){.sync_us = 1000});
    for (int i = 0; i < world.n_workers; i++)
        if (world.workers[i] == NULL)
            start_worker(i);
}

// Crashes of the coordinator are left to run_steps: nothing here waits.
static void pass_weather(void *user)
{
    (void)user;
    if (world.finished || world.wrong != NULL)
        return;
    if (machine_now_us() >= world.heal_us) {
        heal();
        return;
    }
    strike();
    machine_at(machine_now_us() + SECOND / 2, pass_weather, NULL);
}

// --- one seed ---

static void look_at_store(void)
{
    const struct engine *engine = coordinator_engine(world.coordinator);

    if (world.durable == store_durable(engine->store))
        return;
    world.durable = store_durable(engine->store);
    fail(judge_look(world.judge));
}

static void on_sent(const struct message *message)
{
    if (message->kind != MESSAGE_CALL || world.coordinator == NULL)
        return;
    look_at_store();
    fail(judge_sent(world.judge, &message->as.call));
}

// How many calls worker 0 has, as the coordinator sees it.
static size_t calls_of_first(void)
{
    const struct engine *engine = coordinator_engine(world.coordinator);
    struct dispatch_worker_view view = {0};

    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next)
        if (strcmp(w->name, "worker-0") == 0)
            (void)dispatch_worker_look(engine->dispatch, w->number, &view);
    return view.n_calls;
}

static void look_at_dead(void)
{
    if (world.dead_us == 0 || world.missed_us != 0 || calls_of_first() > 0)
        return;
    world.missed_us = machine_now_us();
    if (world.missed_us - world.dead_us > MISSED_MS * 1000)
        fail("a dead worker kept its calls for too long");
}

// After each step in which the coordinator ran, on the thread that took it.
static void check(void)
{
    if (world.coordinator == NULL || world.crashed ||
        world.runs == machine_runs(COORDINATOR))
        return;
    world.runs = machine_runs(COORDINATOR);
    fail(dispatch_check(coordinator_engine(world.coordinator)->dispatch));
    look_at_store();
    look_at_dead();
}

// Whether something is to be done that only the driver can do.
static bool is_over(void *user)
{
    (void)user;
    check();
    return world.finished || world.wrong != NULL || world.crashed;
}

static void run_steps(void)
{
    int64_t last = world.heal_us +
                   (world.weather.hangs > 0 || world.trouble >= TROUBLE_SCALING
                        ? GIVE_UP_S
                        : GIVE_UP_SOON_S) *
                       SECOND;

    while (!world.finished && world.wrong == NULL) {
        if (!machine_wait(is_over, NULL, last))
            fail("the job does not end, though faults have stopped");
        if (world.crashed)
            bury_coordinator();
        while (world.coordinator == NULL && world.wrong == NULL) {
            machine_sleep(seconds(3));
            if (world.trouble == TROUBLE_OUTAGE && !world.healed)
                continue;
            start_coordinator();
        }
    }
}

// An empty store as store_open made it, for making one takes longer than many
// a run.
static struct {
    char bytes[1 << 20];
    size_t len;
} empty_store;

static void keep_empty_store(void)
{
    FILE *file = fopen(world.store, "rb");

    if (file == NULL)
        abort();
    empty_store.len =
        fread(empty_store.bytes, 1, sizeof empty_store.bytes, file);
    (void)fclose(file);
    if (empty_store.len == sizeof empty_store.bytes)
        abort();
}

static void put_empty_store(void)
{
    FILE *file = empty_store.len == 0 ? NULL : fopen(world.store, "wb");

    if (file == NULL)
        return;
    if (fwrite(empty_store.bytes, 1, empty_store.len, file) != empty_store.len)
        abort();
    (void)fclose(file);
}

static void set_up(uint64_t seed, int variant, enum trouble trouble,
                   int n_workers)
{
    char path[128];
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    char folder[64];

    memcpy(folder, world.folder, sizeof folder);
    memset(&world, 0, sizeof world);
    memcpy(world.folder, folder, sizeof folder);
    (void)snprintf(world.store, sizeof world.store, "%s/store.db",
                   world.folder);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", world.store, names[i]);
        (void)unlink(path);
    }
    put_empty_store();
    world.seed = seed;
    world.trouble = trouble;
    world.loss = lost;
    world.scaler = rule;
    world.outage = out_next;
    world.variant = variant;
    machine_start(seed);
    network_start();
    servers_start();
    disk_start();
    world.n_workers = n_workers;
    world.judge = judge_new(trouble == TROUBLE_NONE);
    network_on_send(on_sent);
}

static void begin_weather(void)
{
    draw_weather(&world.weather);
    world.heal_us = machine_now_us() + seconds(15);
    network_set_faults(&world.weather.network);
    disk_set_faults(&world.weather.disk);
    machine_at(machine_now_us() + SECOND / 2, pass_weather, NULL);
    for (int i = 0; i < world.n_workers; i++) {
        struct server *server = servers_get(i);

        server->speed = 0.5 + (double)machine_below(8);
        server->fails = world.weather.fails;
        server->hangs = world.weather.hangs;
    }
}

static void tear_down(void)
{
    world.finished = true;
    disk_crash_at(-1, NULL);
    disk_set_faults(&(struct disk_faults){0});
    machine_set_process(CLIENT);
    (void)pthread_join(world.client, NULL);
    judge_close(world.judge);
    for (int i = 0; i < world.n_workers; i++)
        worker_stop(world.workers[i]);
    for (int i = 0; i < world.n_ghosts; i++)
        worker_stop(world.ghosts[i]);
    coordinator_stop(world.coordinator);
    machine_end();
    judge_free(world.judge);
}

// A worker that has calls vanishes: its machine is gone, and nothing tells of
// it.
static void vanish(void *user)
{
    (void)user;
    if (world.finished || world.wrong != NULL)
        return;
    if (calls_of_first() == 0) {
        machine_at(machine_now_us() + SECOND / 100, vanish, NULL);
        return;
    }
    network_kill_process(world.worker_process[0]);
    world.dead_us = machine_now_us();
}

// --- workers by demand ---

// What the chart asks Prometheus for: calls that wait, calls with workers, and
// jobs that run.
static int64_t demand(void)
{
    struct dispatch_counts counts = {0};

    if (world.coordinator != NULL)
        dispatch_count(coordinator_engine(world.coordinator)->dispatch,
                       &counts);
    return (int64_t)(counts.queued + counts.waiting + counts.leased) +
           world.job_runs;
}

static void pod_is_up(void *user)
{
    int *number = user;

    if (!world.finished && world.wrong == NULL && *number < world.n_pods &&
        world.workers[*number] == NULL)
        start_worker(*number);
    free(number);
}

// A pod with its model server is there after a while.
static void start_pod(void)
{
    int *number = malloc(sizeof *number);

    if (number == NULL)
        abort();
    *number = world.n_pods++;
    world.starts++;
    if (world.most_pods < world.n_pods)
        world.most_pods = world.n_pods;
    machine_at(machine_now_us() + POD_S * SECOND / 2 + seconds(POD_S),
               pod_is_up, number);
}

// SIGTERM: the worker drains.
static void stop_pod(void)
{
    int number = --world.n_pods;

    world.stops++;
    if (world.workers[number] != NULL)
        leave_worker(number, false);
}

// The value is as old as Prometheus' last look.
static void scale(void *user)
{
    int wanted;

    (void)user;
    if (world.finished || world.wrong != NULL)
        return;
    wanted = scaler_wants(&world.scaler, machine_now_us() / SECOND, world.value,
                          world.n_pods);
    world.value = demand();
    while (world.n_pods < wanted)
        start_pod();
    while (world.n_pods > wanted)
        stop_pod();
    machine_at(machine_now_us() + SCALER_INTERVAL_S * SECOND, scale, NULL);
}

// One job after the other, with a pause in which all workers go.
static void *run_jobs(void *arg)
{
    (void)arg;
    for (int i = 0; i < SCENE_VARIANTS && world.wrong == NULL; i++) {
        struct err err = ERR_CLEAR;
        struct client *client = client_open(NULL, ENDPOINT, NULL, 5000, &err);

        world.variant = i;
        world.job_runs = true;
        if (client == NULL)
            fail(err.text);
        else
            submit(client);
        client_close(client);
        world.job_runs = false;
        if (!world.finished || strcmp(world.compiled, undisturbed[i]) != 0)
            fail("a job with workers by demand ends otherwise");
        free(world.compiled);
        world.compiled = NULL;
        world.finished = false;
        machine_sleep(IDLE_S * SECOND);
        if (world.n_pods > 0)
            fail("workers are left though nothing is to do");
    }
    world.finished = true;
    return NULL;
}

// --- nobody can answer until somebody comes ---

enum { GOOD = 2 }; // the worker that is there last

static void join_good_one(void *user)
{
    (void)user;
    start_worker(GOOD);
    world.n_workers = GOOD + 1;
}

// A client that is gone in between, as one that is started by hand.
static void with_client(void (*act)(struct client *))
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, ENDPOINT, NULL, 5000, &err);

    if (client == NULL)
        fail(err.text);
    else
        act(client);
    client_close(client);
}

// Whether a job is at work, by the coordinator's own word.
static void look_for_jobs(struct client *client)
{
    struct err err = ERR_CLEAR;
    char *document = NULL;

    if (!client_command(client, "status", "", "", &document, &err))
        fail(err.text);
    world.job_runs =
        document != NULL && strstr(document, "\"jobs\":[]") == NULL;
    free(document);
}

// The client of a job that pauses goes away, and nobody else does anything for
// it. It comes back for the result when the job is done long since.
static void *run_absent_client(void *arg)
{
    int64_t answered;

    (void)arg;
    with_client(submit);
    if (world.finished)
        fail("a job that nobody answers does not pause");
    machine_at(machine_now_us() + seconds(120), join_good_one, NULL);
    while (world.wrong == NULL && servers_get(GOOD)->answered == 0)
        machine_sleep(SECOND);
    do {
        machine_sleep(SECOND);
        with_client(look_for_jobs);
    } while (world.wrong == NULL && world.job_runs);
    answered = servers_get(GOOD)->answered;
    with_client(submit);
    if (servers_get(GOOD)->answered != answered)
        fail("the job had not gone on to its end by itself");
    return NULL;
}

// --- all of a kind is out, and is repaired ---

static void servers_go(void)
{
    for (int i = 0; i < world.n_workers; i++)
        servers_get(i)->away_us = world.heal_us;
}

static void servers_freeze(void)
{
    for (int i = 0; i < world.n_workers; i++)
        servers_get(i)->frozen_us = world.heal_us;
}

static void servers_fail(void)
{
    for (int i = 0; i < world.n_workers; i++)
        servers_get(i)->fails = 1;
}

// Sockets that are opened meanwhile do not get through either.
static void keep_links_broken(void *user)
{
    (void)user;
    if (world.healed || world.finished || world.wrong != NULL)
        return;
    network_cut_all(world.heal_us - machine_now_us());
    machine_at(machine_now_us() + SECOND / 20, keep_links_broken, NULL);
}

static void links_break(void)
{
    keep_links_broken(NULL);
}

static void coordinator_freezes(void)
{
    machine_stop_process(COORDINATOR, world.heal_us);
}

static void coordinator_dies(void)
{
    crash_now();
}

static void disk_fills(void)
{
    disk_set_faults(&(struct disk_faults){.full = true});
}

static void disk_fails(void)
{
    disk_set_faults(&(struct disk_faults){.fails = 1});
}

static void workers_die(void)
{
    for (int i = 0; i < world.n_workers; i++)
        leave_worker(i, true);
}

static void begin_outage(void *user)
{
    (void)user;
    if (world.finished)
        fail("the job is done before the outage");
    else
        world.outage->begin();
}

static void repair(void *user)
{
    (void)user;
    world.healed = true;
    network_heal();
    disk_set_faults(&(struct disk_faults){.sync_us = 1000});
    for (int i = 0; i < world.n_workers; i++) {
        servers_get(i)->fails = 0;
        if (world.workers[i] == NULL)
            start_worker(i);
    }
}

// Whether the job is done, by the coordinator's own word. It may not be there.
static void look_whether_done(void)
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, ENDPOINT, NULL, 1000, &err);
    char *document = NULL;

    if (client != NULL &&
        client_command(client, "jobs", "", "", &document, &err) &&
        strstr(document, "\"state\":\"done\"") != NULL && world.done_us == 0)
        world.done_us = machine_now_us();
    free(document);
    client_close(client);
}

static void submit_if_heard(void)
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, ENDPOINT, NULL, 1000, &err);

    if (client != NULL)
        submit(client);
    client_close(client);
}

// The client submits the job, is told that it has paused, or loses sight of it,
// and does no more for it until it is done.
static void *run_patient_client(void *arg)
{
    (void)arg;
    submit_if_heard();
    while (world.wrong == NULL && world.done_us == 0) {
        machine_sleep(SECOND / 5);
        if (world.finished)
            world.done_us = machine_now_us();
        else
            look_whether_done();
    }
    while (world.wrong == NULL && !world.finished)
        submit_if_heard();
    return NULL;
}

// --- one message is lost ---

static int64_t id_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_CALL:
        return message->as.call.id;
    case MESSAGE_ANSWER:
        return message->as.answer.id;
    default:
        return 0;
    }
}

static const char *name_of(const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        return message->as.hello.name;
    case MESSAGE_WELCOME:
        return message->as.welcome.name;
    default:
        return "";
    }
}

// The first call that brings a prefix is lost. A later one that only names it
// cannot be taken, which the worker says: how soon it comes whole is what
// counts, from when it was sent first.
static bool is_lost_prefix(const struct message *message)
{
    static int64_t sent_us[CALLS_KEPT];
    const struct call_message *call = &message->as.call;

    if (message->kind == MESSAGE_HEARTBEAT && world.lost_id == 0 &&
        message->as.heartbeat.lacks_len > 0) {
        world.lost_id = lease_read(message->as.heartbeat.lacks);
        world.lost_us = sent_us[world.lost_id % CALLS_KEPT];
    }
    if (message->kind != MESSAGE_CALL || call->prefix_name_len == 0)
        return false;
    if (world.lost_id == 0)
        sent_us[call->id % CALLS_KEPT] = machine_now_us();
    else if (call->id == world.lost_id && world.repeated_us == 0)
        world.repeated_us = machine_now_us();
    if (call->request.prefix_len == 0 || world.lost_name[0] != '\0')
        return false;
    (void)snprintf(world.lost_name, sizeof world.lost_name, "%s", "lost");
    return true;
}

static bool is_lost(const struct message *message)
{
    const struct loss *loss = world.loss;
    // An answer comes again when it is asked for again.
    enum message_kind again =
        loss->kind == MESSAGE_ANSWER ? MESSAGE_CALL : loss->kind;

    if (loss->overtakes)
        return is_lost_prefix(message);
    if ((id_of(message) >= WIRE_PROOF_ID) != loss->proof)
        return false;
    if (world.lost_us == 0 && message->kind == loss->kind) {
        world.lost_us = machine_now_us();
        world.lost_id = id_of(message);
        (void)snprintf(world.lost_name, sizeof world.lost_name, "%s",
                       name_of(message));
        return true;
    }
    if (world.lost_us != 0 && world.repeated_us == 0 &&
        message->kind == again && id_of(message) == world.lost_id &&
        strcmp(name_of(message), world.lost_name) == 0)
        world.repeated_us = machine_now_us();
    return false;
}

static void *(*client_of(enum trouble trouble))(void *)
{
    return trouble == TROUBLE_SCALING  ? run_jobs
           : trouble == TROUBLE_PAUSE  ? run_absent_client
           : trouble == TROUBLE_OUTAGE ? run_patient_client
                                       : run_client;
}

// The bytes of the compiled file; NULL: world.wrong. The caller frees.
static char *run(uint64_t seed, int variant, enum trouble trouble,
                 int n_workers)
{
    set_up(seed, variant, trouble, n_workers);
    start_coordinator();
    if (trouble == TROUBLE_WEATHER)
        begin_weather();
    if (trouble == TROUBLE_LOSS)
        network_on_loss(is_lost);
    if (trouble == TROUBLE_SCALING)
        scale(NULL);
    if (trouble == TROUBLE_OUTAGE) {
        world.heal_us =
            machine_now_us() + (OUTAGE_BEGINS_S + OUTAGE_S) * SECOND;
        machine_at(machine_now_us() + OUTAGE_BEGINS_S * SECOND, begin_outage,
                   NULL);
        machine_at(world.heal_us, repair, NULL);
    }
    for (int i = 0; trouble == TROUBLE_PAUSE && i < n_workers; i++)
        servers_get(i)->away_us = INT64_MAX;
    if (trouble == TROUBLE_DEATH)
        machine_at(machine_now_us() + SECOND + seconds(20), vanish, NULL);
    for (int i = 0; i < n_workers; i++)
        start_worker(i);
    machine_set_process(CLIENT);
    if (pthread_create(&world.client, NULL, client_of(trouble), NULL) != 0)
        abort();
    machine_set_process(0);
    run_steps();
    if (world.wrong == NULL && world.coordinator != NULL && !world.crashed)
        fail(judge_end(world.judge));
    world.calls = judge_calls(world.judge);
    if (world.coordinator != NULL) {
        struct dispatch_counts counts;

        dispatch_count(coordinator_engine(world.coordinator)->dispatch,
                       &counts);
        world.hedged = counts.hedged;
    }
    tear_down();
    if (world.wrong == NULL)
        return world.compiled;
    free(world.compiled);
    return NULL;
}

// --- many ---

struct options {
    uint64_t seeds, first;
    int workers; // 0: drawn by the seed
    bool twice, verbose;
};

static int workers_for(uint64_t seed)
{
    if (seed % 50 == 0)
        return WORKERS_MOST;
    return 1 + (int)((seed * UINT64_C(0x9e3779b97f4a7c15) >> 32) % 9);
}

static bool make_empty_store(void)
{
    struct err err = ERR_CLEAR;
    struct store *store;

    set_up(1, 0, TROUBLE_NONE, 0);
    store = store_open(world.store, &err);
    store_close(store);
    if (store != NULL)
        keep_empty_store();
    else
        (void)fprintf(stderr, "%s\n", err.text);
    machine_end();
    judge_free(world.judge);
    return store != NULL;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t median_time(int64_t times[static PACE_RUNS])
{
    qsort(times, PACE_RUNS, sizeof *times, compare_times);
    return times[PACE_RUNS / 2];
}

// What a variant compiles to, and how long it takes, when nothing goes wrong.
static bool learn_variant(int variant)
{
    int64_t times[PACE_RUNS];

    for (int i = 0; i < PACE_RUNS; i++) {
        char *compiled = run((uint64_t)i + 1, variant, TROUBLE_NONE, 4);

        times[i] = machine_now_us();
        if (i == 0)
            undisturbed[variant] = compiled;
        if (compiled == NULL || strcmp(compiled, undisturbed[variant]) != 0) {
            (void)fprintf(stderr, "undisturbed, variant %d, seed %d: %s\n",
                          variant, i + 1,
                          compiled != NULL ? "other bytes" : world.wrong);
            return false;
        }
        if (i > 0)
            free(compiled);
    }
    undisturbed_us[variant] = median_time(times);
    printf("undisturbed, variant %d: %" PRId64 " s, %zu bytes\n", variant,
           undisturbed_us[variant] / SECOND, strlen(undisturbed[variant]));
    return true;
}

static bool learn(void)
{
    if (!make_empty_store())
        return false;
    for (int i = 0; i < SCENE_VARIANTS; i++)
        if (!learn_variant(i))
            return false;
    return true;
}

static bool run_seed(const struct options *options, uint64_t seed)
{
    int variant = (int)(seed % SCENE_VARIANTS);
    int workers = options->workers > 0 ? options->workers : workers_for(seed);
    char *compiled = run(seed, variant, TROUBLE_WEATHER, workers);
    bool same = compiled != NULL && strcmp(compiled, undisturbed[variant]) == 0;

    if (options->verbose)
        printf("seed %" PRIu64 ": %d workers, %" PRId64 " s (%" PRId64
               " after the weather), %" PRId64 " crashes, %" PRId64
               " workers lost, %" PRId64 " submissions, trace %016" PRIx64 "\n",
               seed, workers, machine_now_us() / SECOND,
               (machine_now_us() - world.heal_us) / SECOND, world.crashes,
               world.kills, world.submissions, machine_trace());
    if (!same)
        (void)fprintf(stderr, "seed %" PRIu64 ": %s\n", seed,
                      compiled == NULL ? world.wrong
                                       : "the compiled file is another one");
    free(compiled);
    return same;
}

// How soon the calls of a worker that vanished are given to others.
static bool run_deaths(void)
{
    int64_t longest_us = 0;
    char *compiled = NULL;

    for (int i = 0; i < DEATHS; i++) {
        int variant = i % SCENE_VARIANTS;

        free(compiled);
        compiled = run((uint64_t)i + 1, variant, TROUBLE_DEATH, 4);
        if (compiled == NULL || strcmp(compiled, undisturbed[variant]) != 0 ||
            world.missed_us == 0) {
            (void)fprintf(stderr, "death %d: %s\n", i,
                          world.wrong != NULL ? world.wrong
                                              : "it is not missed, or the "
                                                "compiled file is another one");
            free(compiled);
            return false;
        }
        if (world.missed_us - world.dead_us > longest_us)
            longest_us = world.missed_us - world.dead_us;
    }
    free(compiled);
    printf("the calls of a dead worker are with others after %" PRId64 " ms\n",
           longest_us / 1000);
    return true;
}

// How soon each message is sent once more when it was lost, and nothing else
// tells of it.
static bool run_losses(void)
{
    int64_t longest_us = 0;

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        int variant = (int)(i % SCENE_VARIANTS);
        char *compiled = NULL;
        bool same;

        lost = &losses[i];
        compiled = run(i + 1, variant, TROUBLE_LOSS, 4);
        same = compiled != NULL && strcmp(compiled, undisturbed[variant]) == 0;
        free(compiled);
        if (!same || world.repeated_us == 0 ||
            world.repeated_us - world.lost_us >
                (lost->overtakes ? OVERTAKEN_MS : REPEATED_MS) * 1000) {
            (void)fprintf(stderr,
                          "%s was lost at %" PRId64
                          " ms, and sent again at %" PRId64 ": %s\n",
                          lost->name, world.lost_us / 1000,
                          world.repeated_us / 1000,
                          world.wrong != NULL ? world.wrong
                          : same              ? "too late"
                                              : "other bytes");
            return false;
        }
        if (world.repeated_us - world.lost_us > longest_us)
            longest_us = world.repeated_us - world.lost_us;
    }
    printf("what was lost is sent again after %" PRId64 " ms\n",
           longest_us / 1000);
    return true;
}

// Two jobs whose workers come and go by demand: those of the chart's rule, and
// of one that follows every change at once, so that workers are told to go in
// the middle of their calls. No call is made twice but by a copy, and none
// comes back.
static bool run_scaling(void)
{
    static const struct scaler hasty = {
        .most = 8, .cooldown_s = 15, .window_s = 0};

    for (int i = 0; i < 2; i++) {
        int64_t begun = 0;

        rule = i == 0 ? SCALER_DEFAULTS : hasty;
        rule.calls_per_worker = 4; // the jobs here are small
        free(run(1, 0, TROUBLE_SCALING, 0));
        for (int k = 0; k < world.scaler.most; k++)
            begun += servers_get(k)->begun;
        if (world.wrong == NULL && begun > world.calls + world.hedged)
            fail("calls are made twice where workers come and go");
        if (world.wrong == NULL && i == 0 && world.starts > 2 * world.most_pods)
            fail("workers come and go within one job");
        if (world.wrong == NULL && i == 1 && world.stops < 2 * SCENE_VARIANTS)
            fail("no worker had to go");
        if (world.wrong != NULL) {
            (void)fprintf(stderr,
                          "workers by demand: %s (%d starts, %d stops, %" PRId64
                          " answers, %" PRId64 " copies, %" PRId64
                          " calls begun)\n",
                          world.wrong, world.starts, world.stops, world.calls,
                          world.hedged, begun);
            return false;
        }
        printf("workers by demand: %d at most, %d starts, %d stops, %" PRId64
               " calls, %" PRId64 " begun\n",
               world.most_pods, world.starts, world.stops, world.calls, begun);
    }
    return true;
}

// A job that paused goes on by itself.
static bool run_pause(void)
{
    char *compiled = run(1, 0, TROUBLE_PAUSE, GOOD);
    bool same = compiled != NULL && strcmp(compiled, undisturbed[0]) == 0;

    free(compiled);
    if (!same)
        (void)fprintf(stderr, "a job that paused: %s\n",
                      world.wrong != NULL ? world.wrong : "other bytes");
    else
        printf("a job that paused goes on by itself\n");
    return same;
}

// Runs a job in which something is out; tells how much later than without it
// is done, the outage itself left out. False, and says so, when it goes wrong.
static bool run_outage(const struct outage *outage, uint64_t seed, int variant,
                       int64_t *late_us)
{
    int64_t left_us = undisturbed_us[variant] - OUTAGE_BEGINS_S * SECOND;
    char *compiled;
    bool same;

    out_next = outage;
    compiled = run(seed, variant, TROUBLE_OUTAGE, 4);
    same = compiled != NULL && strcmp(compiled, undisturbed[variant]) == 0;
    free(compiled);
    if (!same)
        (void)fprintf(stderr, "%s: %s\n", outage->name,
                      world.wrong != NULL ? world.wrong : "other bytes");
    *late_us = world.done_us - world.heal_us - left_us;
    return same;
}

// However long something was out, the job is at full pace again soon after the
// repair, and nobody lends it a hand: what was left of it takes no longer than
// in the undisturbed run.
static bool run_outages(void)
{
    int64_t longest_us = 0;

    for (size_t i = 0; i < sizeof outages / sizeof *outages; i++) {
        int64_t late_us[PACE_RUNS];
        int64_t usual_us;

        for (size_t k = 0; k < PACE_RUNS; k++)
            if (!run_outage(&outages[i], 100 * k + i + 1,
                            (int)(i % SCENE_VARIANTS), &late_us[k]))
                return false;
        usual_us = median_time(late_us);
        if (usual_us > RECOVERS_S * SECOND) {
            (void)fprintf(stderr,
                          "%s: the job is %" PRId64
                          " ms later than it might, in the median of %d runs\n",
                          outages[i].name, usual_us / 1000, PACE_RUNS);
            return false;
        }
        if (usual_us > longest_us)
            longest_us = usual_us;
    }
    printf("after an outage a job loses at most %" PRId64
           " ms, in the median of %d runs\n",
           longest_us / 1000, PACE_RUNS);
    return true;
}

static bool run_twice(const struct options *options, uint64_t seed)
{
    bool same = run_seed(options, seed);
    uint64_t trace = machine_trace();

    if (!options->twice)
        return same;
    same &= run_seed(options, seed);
    if (trace == machine_trace())
        return same;
    (void)fprintf(stderr, "seed %" PRIu64 ": the second run is another one\n",
                  seed);
    return false;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.seeds = 100, .first = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--twice") == 0)
            options->twice = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            options->verbose = true;
        else if (strcmp(argv[i], "--seeds") == 0 && ++i < argc)
            options->seeds = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--first") == 0 && ++i < argc)
            options->first = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--workers") == 0 && ++i < argc)
            options->workers = atoi(value);
        else
            return false;
    }
    return options->workers >= 0 && options->workers <= WORKERS_MOST;
}

static bool make_folder(void)
{
    (void)snprintf(world.folder, sizeof world.folder, "%s/simulate-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(world.folder) != NULL;
}

static void remove_folder(void)
{
    static const char *const names[] = {"",      "-wal",      "-shm",
                                        ".lock", "-wal.copy", ".copy"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/store.db%s", world.folder,
                       names[i]);
        (void)unlink(path);
    }
    (void)rmdir(world.folder);
}

// Thousands of runs in one process: memory is used again soon.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=2";
}

int main(int argc, char **argv)
{
    struct options options;
    uint64_t failed = 0;

    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr, "simulate [--seeds N] [--first SEED] "
                              "[--workers N] [--twice] [--verbose]\n");
        return 2;
    }
    log_set_level(options.verbose ? LOG_DEBUG : LOG_SILENT);
    disk_install();
    if (!make_folder())
        return 1;
    if (!learn() || !run_deaths() || !run_losses() || !run_scaling() ||
        !run_pause() || !run_outages())
        failed++;
    for (uint64_t i = 0; i < options.seeds && failed == 0; i++)
        failed += !run_twice(&options, options.first + i);
    for (int i = 0; i < SCENE_VARIANTS; i++)
        free(undisturbed[i]);
    remove_folder();
    if (failed == 0)
        printf("%" PRIu64 " seeds, nothing found\n", options.seeds);
    return failed == 0 ? 0 : 1;
}
