// inbox: receives what peers say and acts on it.
//
// A frame takes this path:
//
//   wire_take -> connections_admit   a stranger has a budget of its own
//             -> is_impostor         does the key belong to the peer?
//             -> message_take        each message of the frame; nonsense ends
//                                    the peer
//             -> is_allowed          does the peer's role allow the message,
//                                    and are there tokens for it?
//             -> its handler, a row of the table in inbox.c
//
// What a peer says without being asked (heartbeats, greetings, commands,
// answers that are not under a lease of its own) takes tokens from its bucket;
// the row of the message says how many (message_tokens). Answers to calls that
// the peer holds are free. Long messages come in PARTs, within one budget of
// bytes per peer and one for all peers (wire/assembly.h). A frame that is
// nonsense, or comes from a peer that has not greeted, is answered with REFUSED
// and a line in the log. A peer that exceeds its bounds is cut off (peers.h).
//
// Any handler may end the peer that it is called for.

#ifndef COORDINATOR_INBOX_H
#define COORDINATOR_INBOX_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "wire/message.h"

struct call_answer;
struct flight;
struct inbox;
struct peer;
struct peers;
struct side_call;
struct worker_info;

// What the inbox needs of the rest of the loop.
struct inbox_handlers {
    void *user;
    // A job was submitted. The peer gets ACCEPTED or RESULT. The texts of
    // submit are in arena, which the handler may take (and leave empty).
    void (*submitted)(void *user, struct peer *peer,
                      const struct submit *submit, struct arena *arena);
    // The same for a long SUBMIT, which is still encoded. The handler may take
    // bytes.
    void (*submitted_long)(void *user, struct peer *peer, struct buf *bytes);
    void (*commanded)(void *user, struct peer *peer,
                      const struct command *command);
    void (*answered)(void *user, struct flight *flight,
                     const struct worker_info *worker,
                     struct call_answer *answer);
    void (*side_call_answered)(void *user, struct side_call *side,
                               const struct call_answer *answer);
};

// The peers are borrowed; free them before the inbox. The handlers are copied.
// Returns NULL when out of memory.
struct inbox *inbox_new(struct peers *peers,
                        const struct inbox_handlers *handlers, struct err *err);
void inbox_free(struct inbox *inbox); // accepts NULL

// Handles what has arrived, at most some hundred frames, and tells dispatch
// when there is nothing left to read. Call once per turn.
void inbox_receive(struct inbox *inbox, int64_t now);

#endif
