// Faults of all kinds: see troubles.h, and README.md for the kinds.
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>

#include "simulation/disk.h"
#include "simulation/machine.h"
#include "simulation/network.h"
#include "simulation/scene.h"
#include "simulation/servers.h"
#include "simulation/world.h"

// How bad the faults get: some seeds have none of a kind, others have many.
struct weather {
    struct network_faults network;
    struct disk_faults disk;
    double cut, cut_all, crash, power, kill_worker, stop, stop_coordinator,
        drain, away, wall, full; // chance per second
    double fails, hangs;         // of servers
};

static struct weather weather;

static bool happens(double chance)
{
    return chance > 0 && machine_chance(chance);
}

// Returns 0 in most runs; `often` is the share of runs with a higher value.
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
    if (machine_chance(0.2)) // a terribly slow disk
        w->disk.sync_us *= 50;
}

static void end_full_disk(void *user)
{
    (void)user;
    if (!world.healed)
        disk_set_faults(&weather.disk);
}

static void fill_disk(void)
{
    struct disk_faults full = weather.disk;

    full.full = true;
    disk_set_faults(&full);
    machine_at(machine_now_us() + world_draw_seconds(8), end_full_disk, NULL);
}

static void strike(void)
{
    const struct weather *w = &weather;
    int number = (int)machine_below((uint64_t)world.n_workers);
    int64_t now = machine_now_us();

    if (happens(w->cut))
        network_cut_one(world_draw_seconds(6));
    if (happens(w->cut_all))
        network_cut_all(world_draw_seconds(6));
    if (happens(w->wall))
        machine_jump_wall((int64_t)machine_below(7200) * SECOND -
                          3600 * SECOND);
    if (happens(w->away))
        servers_get(number)->away_us = now + world_draw_seconds(10);
    if (happens(w->stop))
        world_stop_worker(number, now + world_draw_seconds(8));
    if (happens(w->stop_coordinator))
        machine_stop_process(WORLD_COORDINATOR, now + world_draw_seconds(5));
    if (happens(w->full))
        fill_disk();
    if (world.workers[number] == NULL)
        world_start_worker(number);
    else if (happens(w->kill_worker))
        world_leave_worker(number, true);
    else if (happens(w->drain))
        world_leave_worker(number, false);
    world.power_gone = happens(w->power);
    if (world.power_gone || happens(w->crash))
        disk_crash_at((int)machine_below(60), world_crash);
}

static void heal(void)
{
    world.healed = true;
    network_heal();
    servers_heal();
    disk_crash_at(-1, NULL);
    disk_set_faults(&(struct disk_faults){.sync_us = 1000});
    world_start_missing_workers();
}

// Never waits: the world restarts a coordinator that crashed.
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

static void begin(void)
{
    draw_weather(&weather);
    world.disk = weather.disk;
    if (weather.hangs > 0)
        world.patience_s = WORLD_LONG_PATIENCE_S;
    world.heal_us = machine_now_us() + world_draw_seconds(15);
    network_set_faults(&weather.network);
    disk_set_faults(&weather.disk);
    machine_at(machine_now_us() + SECOND / 2, pass_weather, NULL);
    for (int i = 0; i < world.n_workers; i++) {
        struct server *server = servers_get(i);

        server->speed = 0.5 + (double)machine_below(8);
        server->fails = weather.fails;
        server->hangs = weather.hangs;
    }
}

static const struct trouble trouble = {.begin = begin};

static int workers_for(uint64_t seed)
{
    if (seed % 50 == 0)
        return WORLD_WORKERS_MOST;
    return 1 + (int)((seed * UINT64_C(0x9e3779b97f4a7c15) >> 32) % 9);
}

bool weather_run(uint64_t seed, int n_workers, bool verbose)
{
    int workers = n_workers > 0 ? n_workers : workers_for(seed);
    bool same =
        world_run(&trouble, seed, (int)(seed % SCENE_VARIANTS), workers);

    if (verbose)
        printf("seed %" PRIu64 ": %d workers, %" PRId64 " s (%" PRId64
               " after the weather), %" PRId64 " crashes, %" PRId64
               " workers lost, %" PRId64 " submissions, trace %016" PRIx64 "\n",
               seed, workers, machine_now_us() / SECOND,
               (machine_now_us() - world.heal_us) / SECOND, world.crashes,
               world.kills, world.submissions, machine_trace());
    if (!same)
        (void)fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, world.wrong);
    return same;
}
