// prefixes: the beginnings of prompts that a worker need not be sent again.
//
// All calls for one step of a candidate begin with the same few kilobytes:
// system message and demos. A worker that says so in its HELLO (`prefixes`)
// keeps the last prefixes that it was sent, each under its name, which is its
// hash. From then on a CALL only names it:
//
//     CALL prefix "[{"role":"system"...", prefix_name 5f..   4,000 bytes
//     CALL prefix "", prefix_name 5f..                         500 bytes
//     CALL prefix "", prefix_name 5f..
//
// Both ends keep a list of the same length, the last used first, and follow the
// same rule, so the coordinator knows what the worker has. If that fails
// because a CALL was lost or overtaken on its way, nothing is guessed: a call
// whose prefix the worker does not know is as good as lost. The worker does not
// take it and says so at once (`lacks` in HEARTBEAT). The coordinator then
// forgets what it believed about the worker's prefixes and sends the call
// again, whole. If that message is lost too, the worker's heartbeats do not
// name the lease, and some seconds later the call is sent again anyway. A text
// whose hash is not its name is never kept.
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
    size_t room; // how many are kept; 0: the peer keeps none
    size_t n;
    struct hash names[WIRE_MAX_PREFIXES]; // the last used first
};

// Returns true if the peer has the prefix. Returns false if it must be sent,
// and then notes that the peer has it. For prefixes of at most
// WIRE_PREFIX_BYTES, and a peer with room.
bool known_prefixes_use(struct known_prefixes *known, const struct hash *name);

// Forgets everything known about what the peer has.
void known_prefixes_forget(struct known_prefixes *known);

// --- the worker's end: the texts ---

struct kept_prefixes {
    struct known_prefixes names; // with room for WIRE_MAX_PREFIXES
    struct kept_text {
        char *text; // owned
        size_t len;
    } texts[WIRE_MAX_PREFIXES]; // in the order of `names`
};

#define KEPT_PREFIXES_INIT                                                     \
    ((struct kept_prefixes){.names.room = WIRE_MAX_PREFIXES})

void kept_prefixes_release(struct kept_prefixes *kept);

// Call it for every CALL that comes. A prefix that comes with a name is kept. A
// CALL that only names a prefix is given that prefix, borrowed until this
// function is called again. Returns false if the CALL cannot be used: the name
// is not known here (ERR_BUSY), the prefix is too long or does not match its
// name (ERR_PROTOCOL), or there is no memory to keep it.
bool kept_prefixes_fill(struct kept_prefixes *kept, struct call_message *call,
                        struct err *err);

#endif
