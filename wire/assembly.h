// assembly: a long message that arrives in PARTs.
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
// buffer grows by what has come, never by what was announced. Pure.

#ifndef WIRE_ASSEMBLY_H
#define WIRE_ASSEMBLY_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "wire/message.h"

struct assembly {
    struct buf bytes; // owned
    size_t of;        // bytes of the whole message; 0: none has begun
};

#define ASSEMBLY_INIT ((struct assembly){.bytes = BUF_INIT(WIRE_MAX_BYTES)})

void assembly_release(struct assembly *assembly);

// Adds a part. False with ERR_PROTOCOL when it does not follow the one before,
// or without memory.
bool assembly_add(struct assembly *assembly, const struct part *part,
                  struct err *err);

// Whether all of the message is there: in bytes.
bool assembly_whole(const struct assembly *assembly);

#endif
