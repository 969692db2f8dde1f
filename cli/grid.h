// grid: a list of JSON objects as a table that fits the terminal.

#ifndef CLI_GRID_H
#define CLI_GRID_H

#include <jansson.h>

#include "cli/terminal.h"
#include "common/buf.h"

enum grid_kind {
    GRID_TEXT,
    GRID_COUNT,   // 1,234
    GRID_PERCENT, // of a fraction
    GRID_PARTS,   // an object of numbers: "classify 3, respond 0"
    GRID_LIST,    // a list of texts
    GRID_TIME,    // an ISO time, to the second
};

struct grid_column {
    const char *title;
    const char *key;
    enum grid_kind kind;
    bool shrinks; // may be cut where the terminal is too narrow
};

enum { GRID_MAX_COLUMNS = 32 };

// A missing member or null is "-". An empty list gives the titles alone.
void grid_put(const struct terminal *terminal,
              const struct grid_column *columns, size_t n, const json_t *rows,
              struct buf *out);

// Columns by the members of the first row, all of them texts; for `query`.
void grid_put_any(const struct terminal *terminal, const json_t *columns,
                  const json_t *rows, struct buf *out);

#endif
