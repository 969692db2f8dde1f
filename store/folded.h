// folded: texts as one line each, because the space between words varies
// wherever they are quoted.
//
// Private to this room.

#ifndef STORE_FOLDED_H
#define STORE_FOLDED_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

enum { FOLDED_MAX_BYTES = 8 << 20 }; // of one text

// Appends text as one line.
void folded_put(struct buf *out, const char *text, size_t len);

// Turns member `key` of each row into one line. Returns false when out of
// memory, and, without filling err, if rows is NULL.
bool folded_rows(json_t *rows, const char *key, struct err *err);

#endif
