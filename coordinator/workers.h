// workers: the connected workers, and what they can do.
//
// The peers fill this list from HELLOs. What one of them has is in
// worker_info.h; what most of them have, in worker_votes.h. Each time a worker
// joins, it gets a number that is never reused; dispatch knows the worker by
// it.
//
// Anyone may claim to be a worker, so the numbers of workers, of their slots
// and of their models are limited (workers.c), and everything kept about a
// worker goes when the worker does.

#ifndef COORDINATOR_WORKERS_H
#define COORDINATOR_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "common/map.h"
#include "coordinator/models.h"
#include "coordinator/worker_info.h"
#include "dispatch/dispatch.h"
#include "wire/message.h"

// The last call that failed, in the words of its server. It is kept when the
// worker leaves, so that a job that pauses can say what it waits for.
struct worker_fault {
    enum call_fault fault; // FAULT_NONE: none yet
    int64_t ms;
    char worker[64];
    char text[160];
};

struct workers {
    struct worker_info *workers, *last; // owned, in order of joining
    struct map by_number, by_name;
    size_t n;
    int64_t slots;   // of all workers
    size_t n_models; // summed over all workers
    int32_t last_number;
    int64_t joined_ms; // when a worker last joined while there was none; -1:
                       // never
    struct worker_fault last_fault;
};

#define WORKERS_INIT ((struct workers){.joined_ms = -1})

void workers_release(struct workers *workers);

// Adds a worker: dispatch learns its slots, and which of the models that jobs
// ask it has. Returns NULL on failure, with ERR_BUSY if there are too many.
struct worker_info *workers_join(struct workers *workers,
                                 const struct hello *hello,
                                 const struct models *models,
                                 struct dispatch *dispatch, int64_t now,
                                 struct err *err);
// Call when a worker's server may have changed since it joined: dispatch learns
// which models the worker serves from now on. The worker keeps its calls.
// Returns false if nothing changed, there are too many models, or on failure.
bool workers_change(struct workers *workers, struct worker_info *worker,
                    const struct hello *hello, const struct models *models,
                    struct dispatch *dispatch, struct err *err);
void workers_leave(struct workers *workers, int32_t number);
struct worker_info *workers_find(const struct workers *workers, int32_t number);

// Notes that a call at the worker failed; text is what its server said.
void workers_failed(struct workers *workers, struct worker_info *worker,
                    enum call_fault fault, const char *text, int64_t now);

// Writes "qwen2.5:14b, llama3.2" for messages, each model once; the one that
// the name `wanted` most likely meant comes first.
void workers_list_models(const struct workers *workers, const char *wanted,
                         struct buf *out);

#endif
