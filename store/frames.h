// frames: records back to back, waiting to be written.
//
//     frame  = size (4 bytes, this machine's order), a record (record.h)
//
// A frame is either complete or absent. The bytes never leave the process.

#ifndef STORE_FRAMES_H
#define STORE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"

enum { FRAMES_HEAD_BYTES = sizeof(uint32_t) };

// One or more frames. Borrowed.
struct frames {
    const char *at;
    size_t len;
};

// Appends a frame of that size with these bytes. Returns false when out of
// memory or above the buffer's maximum; the buffer is then unchanged.
bool frames_append(struct buf *frames, uint32_t size, const void *data,
                   size_t len, struct err *err);

// Empties the buffer for reuse. It keeps its memory, unless a long record made
// it large: one record must not hold that memory forever.
void frames_clear(struct buf *frames);

// Returns the size of the first frame's record; there must be a frame.
static inline uint32_t frames_size(struct frames frames)
{
    uint32_t size = 0;

    memcpy(&size, frames.at, sizeof size);
    return size;
}

// Takes off the first len bytes, which must be one or more whole frames.
static inline struct frames frames_take(struct frames *frames, size_t len)
{
    const struct frames taken = {frames->at, len};

    frames->at += len;
    frames->len -= len;
    return taken;
}

#endif
