#include "dispatch/heap.h"

#include <stddef.h>

#include <criterion/criterion.h>

enum { N = 200 };
static struct heap heap;
static struct heap_node nodes[N];

// Adds the keys 0, 7, 14, ... modulo N: all different, in no order.
static void fill(void)
{
    heap = (struct heap){NULL};
    for (int i = 0; i < N; i++)
        heap_add(&heap, &nodes[i], i * 7 % N);
}

TestSuite(heap, .init = fill);

Test(heap, the_smallest_key_is_at_the_root)
{
    for (int64_t key = 0; key < N; key++) {
        cr_assert_not_null(heap.root);
        cr_assert_eq(heap.root->key, key);
        heap_remove(&heap, heap.root);
    }
    cr_expect_null(heap.root);
}

Test(heap, any_node_can_be_removed)
{
    for (int i = 0; i < N; i += 2)
        heap_remove(&heap, &nodes[(i * 3) % N]);

    int64_t last = -1;
    int left = 0;
    for (; heap.root != NULL; left++) {
        cr_assert_gt(heap.root->key, last);
        last = heap.root->key;
        heap_remove(&heap, heap.root);
    }
    cr_expect_eq(left, N / 2);
}

Test(heap, equal_keys_all_come_out)
{
    int left = 0;

    heap = (struct heap){NULL};
    for (int i = 0; i < N; i++)
        heap_add(&heap, &nodes[i], i % 3);
    for (; heap.root != NULL; left++) {
        cr_assert_eq(heap.root->key, left < 67 ? 0 : left < 134 ? 1 : 2);
        heap_remove(&heap, heap.root);
    }
    cr_expect_eq(left, N);
}
