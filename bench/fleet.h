// fleet: a cluster of model servers in virtual time, under the real scheduler.
//
// Each machine works on one call at a time and keeps one prompt prefix and one
// model: a call that finds its prefix is not read again, and a call for another
// model first waits until that is loaded. A plan says which machines there are,
// what is asked of them, and in which order. Nothing here takes real time, and
// a run depends on its plan and its salt alone.

#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLEET_MACHINES_MOST = 256,
    FLEET_TRIALS_MOST = 400,
    FLEET_SWAP_MS = 20000, // loading another model, on any machine
};

// In the naive orders the scheduler learns nothing about prefixes.
enum fleet_order {
    FLEET_ORDER_DISPATCH,
    FLEET_ORDER_ARRIVAL,
    FLEET_ORDER_INTERLEAVED
};

// What a search asks at once, and waits for before it asks more: `prompts`
// trials of `rows` calls, or that many letters to the teacher.
struct fleet_stage {
    int prompts, rows; // rows 0: letters
};

struct fleet_plan {
    int n_machines; // 1 to FLEET_MACHINES_MOST
    int speeds;     // of machine i: 1 << (i * speeds / n_machines)
    int n_trials;   // 1 to FLEET_TRIALS_MOST
    int trial_calls, window;
    const struct fleet_stage *stages; // borrowed; NULL: overlapping trials
    int n_stages;
    int steps;   // calls per row, each asked once the one before is answered,
                 // each step with its own prompt; 0: 1
    int teacher; // every n-th call is the teacher's; 0: none
    bool apart;  // only the first machine has the teacher's model, and no other
    enum fleet_order order;
    int64_t fails_ms; // mean time between failures of a machine; 0: never
    int64_t away_ms;  // mean time that it stays away
};

// Sums over the runs of a plan.
struct fleet_sums {
    double busy, useful, reused, wall_s, of_best, twice, swaps;
};

// Runs a plan once and adds what came of it to the sums. Runs of one plan with
// another salt have calls of other lengths.
void fleet_run(const struct fleet_plan *plan, uint64_t salt,
               struct fleet_sums *out);

#endif
