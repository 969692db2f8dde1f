// heap: what is due first. A pairing heap whose nodes live in what is ordered.
//
// Adding is O(1) and allocates nothing, so it cannot fail; removing any node
// is O(log n) amortised. A binary heap in an array was rejected: it grows, and
// a clock tick has nobody to tell that there is no memory.
//
// Equal keys come out in an order that depends on the operations alone.

#ifndef DISPATCH_HEAP_H
#define DISPATCH_HEAP_H

#include <stdint.h>

struct heap_node {
    int64_t key;
    struct heap_node *child; // the first one
    struct heap_node *next;  // sibling
    struct heap_node *prev;  // sibling, or the parent of a first child
};

struct heap {
    struct heap_node *root; // NULL: empty. Also the smallest key
};

// node is in no heap.
void heap_add(struct heap *heap, struct heap_node *node, int64_t key);
// node is in this heap.
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
