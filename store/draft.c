#include "store/draft.h"

#include <string.h>

#include "store/frames.h"
#include "store/record.h"

static void discard_unfinished(struct draft *draft)
{
    struct buf *frames = &draft->frames;

    frames->len = draft->begun;
    frames->failed = frames->no_memory = false;
}

struct buf *draft_begin(struct draft *draft)
{
    const uint32_t size = 0; // not known yet

    discard_unfinished(draft);
    buf_append(&draft->frames, &size, sizeof size);
    return &draft->frames;
}

bool draft_end(struct draft *draft, struct err *err)
{
    struct buf *frames = &draft->frames;
    size_t len = frames->len - draft->begun - FRAMES_HEAD_BYTES;
    uint32_t size = (uint32_t)len;
    bool ok = buf_ok(frames, "a record for the store", err);

    if (ok && len > RECORD_MAX_BYTES) {
        err_set(err, ERR_LIMIT,
                "a record for the store is too long (over %d bytes)",
                RECORD_MAX_BYTES);
        ok = false;
    }
    if (!ok) {
        discard_unfinished(draft);
        return false;
    }
    memcpy(frames->data + draft->begun, &size, sizeof size);
    draft->begun = frames->len;
    draft->puts++;
    return true;
}
