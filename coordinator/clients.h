// clients: what clients ask of the coordinator, and what they are told.
//
//   SUBMIT   -> ACCEPTED, PROGRESS ..., RESULT; or RESULT with the error
//   COMMAND  -> REPLY, at once or when the store, a worker or an opening has
//               answered
//
// What has changed is told when it is on disk (late_replies.h).
//
// A client may be gone by the time its answer arrives. So only its address is
// kept, and the client is looked up when needed (peers_at). Call only from the
// loop's thread.

#ifndef COORDINATOR_CLIENTS_H
#define COORDINATOR_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/call.h"
#include "common/err.h"
#include "coordinator/opening.h"
#include "coordinator/running_job.h"
#include "wire/message.h"

struct clients;
struct engine;
struct jobs;
struct peer;
struct peers;
struct side_call;

// All arguments are borrowed. program is the path of promptcc, for SQL
// (query_child.h), or NULL. Returns NULL when out of memory.
struct clients *clients_new(struct engine *engine, struct peers *peers,
                            struct jobs *jobs, const char *program,
                            struct err *err);
void clients_free(struct clients *clients); // accepts NULL

// --- what clients ask: rows of inbox_handlers ---

// Handle a SUBMIT (clients_submitted_long: one that came in pieces, still
// encoded) and a COMMAND. The first two take arena and bytes, which hold the
// texts. All answer the peer themselves, now or when the answer is known.
void clients_submitted(struct clients *clients, struct peer *peer,
                       const struct submit *submit, struct arena *arena);
void clients_submitted_long(struct clients *clients, struct peer *peer,
                            struct buf *bytes);
void clients_commanded(struct clients *clients, struct peer *peer,
                       const struct command *command);

// --- what clients are told ---

// These two are the handlers of jobs (struct jobs_handlers).
void clients_job_opened(struct clients *clients,
                        const struct requester *requester,
                        const struct opened *opened);
void clients_job_ended(struct clients *clients,
                       const struct running_job *running);

// A call outside of jobs was answered, or never will be. Both end the side
// call.
void clients_side_call_answered(struct clients *clients, struct side_call *side,
                                const struct call_answer *answer);
void clients_refuse_side_call(struct clients *clients, struct side_call *side,
                              const struct err *why, int64_t now);

// Says what has become durable, sends PROGRESS to those who watch a job, a few
// times a second, and refuses side calls that no worker had time for.
void clients_tend(struct clients *clients, int64_t now);

// Returns true while a client waits for something to become durable.
bool clients_wait(const struct clients *clients);

#endif
