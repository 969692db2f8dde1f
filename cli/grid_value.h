// grid_value: one JSON value of a grid as text.

#ifndef CLI_GRID_VALUE_H
#define CLI_GRID_VALUE_H

#include "cli/grid.h"

// Appends the value as a column of that kind shows it; "-" for a missing one.
// It may have line ends, and anything else that a text may contain.
void grid_value_put(enum grid_kind kind, const json_t *value, struct buf *out);

#endif
