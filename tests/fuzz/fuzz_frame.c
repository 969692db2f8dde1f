// Whatever the bytes are, decoding gives a message that encodes and decodes to
// the same bytes again, or a refusal in words.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const struct message *message, struct buf *out)
{
    struct err err = ERR_CLEAR;

    if (!message_encode(message, out, &err))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT(1 << 24);
    struct buf once = BUF_INIT(1 << 24);
    struct buf twice = BUF_INIT(1 << 24);
    struct message message;
    struct err err = ERR_CLEAR;

    if (message_decode(data, size, &arena, &message, &err)) {
        encode(&message, &once);
        if (!message_decode(once.data, once.len, &arena, &message, &err))
            abort();
        encode(&message, &twice);
        if (once.len != twice.len ||
            memcmp(once.data, twice.data, once.len) != 0)
            abort();
    } else if (err.code == ERR_NONE || err.text[0] == '\0')
        abort();
    arena_release(&arena);
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
