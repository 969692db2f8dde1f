// given: field=value words of the command line, as typed values.

#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "program/graph/program.h"

// words[0..n) as an object, in the order of fields. A text field takes the
// word as it is, another one as JSON. Unknown names are ERR_INPUT with the
// nearest right one. New reference.
json_t *given_values(const struct field *fields, size_t n_fields,
                     const char *const *words, size_t n, struct err *err);

// The first input that a program cannot do without; NULL: there is none.
const struct field *given_needed(const struct field *fields, size_t n_fields);

// Appends " name=VALUE" for each of them: what to write in their place.
void given_put_needed(const struct field *fields, size_t n_fields,
                      struct buf *out);

#endif
