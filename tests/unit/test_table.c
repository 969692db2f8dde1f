#include "dispatch/table.h"

#include <criterion/criterion.h>

enum { N = 1000 };
static struct table table;
static struct table_node nodes[N];

static void fill(void)
{
    for (int i = 0; i < N; i++) {
        cr_assert(table_reserve(&table, 1));
        table_add(&table, &nodes[i], (int64_t)i * 1024 - 5000);
    }
}

static void empty(void)
{
    table_release(&table);
}

TestSuite(table, .init = fill, .fini = empty);

Test(table, every_key_is_found)
{
    for (int i = 0; i < N; i++)
        cr_assert_eq(table_find(&table, (int64_t)i * 1024 - 5000), &nodes[i]);
    cr_expect_eq(table.count, N);
}

Test(table, a_key_that_is_not_listed_is_not_found)
{
    struct table fresh = {0};

    cr_expect_null(table_find(&table, 1));
    cr_expect_null(table_find(&fresh, 1));
}

Test(table, a_removed_key_is_not_found)
{
    for (int i = 0; i < N; i += 2)
        table_remove(&table, &nodes[i]);

    for (int i = 0; i < N; i++)
        cr_assert_eq(table_find(&table, (int64_t)i * 1024 - 5000),
                     i % 2 == 0 ? NULL : &nodes[i]);
}

Test(table, all_nodes_are_walked_once_and_may_be_removed_during_the_walk)
{
    struct table_node *node = table_next(&table, NULL);
    int walked = 0;

    while (node != NULL) {
        struct table_node *next = table_next(&table, node);
        table_remove(&table, node);
        node = next;
        walked++;
    }
    cr_expect_eq(walked, N);
    cr_expect_eq(table.count, 0);
}

Test(table, evenly_spaced_keys_do_not_crowd_a_bucket)
{
    size_t longest = 0;

    for (size_t i = 0; i < table.n_buckets; i++) {
        size_t length = 0;
        for (struct table_node *node = table.buckets[i]; node != NULL;
             node = node->next)
            length++;
        longest = length > longest ? length : longest;
    }
    cr_expect_leq(longest, 8, "%zu nodes share a bucket", longest);
}
