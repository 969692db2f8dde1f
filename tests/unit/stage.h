// stage: a real coordinator and actors around it. Actors are workers and
// clients that say what a test tells them to, message by message.
//
// An actor sends heartbeats only while it waits for something, so the test
// decides who falls silent. Anything that takes ten seconds fails the test.

#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"
#include "coordinator/coordinator.h"
#include "wire/message.h"
#include "wire/socket.h"

enum { STAGE_ACTORS = 8 };

struct stage {
    void *zmq;
    char folder[64];   // the test's; contains the store
    char endpoint[32]; // a new one for each start, since a closed
    int starts;        // endpoint stays in use for a moment
    struct coordinator_options options;
    struct coordinator *coordinator;
    struct seat {
        struct wire_socket *socket; // owned; NULL: free
        struct arena arena;         // of the last message
    } seats[STAGE_ACTORS];
};

// Makes the test's own folder. The options may be changed until stage_start.
void stage_open(struct stage *stage);
void stage_start(struct stage *stage);
void stage_stop(struct stage *stage); // keeps the store
// Also ends the actors that are still connected.
void stage_close(struct stage *stage);

struct actor {
    struct stage *stage;
    struct seat *seat;
    struct wire_socket *socket; // belongs to the seat
    struct message message;     // the last one; in the seat's arena
    int64_t beat_ms;
    bool silent; // sends no heartbeats
};

#define STAGE_MODEL "little:1b"
#define STAGE_DIGEST                                                           \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// A job with one step, and one call for each row of rows.jsonl.
#define STAGE_JOB                                                              \
    "name: notes\n"                                                            \
    "models: {student: '" STAGE_MODEL "'}\n"                                   \
    "inputs: {text: {desc: A note}}\n"                                         \
    "steps:\n"                                                                 \
    "  sort:\n"                                                                \
    "    predict: Say what the note is about.\n"                               \
    "    inputs: [text]\n"                                                     \
    "    outputs: {topic: {enum: [garden, kitchen]}}\n"                        \
    "data: {examples: rows.jsonl}\n"                                           \
    "metric: {exact_match: topic}\n"                                           \
    "optimizer: {labeled_few_shot: {k: 1}}\n"

// Connects, and says nothing.
void actor_enter(struct actor *actor, struct stage *stage, const char *name);
void actor_leave(struct actor *actor); // before the stage closes

// Greets, and waits for the welcome.
void actor_greet_as_client(struct actor *actor, struct stage *stage,
                           const char *name);
// `digest` is "" for a server without digests.
void actor_greet_as_worker(struct actor *actor, struct stage *stage,
                           const char *name, int64_t slots, const char *digest);

void actor_say(struct actor *actor, const struct message *message);
void actor_hello(struct actor *actor, const struct hello *hello);
struct hello actor_worker_hello(const char *name, int64_t epoch, int64_t slots,
                                struct wire_model *model);

// Waits for a message of that kind and drops all others.
const struct message *actor_await(struct actor *actor, enum message_kind kind);
// Returns true if such a message comes within ms.
bool actor_hears(struct actor *actor, enum message_kind kind, int64_t ms);

// Waits for the next CALL; returns its lease.
int64_t actor_take_call(struct actor *actor);
// Answers the lease with `topic`; actor_answer_counted also reports token
// counts.
void actor_answer_counted(struct actor *actor, int64_t lease, const char *topic,
                          int32_t prompt_tokens, int32_t generated_tokens);
void actor_answer(struct actor *actor, int64_t lease, const char *topic);
// Waits for the next CALL and answers it.
void actor_answer_next(struct actor *actor, const char *topic);
// Answers with any text.
void actor_reply(struct actor *actor, int64_t lease, const char *text);
void actor_fault(struct actor *actor, int64_t lease, enum call_fault fault);
void actor_goodbye(struct actor *actor, int64_t open);

// Submits a job with these texts. The files beside job.yaml end with a NULL
// name.
struct stage_file {
    const char *name, *text;
};
void actor_submit(struct actor *actor, const char *action, const char *options,
                  const char *folder, const char *job,
                  const struct stage_file *files);

// Waits for RESULT; returns its document as a new reference.
json_t *actor_take_result(struct actor *actor, int64_t *status);

// Waits for the RESULT of an evaluation, which must have gone well with this
// score over n examples.
void actor_expect_score(struct actor *actor, double score, int64_t n);

// Sends COMMAND; returns the REPLY's document as a new reference.
json_t *actor_command(struct actor *actor, const char *verb, const char *job);

// Returns the error's text in a document, or "".
const char *stage_error(const json_t *document);

#endif
