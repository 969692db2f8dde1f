// call_key: the identity of a call, and the seed of its request.
//
// A key covers everything that determines the answer: the messages, the model's
// digest, the options, the output format and the replicate number. Where the
// messages are parted into prefix and tail does not matter: demos that every
// question sees stand in the prefix, those that were picked for one question in
// its tail, and where these are the same it is the same call. The prefix is
// hashed once a candidate and step. The layout is part of REPLAY_VERSION
// (program/job/job.h).

#ifndef COORDINATOR_CALL_KEY_H
#define COORDINATOR_CALL_KEY_H

#include <stdint.h>

#include "common/call.h"
#include "common/hash.h"
#include "search/session/task.h"

// The keys of all calls that begin with a prefix, as far as they are the same.
struct call_key_prefix {
    struct hasher hasher;
    size_t len;
};

void call_key_begin(struct call_key_prefix *prefix, const char *text,
                    size_t len);

// request: its prefix is not read, what was begun with it is given instead.
struct hash call_key(const struct call_key_prefix *prefix, const char *digest,
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
