// type: what a field may hold, as written in the job file.
//
// Types: str, int, float, bool, enum, list of a type, object of named fields;
// each may be optional (then null is a value). A value is a json_t.
// type_check.h checks values against types; type_form.h says how a type appears
// in prompts, schemas and files.

#ifndef PROGRAM_GRAPH_TYPE_H
#define PROGRAM_GRAPH_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/err.h"
#include "program/source/node.h"

enum type_kind {
    TYPE_STR,
    TYPE_INT,
    TYPE_FLOAT,
    TYPE_BOOL,
    TYPE_ENUM,
    TYPE_LIST,
    TYPE_OBJECT,
};

// The first four, under their names in job files.
enum { TYPE_SCALARS = TYPE_BOOL + 1 };
extern const char *const type_scalar_names[TYPE_SCALARS];

struct field;
struct pattern; // a compiled PCRE2 expression with a match limit

struct type {
    enum type_kind kind;
    bool optional;
    bool has_min, has_max; // for numbers
    double min, max;
    int64_t min_length, max_length; // of str (characters) and list (items);
                                    // -1: none
    const char *pattern_text;       // NULL: none
    struct pattern *pattern;        // owned by the program
    const char **labels;            // enum
    size_t n_labels;
    struct type *item;     // list
    struct field *members; // object
    size_t n_members;
};

struct field {
    const char *name;
    const char *desc; // "" if the job gives none
    const char *from; // its key or path in the data; NULL: name
    struct type type;
    json_t *default_value; // the default of an input, or NULL; owned
    struct place place;
};

enum { TYPE_MAX_LABELS = 1000 };

// Reads {desc, from, type, enum, list, object, optional, min, max, min_length,
// max_length, pattern, default} into `out`. A null means a plain str; a text is
// the name of a type. Returns false with findings. `out` must be released in
// any case.
bool field_parse(struct arena *arena, const char *name, const struct node *node,
                 struct field *out, struct diags *diags);
void field_release(struct field *field); // frees what the arena does not own

// Makes a copy that shares nothing with `from`; texts and parts go to the
// arena. The field's data key (`from`) is not copied, because copies are for
// prompts. On failure (out of memory) there is nothing to release in `out`.
bool field_copy(struct arena *arena, const struct field *from,
                struct field *out, struct err *err);

#endif
