// sim_faults: which requests go wrong, and how.
//
// Faults are drawn from the seed, the request's body, and how often that body
// was tried, never from time or the order of arrival. So a run meets the same
// faults whatever the number of workers, and a request that is retried gets
// through in the end.

#ifndef SIMULATED_SIM_FAULTS_H
#define SIMULATED_SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"

// To add a fault, write its line in sim_faults.def and its effect in
// sim_chat.c.
enum sim_fault {
    SIM_FAULT_NONE,
#define SIM_FAULT(value, name) value,
#include "simulated/sim_faults.def"
#undef SIM_FAULT
    SIM_FAULT_COUNT,
};

struct sim_faults {
    double rate;
    uint64_t seed;
    enum sim_fault kinds[SIM_FAULT_COUNT]; // drawn with equal chance
    size_t n;
};

// Reads the options. `kinds` is a list of names separated by commas; NULL means
// "500,503,cut,garbage".
bool sim_faults_read(struct sim_faults *faults, double rate, const char *kinds,
                     uint64_t seed, struct err *err);

enum sim_fault sim_faults_draw(const struct sim_faults *faults,
                               const struct hash *body, uint64_t attempt);

// "fault 500", "fault hang", ...
const char *sim_fault_name(enum sim_fault fault);

#endif
