// null_workers: workers without a model, which speak the protocol and answer
// every call at once with load_reply.
//
// What remains of a run with them is the cost of promptcc itself.

#ifndef BENCH_NULL_WORKERS_H
#define BENCH_NULL_WORKERS_H

#include <stddef.h>

#include "wire/key.h"

struct null_workers;

// Starts n threads, each a worker with `slots`. Everything is borrowed; key is
// NULL for connections in the clear.
struct null_workers *null_workers_start(void *zmq, const char *endpoint,
                                        const struct key *key, size_t n,
                                        int slots);

// Ends them; returns the CPU seconds that they used.
double null_workers_stop(struct null_workers *workers);

// The same workers, each in its own process. Fork them before this process has
// threads; they begin once null_processes_start tells them where the
// coordinator is.
struct null_processes;

struct null_processes *null_processes_fork(size_t n);
void null_processes_start(struct null_processes *processes,
                          const char *endpoint, const struct key *key,
                          int slots);
double null_processes_stop(struct null_processes *processes);

#endif
