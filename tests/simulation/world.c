// See world.h.
#include "simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sched.h>

#include "coordinator/coordinator_state.h"
#include "coordinator/engine.h"
#include "dispatch_check.h"
#include "scratch.h"
#include "simulation/disk.h"
#include "simulation/judge.h"
#include "simulation/machine.h"
#include "simulation/network.h"
#include "simulation/scene.h"
#include "simulation/servers.h"
#include "worker/worker.h"

enum {
    GHOSTS_MOST = 256,
    CLIENT = 2, // processes
    FIRST_WORKER = 3,
};

struct world world;

// What a run has that only this file uses.
static struct {
    struct judge *judge;
    struct worker *ghosts[GHOSTS_MOST];
    int n_ghosts;
    int process; // the last one handed out
    int worker_process[WORLD_WORKERS_MOST];
    bool crashed; // the disk is copied, and the coordinator is a ghost
    uint64_t runs, durable; // what check has seen so far
    pthread_t client;
    char *compiled; // owned
    char words[400];
} own;

static char folder[64], store_file[96];
static char *undisturbed[SCENE_VARIANTS]; // compiled files; owned

void world_fail(const char *wrong)
{
    if (world.wrong != NULL || wrong == NULL)
        return;
    (void)snprintf(own.words, sizeof own.words, "%s", wrong);
    world.wrong = own.words;
}

int64_t world_draw_seconds(int64_t most)
{
    return SECOND / 10 + (int64_t)machine_below((uint64_t)(most * SECOND));
}

// --- the client ---

static bool gives_up(void *user)
{
    (void)user;
    return world.wrong != NULL;
}

void world_submit(struct client *client)
{
    struct client_watch watch = {.wants_to_leave = gives_up};
    struct client_result result = {0};
    struct err err = ERR_CLEAR;

    world.submissions++;
    if (client_submit(client, scene_submit(world.variant), CLIENT_UNTIL_RESULT,
                      &watch, &result, &err)) {
        machine_trace_add((uint64_t)result.status);
        if (result.status == 0) {
            free(own.compiled);
            own.compiled = strdup(result.compiled);
            world.finished = true;
        } else if (result.status != 3)
            world_fail(result.document);
    }
    client_result_release(&result);
}

// Submits a job that was paused again, as people do.
static void *run_client(void *arg)
{
    (void)arg;
    while (!world.finished && world.wrong == NULL) {
        struct err err = ERR_CLEAR;
        struct client *client =
            client_open(NULL, WORLD_ENDPOINT, NULL, 5000, &err);

        if (client != NULL)
            world_submit(client);
        client_close(client);
        if (!world.finished)
            machine_sleep(SECOND);
    }
    return NULL;
}

bool world_as_undisturbed(void)
{
    return own.compiled != NULL &&
           strcmp(own.compiled, undisturbed[world.variant]) == 0;
}

// --- the coordinator ---

static void start_coordinator(void)
{
    struct coordinator_options options = COORDINATOR_DEFAULTS;
    struct err err = ERR_CLEAR;

    options.listen = WORLD_ENDPOINT;
    options.store = store_file;
    if (world.trouble != NULL && world.trouble->configure != NULL)
        world.trouble->configure(&options);
    machine_set_process(WORLD_COORDINATOR);
    world.coordinator = coordinator_start(NULL, &options, &err);
    machine_set_process(0);
    if (world.coordinator == NULL) {
        if (world.heal_us == 0 || world.healed)
            world_fail(err.text);
        return;
    }
    own.durable = 0;
    world_fail(judge_open(own.judge, store_file));
}

static void copy_of(char *out, size_t size, const char *suffix)
{
    (void)snprintf(out, size, "%s%s.copy", store_file, suffix);
}

void world_crash(void)
{
    static const char *const suffixes[] = {"", "-wal"};
    char path[128], copy[128];

    if (own.crashed)
        return;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store_file, suffixes[i]);
        copy_of(copy, sizeof copy, suffixes[i]);
        (void)unlink(copy);
        (void)disk_copy(path, copy, world.power_gone);
    }
    network_kill(WORLD_ENDPOINT);
    own.crashed = true;
    world.crashes++;
}

static void bury_coordinator(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[128], copy[128];

    judge_close(own.judge);
    disk_set_faults(&(struct disk_faults){0});
    coordinator_stop(world.coordinator);
    world.coordinator = NULL;
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store_file, suffixes[i]);
        copy_of(copy, sizeof copy, suffixes[i]);
        (void)unlink(path);
        (void)rename(copy, path);
    }
    if (!world.healed)
        disk_set_faults(&world.disk);
    own.crashed = false;
}

// --- workers ---

void world_start_worker(int number)
{
    struct worker_options options = {.coordinator = WORLD_ENDPOINT};
    struct err err = ERR_CLEAR;
    char name[32];

    (void)snprintf(name, sizeof name, "worker-%d", number);
    options.name = name;
    options.address =
        (struct model_address){.backend = "ollama", .slots = 1 + number % 3};
    (void)snprintf(options.address.url, sizeof options.address.url,
                   "http://server-%d", number);
    own.worker_process[number] = FIRST_WORKER + own.process++;
    machine_set_process(own.worker_process[number]);
    world.workers[number] = worker_start(NULL, &options, &err);
    machine_set_process(0);
    if (world.workers[number] == NULL)
        abort();
}

void world_leave_worker(int number, bool killed)
{
    if (own.n_ghosts == GHOSTS_MOST)
        return;
    if (killed)
        network_kill_process(own.worker_process[number]);
    worker_drain(world.workers[number]);
    own.ghosts[own.n_ghosts++] = world.workers[number];
    world.workers[number] = NULL;
    world.kills++;
}

void world_start_missing_workers(void)
{
    for (int i = 0; i < world.n_workers; i++)
        if (world.workers[i] == NULL)
            world_start_worker(i);
}

void world_lose_worker(int number)
{
    network_kill_process(own.worker_process[number]);
}

void world_stop_worker(int number, int64_t until_us)
{
    machine_stop_process(own.worker_process[number], until_us);
}

size_t world_worker_calls(int number)
{
    const struct engine *engine = &world.coordinator->engine;
    struct dispatch_worker_view view = {0};
    char name[32];

    (void)snprintf(name, sizeof name, "worker-%d", number);
    for (const struct worker_info *w = engine->workers.workers; w != NULL;
         w = w->next)
        if (strcmp(w->name, name) == 0)
            (void)dispatch_worker_look(engine->dispatch, w->number, &view);
    return view.n_calls;
}

// --- the empty store ---

// An empty store as store_open made it. Making one takes longer than many a
// run.
static struct {
    char bytes[1 << 20];
    size_t len;
} empty_store;

static void keep_empty_store(void)
{
    FILE *file = fopen(store_file, "rb");

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
    FILE *file = empty_store.len == 0 ? NULL : fopen(store_file, "wb");

    if (file == NULL)
        return;
    if (fwrite(empty_store.bytes, 1, empty_store.len, file) != empty_store.len)
        abort();
    (void)fclose(file);
}

// --- one run ---

static void look_at_store(void)
{
    const struct engine *engine = &world.coordinator->engine;

    if (own.durable == store_durable(engine->store))
        return;
    own.durable = store_durable(engine->store);
    world_fail(judge_look(own.judge));
}

static void on_sent(const struct message *message)
{
    if (message->kind != MESSAGE_CALL || world.coordinator == NULL)
        return;
    look_at_store();
    world_fail(judge_sent(own.judge, &message->as.call));
}

// Called after each step in which the coordinator ran, on the thread that took
// it.
static void check(void)
{
    if (world.coordinator == NULL || own.crashed ||
        own.runs == machine_runs(WORLD_COORDINATOR))
        return;
    own.runs = machine_runs(WORLD_COORDINATOR);
    world_fail(dispatch_check(world.coordinator->engine.dispatch));
    look_at_store();
    if (world.trouble != NULL && world.trouble->look != NULL)
        world.trouble->look();
}

// Returns true if something has to be done that only the driver can do.
static bool is_over(void *user)
{
    (void)user;
    check();
    return world.finished || world.wrong != NULL || own.crashed;
}

static void run_steps(void)
{
    int64_t last = world.heal_us + world.patience_s * SECOND;

    while (!world.finished && world.wrong == NULL) {
        if (!machine_wait(is_over, NULL, last))
            world_fail("the job does not end, though faults have stopped");
        if (own.crashed)
            bury_coordinator();
        while (world.coordinator == NULL && world.wrong == NULL) {
            machine_sleep(world_draw_seconds(3));
            if (!world.down)
                start_coordinator();
        }
    }
}

static void set_up(const struct trouble *trouble, uint64_t seed, int variant,
                   int n_workers)
{
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    char path[128];

    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store_file, names[i]);
        (void)unlink(path);
    }
    put_empty_store();
    memset(&own, 0, sizeof own);
    world = (struct world){.trouble = trouble,
                           .variant = variant,
                           .n_workers = n_workers,
                           .patience_s = WORLD_PATIENCE_S};
    machine_start(seed);
    network_start();
    servers_start();
    disk_start();
    own.judge = judge_new(trouble == NULL);
    network_on_send(on_sent);
}

static void start_client(void)
{
    void *(*client)(void *) =
        world.trouble != NULL ? world.trouble->client : NULL;

    machine_set_process(CLIENT);
    if (pthread_create(&own.client, NULL, client != NULL ? client : run_client,
                       NULL) != 0)
        abort();
    machine_set_process(0);
}

static void note_end(void)
{
    if (world.wrong == NULL && world.coordinator != NULL && !own.crashed)
        world_fail(judge_end(own.judge));
    world.calls = judge_calls(own.judge);
    if (world.coordinator != NULL)
        dispatch_count(world.coordinator->engine.dispatch, &world.counts);
}

static void tear_down(void)
{
    world.finished = true;
    disk_crash_at(-1, NULL);
    disk_set_faults(&(struct disk_faults){0});
    machine_set_process(CLIENT);
    (void)pthread_join(own.client, NULL);
    judge_close(own.judge);
    for (int i = 0; i < world.n_workers; i++)
        worker_stop(world.workers[i]);
    for (int i = 0; i < own.n_ghosts; i++)
        worker_stop(own.ghosts[i]);
    coordinator_stop(world.coordinator);
    machine_end();
    judge_free(own.judge);
}

// Runs until the job is done, or something is wrong.
static void go_through(const struct trouble *trouble, uint64_t seed,
                       int variant, int n_workers)
{
    set_up(trouble, seed, variant, n_workers);
    start_coordinator();
    if (trouble != NULL && trouble->begin != NULL)
        trouble->begin();
    for (int i = 0; i < n_workers; i++)
        world_start_worker(i);
    start_client();
    run_steps();
    note_end();
    tear_down();
}

bool world_run(const struct trouble *trouble, uint64_t seed, int variant,
               int n_workers)
{
    go_through(trouble, seed, variant, n_workers);
    if (!world_as_undisturbed())
        world_fail("the compiled file is another one");
    free(own.compiled);
    own.compiled = NULL;
    return world.wrong == NULL;
}

// --- what is the same for all runs ---

static bool make_empty_store(void)
{
    struct err err = ERR_CLEAR;
    struct store *store;

    set_up(NULL, 1, 0, 0);
    store = store_open(store_file, &err);
    store_close(store);
    if (store != NULL)
        keep_empty_store();
    else
        (void)fprintf(stderr, "%s\n", err.text);
    machine_end();
    judge_free(own.judge);
    return store != NULL;
}

static bool learn(int variant)
{
    go_through(NULL, 1, variant, 4);
    undisturbed[variant] = own.compiled;
    own.compiled = NULL;
    if (undisturbed[variant] == NULL || world.wrong != NULL) {
        (void)fprintf(stderr, "undisturbed, variant %d: %s\n", variant,
                      world.wrong);
        return false;
    }
    printf("undisturbed, variant %d: %" PRId64 " s, %zu bytes\n", variant,
           machine_now_us() / SECOND, strlen(undisturbed[variant]));
    return true;
}

static bool make_folder(void)
{
    if (scratch_make("simulate", folder, sizeof folder) == NULL)
        return false;
    (void)snprintf(store_file, sizeof store_file, "%s/store.db", folder);
    return true;
}

bool world_open(void)
{
    disk_install();
    if (!make_folder() || !make_empty_store())
        return false;
    for (int i = 0; i < SCENE_VARIANTS; i++)
        if (!learn(i))
            return false;
    return true;
}

void world_close(void)
{
    static const char *const names[] = {"",      "-wal",      "-shm",
                                        ".lock", "-wal.copy", ".copy"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s%s", store_file, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    for (int i = 0; i < SCENE_VARIANTS; i++)
        free(undisturbed[i]);
}
