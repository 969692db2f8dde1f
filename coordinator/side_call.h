// side_call: a call that a client asks a worker for, beside all jobs.
//
// Somebody who tries a message of their own on a program wants an answer from a
// model, and no job. Such a call belongs to no job: it is not stored, no budget
// pays for it, and no search ever sees it. Dispatch places it like any other,
// with the oldest age, so that a person does not wait for a search.
//
//   side_call_begin --> at dispatch --answered, failed, late--> side_call_end
//
// What is asked (the argument of the command `ask`) is
//
//     {"model": name, "digest": as the job pinned it, or "" for any,
//      "prefix": text, "tail": text (common/call.h), "format": text or null,
//      "options": {"num_ctx", "num_predict", "temperature", "seed"}}
//
// and the reply {"outcome", "text", "prompt_tokens", "generated_tokens",
// "total_us"}. Ids are numbered together with those of flights, so that
// dispatch tells them apart. Belongs to the coordinator's loop.

#ifndef COORDINATOR_SIDE_CALL_H
#define COORDINATOR_SIDE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/call.h"
#include "coordinator/engine.h"
#include "coordinator/peers.h"
#include "wire/message.h"

enum {
    SIDE_CALLS_MOST = 16,
    SIDE_CALL_MS = 120000, // then it is given up
};

struct side_call {
    int64_t id; // for dispatch
    struct peer_address asker;
    int32_t model;
    int64_t until_ms;
    struct call_request request; // its texts are owned
    struct side_call *next;
};

// Sends it on its way. ERR_INPUT: the argument is wrong, or no worker that is
// here has the model; ERR_BUSY: too many are under way.
bool side_call_begin(struct engine *engine, const struct peer_address *asker,
                     const json_t *argument, int64_t now, struct err *err);

struct side_call *side_call_find(const struct engine *engine, int64_t id);

// One whose time is over; NULL when there is none.
struct side_call *side_call_late(const struct engine *engine, int64_t now);

// What a worker gets of it.
struct call_message side_call_message(const struct engine *engine,
                                      const struct side_call *side,
                                      const struct action *action);

// The reply to the client. New reference; NULL without memory.
json_t *side_call_reply(const struct call_answer *answer);

// Forgets it, here and at dispatch.
void side_call_end(struct engine *engine, struct side_call *side, int64_t now);
void side_calls_release(struct engine *engine);

#endif
