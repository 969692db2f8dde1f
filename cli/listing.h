// listing: a list of objects printed as JSON, as CSV, or as a table.

#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/grid.h"
#include "cli/options.h"

// Prints rows, which it takes, or err when rows is NULL. `empty` is printed
// instead of a table that would have no rows.
int listing_print(const struct options *options, json_t *rows,
                  const struct grid_column *columns, size_t n,
                  const char *empty, const struct err *err);

// The rows as CSV: all that any of them says, and not only what a table has
// room for.
int listing_print_csv(const struct grid_column *columns, size_t n,
                      const json_t *rows);

#endif
