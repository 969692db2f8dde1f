#include "dispatch/table.h"

#include <assert.h>
#include <stdlib.h>

enum { BUCKETS_MIN = 16 };

// Two rounds of shift and multiply, so that numbers assigned in order, or in
// steps, spread evenly. A single multiplication was tried and left long chains,
// because the low bits that the mask keeps are its weakest.
static size_t bucket_of(const struct table *table, int64_t key)
{
    uint64_t mixed = (uint64_t)key;

    mixed = (mixed ^ (mixed >> 32)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 29)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)(mixed ^ (mixed >> 32)) & (table->n_buckets - 1);
}

void table_release(struct table *table)
{
    free(table->buckets);
    *table = (struct table){0};
}

static void link_node(struct table *table, struct table_node *node)
{
    struct table_node **head = &table->buckets[bucket_of(table, node->key)];

    node->next = *head;
    *head = node;
}

bool table_reserve(struct table *table, size_t more)
{
    struct table old = *table;
    size_t want = old.n_buckets == 0 ? BUCKETS_MIN : old.n_buckets;

    while (want < old.count + more)
        want *= 2;
    if (want == old.n_buckets)
        return true;
    struct table_node **buckets = calloc(want, sizeof *buckets);
    if (buckets == NULL)
        return false;
    table->buckets = buckets;
    table->n_buckets = want;
    for (size_t i = 0; i < old.n_buckets; i++) {
        struct table_node *node = old.buckets[i];
        while (node != NULL) {
            struct table_node *next = node->next;
            link_node(table, node);
            node = next;
        }
    }
    free(old.buckets);
    return true;
}

void table_add(struct table *table, struct table_node *node, int64_t key)
{
    assert(table->n_buckets > 0);

    node->key = key;
    link_node(table, node);
    table->count++;
}

void table_remove(struct table *table, struct table_node *node)
{
    struct table_node **at = &table->buckets[bucket_of(table, node->key)];

    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    node->next = NULL;
    table->count--;
}

struct table_node *table_find(const struct table *table, int64_t key)
{
    if (table->n_buckets == 0)
        return NULL;
    struct table_node *node = table->buckets[bucket_of(table, key)];
    while (node != NULL && node->key != key)
        node = node->next;
    return node;
}

struct table_node *table_next(const struct table *table,
                              const struct table_node *node)
{
    size_t i = 0;

    if (node != NULL && node->next != NULL)
        return node->next;
    if (node != NULL)
        i = bucket_of(table, node->key) + 1;
    while (i < table->n_buckets && table->buckets[i] == NULL)
        i++;
    return i < table->n_buckets ? table->buckets[i] : NULL;
}
