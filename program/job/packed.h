// packed: a JSON object in few bytes, for many objects that look alike.
//
// jansson needs some 350 bytes for an example of two short texts; packed it
// takes the bytes of its texts and a few more. The names of members are kept
// once, in a list that all objects share. Packed bytes never leave the process
// that wrote them, so there is no version in them and nothing is checked when
// they are read.
//
// A value is one byte that says what it is, and what that needs:
//
//   0x80 + n   a text of n bytes, n < 128; its bytes follow
//   TEXT       varint n, n bytes
//   INT        varint, the sign in its lowest bit
//   REAL       8 bytes, as the machine has them
//   ARRAY      varint n, n values
//   OBJECT     varint n, n members: each a name, then a value
//   DEFAULT    varint: which of the shared values (packed_share)
//   NULL, FALSE, TRUE
//
// A name is a varint: 0 and then a text (varint n, n bytes), or 1 more than its
// place in the list. A varint has 7 bits a byte, the lowest first; all but the
// last byte have the highest bit set.
//
// Why not MessagePack by msgpack-c, which wire/ uses: it has no reader that
// gives one value after the other, so that it builds a tree of its own before
// jansson's. Names and shared values would still be ours. Measured for an
// example of three texts and a number, on one core: 97 ns to write and 178 ns
// to read here, 174 and 266 ns there, for the same 100 bytes.
//
// Reading is pure and may be done by several threads at once; writing may not.

#ifndef PROGRAM_JOB_PACKED_H
#define PROGRAM_JOB_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"

enum { PACKED_MAX_NAMES = 256, PACKED_SLOTS = 1024, PACKED_MAX_SHARED = 64 };

struct packed_names {
    char *names[PACKED_MAX_NAMES]; // owned
    size_t n;
    size_t next;                       // the one that is likely to come next
    uint16_t slots[PACKED_SLOTS];      // by hash: 1 more than a place; 0: none
    json_t *shared[PACKED_MAX_SHARED]; // references
    size_t n_shared;
};

void packed_release(struct packed_names *names);

// A value that many objects will hold, by the same pointer: it is then not
// copied into each. What is beyond PACKED_MAX_SHARED is copied.
void packed_share(struct packed_names *names, json_t *value);

// Appends value to out, which fails without memory.
void packed_put(struct packed_names *names, const json_t *value,
                struct buf *out);

// What was put at bytes. New reference; NULL without memory. Members are in
// the order in which they were put.
json_t *packed_get(const struct packed_names *names, const char *bytes);

#endif
