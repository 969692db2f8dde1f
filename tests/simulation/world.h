// world: the cluster that is simulated, and one run of it.
//
// A run begins with an empty store, a coordinator, some workers with a server
// each, and a client who submits a job. What befalls it is a struct trouble,
// one in a file (weather.c, deaths.c, losses.c, demand.c, pause.c, outages.c).
// The driver lets the machine go on until the job is done or something is
// wrong, and starts the coordinator anew when it crashed.
//
//   start --> steps --------- the job is done, or something is wrong --> end
//              ^   |
//              |   '- the coordinator crashed: it becomes a ghost -.
//              '--------- another one starts on its store <--------'
//
// For the driver's thread, except where a function says otherwise.

#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "coordinator/coordinator.h"
#include "dispatch/dispatch.h"
#include "simulation/disk.h"

enum {
    WORLD_WORKERS_MOST = 100,
    WORLD_COORDINATOR = 1, // its process
    // How long a job may take once faults have stopped. A server that hangs is
    // found when its call's time is over, which may be ten minutes; whatever
    // the network has lost is missed within seconds.
    WORLD_PATIENCE_S = 400,
    WORLD_LONG_PATIENCE_S = 3600,
};

#define WORLD_ENDPOINT "tcp://coordinator:7000"
#define SECOND INT64_C(1000000)

// What befalls a run. Each may be NULL.
struct trouble {
    // Before the coordinator starts: what its options are.
    void (*configure)(struct coordinator_options *options);
    // The coordinator is there, and no worker yet.
    void (*begin)(void);
    // The thread of the client. NULL: it submits the job again, as people do,
    // until it is done.
    void *(*client)(void *unused);
    // After each step in which the coordinator ran, on the thread that took it.
    void (*look)(void);
};

// To be read by all; written by world.c, except where it says `set by`.
extern struct world {
    const struct trouble *trouble; // NULL: nothing befalls it
    int variant;   // of the scene; set by a client that submits several jobs
    int n_workers; // 0 to n_workers - 1 may be there; set by who adds one
    struct coordinator *coordinator;            // NULL: it is not there
    struct worker *workers[WORLD_WORKERS_MOST]; // NULL: it is not there
    struct disk_faults disk; // while nothing is healed; set by a trouble
    bool down;               // no coordinator is started; set by a trouble
    bool power_gone;         // with the next crash; set by a trouble
    bool healed;             // no fault happens any more; set by a trouble
    int64_t heal_us;         // when that is, 0 without faults; set by a trouble
    int64_t patience_s;      // from then on; set by a trouble
    int64_t crashes, kills, submissions;
    struct dispatch_counts counts; // of the last coordinator, at the end
    int64_t calls;                 // answers seen in the store, at the end
    bool finished;                 // the job; set by a client
    const char *wrong;             // in words, NULL: nothing
} world;

// Something is wrong, unless something was already. NULL: nothing is. On any
// thread.
void world_fail(const char *wrong);

// --- one run ---

// The folder of the store, and what each variant of the scene compiles to when
// nothing befalls it. False, and says so.
bool world_open(void);
void world_close(void);

// True when the job ended with the bytes of the undisturbed run; false, and
// world.wrong says why.
bool world_run(const struct trouble *trouble, uint64_t seed, int variant,
               int n_workers);

// --- for clients ---

// Submits the job and waits for its end; notes what it compiles to. On the
// client's thread.
void world_submit(struct client *client);
// Whether what was compiled last is what the variant compiles to.
bool world_as_undisturbed(void);

// --- for troubles ---

// A time of up to so many seconds, drawn by chance, in microseconds.
int64_t world_draw_seconds(int64_t most);

// The coordinator is gone: from here on it is a ghost, whom nobody hears and
// whose disk is not the one that the next one finds. On any thread.
void world_crash(void);

void world_start_worker(int number);
// SIGTERM, upon which it drains; or its machine is gone.
void world_leave_worker(int number, bool killed);
void world_start_missing_workers(void);
// Cuts a worker's machine off, of which nothing tells.
void world_lose_worker(int number);
void world_stop_worker(int number, int64_t until_us); // SIGSTOP
// How many calls a worker has, as the coordinator sees it.
size_t world_worker_calls(int number);

#endif
