// type: what a field may hold, and whether a value does.
//
// A value is a json_t. Limits are enforced on data, on demos and on replies.
// Types: str, int, float, bool, enum, list of a type, object of named fields;
// each may be optional (then null is a value).

#ifndef PROGRAM_GRAPH_TYPE_H
#define PROGRAM_GRAPH_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buf.h"
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

// A copy that shares nothing with from; texts and parts go to arena. Where rows
// have it is not copied: the copy stands in a prompt. On
// failure (no memory) there is nothing to release in out.
bool field_copy(struct arena *arena, const struct field *from,
                struct field *out, struct err *err);

// True when value is of the type and within its limits; else err (ERR_INPUT)
// says why: "`confidence` is 5, above its maximum 1".
bool type_check(const struct type *type, const char *name, const json_t *value,
                struct err *err);

// For prompts and descriptions: "one of: a; b; c", "float, 0 to 1", "list of
// str, at most 5 items". Nothing for a plain str.
void type_describe(const struct type *type, struct buf *out);

// As DSPy writes it: str, int, Literal['a', 'b'], list[str].
void type_python(const struct type *type, struct buf *out);

// As a JSON schema, limits included (new reference).
json_t *type_schema(const struct type *type);

// As the job file writes it, canonical; the field with its description
// (new reference).
json_t *field_json(const struct field *field);

// How a value stands in a prompt: text as it is, other values as JSON.
void value_put(const json_t *value, struct buf *out);

#endif
