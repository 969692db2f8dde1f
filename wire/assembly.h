// assembly: long messages that arrive in PARTs, with a limit on their memory.
//
// A frame to the coordinator has at most WIRE_FRAME_BYTES, because libzmq
// allocates a frame as soon as it has read its length, even for a stranger. A
// longer message (a job's files, a very long answer) is encoded as usual, and
// its bytes travel in PARTs, in order, the first one with `at` 0:
//
//     SUBMIT of 150,000 bytes -> PART of 150000 at 0      (61,440 bytes)
//                                PART of 150000 at 61440  (61,440 bytes)
//                                PART of 150000 at 122880 (27,120 bytes)
//
// A PART at 0 starts over, because the connection broke in the middle of a
// message. The buffer grows with the bytes that have come, never with those
// that were announced.
//
//              assembly_add                assembly_add
//   (nothing) --------------> under way -----------------> whole
//       ^                        |                           |
//       |  assemblies_tick,      |                           |
//       |  15 s without a part   |             assembly_take |
//       '------------------------+---------------------------'
//
// Each peer has at most one assembly, and all of them share a budget. When it
// is used up, a message that has stalled makes room for one that is moving:
//
//     while (!assemblies_have_room(all, part->len))
//         assembly = assemblies_stalled(all, own, now), whose owner is cut off
//
// Times are monotonic milliseconds from the caller. Pure. One owner, one
// thread.

#ifndef WIRE_ASSEMBLY_H
#define WIRE_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "wire/message.h"

struct assembly;

enum { ASSEMBLIES_BYTES = 96 << 20 }; // limit for the messages of all peers

// The assemblies of all peers.
struct assemblies {
    struct assembly *first; // borrowed from their peers
    size_t bytes;           // in all of them together
};

// Creates an assembly for a peer that begins a long message. The owner is
// borrowed, and only handed back by assembly_owner. Returns NULL when out of
// memory.
struct assembly *assembly_new(struct assemblies *all, void *owner);
void assembly_free(struct assembly *assembly); // accepts NULL
void *assembly_owner(const struct assembly *assembly);

// Adds a part. Returns false with ERR_PROTOCOL if it does not follow the part
// before it, and false when out of memory.
bool assembly_add(struct assembly *assembly, const struct part *part,
                  int64_t now_ms, struct err *err);

// Returns true if part of a message has come. Accepts NULL, for which it is
// false.
bool assembly_is_under_way(const struct assembly *assembly);

// Moves a complete message to the caller, who releases the bytes. Returns false
// if parts of it are still to come.
bool assembly_take(struct assembly *assembly, struct buf *bytes);

// Returns true if this many more bytes fit into the budget.
bool assemblies_have_room(const struct assemblies *all, size_t bytes);

// Returns the assembly, other than `but`, that has been stalled longest and for
// at least 2 s, or NULL if all of them are moving.
struct assembly *assemblies_stalled(const struct assemblies *all,
                                    const struct assembly *but, int64_t now_ms);

// Gives up messages that have been stalled for 15 s.
void assemblies_tick(struct assemblies *all, int64_t now_ms);

#endif
