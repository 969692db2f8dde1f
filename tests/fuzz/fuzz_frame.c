// Whatever the bytes are, a frame consists of messages that encode and decode
// to the same bytes again, until it ends or is refused in words. A worker that
// keeps prefixes takes each CALL or refuses it in words, and never keeps more
// than its share.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "wire/message.h"
#include "wire/prefixes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const struct message *message, struct buf *out)
{
    struct err err = ERR_CLEAR;

    if (!message_encode(message, out, &err))
        abort();
}

static void check_round_trip(const struct message *message)
{
    struct arena arena = ARENA_INIT(1 << 24);
    struct buf once = BUF_INIT(1 << 24);
    struct buf twice = BUF_INIT(1 << 24);
    struct message again;
    struct err err = ERR_CLEAR;

    encode(message, &once);
    if (!message_decode(once.data, once.len, &arena, &again, &err))
        abort();
    encode(&again, &twice);
    if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
        abort();
    arena_release(&arena);
    buf_release(&once);
    buf_release(&twice);
}

static void check_prefix(struct kept_prefixes *kept, struct call_message *call)
{
    struct err err = ERR_CLEAR;

    if (!kept_prefixes_fill(kept, call, &err) &&
        (err.code == ERR_NONE || err.text[0] == '\0'))
        abort();
    if (kept->names.n > WIRE_MAX_PREFIXES)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_frame frame = {.data = (const char *)data, .len = size};
    struct arena arena = ARENA_INIT(1 << 24);
    struct kept_prefixes kept = KEPT_PREFIXES_INIT;
    struct message message;
    struct err err = ERR_CLEAR;
    bool ok = true;

    do {
        ok = message_take(&frame, &arena, &message, &err);
        if (ok)
            check_round_trip(&message);
        if (ok && message.kind == MESSAGE_CALL)
            check_prefix(&kept, &message.as.call);
    } while (ok && frame.len > 0);
    if (!ok && (err.code == ERR_NONE || err.text[0] == '\0'))
        abort();
    kept_prefixes_release(&kept);
    arena_release(&arena);
    return 0;
}
