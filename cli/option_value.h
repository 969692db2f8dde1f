// option_value: what the value of an option can be, by the kind of its row.

#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

#include <stdbool.h>

#include "cli/option_table.h"

enum option_value_place {
    VALUE_NEVER,  // a flag
    VALUE_MAYBE,  // behind `=`; a flag otherwise
    VALUE_ALWAYS, // behind `=` or as the next word
};
enum option_value_place option_value_place(const struct option_row *row);

// Reads text. False when it cannot be a value; nothing is one of a flag.
bool option_value_take(const struct option_row *row, const char *text,
                       struct option_value *value);

// Whether value lies in the row's range.
bool option_value_in_range(const struct option_row *row,
                           const struct option_value *value);

enum { OPTION_WANTS_BYTES = 160 };

// The word that text was probably meant to be, in out; false: none is near.
bool option_value_near(const struct option_row *row, const char *text,
                       char out[OPTION_WANTS_BYTES]);

// What a value can be; of words all of them: "auto, always or never". Static,
// or in out.
const char *option_value_wants(const struct option_row *row,
                               char out[OPTION_WANTS_BYTES]);

#endif
