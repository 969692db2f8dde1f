// assembly: long messages that arrive in PARTs, and the memory that all of
// them together may take.
//
// A frame to the coordinator has at most WIRE_FRAME_BYTES, since libzmq
// allocates a frame as soon as it has read its length, for any stranger.
// What is longer (a job's files, a very long answer) is encoded as ever, and
// its bytes travel in PARTs, in order, the first one `at` 0:
//
//     SUBMIT of 150,000 bytes -> PART of 150000 at 0      (61,440 bytes)
//                                PART of 150000 at 61440  (61,440 bytes)
//                                PART of 150000 at 122880 (27,120 bytes)
//
// A PART at 0 starts over: the connection broke in the middle of a message. The
// buffer grows by what has come, never by what was announced.
//
//              assembly_add                assembly_add
//   (nothing) --------------> under way -----------------> whole
//       ^                        |                           |
//       |  assemblies_tick,      |                           |
//       |  15 s without a part   |             assembly_take |
//       '------------------------+---------------------------'
//
// Each peer has at most one assembly, and all of them have a budget. When it is
// used up, a message that stands still makes room for one that moves:
//
//     while (!assemblies_have_room(all, part->len))
//         assembly = assemblies_idle(all, own, now), whose owner is cut off
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

enum { ASSEMBLIES_BYTES = 96 << 20 }; // of all peers' messages

// Those of all peers.
struct assemblies {
    struct assembly *first; // borrowed from their peers
    size_t bytes;           // in all of them
};

// An assembly for a peer that begins a long message. The owner is borrowed, and
// only handed back by assembly_owner. NULL without memory.
struct assembly *assembly_new(struct assemblies *all, void *owner);
void assembly_free(struct assembly *assembly); // NULL is fine
void *assembly_owner(const struct assembly *assembly);

// Adds a part. False with ERR_PROTOCOL when it does not follow the one before,
// or without memory.
bool assembly_add(struct assembly *assembly, const struct part *part,
                  int64_t now_ms, struct err *err);

// Whether some of a message is there. NULL is fine: there is nothing.
bool assembly_is_under_way(const struct assembly *assembly);

// Moves a message that is whole to the caller, who releases the bytes. False:
// parts of it are still to come.
bool assembly_take(struct assembly *assembly, struct buf *bytes);

// Whether so many bytes more fit into the budget.
bool assemblies_have_room(const struct assemblies *all, size_t bytes);

// The assembly that has stood still for longest, and for 2 s at least, other
// than `but`. NULL: all of them move.
struct assembly *assemblies_idle(const struct assemblies *all,
                                 const struct assembly *but, int64_t now_ms);

// Gives up messages that have stood still for 15 s.
void assemblies_tick(struct assemblies *all, int64_t now_ms);

#endif
