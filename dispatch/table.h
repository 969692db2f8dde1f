// table: finds things by number. A hash table with its links embedded in them.
//
// Only table_reserve allocates; after it, adding cannot fail. The table owns
// its buckets but not what it lists.

#ifndef DISPATCH_TABLE_H
#define DISPATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next; // in the same bucket
    int64_t key;
};

struct table {
    struct table_node **buckets; // owned; NULL until the first reserve
    size_t n_buckets;            // a power of two, or 0
    size_t count;
};

void table_release(struct table *table);

// Makes room for `more` nodes in addition to the present ones, by doubling.
// Returns false, changing nothing, when out of memory.
bool table_reserve(struct table *table, size_t more);

// Needs a table_reserve before. No node with this key may be listed.
void table_add(struct table *table, struct table_node *node, int64_t key);

// The node must be listed.
void table_remove(struct table *table, struct table_node *node);

// Returns NULL if no node has the key.
struct table_node *table_find(const struct table *table, int64_t key);

// Iterates over all nodes, in no useful order: pass NULL to start; NULL is
// returned at the end. A node may be removed once its successor was asked for.
struct table_node *table_next(const struct table *table,
                              const struct table_node *node);

#endif
