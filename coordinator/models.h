// models: the models that running jobs ask, by small numbers.
//
// A number is given when a job decides which model it asks, and may be given
// to another one when the last job that uses it has ended. What workers merely
// have is not numbered: any peer can claim to have a thousand models.
//
// A model is a name with a digest: two machines whose `qwen2.5:14b` differ have
// two models. The digests of a simulated server begin with "simulated:", so
// that they never equal a real one and every reader can tell. For a server that
// gives no digests, the job's `revision` stands in: "revision:v3", or
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

// What a job needs of a server, beside the model itself.
struct model_needs {
    int32_t num_ctx; // 0: not known yet
    enum call_think think;
    bool format; // output formats
    // "ollama 0.33": the kind of server that most workers have; "": any
    char server[40];
};

struct models {
    struct model_entry {
        char *name; // NULL: the number is free
        char *digest;
        int users;
        size_t embedding_size;    // of the first that came; 0: none did
        struct model_needs needs; // of the first user
    } * entries;                  // owned
    size_t n, cap;                // n includes the free numbers
};

void models_release(struct models *models);

// The number of a model, for one more user; -1 without memory.
int32_t models_use(struct models *models, const char *name, const char *digest,
                   struct err *err);
// One user fewer. Without any, the number may be given to another model.
void models_drop(struct models *models, int32_t number);

bool models_simulated(const char *digest);
bool models_revision(const char *digest);

// The digest as the worker knows it: without our mark, "" for a revision.
const char *models_worker_digest(const char *digest);

// Whether a worker under whose mark and digest a model is `seen` has the one
// with our digest: the same one, or a revision where it names none.
bool models_fits(const char *digest, const char *seen);

#endif
