#include "program/source/node.h"

#include <stdlib.h>
#include <string.h>

// Makes room for one more in the arrays of a list or map. Their capacity is n
// rounded up to a power of two, so n alone shows when they are full.
static bool make_room(struct arena *arena, struct node *node)
{
    bool map = node->kind == NODE_MAP;
    size_t n = node->n;

    if ((n & (n - 1)) != 0)
        return true;
    size_t cap = n == 0 ? 1 : 2 * n;
    struct node **items = arena_array(arena, cap, sizeof *items);
    const char **keys = map ? arena_array(arena, cap, sizeof *keys) : NULL;
    struct place *places = map ? arena_array(arena, cap, sizeof *places) : NULL;
    if (items == NULL || (map && (keys == NULL || places == NULL)))
        return false;
    if (n > 0) {
        memcpy(items, node->items, n * sizeof *items);
        if (map) {
            memcpy(keys, node->keys, n * sizeof *keys);
            memcpy(places, node->key_places, n * sizeof *places);
        }
    }
    node->items = items;
    node->keys = keys;
    node->key_places = places;
    return true;
}

bool node_add_item(struct arena *arena, struct node *list, struct node *item)
{
    if (!make_room(arena, list))
        return false;
    list->items[list->n++] = item;
    return true;
}

bool node_add_member(struct arena *arena, struct node *map, const char *key,
                     const struct place *place, struct node *item)
{
    if (!make_room(arena, map))
        return false;
    map->keys[map->n] = key;
    map->key_places[map->n] = *place;
    map->items[map->n++] = item;
    return true;
}

const struct place *node_key_place(const struct node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->keys[i], key) == 0)
            return &map->key_places[i];
    }
    return NULL;
}

struct node *node_find(const struct node *map, const char *key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->keys[i], key) == 0)
            return map->items[i];
    }
    return NULL;
}

// Turns node into a map, unless it is one, so that `part` can be looked up in
// it. Returns false if it cannot be a map.
static bool make_container(struct arena *arena, struct node *node,
                           const char *part)
{
    bool alone = node->kind == NODE_SCALAR && strcmp(node->text, part) == 0;
    struct node *nothing = NULL;

    if (node->kind == NODE_MAP)
        return true;
    if (node->kind != NODE_NULL && !alone)
        return false;
    if (alone) { // NAME alone is short for {NAME: }
        nothing = arena_alloc(arena, sizeof *nothing);
        if (nothing == NULL)
            return false;
        *nothing = (struct node){.place = node->place, .text = ""};
    }
    node->kind = NODE_MAP;
    node->n = 0;
    return !alone || node_add_member(arena, node, part, &node->place, nothing);
}

// Returns the slot of a part of the key: a list item by its number, or a
// member, which is created if missing. Returns NULL if there can be none.
static struct node **find_slot(struct arena *arena, struct node *node,
                               const char *part, const struct place *place)
{
    if (node->kind == NODE_LIST) {
        char *end = NULL;
        unsigned long at = strtoul(part, &end, 10);
        bool number = part[0] >= '0' && part[0] <= '9' && *end == '\0';
        return number && at < node->n ? &node->items[at] : NULL;
    }
    if (!make_container(arena, node, part))
        return NULL;
    for (size_t i = 0; i < node->n; i++) {
        if (strcmp(node->keys[i], part) == 0)
            return &node->items[i];
    }
    struct node *item = arena_alloc(arena, sizeof *item);
    if (item == NULL)
        return NULL;
    *item = (struct node){.place = *place, .text = ""};
    if (!node_add_member(arena, node, part, place, item))
        return NULL;
    return &node->items[node->n - 1];
}

bool node_put(struct arena *arena, struct node *root, const char *key,
              struct node *value, struct diags *diags)
{
    struct node **slot = &root;
    const char *at = key;

    for (;;) {
        size_t len = strcspn(at, ".");
        const char *part = arena_strndup(arena, at, len);
        if (part == NULL) {
            diags->nomem = true;
            return false;
        }
        slot = len == 0 ? NULL : find_slot(arena, *slot, part, &value->place);
        if (slot == NULL) {
            diag_add(diags, DIAG_ERROR, "bad-key", &value->place,
                     "there is no place for `%s` in the job file: `%.*s` is "
                     "not a map that could hold `%s`",
                     key, (int)(at > key ? at - key - 1 : 0), key, part);
            return false;
        }
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    *slot = value;
    return true;
}
