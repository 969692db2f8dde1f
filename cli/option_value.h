// option_value: which values an option can have, by the kind of its row.

#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

#include <stdbool.h>

#include "cli/option_table.h"

enum option_value_place {
    VALUE_NEVER,  // a flag
    VALUE_MAYBE,  // after `=`; a flag otherwise
    VALUE_ALWAYS, // after `=` or as the next word
};
enum option_value_place option_value_place(const struct option_row *row);

// Reads `text`. Returns false if it cannot be a value of this option. For a
// flag, no text is one.
bool option_value_take(const struct option_row *row, const char *text,
                       struct option_value *value);

// Returns true if the value is in the row's range.
bool option_value_in_range(const struct option_row *row,
                           const struct option_value *value);

enum { OPTION_WANTS_BYTES = 160 };

// Writes the word that `text` was probably meant to be to `out`. Returns false
// if none is near.
bool option_value_near(const struct option_row *row, const char *text,
                       char out[OPTION_WANTS_BYTES]);

// Describes the possible values, for words by listing them all: "auto, always
// or never". The result is static or points to `out`.
const char *option_value_wants(const struct option_row *row,
                               char out[OPTION_WANTS_BYTES]);

#endif
