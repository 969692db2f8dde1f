// sim_field: one field of a prompt: its name, its type, and its allowed values.
//
// A type is read as a model would read it: from its words ("int, 1 to 5", "one
// of: a; b", "Literal['a', 'b']"), from the description if the type says
// nothing, or from a JSON schema, which has the last word.
//
// All text is untrusted: counts are capped, and anything beyond them is not
// read.

#ifndef SIMULATED_SIM_FIELD_H
#define SIMULATED_SIM_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/arena.h"

#include "simulated/sim_span.h"

enum {
    SIM_FIELDS_MAX = 32, // in one direction
    SIM_LABELS_MAX = 256,
};

enum sim_kind {
    SIM_TEXT,
    SIM_LABEL,
    SIM_INT,
    SIM_FLOAT,
    SIM_BOOL,
    SIM_LIST,
    SIM_OBJECT,
};

// One field as the prompt describes it. Strings live in the prompt's arena.
struct sim_field {
    const char *name;
    const char *type; // as written, or ""
    const char *desc; // or ""
    enum sim_kind kind;
    const char **labels; // SIM_LABEL: the allowed values
    size_t n_labels;
    bool has_min;
    bool has_max;
    double min;
    double max;
    const json_t *schema; // borrowed from the request, or NULL
};

// Return the field of that name, or its index; NULL or n if there is none.
struct sim_field *sim_field_find(struct sim_field *fields, size_t n,
                                 struct sim_span name);
size_t sim_field_index(const struct sim_field *fields, size_t n,
                       struct sim_span name);

// Returns the field of that name, and adds it if it is missing. Returns NULL if
// there are SIM_FIELDS_MAX already, or when out of memory.
struct sim_field *sim_field_add(struct arena *arena, struct sim_field *fields,
                                size_t *n, struct sim_span name);

// Adds the field that a line such as "1. `name` (type): description" describes;
// the bullet or number is optional. Returns false if the line is not such a
// line.
bool sim_field_line(struct arena *arena, struct sim_span line,
                    struct sim_field *fields, size_t *n);

// Fills in the kind, labels and limits that a field's type and description
// name.
void sim_field_type(struct arena *arena, struct sim_field *field);

// Reads labels from a text such as "one of: a; b; c", "one of a, b or c", or
// "Literal['a', 'b']".
void sim_field_labels(struct arena *arena, struct sim_field *field,
                      struct sim_span text);

// Fills in what the JSON schema of the field's value says; the schema is
// borrowed.
void sim_field_schema(struct arena *arena, struct sim_field *field,
                      const json_t *schema);
enum sim_kind sim_field_schema_kind(const json_t *schema);

// Returns the nearest value that the field's limits allow.
double sim_field_limit(const struct sim_field *field, double value);

#endif
