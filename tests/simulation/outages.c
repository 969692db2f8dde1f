// Everything of one kind is down for a quarter of an hour, and is then
// repaired. Is the job soon back at full pace, without help?
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/disk.h"
#include "simulation/machine.h"
#include "simulation/network.h"
#include "simulation/scene.h"
#include "simulation/servers.h"
#include "simulation/world.h"

enum {
    // The outage lasts longer than a job waits, so by its end the job has
    // paused and has been tried again and again.
    OUTAGE_BEGINS_S = 5,
    OUTAGE_S = 900,
    RECOVERS_S = 10, // from the repair until everything is at full pace again
    // Runs of the same job differ by up to twenty seconds, depending on how
    // chance spreads the delays. So the time of a job is the median of this
    // many runs.
    PACE_RUNS = 5,
};

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

// Cuts all links again and again, so that sockets opened meanwhile do not get
// through either.
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
    machine_stop_process(WORLD_COORDINATOR, world.heal_us);
}

static void coordinator_dies(void)
{
    world.down = true;
    world_crash();
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
        world_leave_worker(i, true);
}

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

static struct {
    const struct outage *outage;
    int64_t done_us; // when the job was done; 0: not yet
} out;

static void begin_outage(void *user)
{
    (void)user;
    if (world.finished)
        world_fail("the job is done before the outage");
    else
        out.outage->begin();
}

static void repair(void *user)
{
    (void)user;
    world.healed = true;
    world.down = false;
    network_heal();
    disk_set_faults(&(struct disk_faults){.sync_us = 1000});
    for (int i = 0; i < world.n_workers; i++) {
        servers_get(i)->fails = 0;
        if (world.workers[i] == NULL)
            world_start_worker(i);
    }
}

// Checks whether the job is done, as the coordinator says. The coordinator may
// be down.
static void look_whether_done(void)
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, WORLD_ENDPOINT, NULL, 1000, &err);
    char *document = NULL;

    if (client != NULL &&
        client_command(client, "jobs", "", "", &document, &err) &&
        strstr(document, "\"state\":\"done\"") != NULL && out.done_us == 0)
        out.done_us = machine_now_us();
    free(document);
    client_close(client);
}

static void submit_if_heard(void)
{
    struct err err = ERR_CLEAR;
    struct client *client = client_open(NULL, WORLD_ENDPOINT, NULL, 1000, &err);

    if (client != NULL)
        world_submit(client);
    client_close(client);
}

// The client submits the job and is then told that it has paused, or loses
// contact with it. It does nothing more until the job is done.
static void *run_patient_client(void *arg)
{
    (void)arg;
    submit_if_heard();
    while (world.wrong == NULL && out.done_us == 0) {
        machine_sleep(SECOND / 5);
        if (world.finished)
            out.done_us = machine_now_us();
        else
            look_whether_done();
    }
    while (world.wrong == NULL && !world.finished)
        submit_if_heard();
    return NULL;
}

static void begin(void)
{
    out.done_us = 0;
    world.patience_s = WORLD_LONG_PATIENCE_S;
    world.heal_us = machine_now_us() + (OUTAGE_BEGINS_S + OUTAGE_S) * SECOND;
    machine_at(machine_now_us() + OUTAGE_BEGINS_S * SECOND, begin_outage, NULL);
    machine_at(world.heal_us, repair, NULL);
}

static const struct trouble trouble = {.begin = begin,
                                       .client = run_patient_client};

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

// Measures how long each variant usually takes without an outage. Returns
// false, and says so, when one fails even then.
static bool learn_pace(int64_t usual_us[static SCENE_VARIANTS])
{
    int64_t times[PACE_RUNS];

    for (int variant = 0; variant < SCENE_VARIANTS; variant++) {
        for (int i = 0; i < PACE_RUNS; i++) {
            if (!world_run(NULL, (uint64_t)i + 1, variant, 4)) {
                (void)fprintf(stderr, "nothing is out: %s\n", world.wrong);
                return false;
            }
            times[i] = machine_now_us();
        }
        usual_us[variant] = median_time(times);
    }
    return true;
}

// Measures when the job is usually done if something is down, not counting the
// outage itself. Returns false, and says so, when a run fails.
static bool measure(const struct outage *outage, uint64_t seed, int variant,
                    int64_t *usual_us)
{
    int64_t times[PACE_RUNS];

    out.outage = outage;
    for (size_t k = 0; k < PACE_RUNS; k++) {
        if (!world_run(&trouble, 100 * k + seed, variant, 4)) {
            (void)fprintf(stderr, "%s: %s\n", outage->name, world.wrong);
            return false;
        }
        times[k] = out.done_us - OUTAGE_S * SECOND;
    }
    *usual_us = median_time(times);
    return true;
}

bool outages_run(void)
{
    int64_t undisturbed_us[SCENE_VARIANTS];
    int64_t longest_us = 0;

    if (!learn_pace(undisturbed_us))
        return false;
    for (size_t i = 0; i < sizeof outages / sizeof *outages; i++) {
        int variant = (int)(i % SCENE_VARIANTS);
        int64_t late_us;

        if (!measure(&outages[i], i + 1, variant, &late_us))
            return false;
        late_us -= undisturbed_us[variant];
        if (late_us > RECOVERS_S * SECOND) {
            (void)fprintf(stderr,
                          "%s: the job is %" PRId64
                          " ms later than it might, in the median of %d runs\n",
                          outages[i].name, late_us / 1000, PACE_RUNS);
            return false;
        }
        if (late_us > longest_us)
            longest_us = late_us;
    }
    printf("after an outage a job loses at most %" PRId64
           " ms, in the median of %d runs\n",
           longest_us / 1000, PACE_RUNS);
    return true;
}
