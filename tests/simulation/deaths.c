// A worker with calls vanishes: its machine is gone, and no connection reports
// it. How soon do other workers have its calls?
#include "simulation/troubles.h"

#include <inttypes.h>
#include <stdio.h>

#include "simulation/machine.h"
#include "simulation/scene.h"
#include "simulation/world.h"

enum {
    // From a worker's death until its calls are taken from it: three
    // heartbeats, plus one turn of the loop.
    MISSED_MS = 3500,
    DEATHS = 20,
};

static int64_t dead_us;   // when worker 0 vanished with calls; 0: not yet
static int64_t missed_us; // and when it had none left

static void vanish(void *user)
{
    (void)user;
    if (world.finished || world.wrong != NULL)
        return;
    if (world_worker_calls(0) == 0) {
        machine_at(machine_now_us() + SECOND / 100, vanish, NULL);
        return;
    }
    world_lose_worker(0);
    dead_us = machine_now_us();
}

static void begin(void)
{
    dead_us = missed_us = 0;
    machine_at(machine_now_us() + SECOND + world_draw_seconds(20), vanish,
               NULL);
}

static void look(void)
{
    if (dead_us == 0 || missed_us != 0 || world_worker_calls(0) > 0)
        return;
    missed_us = machine_now_us();
    if (missed_us - dead_us > MISSED_MS * 1000)
        world_fail("a dead worker kept its calls for too long");
}

static const struct trouble trouble = {.begin = begin, .look = look};

bool deaths_run(void)
{
    int64_t longest_us = 0;

    for (int i = 0; i < DEATHS; i++) {
        bool same = world_run(&trouble, (uint64_t)i + 1, i % SCENE_VARIANTS, 4);

        if (!same || missed_us == 0) {
            (void)fprintf(stderr, "death %d: %s\n", i,
                          same ? "it is not missed" : world.wrong);
            return false;
        }
        if (missed_us - dead_us > longest_us)
            longest_us = missed_us - dead_us;
    }
    printf("the calls of a dead worker are with others after %" PRId64 " ms\n",
           longest_us / 1000);
    return true;
}
