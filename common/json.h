// json: what we need on top of jansson.
//
// json_t values are shared between threads as read-only: jansson counts
// references atomically, and nobody changes a value after handing it over.
// All text that comes from outside is bounded here before it is parsed.

#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

// Parses one JSON value of at most max_bytes. Returns a new reference, NULL
// on failure; err->text says line, column and what is wrong. Duplicate keys
// are refused; a byte order mark in front is skipped. The first call sets
// jansson's allocator for the whole process to one over malloc and free, which
// tells no memory from a mistake.
json_t *json_parse(const char *text, size_t len, size_t max_bytes,
                   struct err *err);

// The same for a reader that shows the place itself: where has line, column
// and reason of bad JSON, as jansson gives them.
json_t *json_parse_at(const char *text, size_t len, size_t max_bytes,
                      json_error_t *where, struct err *err);

// Appends value on one line. sorted: keys in byte order, for hashing. Reals
// read back as the same double. Values nested deeper than 2048, more than
// json_parse reads, make buf failed; so does NULL, which is a value that there
// was no memory to build.
void json_put(struct buf *buf, const json_t *value, bool sorted);

// Appends value over many lines, two spaces a level, as Python's json.dumps
// with indent=2 writes it; members keep their order.
void json_put_lines(struct buf *buf, const json_t *value);

// As json_stringn, but quicker for most texts: jansson checks each byte by
// itself for UTF-8. NULL when text is not UTF-8, or without memory.
json_t *json_string_of(const char *text, size_t len);

// json_put as a string that the caller frees; NULL without memory.
char *json_text(const json_t *value);

// Members of an object by key; a wrong type or a missing key gives the
// default. The string is borrowed.
const char *json_get_text(const json_t *object, const char *key,
                          const char *otherwise);
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);
double json_get_number(const json_t *object, const char *key, double otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);

#endif
