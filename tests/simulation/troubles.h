// troubles: what happens to the cluster, and what must hold meanwhile.
//
// Each trouble is one file and one row of the table in simulate.c. Its function
// runs the job as often as it needs to, prints what it found, and says on
// stderr what is wrong. It returns false if something is wrong.

#ifndef TESTS_SIMULATION_TROUBLES_H
#define TESTS_SIMULATION_TROUBLES_H

#include <stdbool.h>
#include <stdint.h>

// Faults of all kinds, drawn by the seed, for half a minute. With n_workers 0
// the seed chooses the number of workers.
bool weather_run(uint64_t seed, int n_workers, bool verbose);

bool deaths_run(void);  // how soon a dead worker's calls are with others
bool losses_run(void);  // how soon a lost message is sent again
bool demand_run(void);  // workers are started and stopped by demand
bool pause_run(void);   // a paused job continues without help
bool outages_run(void); // full pace soon after an outage

#endif
