// worker_votes: what most workers have: a digest of a model, a kind of server.
//
// A job is bound to what most of its workers have. Workers that are away have a
// vote only if no other worker has the model: machines that vanished must not
// outvote those that replaced them. On a tie, more slots win, then the lesser
// text, so that it does not matter who joined first.

#ifndef COORDINATOR_WORKER_VOTES_H
#define COORDINATOR_WORKER_VOTES_H

#include <stddef.h>

#include "coordinator/workers.h"

// Returns the digest under which most workers have the model, after the prefix
// of a simulated server if it is one; only the prefix if they name no digest.
// Returns NULL if nobody has the model, or when out of memory. Borrowed from
// the workers.
const char *workers_digest(const struct workers *workers, const char *model);

// Writes the kind of server ("ollama 0.33") that most workers with that model
// have; "" if none names a version.
void workers_server(const struct workers *workers, const char *model,
                    const char *digest, char *out, size_t size);

#endif
