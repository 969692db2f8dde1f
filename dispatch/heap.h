// heap: finds what is due first.
//
// It is a pairing heap with its nodes embedded in what it orders. Adding is
// O(1) and allocates nothing, so it cannot fail; removing any node is O(log n)
// amortised. A binary heap in an array was rejected because it grows, and a
// clock tick has nobody to report an allocation failure to.
//
// The order of equal keys depends only on the sequence of operations.

#ifndef DISPATCH_HEAP_H
#define DISPATCH_HEAP_H

#include <stdint.h>

struct heap_node {
    int64_t key;
    struct heap_node *child; // the first child
    struct heap_node *next;  // sibling
    struct heap_node *prev;  // sibling, or a first child's parent
};

struct heap {
    struct heap_node *root; // the smallest key; NULL: empty
};

// The node must be in no heap.
void heap_add(struct heap *heap, struct heap_node *node, int64_t key);
// The node must be in this heap.
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
