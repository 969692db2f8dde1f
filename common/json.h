// json: what we need in addition to jansson.
//
// Threads share json_t values read-only: jansson counts references atomically,
// and nobody changes a value after handing it over. Text from outside is
// checked against a size limit before it is parsed.

#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

// Parses one JSON value of at most max_bytes. Returns a new reference, or NULL
// on failure; err->text gives the line, the column and the mistake. Duplicate
// keys are refused; a byte order mark at the start is skipped. The first call
// sets jansson's allocator for the whole process to one over malloc and free,
// which lets us tell running out of memory from a mistake in the text.
json_t *json_parse(const char *text, size_t len, size_t max_bytes,
                   struct err *err);

// Like json_parse, for a reader that shows the position itself: `where`
// receives the line, column and reason for bad JSON, as jansson gives them.
json_t *json_parse_at(const char *text, size_t len, size_t max_bytes,
                      json_error_t *where, struct err *err);

// Appends value on one line; members keep their order. Reals read back as the
// same double. The buffer fails if value is nested deeper than 2048 levels,
// which is more than json_parse accepts, or if it is NULL, which means that
// there was no memory to build it.
void json_put(struct buf *buf, const json_t *value);

// Like json_put, but with keys in byte order, for hashing.
void json_put_sorted(struct buf *buf, const json_t *value);

// Appends value over many lines, two spaces per level, as Python's json.dumps
// with indent=2 writes it. Members keep their order.
void json_put_lines(struct buf *buf, const json_t *value);

// Like json_stringn, but faster for most texts, because jansson checks UTF-8
// byte by byte. Returns NULL if text is not UTF-8 or when out of memory.
json_t *json_string_of(const char *text, size_t len);

// Like json_put, but returns a string that the caller frees; NULL when out of
// memory.
char *json_text(const json_t *value);

// Return a member of an object by key, or the default if the key is missing or
// has another type. The string is borrowed.
const char *json_get_text(const json_t *object, const char *key,
                          const char *fallback);
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
double json_get_number(const json_t *object, const char *key, double fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

#endif
