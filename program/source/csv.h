// csv: tables as text, one record after the other (RFC 4180).
//
// One character separates the cells, usually a comma; a cell in double quotes
// may hold that character, line ends and quotes (doubled), and have blanks
// around it. Records end with LF or CRLF; empty lines are skipped. No
// backslashes.
//
// Most programs that write tabs between cells quote nothing. With tabs, a cell
// is in quotes only if its closing quote is on the same line and ends the cell;
// any other quote is an ordinary character.

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
    size_t at;      // where it stands in the record, in bytes from `first`
    size_t raw_len; // as it stands there, quotes included
};

struct csv {
    const char *text; // borrowed
    size_t len;
    char separator; // the character between cells
    size_t at;
    int next_line;
    size_t columns;                 // of the first record; 0 before it is read
    size_t starts[CSV_MAX_COLUMNS]; // of the cells, in bytes
    struct buf bytes;               // of the record, a NUL after each cell
    // The record that csv_next read, until the next call.
    struct csv_cell cells[CSV_MAX_COLUMNS];
    size_t n;
    int line;          // where it begins, from 1
    const char *first; // its first line in text, as it stands
    size_t first_len;
    size_t raw_len; // of all its lines, from `first` on
};

// text is borrowed and must outlive csv. About 100 KB: to be allocated.
void csv_init(struct csv *csv, const char *text, size_t len, char separator);
void csv_release(struct csv *csv);

// Goes on in another text, which begins where the next record does.
void csv_move(struct csv *csv, const char *text, size_t len);

// Reads the next record; *more is false at the end. False on a malformed one
// (ERR_INPUT), of which line and first are set all the same; the next call
// goes on with the line after it. ERR_NOMEM is final.
bool csv_next(struct csv *csv, bool *more, struct err *err);

#endif
