// worker_probe: answers HTTP health checks for the workers of this process
// (Kubernetes, compose, a load balancer).
//
//   GET /healthz   200 while every loop runs
//   GET /readyz    200 while a worker serves and its model server answers calls
//                  (one that has had no call yet counts as ready); 503 says why
//
// It needs no token, because it says nothing else and accepts no input.

#ifndef CLI_WORKER_PROBE_H
#define CLI_WORKER_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "worker/worker.h"

struct worker_probe;

// The workers are borrowed and must outlive the probe. `place` is HOST:PORT.
struct worker_probe *worker_probe_start(const char *place,
                                        struct worker *const *workers, size_t n,
                                        struct err *err);
const char *worker_probe_place(const struct worker_probe *probe);
void worker_probe_stop(struct worker_probe *probe); // accepts NULL

#endif
