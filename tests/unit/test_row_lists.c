#include "search/session/row_lists.h"

#include <criterion/criterion.h>

static struct row_lists lists;

static const size_t *share(const size_t *rows, size_t n)
{
    return row_lists_share(&lists, (struct row_span){rows, n}).rows;
}

static void tear_down(void)
{
    row_lists_release(&lists);
}

TestSuite(row_lists, .fini = tear_down);

Test(row_lists, equal_lists_are_shared)
{
    const size_t rows[] = {3, 1, 2}, same[] = {3, 1, 2}, other[] = {1, 2, 3};
    const size_t *first = share(rows, 3);

    cr_assert_not_null(first);
    cr_expect_neq(first, rows, "it is a copy");
    cr_expect_eq(share(same, 3), first);
    cr_expect_neq(share(other, 3), first, "in another order");
    cr_expect_neq(share(rows, 2), first, "a part");
}

Test(row_lists, only_the_most_recent_lists_are_compared)
{
    size_t row = 0;
    const size_t *first = share(&row, 1);

    for (row = 1; row < 10; row++)
        cr_assert_not_null(share(&row, 1));
    row = 0;
    cr_expect_neq(share(&row, 1), first);
    cr_expect_eq(first[0], 0, "it stays all the same");
}

Test(row_lists, empty_list_is_accepted)
{
    cr_expect_not_null(share(NULL, 0));
}
