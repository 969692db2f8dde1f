#include "search/toolkit/demo_space.h"

#include <criterion/criterion.h>

#include "space_fixture.h"

TestSuite(demo_space, .init = open_space, .fini = close_space);

static const struct demo_list *list_of(int set)
{
    return &space.parts[0].sets[set].list;
}

Test(demo_space, half_a_set_is_its_first_demos_and_still_covers_the_labels)
{
    int half = 0;

    cr_assert(demo_space_cover(&space, &study, 0,
                               &(struct demo_wish){TASTE_VARIED, 8, "test", 0},
                               &err),
              "%s", err.text);
    cr_assert(demo_space_halve(&space, &study, 0, 1, &half, &err));
    cr_assert_eq(half, 2, "a set of its own");
    cr_assert_eq(list_of(1)->n, 8);
    cr_assert_eq(list_of(half)->n, 4);
    for (size_t i = 0; i < list_of(half)->n; i++)
        cr_expect_eq(list_of(half)->demos[i].row, list_of(1)->demos[i].row);
    cr_expect_eq(space.parts[0].sets[half].parent, 1);
}

Test(demo_space, a_set_of_one_demo_or_none_has_no_half)
{
    int half = 7;

    cr_assert(demo_space_halve(&space, &study, 0, 0, &half, &err));
    cr_expect_eq(half, 0);
    cr_assert(demo_space_cover(&space, &study, 0,
                               &(struct demo_wish){TASTE_VARIED, 1, "test", 0},
                               &err));
    cr_assert(demo_space_halve(&space, &study, 0, 1, &half, &err));
    cr_expect_eq(half, 1);
    cr_expect_eq(space.parts[0].n_sets, 2);
}

Test(demo_space, a_pool_has_no_half)
{
    int half = 0;

    cr_assert(demo_space_pool(&space, &study, 0, 4, &err), "%s", err.text);
    cr_assert(demo_space_halve(&space, &study, 0, 1, &half, &err));
    cr_expect_eq(half, 1);
}
