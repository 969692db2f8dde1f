// world: the simulated cluster, and one run of it.
//
// A run begins with an empty store, a coordinator, some workers with a server
// each, and a client that submits a job. A struct trouble says what happens to
// them; there is one per file (weather.c, deaths.c, losses.c, demand.c,
// pause.c, outages.c). The driver lets the machine run until the job is done or
// something is wrong, and starts a new coordinator after a crash.
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
    WORLD_COORDINATOR = 1, // the coordinator's process
    // How long a job may take once the faults have stopped. A hanging server is
    // found only when the time limit of its call is over, which may be ten
    // minutes. Messages that the network has lost are missed within seconds.
    WORLD_PATIENCE_S = 400,
    WORLD_LONG_PATIENCE_S = 3600,
};

#define WORLD_ENDPOINT "tcp://coordinator:7000"
#define SECOND INT64_C(1000000)

// What happens during a run. Each member may be NULL.
struct trouble {
    // Sets the options of the coordinator before it starts.
    void (*configure)(struct coordinator_options *options);
    // Called when the coordinator is up and no worker has joined yet.
    void (*begin)(void);
    // The client's thread. NULL: it submits the job again and again, as people
    // do, until the job is done.
    void *(*client)(void *unused);
    // Called after each step in which the coordinator ran, on the thread that
    // took the step.
    void (*look)(void);
};

// Everyone may read this. Only world.c writes it, except the members that say
// `set by`.
extern struct world {
    const struct trouble *trouble; // NULL: none
    int variant;   // of the scene; set by a client that submits several jobs
    int n_workers; // workers 0 to n_workers - 1 may exist; set by who adds one
    struct coordinator *coordinator;            // NULL: not running
    struct worker *workers[WORLD_WORKERS_MOST]; // NULL: not running
    struct disk_faults disk; // while faults last; set by a trouble
    bool down;               // the coordinator stays down; set by a trouble
    bool power_gone;         // at the next crash; set by a trouble
    bool healed;             // faults are over; set by a trouble
    int64_t heal_us;         // when that is; 0 without faults; set by a trouble
    int64_t patience_s;      // from heal_us on; set by a trouble
    int64_t crashes, kills, submissions;
    struct dispatch_counts counts; // of the last coordinator, at the end
    int64_t calls;                 // answers seen in the store, at the end
    bool finished;                 // the job has ended; set by a client
    const char *wrong;             // what is wrong, in words; NULL: nothing
} world;

// Reports what is wrong. Only the first report counts; NULL reports nothing.
// May be called on any thread.
void world_fail(const char *wrong);

// --- one run ---

// Makes the store's folder, and compiles each variant of the scene undisturbed.
// Returns false, and says why, if that fails.
bool world_open(void);
void world_close(void);

// Returns true when the job ended with the bytes of the undisturbed run;
// otherwise false, and world.wrong says why.
bool world_run(const struct trouble *trouble, uint64_t seed, int variant,
               int n_workers);

// --- for clients ---

// Submits the job, waits for its end, and keeps the compiled file. Call on the
// client's thread.
void world_submit(struct client *client);
// Returns true if the last compiled file is that of the variant's undisturbed
// run.
bool world_as_undisturbed(void);

// --- for troubles ---

// Draws a random time of at most `most` seconds, in microseconds.
int64_t world_draw_seconds(int64_t most);

// Ends the coordinator. From here on it is a ghost: nobody hears it, and its
// disk is not the one that the next coordinator finds. May be called on any
// thread.
void world_crash(void);

void world_start_worker(int number);
// Sends the worker SIGTERM, so that it drains; or, if `killed`, makes its
// machine vanish.
void world_leave_worker(int number, bool killed);
void world_start_missing_workers(void);
// Cuts a worker's machine off without any notice.
void world_lose_worker(int number);
void world_stop_worker(int number, int64_t until_us); // SIGSTOP
// Returns how many calls a worker has, in the coordinator's view.
size_t world_worker_calls(int number);

#endif
