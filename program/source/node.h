// node: a value of a job file and the values inside it: a tree with places.
//
// yaml.h makes the tree from a text, and all readers of job files work on it. A
// reader asks for a value of a certain kind (node_int, ...). If the value is of
// another kind, the user is told what was expected, what was found, and where.
// The whole tree is allocated in one arena.

#ifndef PROGRAM_SOURCE_NODE_H
#define PROGRAM_SOURCE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/arena.h"
#include "program/source/diag.h"

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool quoted; // a scalar in quotes is always a text
    struct place place;
    const char *text; // scalar
    // If a comment follows a plain scalar and does not begin with a blank, its
    // beginning: it may be meant as part of the text, as in `Choose #1 or #2`.
    // Otherwise NULL.
    const char *hashed;
    struct node **items;
    const char **keys; // map only
    struct place *key_places;
    size_t n; // items
};

// --- the tree ---

// Returns the member of a map by key; NULL if it is missing or node is not a
// map.
struct node *node_find(const struct node *map, const char *key);

// Returns the place of the key in the map; NULL if it is missing.
const struct place *node_key_place(const struct node *map, const char *key);

// Append to a list or a map; key and nodes are borrowed from the arena. They
// return false when out of memory.
bool node_add_item(struct arena *arena, struct node *list, struct node *item);
bool node_add_member(struct arena *arena, struct node *map, const char *key,
                     const struct place *place, struct node *item);

// Puts value at KEY and creates maps on the way. KEY is dotted
// (optimizer.miprov2.auto); list items go by their number. Returns false with a
// finding if this is not possible.
bool node_put(struct arena *arena, struct node *root, const char *key,
              struct node *value, struct diags *diags);

// --- values (node_value.c) ---

// Read scalars and check them. On a wrong kind they add a finding that says
// what was expected and return false. `what` names the value in the finding.
bool node_text(const struct node *node, const char *what, const char **out,
               struct diags *diags);
// Like node_text, for a sentence: warns if a comment may have cut it short.
bool node_sentence(const struct node *node, const char *what, const char **out,
                   struct diags *diags);
bool node_int(const struct node *node, const char *what, int64_t min,
              int64_t max, int64_t *out, struct diags *diags);
bool node_number(const struct node *node, const char *what, double min,
                 double max, double *out, struct diags *diags);
bool node_bool(const struct node *node, const char *what, bool *out,
               struct diags *diags);
// Reads one of `names`, a NULL-terminated list, and gives its index.
bool node_choice(const struct node *node, const char *what,
                 const char *const *names, size_t *out, struct diags *diags);

// Adds a finding for each key of map that is not among names, and suggests the
// nearest valid one. `where` names the map ("a step").
void node_only_keys(const struct node *map, const char *where,
                    const char *const *names, size_t n, struct diags *diags);

// Returns the node as JSON: plain scalars get their YAML 1.2 core type, quoted
// ones are texts. New reference; NULL when out of memory.
json_t *node_json(const struct node *node);

#endif
