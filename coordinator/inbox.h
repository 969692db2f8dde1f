// inbox: what peers say, and what that means.
//
// A frame goes this way:
//
//   wire_take -> connections_admit   a stranger has a budget of its own
//             -> is_impostor         the key is that of the peer
//             -> message_take        each message of the frame; nonsense ends
//                                    the peer
//             -> is_allowed          the role of the peer may say it, and there
//                                    are tokens for it
//             -> its handler, a row of the table in inbox.c
//
// What a peer says without being asked (heartbeats, greetings, commands,
// answers under no lease of its own) takes tokens from its bucket, by the row
// of the message (message_tokens); answers to calls that it holds are free.
// Long messages come in PARTs, with a budget of bytes a peer, and one for all
// (wire/assembly.h). Frames of peers that have not greeted, and nonsense, are
// answered with REFUSED and a line in the log. A peer that goes beyond what it
// may is cut off (peers.h).
//
// Any handler may be the end of the peer that it is called for.

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

// The rest of the loop, as the inbox needs it.
struct inbox_handlers {
    void *user;
    // A job was submitted. The peer gets ACCEPTED or RESULT. The texts of
    // submit are in arena, which may be taken (and left empty).
    void (*submitted)(void *user, struct peer *peer,
                      const struct submit *submit, struct arena *arena);
    // The same, still encoded: it is long. The bytes may be taken.
    void (*submitted_long)(void *user, struct peer *peer, struct buf *bytes);
    void (*commanded)(void *user, struct peer *peer,
                      const struct command *command);
    void (*answered)(void *user, struct flight *flight,
                     const struct worker_info *worker,
                     struct call_answer *answer);
    void (*side_call_answered)(void *user, struct side_call *side,
                               const struct call_answer *answer);
};

// The peers are borrowed, and freed before the inbox; the handlers are copied.
// NULL without memory.
struct inbox *inbox_new(struct peers *peers,
                        const struct inbox_handlers *handlers, struct err *err);
void inbox_free(struct inbox *inbox); // NULL is fine

// Handles what has arrived, at most some hundred frames, and tells dispatch
// when there is nothing left to hear. Once a turn.
void inbox_receive(struct inbox *inbox, int64_t now);

#endif
