// type_form: types, and values of them, as others are to read them.
//
// A model reads words (type_describe), a server that enforces the form of a
// reply a JSON schema, a compiled file what the job file said. The words and
// the schema are part of prompts: to change them is to change what was asked.

#ifndef PROGRAM_GRAPH_TYPE_FORM_H
#define PROGRAM_GRAPH_TYPE_FORM_H

#include <jansson.h>

#include "common/buf.h"
#include "program/graph/type.h"

// For prompts and descriptions: "one of: a; b; c", "float, 0 to 1", "list of
// str, at most 5 items". Nothing for a plain str.
void type_describe(const struct type *type, struct buf *out);

// As a JSON schema, limits included (new reference).
json_t *type_schema(const struct type *type);

// As the job file writes it, canonical; the field with its description
// (new reference).
json_t *field_json(const struct field *field);

// {NAME: field} of n of them, in their order. A new reference; NULL without
// memory.
json_t *fields_json(const struct field *fields, size_t n);

// How a value stands in a prompt: text as it is, other values as JSON.
void value_put(const json_t *value, struct buf *out);

#endif
