// troubles: what is done to the cluster, and what must hold meanwhile.
//
// Each is one file and one row of the table in simulate.c. A function runs the
// job as often as its question needs, prints what it found, and says on stderr
// what is wrong. False: something is.

#ifndef TESTS_SIMULATION_TROUBLES_H
#define TESTS_SIMULATION_TROUBLES_H

#include <stdbool.h>
#include <stdint.h>

// Faults of all kinds, drawn by the seed, for half a minute. n_workers 0: as
// many as the seed says.
bool weather_run(uint64_t seed, int n_workers, bool verbose);

bool deaths_run(void);  // how soon a dead worker's calls are with others
bool losses_run(void);  // how soon a message that was lost is sent again
bool demand_run(void);  // workers that are started and stopped by demand
bool pause_run(void);   // a job that paused goes on by itself
bool outages_run(void); // full pace soon after an outage

#endif
