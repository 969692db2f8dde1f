// type: what a field may hold, as the job file says it.
//
// Types: str, int, float, bool, enum, list of a type, object of named fields;
// each may be optional (then null is a value). A value is a json_t. Whether a
// value is of a type says type_check.h; how a type stands in prompts, schemas
// and files, type_form.h.

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

// The first four, by the names that job files have for them.
enum { TYPE_SCALARS = TYPE_BOOL + 1 };
extern const char *const type_scalar_names[TYPE_SCALARS];

struct field;
struct pattern; // a compiled PCRE2 expression with a match limit

struct type {
    enum type_kind kind;
    bool optional;
    bool has_min, has_max; // of numbers
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
    const char *desc; // "" when the job gives none
    const char *from; // the key, or path, that rows have it under; NULL: name
    struct type type;
    json_t *otherwise; // owned: the default of an input, or NULL
    struct place place;
};

enum { TYPE_MAX_LABELS = 1000 };

// Reads {desc, from, type, enum, list, object, optional, min, max, min_length,
// max_length, pattern, default} into out; a null is a plain str, a text a
// type's name. False with findings; out is to be released in any case.
bool field_parse(struct arena *arena, const char *name, const struct node *node,
                 struct field *out, struct diags *diags);
void field_release(struct field *field); // what the arena does not own

// A copy that shares nothing with `from`; texts and parts go to arena. The key
// under which rows have it (`from` of the field) is not copied: copies are for
// prompts. On failure (no memory) there is nothing to release in out.
bool field_copy(struct arena *arena, const struct field *from,
                struct field *out, struct err *err);

#endif
