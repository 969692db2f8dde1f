// side_call: a call that a client asks a worker for, outside of any job.
//
// Somebody who tries a message of their own on a program wants an answer from a
// model, not a job. Such a call is not stored, no budget pays for it, and no
// search ever sees it. Dispatch places it like any other, but with the oldest
// age, so that a person does not wait for a search.
//
//   side_call_begin --> at dispatch --answered, failed, late--> side_call_end
//
// The argument of the command `ask` is
//
//     {"model": name, "digest": as the job pinned it, or "" for any,
//      "prefix": text, "tail": text (common/call.h), "format": text or null,
//      "options": {"num_ctx", "num_predict", "temperature", "seed"}}
//
// and the reply is {"outcome", "text", "prompt_tokens", "generated_tokens",
// "total_us"}. Ids come from the same sequence as those of flights, so that
// dispatch can tell them apart. Call only from the loop's thread.

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
    SIDE_CALL_MS = 120000, // after this it is given up
};

struct side_call {
    int64_t id; // for dispatch
    struct peer_address asker;
    int32_t model;
    int64_t until_ms;
    struct call_request request; // its texts are owned
    struct side_call *next;
};

// Starts the call. ERR_INPUT: the argument is wrong, or no connected worker has
// the model; ERR_BUSY: too many are in flight.
bool side_call_begin(struct engine *engine, const struct peer_address *asker,
                     const json_t *argument, int64_t now, struct err *err);

struct side_call *side_call_find(const struct engine *engine, int64_t id);

// Returns a side call whose time is over; NULL if there is none.
struct side_call *side_call_find_late(const struct engine *engine, int64_t now);

// Returns the message that a worker gets.
struct call_message side_call_message(const struct engine *engine,
                                      const struct side_call *side,
                                      const struct action *action);

// Returns the reply to the client as a new reference; NULL when out of memory.
json_t *side_call_reply(const struct call_answer *answer);

// Forgets the call, both here and in dispatch.
void side_call_end(struct engine *engine, struct side_call *side, int64_t now);
void side_calls_release(struct engine *engine);

#endif
