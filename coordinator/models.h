// models: the models that running jobs ask, by small numbers.
//
// A number is assigned when a job decides which model it asks, and may be
// reused for another model when the last job that uses it has ended. Models
// that workers merely have get no number: any peer can claim to have a thousand
// models. What else begins and ends with a number is in model_use.h, which all
// users of a model call.
//
// A model is a name with a digest: two machines whose `qwen2.5:14b` differ have
// two models. The digests of a simulated server begin with "simulated:", so
// they never equal a real one and every reader can tell. If a server gives no
// digests, the job's `revision` takes their place: "revision:v3", or
// "simulated:revision:v3".

#ifndef COORDINATOR_MODELS_H
#define COORDINATOR_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/call.h"
#include "common/err.h"

#define MODELS_SIMULATED "simulated:"
#define MODELS_REVISION "revision:"

// What a job needs of a server besides the model itself.
struct model_needs {
    int32_t num_ctx; // 0: not known yet
    enum call_think think;
    bool format; // output formats
    // "ollama 0.33": the kind of server that most workers have; "" for any
    char server[40];
};

struct models {
    struct model_entry {
        char *name; // NULL: the number is free
        char *digest;
        int users;
        size_t embedding_size; // of the first embedding that came; 0: none yet
        struct model_needs needs; // of the first user
    } * entries;                  // owned
    size_t n, cap;                // n includes the free numbers
};

void models_release(struct models *models);

// Returns the number of a model and counts one more user; -1 when out of
// memory.
int32_t models_use(struct models *models, const char *name, const char *digest,
                   struct err *err);
// Counts one user fewer. Without users, the number may be reused for another
// model.
void models_drop(struct models *models, int32_t number);

// Return true if the digest is that of a simulated model, or is a revision that
// the job file names for a server without digests.
bool models_is_simulated(const char *digest);
bool models_is_revision(const char *digest);

// Returns the digest as the worker knows it: without our prefix, and "" for a
// revision.
const char *models_worker_digest(const char *digest);

// Returns true if the model that a worker names as `seen`, prefix and digest,
// is the one with our digest. A revision matches if the worker names no digest.
bool models_digest_fits(const char *digest, const char *seen);

#endif
