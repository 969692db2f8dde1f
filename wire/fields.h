// fields: a struct as a MessagePack map, described by a table of its members.
//
// One table drives both directions, and both ends apply the same checks: what
// is written can also be read, and what a peer would refuse is never sent. A
// row has the key of a member, its type, its range and a description for
// people. The macros below write the rows, since offsets and types are easy to
// get wrong by hand:
//
//     static const struct message_field cancel_fields[] = {
//         FIELD_INT(cancel, id, "id", 0, INT64_MAX, REQUIRED,
//                   "the lease"),
//     };
//     static const struct field_table cancel_table =
//         FIELD_TABLE("CANCEL", cancel, cancel_fields);
//
// Keys that a table does not know are skipped. Keys that are missing read as
// zero or "", unless they are REQUIRED. So a member that is zero or "" is not
// written unless it is REQUIRED; that is half of most messages.

#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"

enum field_type {
    TYPE_INT,   // int64_t
    TYPE_INT32, // int32_t
    TYPE_ENUM,  // an enum, stored as an int
    TYPE_REAL,  // double, finite
    TYPE_TEXT,  // const char *, UTF-8 without NUL
    TYPE_SLICE, // a text whose length is in a second member
    TYPE_BYTES, // const char * and a length, any bytes
    TYPE_LIST,  // a pointer to structs, and their number
};

enum {
    OPTIONAL = 0,
    REQUIRED = 1, // a frame without the key is bad
    NULLABLE = 2, // only NULL is not sent, and a missing key reads as NULL
};

struct field_table;

struct message_field {
    const char *key; // shorter than 32 bytes
    size_t key_len;
    enum field_type type;
    unsigned flags;
    size_t offset;
    size_t len_offset; // of the size_t that goes with a slice, bytes or list
    int64_t min;
    int64_t max; // of a number; or most bytes of a text; or structs of a list
    const struct field_table *items;
    const char *about; // description for people, in Markdown
};

struct field_table {
    const char *name;
    const struct message_field *fields;
    size_t n;
    size_t size; // of the struct
};

// where: the struct. least and most: the range of a number; cap: the most bytes
// of a text, or structs of a list. flags: OPTIONAL, REQUIRED or NULLABLE.
// about: a description for docs/protocol.md, whose tables are made from these
// rows.
#define FIELD_NUMBER(type, where, member, key, least, most, flags, about)      \
    {                                                                          \
        key, sizeof(key) - 1, type, flags, offsetof(struct where, member), 0,  \
            least, most, NULL, about                                           \
    }
#define FIELD_INT(where, member, key, least, most, flags, about)               \
    FIELD_NUMBER(TYPE_INT, where, member, key, least, most, flags, about)
#define FIELD_COUNT(where, member, key, about)                                 \
    FIELD_INT(where, member, key, 0, INT64_MAX, OPTIONAL, about)
#define FIELD_INT32(where, member, key, least, most, flags, about)             \
    FIELD_NUMBER(TYPE_INT32, where, member, key, least, most, flags, about)
#define FIELD_ENUM(where, member, key, least, most, flags, about)              \
    FIELD_NUMBER(TYPE_ENUM, where, member, key, least, most, flags, about)
#define FIELD_REAL(where, member, key, least, most, about)                     \
    FIELD_NUMBER(TYPE_REAL, where, member, key, least, most, OPTIONAL, about)
#define FIELD_TEXT(where, member, key, cap, flags, about)                      \
    {                                                                          \
        key, sizeof(key) - 1, TYPE_TEXT, flags,                                \
            offsetof(struct where, member), 0, 0, cap, NULL, about             \
    }
#define FIELD_SIZED(type, where, member, len, key, cap, flags, about)          \
    {                                                                          \
        key, sizeof(key) - 1, type, flags, offsetof(struct where, member),     \
            offsetof(struct where, len), 0, cap, NULL, about                   \
    }
#define FIELD_SLICE(where, member, len, key, cap, flags, about)                \
    FIELD_SIZED(TYPE_SLICE, where, member, len, key, cap, flags, about)
#define FIELD_BYTES(where, member, len, key, cap, flags, about)                \
    FIELD_SIZED(TYPE_BYTES, where, member, len, key, cap, flags, about)
#define FIELD_LIST(where, member, len, key, cap, table, about)                 \
    {                                                                          \
        key, sizeof(key) - 1, TYPE_LIST, OPTIONAL,                             \
            offsetof(struct where, member), offsetof(struct where, len), 0,    \
            cap, table, about                                                  \
    }
#define FIELD_TABLE(name, where, fields)                                       \
    {                                                                          \
        name, fields, sizeof(fields) / sizeof((fields)[0]),                    \
            sizeof(struct where)                                               \
    }

// Returns how many keys the map of `base`, a struct of that table, has.
size_t fields_count(const struct field_table *table, const void *base);

// Begins a map of n keys.
void fields_begin(struct buf *out, size_t n);

// Appends the keys and values of `base`. Fails with ERR_LIMIT on a value that
// fields_read would refuse; a NULL text is written as "". The caller must check
// whether there was room (buf_ok).
bool fields_write(const struct field_table *table, const void *base,
                  struct buf *out, struct err *err);

// Reads the map into `base`, which must be all zero. Texts are copied into the
// arena, NUL-terminated. Fails with ERR_PROTOCOL; err->text names the field.
bool fields_read(const struct field_table *table, const msgpack_object_map *map,
                 struct arena *arena, void *base, struct err *err);

#endif
