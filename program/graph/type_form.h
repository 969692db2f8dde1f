// type_form: how types and their values are written for others to read.
//
// A model reads words (type_describe), a server that enforces the form of a
// reply reads a JSON schema, and a compiled file repeats what the job file
// said. The words and the schema are part of prompts: changing them changes
// what was asked.

#ifndef PROGRAM_GRAPH_TYPE_FORM_H
#define PROGRAM_GRAPH_TYPE_FORM_H

#include <jansson.h>

#include "common/buf.h"
#include "program/graph/type.h"

// Describes the type for prompts: "one of: a; b; c", "float, 0 to 1", "list of
// str, at most 5 items". Appends nothing for a plain str.
void type_describe(const struct type *type, struct buf *out);

// Returns the type as a JSON schema, including limits. New reference.
json_t *type_schema(const struct type *type);

// Returns the field in canonical form, as a job file writes it, with its
// description. New reference.
json_t *field_json(const struct field *field);

// Returns {NAME: field} for n fields, in their order. New reference; NULL when
// out of memory.
json_t *fields_json(const struct field *fields, size_t n);

// Appends a value as it appears in a prompt: text as it is, other values as
// JSON.
void value_put(const json_t *value, struct buf *out);

#endif
