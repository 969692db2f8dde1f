// prefixes: the beginnings of prompts that a worker need not be told again.
//
// All calls of a candidate's step begin with the same few kilobytes: system
// message, demos. A worker that says so in its HELLO (`prefixes`) keeps the
// last ones that it was sent, each under its name, which is its hash. From then
// on a CALL names it:
//
//     CALL prefix "[{"role":"system"...", prefix_name 5f..   4,000 bytes
//     CALL prefix "", prefix_name 5f..                         500 bytes
//     CALL prefix "", prefix_name 5f..
//
// Both ends keep a list of the same length, the one used last in front, and go
// by the same rule, so the coordinator knows what the worker has. Where that
// fails, because a CALL was lost or overtaken on its way, nothing is guessed: a
// call whose prefix the worker does not know is as good as lost. The worker
// does not take it and says so at once (`lacks` of HEARTBEAT). The coordinator
// then forgets what it thought that the worker has, and sends the call again,
// whole. If that message is lost as well, the worker's heartbeats do not name
// the lease, and some seconds later the call is sent again all the same. A text
// that does not hash to its name is never kept.
//
// Pure. One owner, one thread.

#ifndef WIRE_PREFIXES_H
#define WIRE_PREFIXES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/hash.h"
#include "wire/message.h"

// --- the coordinator's end: what a peer has ---

struct known_prefixes {
    size_t room; // as many are kept; 0: the peer keeps none
    size_t n;
    struct hash names[WIRE_MAX_PREFIXES]; // the one used last first
};

// True when the peer has it; false when it is to be told, and has it then. For
// prefixes of at most WIRE_PREFIX_BYTES, and a peer with room.
bool known_prefixes_use(struct known_prefixes *known, const struct hash *name);

// Nothing is known any more of what the peer has.
void known_prefixes_forget(struct known_prefixes *known);

// --- the worker's end: the texts ---

struct kept_prefixes {
    struct known_prefixes names; // of WIRE_MAX_PREFIXES
    struct kept_text {
        char *text; // owned
        size_t len;
    } texts[WIRE_MAX_PREFIXES]; // as names
};

#define KEPT_PREFIXES_INIT                                                     \
    ((struct kept_prefixes){.names.room = WIRE_MAX_PREFIXES})

void kept_prefixes_release(struct kept_prefixes *kept);

// Call it for every CALL that comes. If the CALL brings a prefix with a name,
// the prefix is kept. If it only names one, it is given that prefix, borrowed
// until the next call of this function. False, and the CALL cannot be used: the
// name is not known here (ERR_BUSY), or the prefix is not what its name says
// (ERR_PROTOCOL).
bool kept_prefixes_fill(struct kept_prefixes *kept, struct call_message *call,
                        struct err *err);

#endif
