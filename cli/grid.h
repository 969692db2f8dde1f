// grid: a list of JSON objects for people, as a table or with one value per
// line.
//
// On a terminal, a table is made to fit: texts wrap between words, and columns
// that do not fit move below each row, with their titles. Text columns move
// first, then the others, the last column first each time. So the columns that
// matter most come first, and the very first one always stays. Nothing is ever
// left out or cut, so an id can be copied. In a file or a pipe, every row is
// one line.

#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <jansson.h>

#include "cli/terminal.h"
#include "common/buf.h"

enum grid_kind {
    GRID_TEXT,
    GRID_NUMBER,  // as it is, right-aligned
    GRID_COUNT,   // 1,234
    GRID_PERCENT, // a fraction, shown as a percentage
    GRID_CHOICES, // which of several texts each step has, 0 being its own:
                  // {classify: 3, respond: 0} is "classify 3"
    GRID_VALUES,  // an object: "k 3, adapter "json""; no column if no row has
                  // one
    GRID_LIST,    // a list of texts
    GRID_TIME,    // an ISO time in UTC, shown in local time
};

struct grid_column {
    const char *title;
    const char *key;
    enum grid_kind kind;
    bool wraps; // a text of several words, not an id or a number
};

enum { GRID_MAX_COLUMNS = 2000 }; // SQLite's maximum

// Appends the table. A missing member or null is shown as "-". An empty list
// gives only the titles.
void grid_put(const struct terminal *terminal,
              const struct grid_column *columns, size_t n, const json_t *rows,
              struct buf *out);

// For `query`, whose columns come from the SQL; `names` lists them.
// grid_put_any appends a table if it fits, else one value per line.
void grid_put_any(const struct terminal *terminal, const json_t *names,
                  const json_t *rows, struct buf *out);
void grid_put_vertical(const struct terminal *terminal, const json_t *names,
                       const json_t *rows, struct buf *out);

#endif
