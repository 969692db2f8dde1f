// rows: the examples in a data file, one after the other, whatever its form.
//
//   JSON lines    {"text": "a", "label": "b"}        one object a line
//   JSON          [{...}, {...}], or an object with such a list among
//                 other things, or objects over several lines each
//   a table       a head line that names the columns, then a record each;
//                 separated by commas, semicolons, tabs or bars
//
// The first character says which: a bracket is JSON, anything else a table
// unless the name ends in .json, .jsonl or .ndjson. Of a table the separator
// is the one under which the head line names most of the wanted columns. Bytes
// become text by encoding.h.
//
// A row is an object by the file's own keys; what they mean to a program is
// said in columns.h. JSON lines and tables may come from a stream of any
// length. JSON lines are read a line at a time, and a line is known as soon as
// it is there; tables some 9 MiB at a time. JSON over several lines, and what
// has to be converted to UTF-8, is read whole, up to ROWS_MAX_BYTES.
//
// Not thread-safe; one reader, from its beginning to its end.

#ifndef PROGRAM_JOB_ROWS_H
#define PROGRAM_JOB_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "common/err.h"
#include "program/source/diag.h"

enum {
    ROWS_MAX_ROW_BYTES = 4 << 20,
    ROWS_MAX_BYTES = 256 << 20, // of a stream that must be read whole
};

struct rows;

struct rows_input {
    const char *name; // of the file: for its ending and for messages
    const char *data; // the bytes, borrowed until rows_close; or
    size_t len;
    FILE *stream; // its descriptor is read, from where it stands to its end,
                  // and not closed
    // The keys (or paths) that somebody reads.
    const char *const *wanted;
    size_t n_wanted;
};

enum rows_step {
    ROWS_ROW,
    ROWS_BLANK,  // an empty line between JSON lines, a record without a value
    ROWS_BAD,    // this one cannot be read, the next may be
    ROWS_END,    // there are no more
    ROWS_FAILED, // nothing further can be read: no memory, or the disk's fault
};

// Looks at the beginning. NULL on failure: ERR_INPUT with the remedy.
struct rows *rows_open(const struct rows_input *input, struct err *err);
void rows_close(struct rows *rows); // NULL is fine

// The columns of a table, in order; NULL when the file is no table. A column
// without a name is "". If several columns have one name, the later ones are ""
// as well, unless somebody reads that name.
const char *const *rows_header(const struct rows *rows, size_t *n);

// The line that seems to be the head line of a table whose first line is a
// title: it names all wanted columns, and the first line none. 0: there is
// none.
int rows_head_below(const struct rows *rows);

// Reads the next row. ROWS_BAD and ROWS_FAILED fill err.
enum rows_step rows_next(struct rows *rows, struct err *err);

// Whether rows_next would have to wait until somebody writes the next row: of
// JSON lines from a pipe or a terminal. Half a line counts as one.
bool rows_waits(const struct rows *rows);

// The row that rows_next read, until the next call. Cells of a table are
// texts, null where a cell is empty and not in quotes. May be changed.
json_t *rows_fields(const struct rows *rows);
bool rows_is_table(const struct rows *rows);
int rows_line(const struct rows *rows); // where it begins, from 1

// The value of key in this row when it is one that JSON cannot hold (NaN, a
// number beyond 64 bits): its length, and its text in *token, borrowed. 0 for
// any other. In rows_fields it is null, or a text.
size_t rows_odd(const struct rows *rows, const char *key, const char **token);

// Line, column and width of the value of key in this row (NULL, or no such
// key: of the row, or of what makes it bad), and that line's text, borrowed.
void rows_place(const struct rows *rows, const char *key, struct place *out,
                const char **line, size_t *line_len);

#endif
