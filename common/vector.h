// vector: an embedding as text, which is how it is sent, stored and replayed.
//
// An answer is a text in every place that it passes (call.h), so an embedding
// is one as well: base64 of its numbers as little-endian 32-bit floats, which
// is what servers that speak OpenAI's API call `"encoding_format": "base64"`.
// 384 numbers are 2,048 characters; as decimals they would be four times that.
//
// Texts come from other machines, so they are read with care: VECTOR_MAX
// numbers at most, all of them finite, and not all of them 0, for such a vector
// has no direction and nothing is near to it.

#ifndef COMMON_VECTOR_H
#define COMMON_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

enum { VECTOR_MAX = 8192 }; // numbers; the widest models have 4,096

// Appends n numbers as text. ERR_PROTOCOL: they are none that may be kept.
bool vector_write(const double *numbers, size_t n, struct buf *out,
                  struct err *err);

// Reads them back: *n into out. ERR_PROTOCOL: the text is no such vector.
bool vector_read(const char *text, size_t len, float out[VECTOR_MAX], size_t *n,
                 struct err *err);

#endif
