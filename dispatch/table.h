// table: finds things by a number. A hash table whose links live in them.
//
// The one thing that allocates is table_reserve: after it, adding cannot fail.
// The table owns its buckets, never what it lists.

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

// Room for `more` nodes in addition to those it has. False without memory, and
// then the table is as it was. Grows by doubling.
bool table_reserve(struct table *table, size_t more);

// After a reserve. No node with this key may be listed.
void table_add(struct table *table, struct table_node *node, int64_t key);

// The node must be listed.
void table_remove(struct table *table, struct table_node *node);

// NULL where no node has the key.
struct table_node *table_find(const struct table *table, int64_t key);

// All nodes, in no useful order: NULL starts, NULL ends. The node that was
// returned may be removed once its successor was asked for.
struct table_node *table_next(const struct table *table,
                              const struct table_node *node);

#endif
