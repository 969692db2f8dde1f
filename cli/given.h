// given: the field=value words of the command line, as typed values.

#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"

// Returns words[0..n) as an object, in the order of the fields; a new
// reference. The value of a text field is taken as it is, any other is read as
// JSON. An unknown name is ERR_INPUT, which names the nearest right one.
json_t *given_values(const struct field *fields, size_t n_fields,
                     const char *const *words, size_t n, struct err *err);

// Returns the first input that the program requires, or NULL if it requires
// none.
const struct field *given_needed(const struct field *fields, size_t n_fields);

// Appends " name=VALUE" for each required input, as a template for the user.
void given_put_needed(const struct field *fields, size_t n_fields,
                      struct buf *out);

#endif
