// crew: the workers that are here, and what they can do.
//
// Filled by the link from their HELLOs, read by the desks when they look for
// a model. A worker's number is given once for each joining and never reused;
// dispatch knows the worker by it.

#ifndef COORDINATOR_CREW_H
#define COORDINATOR_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "coordinator/dispatch/dispatch.h"
#include "coordinator/models.h"
#include "wire/message.h"

struct crew_model {
    char *name;
    char *digest; // "" where the server has none
};

struct crew_worker {
    int32_t number;
    char *name;
    char *server; // "ollama 0.33.0"
    int64_t slots;
    struct crew_model *models;
    size_t n_models;
    int64_t calls; // answered
    int64_t faults;
    char last_fault[160];
    struct crew_worker *next;
};

struct crew {
    struct crew_worker *workers; // owned, in order of joining
    size_t n;
    int32_t last_number;
    int64_t joined_ms; // when the first one joined; -1: none ever did
};

#define CREW_INIT ((struct crew){.joined_ms = -1})

void crew_release(struct crew *crew);

// A worker joins: dispatch learns its slots and models. NULL on failure.
struct crew_worker *crew_join(struct crew *crew, const struct hello *hello,
                              struct models *models, struct dispatch *dispatch,
                              int64_t now, struct err *err);
void crew_leave(struct crew *crew, int32_t number);
struct crew_worker *crew_find(const struct crew *crew, int32_t number);

// The digest under which this worker has the model; NULL when it does not.
const char *crew_worker_digest(const struct crew_worker *worker,
                               const char *model);

// The digest under which some worker has the model, behind the mark of a
// stand-in; nothing behind it without digests. NULL when nobody has the model.
// Borrowed.
const char *crew_digest(const struct crew *crew, const char *model);

// A job pinned a model: the workers whose servers fit its digest serve it by
// that number. Those without digests could not be known before.
bool crew_serve(const struct crew *crew, const char *model, const char *digest,
                int32_t number, struct dispatch *dispatch, struct err *err);

// "qwen2.5:14b, llama3.2" for messages, each once.
void crew_list_models(const struct crew *crew, struct buf *out);

#endif
