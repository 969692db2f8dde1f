// rows_text: as much of a data file's text as its reader needs by now.
//
// Of bytes that are there, the whole. Of a stream, what was read so far: JSON
// lines ask for a line at a time, tables for a window that has the next record,
// and whoever must see the end asks for the whole. What a reader is done with
// it drops, so a stream may have any length. Bytes become text by encoding.h;
// what has to be converted is read whole.

#ifndef PROGRAM_JOB_ROWS_TEXT_H
#define PROGRAM_JOB_ROWS_TEXT_H

#include "common/buf.h"
#include "program/job/rows.h"

enum { ROWS_AHEAD_BYTES = 1 << 16 };

// data and len change with every call that reads or drops.
struct rows_text {
    const char *name;   // of the file; borrowed, as stream
    FILE *stream;       // NULL: all bytes were there
    struct buf bytes;   // of a stream, as it came; owned
    struct buf decoded; // from another encoding; owned
    char *ahead;        // of a stream, read and not yet in bytes; owned
    size_t ahead_at;    // what of it comes next
    size_t ahead_len;
    const char *data; // the text: in one of these, or in the input
    size_t len;
    bool ended; // the stream has no more
};

// Reads what tells the file's form: all of it, or of a stream its first line
// that is not blank. *at is where the text begins, behind a mark. To be
// released in any case.
bool rows_text_open(struct rows_text *text, const struct rows_input *input,
                    size_t *at, struct err *err);
void rows_text_release(struct rows_text *text);

// Reads one line more, its end included. What passes a row's limit is left
// out; the row is then one byte too long, and refused as such.
bool rows_text_line(struct rows_text *text, struct err *err);

// Reads until there are `most` bytes, or no more.
bool rows_text_fill(struct rows_text *text, size_t most, struct err *err);
bool rows_text_whole(struct rows_text *text, struct err *err);

// Whether the line behind the first `at` bytes is not here yet: who asks for it
// would have to wait until somebody writes it.
bool rows_text_waits(const struct rows_text *text, size_t at);

// Drops the first n bytes.
void rows_text_drop(struct rows_text *text, size_t n);

// Skips what is left of a line that was too long for a row: up to its end,
// which the reader of a table then skips as an empty line.
void rows_text_skip_line(struct rows_text *text);

#endif
