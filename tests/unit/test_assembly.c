#include "wire/assembly.h"

#include <criterion/criterion.h>
#include <string.h>

static struct assembly assembly;
static struct err err;

static void set_up(void)
{
    assembly = ASSEMBLY_INIT;
    err = ERR_CLEAR;
}

static void tear_down(void)
{
    assembly_release(&assembly);
}

TestSuite(assembly, .init = set_up, .fini = tear_down);

static bool add(int64_t of, int64_t at, const char *data)
{
    struct part part = {of, at, data, strlen(data)};

    return assembly_add(&assembly, &part, &err);
}

Test(assembly, parts_in_order_make_the_message)
{
    cr_assert(add(7, 0, "one"));
    cr_expect_not(assembly_whole(&assembly));
    cr_assert(add(7, 3, "more"));
    cr_expect(assembly_whole(&assembly));
    cr_expect_str_eq(assembly.bytes.data, "onemore");
}

Test(assembly, a_first_part_begins_anew)
{
    cr_assert(add(7, 0, "lost"));
    cr_assert(add(3, 0, "new"));
    cr_expect(assembly_whole(&assembly));
    cr_expect_str_eq(assembly.bytes.data, "new");
}

Test(assembly, what_does_not_follow_is_refused)
{
    cr_expect_not(add(7, 3, "more"), "nothing came before");
    cr_assert(add(7, 0, "one"));
    cr_expect_not(add(7, 4, "ore"), "a gap");
    cr_expect_not(add(7, 2, "emore"), "an overlap");
    cr_expect_not(add(9, 3, "more"), "another message");
    cr_expect_not(add(7, 3, "much more"), "beyond the end");
    cr_expect_not(add(7, 3, ""), "nothing");
    cr_expect_eq(err.code, ERR_PROTOCOL);
    cr_expect(add(7, 3, "more"));
}
