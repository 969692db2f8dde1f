// listing: prints a list of objects as JSON, as CSV, or as a table.

#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include "cli/grid.h"
#include "cli/options.h"

// Prints `rows`, which it takes, or err if rows is NULL. `empty` is printed in
// place of a table without rows.
int listing_print(const struct options *options, json_t *rows,
                  const struct grid_column *columns, size_t n,
                  const char *empty, const struct err *err);

// Prints the rows as CSV, with every member that any row has, not only those
// that fit into a table.
int listing_print_csv(const struct grid_column *columns, size_t n,
                      const json_t *rows);

#endif
