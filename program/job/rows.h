// rows: reads the examples of a data file one after the other, whatever its
// format.
//
//   JSON lines    {"text": "a", "label": "b"}        one object per line
//   JSON          [{...}, {...}], or an object with such a list among
//                 other things, or objects over several lines each
//   a table       a head line that names the columns, then one record per
//                 row, separated by commas, semicolons, tabs or bars
//
// The first character tells them apart: a bracket means JSON, anything else a
// table, unless the name ends in .json, .jsonl or .ndjson. The separator of a
// table is the one that makes its head line name the most wanted columns.
// encoding.h turns bytes into text.
//
// A row is an object with the file's own keys; columns.h says what they mean to
// a program. JSON lines and tables may come from a stream of any length. JSON
// lines are read one line at a time, and a line is available as soon as it has
// arrived; tables are read some 9 MiB at a time. JSON over several lines, and
// anything that must be converted to UTF-8, is read whole, up to
// ROWS_MAX_BYTES.
//
// Not thread-safe. A file has one reader, which goes from start to end.

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
    ROWS_MAX_BYTES = 256 << 20, // for a stream that must be read whole
};

struct rows;

struct rows_input {
    const char *name; // of the file: for its extension and for messages
    const char *data; // the bytes, borrowed until rows_close; or
    size_t len;
    FILE *stream; // a stream: its descriptor is read from its current position
                  // to the end, and not closed
    // The keys (or paths) that are going to be read. If there are none, an
    // object is a wrapper of rows only if it is alone in the file.
    const char *const *wanted;
    size_t n_wanted;
};

enum rows_step {
    ROWS_ROW,
    ROWS_BLANK,  // an empty line in JSON lines, a record without values
    ROWS_BAD,    // this row cannot be read, but the next may be
    ROWS_END,    // there are no more rows
    ROWS_FAILED, // reading cannot continue: out of memory, or a disk error
};

// Examines the beginning of the input. Returns NULL on failure: ERR_INPUT with
// the remedy.
struct rows *rows_open(const struct rows_input *input, struct err *err);
void rows_close(struct rows *rows); // accepts NULL

// Returns the columns of a table, in order; NULL if the file is not a table. A
// column without a name is "". If several columns share a name, the later ones
// are "" as well, unless that name is wanted.
const char *const *rows_header(const struct rows *rows, size_t *n);

// If the first line of a table is a title, returns the line that seems to be
// the real head line: it names all wanted columns, and the first line names
// none. Returns 0 if there is no such line.
int rows_head_below(const struct rows *rows);

// Reads the next row. ROWS_BAD and ROWS_FAILED fill err.
enum rows_step rows_next(struct rows *rows, struct err *err);

// Returns true if rows_next would block until the next row is written; this
// applies to JSON lines from a pipe or a terminal. Half a line counts as a
// line.
bool rows_would_block(const struct rows *rows);

// Returns the row that rows_next read; valid until the next call. Cells of a
// table are texts, or null if a cell is empty and not quoted. The caller may
// change the object.
json_t *rows_fields(const struct rows *rows);
bool rows_is_table(const struct rows *rows);

// Returns true if the name has one of the endings, a NULL-terminated list.
bool rows_name_ends(const char *name, const char *const *endings);

int rows_line(const struct rows *rows); // where it begins, from 1

// If the value of key in this row is one that JSON cannot hold (NaN, a number
// beyond 64 bits), returns the length of its text, which *token points to
// (borrowed). Returns 0 for any other value. In rows_fields such a value is
// null, or a text.
size_t rows_raw_token(const struct rows *rows, const char *key,
                      const char **token);

// Gives line, column and width of the value of key in this row, and the text of
// that line, borrowed. If key is NULL or missing, gives the place of the row,
// or of what makes it bad.
void rows_place(const struct rows *rows, const char *key, struct place *out,
                const char **line, size_t *line_len);

#endif
