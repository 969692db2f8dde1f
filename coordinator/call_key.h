// call_key: the identity of a call, and the seed of its request.
//
// A key covers everything that determines the answer: the messages, the model's
// digest, the options, the output format and the replicate number. It does not
// matter where the messages are split into prefix and tail. Demos that every
// question gets are in the prefix, and demos picked for one question are in its
// tail; if both come to the same text, it is the same call. The prefix is
// hashed once per candidate and step. The layout is part of REPLAY_VERSION
// (program/job/job.h).

#ifndef COORDINATOR_CALL_KEY_H
#define COORDINATOR_CALL_KEY_H

#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "search/session/task.h"

// The part of the key that all calls with this prefix have in common.
struct call_key_prefix {
    struct hasher hasher;
    size_t len;
};

// Begins the keys of all calls whose prompts begin with this text.
void call_key_begin(struct call_key_prefix *prefix, const char *text,
                    size_t len);

// Does not read the request's prefix; `prefix`, begun with it, is used instead.
struct hash call_key(const struct call_key_prefix *prefix, const char *digest,
                     const struct call_request *request, int32_t replicate);

// Returns the replicate number at temperature 0, so that equal prompts are
// equal calls, and above 0 a hash of job seed, purpose, step, trial, draw and
// replicate. 31 bits.
int64_t call_seed(double temperature, int64_t job_seed,
                  const struct sampling *sampling, const char *step);

// Returns the key of a request to an exec metric, from the command line, the
// bytes of the files that it names (as one hash), and the request.
struct hash exec_key(const char *const *argv, const struct hash *files,
                     const char *request, size_t len);

#endif
