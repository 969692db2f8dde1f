// csv: a list of JSON objects as comma-separated values.

#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <jansson.h>

#include "common/buf.h"

// Appends a line of names and then one line per row, as RFC 4180 says but with
// the system's line ends. null becomes an empty value.
void csv_put(const json_t *names, const json_t *rows, struct buf *out);

#endif
