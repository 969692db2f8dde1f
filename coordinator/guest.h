// guest: a call that a client asks a worker for, beside all jobs.
//
// Somebody who tries a message of their own on a program wants an answer from a
// model, and no job. Such a call belongs to no job: it is not stored, no budget
// pays for it, and no search ever sees it. Dispatch places it like any other,
// with the oldest age, so that a person does not wait for a search.
//
//   guest_begin --> at dispatch --answer, no way on, too late--> guest_end
//
// What is asked (the argument of the command `ask`) is
//
//     {"model": name, "digest": as the job pinned it, or "" for any,
//      "prefix": text, "tail": text (common/call.h), "format": text or null,
//      "options": {"num_ctx", "num_predict", "temperature", "seed"}}
//
// and the reply {"outcome", "text", "prompt_tokens", "generated_tokens",
// "total_us"}. Ids are of one row with those of flights, so that dispatch tells
// them apart. Belongs to the coordinator's loop.

#ifndef COORDINATOR_GUEST_H
#define COORDINATOR_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/call.h"
#include "coordinator/engine.h"
#include "wire/message.h"
#include "wire/socket.h"

enum {
    GUESTS_MOST = 16,
    GUEST_MS = 120000, // then it is given up
};

struct guest {
    int64_t id;          // for dispatch
    struct wire_id peer; // who asked
    int64_t epoch;
    int32_t model;
    int64_t until_ms;
    struct call_request request; // its texts are owned
    struct guest *next;
};

// Sends it on its way. ERR_INPUT: the argument is wrong, or no worker that is
// here has the model; ERR_BUSY: too many are under way.
bool guest_begin(struct engine *engine, const struct wire_id *peer,
                 int64_t epoch, const json_t *argument, int64_t now,
                 struct err *err);

struct guest *guest_find(const struct engine *engine, int64_t id);

// One whose time is over; NULL when there is none.
struct guest *guest_late(const struct engine *engine, int64_t now);

// What a worker gets of it.
struct call_message guest_message(const struct engine *engine,
                                  const struct guest *guest,
                                  const struct action *action);

// The reply to the client. New reference; NULL without memory.
json_t *guest_reply(const struct call_answer *answer);

// Forgets it, here and at dispatch.
void guest_end(struct engine *engine, struct guest *guest, int64_t now);
void guests_release(struct engine *engine);

#endif
