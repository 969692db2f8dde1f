// grid: a list of JSON objects for people: as a table, or a value a line.
//
// On a terminal a table is made to fit: texts wrap between words, and columns
// for which there is no room come under each row, with their titles: first
// those of texts, then the others, each time the last. So the first columns are
// those that matter most, and the very first stays. Nothing is left out and
// nothing is ever cut, so an id can be copied. Elsewhere (a file, a pipe) every
// row is one line.

#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <jansson.h>

#include "cli/terminal.h"
#include "common/buf.h"

enum grid_kind {
    GRID_TEXT,
    GRID_NUMBER,  // as it is, to the right
    GRID_COUNT,   // 1,234
    GRID_PERCENT, // of a fraction
    GRID_PARTS,   // an object of numbers: "classify 3, respond 0"
    GRID_VALUES,  // the same of any values; no column where no row has one
    GRID_LIST,    // a list of texts
    GRID_TIME,    // an ISO time in UTC, shown in local time
};

struct grid_column {
    const char *title;
    const char *key;
    enum grid_kind kind;
    bool wraps; // a text of several words, not an id or a number
};

enum { GRID_MAX_COLUMNS = 2000 }; // as many as SQLite gives

// A missing member or null is "-". An empty list gives the titles alone.
void grid_put(const struct terminal *terminal,
              const struct grid_column *columns, size_t n, const json_t *rows,
              struct buf *out);

// For `query`, whose columns are those of the SQL: names lists them. A table
// where one fits, else one value per line.
void grid_put_any(const struct terminal *terminal, const json_t *names,
                  const json_t *rows, struct buf *out);
void grid_put_vertical(const struct terminal *terminal, const json_t *names,
                       const json_t *rows, struct buf *out);

// RFC 4180 except for the line ends, which are those of the system: a line of
// names, then a line a row; null is empty.
void grid_put_csv(const json_t *names, const json_t *rows, struct buf *out);

#endif
