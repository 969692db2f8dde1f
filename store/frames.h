// frames: records one behind the other, as they wait to be written.
//
//     frame  = size (4 bytes, this machine's order), a record (record.h)
//
// A frame is there whole or not at all. The bytes never leave the process.

#ifndef STORE_FRAMES_H
#define STORE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/err.h"

enum { FRAMES_HEAD_BYTES = sizeof(uint32_t) };

// Some frames, or one. Borrowed.
struct frames {
    const char *at;
    size_t len;
};

// Appends a frame of that size with these bytes. False without memory or above
// the buffer's maximum, and then the buffer is as it was.
bool frames_append(struct buf *frames, uint32_t size, const void *data,
                   size_t len, struct err *err);

// Empties the buffer for others. It keeps its memory, unless a long record made
// it large: that must not cost its memory for ever.
void frames_clear(struct buf *frames);

// What the first frame says of its size; there is one.
static inline uint32_t frames_size(struct frames frames)
{
    uint32_t size = 0;

    memcpy(&size, frames.at, sizeof size);
    return size;
}

// Takes off the first len bytes, which are a frame or several.
static inline struct frames frames_take(struct frames *frames, size_t len)
{
    const struct frames taken = {frames->at, len};

    frames->at += len;
    frames->len -= len;
    return taken;
}

#endif
