// null_workers: workers without a model: they speak the protocol and answer
// every call at once with load_reply.
//
// What is left of a run with them is what promptcc itself costs.

#ifndef BENCH_NULL_WORKERS_H
#define BENCH_NULL_WORKERS_H

#include <stddef.h>

#include "wire/key.h"

struct null_workers;

// n threads, each a worker with `slots`. All is borrowed; key is NULL in the
// clear.
struct null_workers *null_workers_start(void *zmq, const char *endpoint,
                                        const struct key *key, size_t n,
                                        int slots);

// Ends them; gives the CPU seconds that they have used.
double null_workers_stop(struct null_workers *workers);

// The same, each in a process of its own. To be made before this process has
// threads; they begin when they are told where the coordinator is.
struct null_processes;

struct null_processes *null_processes_fork(size_t n);
void null_processes_start(struct null_processes *processes,
                          const char *endpoint, const struct key *key,
                          int slots);
double null_processes_stop(struct null_processes *processes);

#endif
