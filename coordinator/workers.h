// workers: the workers that are here, and what they can do.
//
// Filled by the peers from their HELLOs, read by the running jobs when they
// look for a model. A worker's number is given once for each joining and never
// reused; dispatch knows the worker by it.
//
// Anyone may say that he is a worker, so workers, their slots and their models
// are limited in number (workers.c), and all that is kept of a worker goes
// with it.

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
#include "dispatch/dispatch.h"
#include "wire/message.h"

struct worker_model {
    char *name;
    char *digest;    // "" where the server has none
    int64_t context; // tokens that it takes; 0: unknown
};

struct worker_info {
    int32_t number;
    char *name;
    char *server; // "ollama 0.33.0"
    int64_t slots;
    struct worker_model *models;
    size_t n_models;
    int64_t calls; // answered
    int64_t faults;
    char last_fault[160];
    bool noted; // the store has a row of it
    bool away;  // its connection is closed, or nothing was heard of it lately
    struct worker_info *next, *before;
};

// The last call that failed, in the words of its server: kept when the worker
// leaves, so that a job that pauses can say what it waits for.
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
    int64_t slots;   // of all
    size_t n_models; // of all, each worker's counted
    int32_t last_number;
    int64_t joined_ms; // when the first of those here joined; -1: nobody did
    struct worker_fault last_fault;
};

#define WORKERS_INIT ((struct workers){.joined_ms = -1})

void workers_release(struct workers *workers);

// A worker joins: dispatch learns its slots, and which of the models that jobs
// ask it has. NULL on failure, and with ERR_BUSY when there are too many.
struct worker_info *workers_join(struct workers *workers,
                                 const struct hello *hello,
                                 const struct models *models,
                                 struct dispatch *dispatch, int64_t now,
                                 struct err *err);
// What the server of a worker is and has may have changed since it joined:
// dispatch learns which models it serves from now on. The calls that it has
// stay. False when all is as it was, there are too many models, or on failure.
bool workers_change(struct workers *workers, struct worker_info *worker,
                    const struct hello *hello, const struct models *models,
                    struct dispatch *dispatch, struct err *err);
void workers_leave(struct workers *workers, int32_t number);
struct worker_info *workers_find(const struct workers *workers, int32_t number);

// The digest under which most workers have the model, behind the mark of a
// stand-in; nothing behind it without digests. Where as many have one as
// another, the one with more slots, then the lesser text: who joined first
// does not decide. NULL when nobody has the model. Borrowed. Asks all workers,
// and where some are away only those that are not: machines that vanished must
// not outvote those that came in their place.
const char *workers_digest(const struct workers *workers, const char *model);

// A job pinned a model: the workers whose servers fit its digest serve it by
// that number, which has its entry in models, with what the job needs.
bool workers_serve(const struct workers *workers, const struct models *models,
                   int32_t number, struct dispatch *dispatch, struct err *err);

// Whether the worker has the model as jobs use it: digest, room for num_ctx,
// and the kind of server that most have. False: why says it with the remedy,
// where the worker has a model of that name and size is not 0.
bool worker_fits(const struct worker_info *worker,
                 const struct model_entry *model, char *why, size_t size);

// The kind of server ("ollama 0.33") that most workers with that model have, ""
// where none names a version. Asks whom workers_digest asks.
void workers_server(const struct workers *workers, const char *model,
                    const char *digest, char *out, size_t size);

// A call at the worker failed; text is its server's.
void workers_failed(struct workers *workers, struct worker_info *worker,
                    enum call_fault fault, const char *text, int64_t now);

// "qwen2.5:14b, llama3.2" for messages, each once; what may have been meant by
// the name `wanted` comes first.
void workers_list_models(const struct workers *workers, const char *wanted,
                         struct buf *out);

#endif
