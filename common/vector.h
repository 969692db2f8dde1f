// vector: an embedding as text, the form in which it is sent, stored and
// replayed.
//
// Every answer is a text wherever it passes (call.h), so an embedding is one
// too: base64 of its numbers as little-endian 32-bit floats, which servers with
// OpenAI's API call `"encoding_format": "base64"`. 384 numbers take 2,048
// characters; as decimals they would take four times as many.
//
// The texts come from other machines, so they are checked: at most VECTOR_MAX
// numbers, all of them finite, and not all 0, because a zero vector has no
// direction and nothing is near it.

#ifndef COMMON_VECTOR_H
#define COMMON_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

enum { VECTOR_MAX = 8192 }; // numbers; the widest models have 4,096

// Appends n numbers as text. Fails with ERR_PROTOCOL if they break one of the
// rules above.
bool vector_write(const double *numbers, size_t n, struct buf *out,
                  struct err *err);

// Reads the text back: *n numbers into out. Fails with ERR_PROTOCOL if the text
// is not such a vector.
bool vector_read(const char *text, size_t len, float out[VECTOR_MAX], size_t *n,
                 struct err *err);

#endif
