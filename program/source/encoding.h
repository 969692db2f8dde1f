// encoding: the bytes of a data file as UTF-8 text.
//
// A byte order mark is dropped. UTF-16 and UTF-32 are converted: they are known
// by their mark, UTF-16 also by the zero bytes between Latin letters. What is
// no text at all (a zip, a Parquet file) is refused by its first bytes, with
// what to do. Whether the rest is good UTF-8 is for the reader of the rows,
// which can name the line.

#ifndef PROGRAM_SOURCE_ENCODING_H
#define PROGRAM_SOURCE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

// Bytes that are enough to know how a file begins.
enum { ENCODING_HEAD_BYTES = 8 };

// True for a beginning that encoding_decode would convert, so that the whole
// file is needed before its first line can be read.
bool encoding_is_wide(const char *head, size_t len);

// Sets *text to the UTF-8 text of data: a part of data, or of spare, which is
// filled when it had to be converted. ERR_INPUT with the remedy when data is
// no text.
bool encoding_decode(const char *data, size_t len, struct buf *spare,
                     const char **text, size_t *text_len, struct err *err);

#endif
