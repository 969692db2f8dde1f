#include "store/frames.h"

enum { KEEPS_BYTES = 8 << 20 };

bool frames_append(struct buf *frames, uint32_t size, const void *data,
                   size_t len, struct err *err)
{
    size_t before = frames->len;

    buf_append(frames, &size, sizeof size);
    buf_append(frames, data, len);
    if (buf_ok(frames, "the store's queue", err))
        return true;
    frames->failed = false;
    frames->no_memory = false;
    frames->len = before;
    return false;
}

void frames_clear(struct buf *frames)
{
    if (frames->cap > KEEPS_BYTES)
        buf_release(frames);
    buf_clear(frames);
}
