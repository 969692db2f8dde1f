// encoding: turns the bytes of a user's file into UTF-8 text.
//
// A byte order mark is dropped. UTF-16 and UTF-32 are converted; they are
// recognized by their byte order mark, UTF-16 also by the zero bytes between
// Latin letters. Data that is not text at all (a zip, a Parquet file, a
// program) is rejected by its first bytes, with advice. Whether the rest is
// valid UTF-8 is left to the reader of the rows, which can name the line.

#ifndef PROGRAM_SOURCE_ENCODING_H
#define PROGRAM_SOURCE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

// This many bytes are enough to recognize how a file begins.
enum { ENCODING_HEAD_BYTES = 8 };

// Returns true if encoding_decode would convert a file that begins like this;
// the whole file is then needed before its first line can be read.
bool encoding_is_wide(const char *head, size_t len);

// Sets *text to the UTF-8 text of data. It is part of data, or of `spare`,
// which is filled if data had to be converted. ERR_INPUT if data is not text;
// `remedy` is then what to do, unless the file only has to be unpacked. NULL
// gives advice on how to write such a file as rows.
bool encoding_decode(const char *data, size_t len, struct buf *spare,
                     const char **text, size_t *text_len, const char *remedy,
                     struct err *err);

#endif
