#include "dispatch/heap.h"

#include <assert.h>
#include <stddef.h>

// Merges two trees into one; either may be NULL.
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (b->key < a->key) {
        struct heap_node *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next != NULL)
        b->next->prev = b;
    a->child = b;
    return a;
}

// Cuts the tree at `node` off from its siblings.
static struct heap_node *alone(struct heap_node *node)
{
    node->next = NULL;
    node->prev = NULL;
    return node;
}

// Merges siblings in two passes: pairs from the left, kept as a stack through
// `next`, then all pairs from the right.
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL;
    struct heap_node *all = NULL;

    while (first != NULL) {
        struct heap_node *a = first;
        struct heap_node *b = a->next;
        first = b != NULL ? b->next : NULL;
        struct heap_node *pair = meld(alone(a), b != NULL ? alone(b) : NULL);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        struct heap_node *rest = pairs->next;
        all = meld(all, alone(pairs));
        pairs = rest;
    }
    return all;
}

void heap_add(struct heap *heap, struct heap_node *node, int64_t key)
{
    *node = (struct heap_node){.key = key};
    heap->root = meld(heap->root, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    struct heap_node *under = meld_siblings(node->child);

    if (node == heap->root) {
        heap->root = under;
    } else {
        assert(node->prev != NULL);
        if (node->prev->child == node)
            node->prev->child = node->next;
        else
            node->prev->next = node->next;
        if (node->next != NULL)
            node->next->prev = node->prev;
        heap->root = meld(heap->root, under);
    }
    *node = (struct heap_node){.key = node->key};
}
