#include "search/session/row_lists.h"

#include <criterion/criterion.h>

static struct row_lists lists;

static void tear_down(void)
{
    row_lists_release(&lists);
}

TestSuite(row_lists, .fini = tear_down);

Test(row_lists, equal_lists_are_shared)
{
    const size_t rows[] = {3, 1, 2}, same[] = {3, 1, 2}, other[] = {1, 2, 3};
    const size_t *first = row_lists_share(&lists, rows, 3);

    cr_assert_not_null(first);
    cr_expect_neq(first, rows, "it is a copy");
    cr_expect_eq(row_lists_share(&lists, same, 3), first);
    cr_expect_neq(row_lists_share(&lists, other, 3), first, "in another order");
    cr_expect_neq(row_lists_share(&lists, rows, 2), first, "a part");
}

Test(row_lists, only_the_most_recent_lists_are_compared)
{
    size_t row = 0;
    const size_t *first = row_lists_share(&lists, &row, 1);

    for (row = 1; row < 10; row++)
        cr_assert_not_null(row_lists_share(&lists, &row, 1));
    row = 0;
    cr_expect_neq(row_lists_share(&lists, &row, 1), first);
    cr_expect_eq(first[0], 0, "it stays all the same");
}

Test(row_lists, empty_list_is_accepted)
{
    cr_expect_not_null(row_lists_share(&lists, NULL, 0));
}
