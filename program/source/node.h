// node: a value of a job file, and the values inside it: a tree with places.
//
// yaml.h makes it from a text; all readers of job files work on it. A reader
// asks for a value of a kind (node_int, ...), and where there is another the
// user is told what was expected, what was found, and where. Everything lives
// in one arena.

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
    // What a comment behind a plain scalar begins with, if it is no blank: then
    // it may be meant as a part of the text, as in `Choose #1 or #2`. Or NULL.
    const char *hashed;
    struct node **items;
    const char **keys; // map only
    struct place *key_places;
    size_t n; // items
};

// --- the tree ---

// Member of a map by key; NULL when missing or node is no map.
struct node *node_find(const struct node *map, const char *key);

// Where the key stands in the map; NULL when it is not there.
const struct place *node_key_place(const struct node *map, const char *key);

// Add at the end; key and nodes are borrowed from the arena. False without
// memory.
bool node_add_item(struct arena *arena, struct node *list, struct node *item);
bool node_add_member(struct arena *arena, struct node *map, const char *key,
                     const struct place *place, struct node *item);

// Puts value at KEY (dotted: optimizer.miprov2.auto; an item of a list by its
// number), making maps on the way. False with a finding when it cannot be.
bool node_put(struct arena *arena, struct node *root, const char *key,
              struct node *value, struct diags *diags);

// --- values (node_value.c) ---

// Scalars, checked: on a wrong kind they add a finding that says what was
// expected and return false. `what` names the value in it.
bool node_text(const struct node *node, const char *what, const char **out,
               struct diags *diags);
// The same for a sentence, with a warning where a comment may cut it short.
bool node_sentence(const struct node *node, const char *what, const char **out,
                   struct diags *diags);
bool node_int(const struct node *node, const char *what, int64_t min,
              int64_t max, int64_t *out, struct diags *diags);
bool node_number(const struct node *node, const char *what, double min,
                 double max, double *out, struct diags *diags);
bool node_bool(const struct node *node, const char *what, bool *out,
               struct diags *diags);
// One of names, a NULL-terminated list: its place there.
bool node_choice(const struct node *node, const char *what,
                 const char *const *names, size_t *out, struct diags *diags);

// A finding for each key of map that is not among names, with the nearest
// right one. `where` names the map ("a step").
void node_only_keys(const struct node *map, const char *where,
                    const char *const *names, size_t n, struct diags *diags);

// The node as JSON (new reference): plain scalars get their YAML 1.2 core
// type, quoted ones are texts. NULL without memory.
json_t *node_json(const struct node *node);

#endif
