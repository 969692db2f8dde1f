#include "wire/message.h"

#include <assert.h>
#include <string.h>

#include <msgpack.h>

#include "wire/fields.h"
#include "wire/shape.h"

// Room for the fields of most messages. msgpack_unpack_next takes 8 KB each
// time, which malloc cannot provide from its cache.
enum { ZONE_BYTES = 960 };

// "kind" with its head: the first key of every message that we write.
static const unsigned char kind_key[] = {0xa4, 'k', 'i', 'n', 'd'};

static bool pack_message(const struct message *message, struct buf *out,
                         struct err *err)
{
    const struct field_table *table = message_fields(message->kind);
    size_t start = out->len;

    fields_begin(out, 1 + fields_count(table, &message->as));
    buf_append(out, kind_key, sizeof kind_key);
    buf_putc(out, (char)message->kind); // one byte, as below 128
    if (!fields_write(table, &message->as, out, err))
        return false;
    if (!buf_ok(out, "a message", err))
        return false;
    if (out->len - start > WIRE_MAX_BYTES) {
        err_set(err, ERR_LIMIT,
                "%s message: it has %zu bytes, and at most %d can be sent",
                table->name, out->len - start, (int)WIRE_MAX_BYTES);
        return false;
    }
    return true;
}

bool message_encode(const struct message *message, struct buf *out,
                    struct err *err)
{
    assert((unsigned)message->kind < MESSAGE_KIND_COUNT);

    size_t start = out->len;
    if (pack_message(message, out, err))
        return true;
    // Half a frame is useless.
    if (out->data != NULL)
        out->data[start] = '\0';
    out->len = start;
    return false;
}

static bool is_kind(const msgpack_object *key)
{
    return key->type == MSGPACK_OBJECT_STR && key->via.str.size == 4 &&
           memcmp(key->via.str.ptr, "kind", 4) == 0;
}

static bool read_kind(const msgpack_object_map *map, enum message_kind *kind,
                      struct err *err)
{
    const msgpack_object *found = NULL;

    for (size_t i = 0; i < map->size; i++) {
        if (!is_kind(&map->ptr[i].key))
            continue;
        if (found != NULL) {
            err_set(err, ERR_PROTOCOL, "the kind of a message appears twice");
            return false;
        }
        found = &map->ptr[i].val;
    }
    if (found == NULL || found->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        found->via.u64 >= MESSAGE_KIND_COUNT) {
        err_set(err, ERR_PROTOCOL, "a message of an unknown kind");
        return false;
    }
    *kind = (enum message_kind)found->via.u64;
    return true;
}

static bool read_message(const msgpack_object *root, struct arena *arena,
                         struct message *out, struct err *err)
{
    if (root->type != MSGPACK_OBJECT_MAP) {
        err_set(err, ERR_PROTOCOL, "a message that is not a map");
        return false;
    }
    memset(out, 0, sizeof *out);
    if (!read_kind(&root->via.map, &out->kind, err))
        return false;
    return fields_read(message_fields(out->kind), &root->via.map, arena,
                       &out->as, err);
}

bool message_is(const void *data, size_t len, enum message_kind kind)
{
    const unsigned char *bytes = data;

    return len > 1 + sizeof kind_key && (bytes[0] & 0xf0) == 0x80 &&
           memcmp(bytes + 1, kind_key, sizeof kind_key) == 0 &&
           bytes[1 + sizeof kind_key] == (unsigned char)kind;
}

bool message_take(struct wire_frame *frame, struct arena *arena,
                  struct message *out, struct err *err)
{
    size_t len = shape_measure(frame->data, frame->len, err);
    msgpack_zone zone;
    msgpack_object root;
    size_t offset = 0;

    if (len == 0)
        return false;
    if (len > WIRE_MAX_BYTES) {
        err_set(err, ERR_PROTOCOL, "a message of %zu bytes is too long", len);
        return false;
    }
    if (!msgpack_zone_init(&zone, ZONE_BYTES)) {
        err_nomem(err, "a message");
        return false;
    }
    bool ok = false;
    // The shape is right, so only memory can fail now.
    if (msgpack_unpack(frame->data, len, &offset, &zone, &root) ==
        MSGPACK_UNPACK_SUCCESS)
        ok = read_message(&root, arena, out, err);
    else
        err_nomem(err, "a message");
    msgpack_zone_destroy(&zone);
    frame->data += len;
    frame->len -= len;
    return ok;
}

bool message_decode(const void *data, size_t len, struct arena *arena,
                    struct message *out, struct err *err)
{
    struct wire_frame frame = {.data = data, .len = len};

    if (!message_take(&frame, arena, out, err))
        return false;
    if (frame.len == 0)
        return true;
    err_set(err, ERR_PROTOCOL, "%zu bytes follow the message", frame.len);
    return false;
}
