// worker_info: one connected worker: its server, its models, and which jobs can
// use it.
//
// The workers (workers.h) own it. Call only from the loop's thread.

#ifndef COORDINATOR_WORKER_INFO_H
#define COORDINATOR_WORKER_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/models.h"

struct worker_model {
    char *name;      // owned, like the digest
    char *digest;    // "" if the server has none
    int64_t context; // most tokens that it takes; 0: unknown
};

struct worker_info {
    int32_t number;
    char *name;   // unique; owned, like server and models
    char *server; // "ollama 0.33.0"
    int64_t slots;
    struct worker_model *models;
    size_t n_models;
    int64_t calls; // answered
    int64_t faults;
    char last_fault[160];
    int32_t changes; // of its server or its models, since it joined
    bool asked;      // it has answered a call, or failed one, since the last
    bool noted;      // the store has a row for it
    bool away; // its connection is closed, or it has not been heard of lately
    struct worker_info *next, *before;
};

// Returns the worker's model of that name, or NULL. Borrowed.
const struct worker_model *worker_find_model(const struct worker_info *worker,
                                             const char *name);

// Writes the kind of its server: "ollama 0.33" for "ollama 0.33.1-rc0", since
// servers that differ less than that answer alike. Writes "" if there is no
// version.
enum { WORKER_KIND_BYTES = 40 };
void worker_kind(const struct worker_info *worker, char out[WORKER_KIND_BYTES]);

// Returns true if the worker has the model as jobs use it: with the same
// digest, room for num_ctx, and the kind of server that most have. If not, and
// if the worker has a model of that name and size is not 0, `why` says the
// reason with the remedy.
bool worker_fits(const struct worker_info *worker,
                 const struct model_entry *model, char *why, size_t size);

#endif
