// csv: reads a table from text, one record after the other (RFC 4180).
//
// One character separates the cells, usually a comma. A cell in double quotes
// may contain that character, line ends and quotes (doubled), and may have
// blanks around it. Records end with LF or CRLF; empty lines are skipped. There
// are no backslash escapes.
//
// Most programs that write tab-separated files quote nothing. With tabs, a cell
// counts as quoted only if its closing quote is on the same line and ends the
// cell; any other quote is an ordinary character.

#ifndef PROGRAM_SOURCE_CSV_H
#define PROGRAM_SOURCE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

enum { CSV_MAX_COLUMNS = 2048, CSV_MAX_RECORD_BYTES = 4 << 20 };

struct csv_cell {
    const char *text; // NUL-terminated
    size_t len;
    bool quoted;
    size_t at;      // offset in the record, in bytes from `first`
    size_t raw_len; // length there, including quotes
};

struct csv {
    const char *text; // borrowed
    size_t len;
    char separator; // the character between cells
    size_t at;
    int next_line;
    size_t columns;                 // of the first record; 0 before it is read
    size_t starts[CSV_MAX_COLUMNS]; // of the cells, in bytes
    struct buf bytes;               // of the record, with a NUL after each cell
    // The record that csv_next read; valid until the next call.
    struct csv_cell cells[CSV_MAX_COLUMNS];
    size_t n;
    int line;          // where it begins, from 1
    const char *first; // its first line in text, unchanged
    size_t first_len;
    size_t raw_len; // of all its lines, from `first` on
};

// text is borrowed and must outlive csv. The struct has about 100 KB, so put it
// on the heap.
void csv_init(struct csv *csv, const char *text, size_t len, char separator);
void csv_release(struct csv *csv);

// Continues in another text, which must start with the next record.
void csv_move(struct csv *csv, const char *text, size_t len);

// Reads the next record; *more is false at the end. Returns false on a
// malformed record (ERR_INPUT). In that case `line` and `first` are set anyway,
// and the next call continues with the line after it. ERR_NOMEM is final.
bool csv_next(struct csv *csv, bool *more, struct err *err);

#endif
