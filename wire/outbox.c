#include "wire/outbox.h"

// Room for a frame plus the message that makes it full.
enum { FULL_BYTES = OUTBOX_BYTES + 4096 };

void outbox_release(struct outbox *outbox)
{
    buf_release(&outbox->bytes);
}

// Sends the bytes from `at` to `end` as one frame, unless there are none.
static bool send_from(const struct outbox *outbox, size_t at, size_t end,
                      struct wire_socket *socket, const struct wire_id *to,
                      struct err *err)
{
    const struct wire_frame frame = {.data = outbox->bytes.data + at,
                                     .len = end - at};

    return frame.len == 0 || wire_send_encoded(socket, to, &frame, err);
}

// Sends a long message in a separate frame. If it is too long even for that, it
// is cut into PARTs.
static bool send_long(struct outbox *outbox, size_t before,
                      struct wire_socket *socket, const struct wire_id *to,
                      struct err *err)
{
    bool ok = send_from(outbox, 0, before, socket, to, err) &&
              send_from(outbox, before, outbox->bytes.len, socket, to, err);

    buf_release(&outbox->bytes);
    return ok;
}

// Keeps the memory, since more may follow in this turn.
static bool send_full(struct outbox *outbox, struct wire_socket *socket,
                      const struct wire_id *to, struct err *err)
{
    bool ok = send_from(outbox, 0, outbox->bytes.len, socket, to, err);

    buf_clear(&outbox->bytes);
    return ok;
}

bool outbox_put(struct outbox *outbox, struct wire_socket *socket,
                const struct wire_id *to, const struct message *message,
                struct err *err)
{
    size_t before = outbox->bytes.len;

    if (!message_encode(message, &outbox->bytes, err)) {
        outbox->bytes.failed = false; // it is unchanged
        outbox->bytes.no_memory = false;
        return false;
    }
    if (outbox->bytes.len - before > OUTBOX_BYTES)
        return send_long(outbox, before, socket, to, err);
    if (outbox->bytes.len >= OUTBOX_BYTES)
        return send_full(outbox, socket, to, err);
    if (before > 0) // when there are two, there are often many
        buf_expect(&outbox->bytes, FULL_BYTES - outbox->bytes.len);
    return true;
}

bool outbox_flush(struct outbox *outbox, struct wire_socket *socket,
                  const struct wire_id *to, struct err *err)
{
    bool ok = send_from(outbox, 0, outbox->bytes.len, socket, to, err);

    buf_release(&outbox->bytes);
    return ok;
}
