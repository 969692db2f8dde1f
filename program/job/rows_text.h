// rows_text: the part of a data file's text that its reader needs at the
// moment.
//
// Bytes in memory are available as a whole. A stream is available as far as it
// has been read: JSON lines ask for one line at a time, tables for a window
// that contains the next record, and a reader that must see the end asks for
// everything. Readers drop what they no longer need, so a stream may have any
// length. encoding.h turns bytes into text; input that has to be converted is
// read whole.

#ifndef PROGRAM_JOB_ROWS_TEXT_H
#define PROGRAM_JOB_ROWS_TEXT_H

#include "common/buf.h"
#include "program/job/rows.h"

enum { ROWS_AHEAD_BYTES = 1 << 16 };

// data and len change with every call that reads or drops.
struct rows_text {
    FILE *stream;       // borrowed; NULL: all bytes were in memory
    struct buf bytes;   // raw bytes of a stream; owned
    struct buf decoded; // converted from another encoding; owned
    char *ahead;        // read from the stream but not yet in bytes; owned
    size_t ahead_at;    // the next byte of it to use
    size_t ahead_len;
    const char *data; // the text: in one of these buffers, or in the input
    size_t len;
    bool ended; // the stream has no more
};

// Reads enough to recognize the file's format: everything, or for a stream its
// first line that is not blank. *at is where the text begins, after a byte
// order mark. Must be released in any case.
bool rows_text_open(struct rows_text *text, const struct rows_input *input,
                    size_t *at, struct err *err);
void rows_text_release(struct rows_text *text);

// Reads one more line, including its end. What exceeds the size limit of a row
// is left out; the row is then one byte too long, and rejected as such.
bool rows_text_line(struct rows_text *text, struct err *err);

// Reads until there are `most` bytes or the input ends.
bool rows_text_fill(struct rows_text *text, size_t most, struct err *err);
bool rows_text_whole(struct rows_text *text, struct err *err);

// Returns true if the line after the first `at` bytes has not arrived yet, so
// that reading it would block until it is written.
bool rows_text_would_block(const struct rows_text *text, size_t at);

// Drops the first n bytes.
void rows_text_drop(struct rows_text *text, size_t n);

// Skips the rest of a line that was too long for a row, up to its end, which
// the reader of a table then skips as an empty line.
void rows_text_skip_line(struct rows_text *text);

#endif
