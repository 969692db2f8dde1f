// given: field=value words of the command line, as typed values.

#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include <jansson.h>

#include "common/err.h"
#include "program/graph/program.h"

// words[0..n) as an object, in the order of fields. A text field takes the
// word as it is, another one as JSON. Unknown names are ERR_INPUT with the
// nearest right one. New reference.
json_t *given_values(const struct field *fields, size_t n_fields,
                     const char *const *words, size_t n, struct err *err);

#endif
