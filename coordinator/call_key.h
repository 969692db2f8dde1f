// call_key: the identity of a call, and the seed of its request.
//
// A key covers everything that determines the answer: the prefix (by its own
// hash, made once a candidate and step), the tail, the model's digest, the
// options, the output format and the replicate number. Its layout is part of
// REPLAY_VERSION (program/job/job.h).

#ifndef COORDINATOR_CALL_KEY_H
#define COORDINATOR_CALL_KEY_H

#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "search/session/task.h"

// request: prefix is not read, its hash is given instead.
struct hash call_key(const struct hash *prefix, const char *digest,
                     const struct call_request *request, int32_t replicate);

// At temperature 0 the replicate number, so that equal prompts are equal
// calls; above 0 a hash of job seed, purpose, step, trial and draw. 31 bits.
int64_t call_seed(double temperature, int64_t job_seed,
                  const struct sampling *sampling, const char *step);

// The key of a request to an exec metric: command line, the bytes of the files
// that it names (as one hash) and the request.
struct hash exec_key(const char *const *argv, const struct hash *files,
                     const char *request, size_t len);

#endif
