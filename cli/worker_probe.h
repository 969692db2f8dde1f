// worker_probe: how the workers of this process do, for those who ask by HTTP
// (Kubernetes, compose, a load balancer).
//
//   GET /healthz   200 while every loop turns
//   GET /readyz    200 while a worker serves and its model server answers calls
//                  (one that has had no call yet counts as ready); 503 says why
//
// No token: it tells nothing else, and takes nothing.

#ifndef CLI_WORKER_PROBE_H
#define CLI_WORKER_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "worker/worker.h"

struct worker_probe;

// workers are borrowed, and outlive it. place is HOST:PORT.
struct worker_probe *worker_probe_start(const char *place,
                                        struct worker *const *workers, size_t n,
                                        struct err *err);
const char *worker_probe_place(const struct worker_probe *probe);
void worker_probe_stop(struct worker_probe *probe); // NULL is fine

#endif
