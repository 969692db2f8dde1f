#include "wire/assembly.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct assemblies all;
static struct assembly *assembly;
static struct buf whole;
static struct err err;
static int own; // stands for a peer

static void set_up(void)
{
    all = (struct assemblies){0};
    assembly = assembly_new(&all, &own);
    whole = BUF_INIT(0);
    err = ERR_CLEAR;
}

static void tear_down(void)
{
    buf_release(&whole);
    assembly_free(assembly);
    cr_expect_eq(all.bytes, 0);
}

TestSuite(assembly, .init = set_up, .fini = tear_down);

static bool add_at(struct assembly *to, int64_t now_ms, int64_t of, int64_t at,
                   const char *data)
{
    struct part part = {of, at, data, strlen(data)};

    return assembly_add(to, &part, now_ms, &err);
}

static bool add(int64_t of, int64_t at, const char *data)
{
    return add_at(assembly, 0, of, at, data);
}

Test(assembly, parts_in_order_make_the_message)
{
    cr_assert(add(7, 0, "one"));
    cr_expect_not(assembly_take(assembly, &whole));
    cr_assert(add(7, 3, "more"));
    cr_assert(assembly_take(assembly, &whole));
    cr_expect_str_eq(whole.data, "onemore");
    cr_expect_not(assembly_is_under_way(assembly));
}

Test(assembly, first_part_discards_an_unfinished_message)
{
    cr_assert(add(7, 0, "lost"));
    cr_assert(add(3, 0, "new"));
    cr_assert(assembly_take(assembly, &whole));
    cr_expect_str_eq(whole.data, "new");
}

Test(assembly, part_that_does_not_follow_the_last_is_refused)
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

Test(assembly, received_bytes_count_until_the_message_is_taken_or_dropped)
{
    struct assembly *other = assembly_new(&all, NULL);

    cr_assert(add(7, 0, "one"));
    cr_assert(add_at(other, 0, 100, 0, "a longer one"));
    cr_expect_eq(all.bytes, 15);
    cr_assert(add(7, 3, "more"));
    cr_assert(assembly_take(assembly, &whole));
    cr_expect_eq(all.bytes, 12);
    cr_expect_not(assemblies_have_room(&all, ASSEMBLIES_BYTES - 11));
    cr_expect(assemblies_have_room(&all, ASSEMBLIES_BYTES - 12));
    assembly_free(other);
}

Test(assembly, the_longest_idle_assembly_is_dropped_first)
{
    int another;
    struct assembly *other = assembly_new(&all, &another);
    struct assembly *empty = assembly_new(&all, NULL);

    cr_assert(add_at(other, 1000, 7, 0, "one"));
    cr_assert(add_at(assembly, 1500, 7, 0, "two"));
    cr_expect_null(assemblies_stalled(&all, NULL, 2999), "both move");
    cr_assert_eq(assemblies_stalled(&all, NULL, 4000), other);
    cr_expect_eq(assembly_owner(other), &another);
    cr_expect_eq(assemblies_stalled(&all, other, 4000), assembly);
    assembly_free(other);
    assembly_free(empty);
}

Test(assembly, message_that_stalls_is_abandoned)
{
    cr_assert(add_at(assembly, 1000, 7, 0, "one"));
    assemblies_tick(&all, 16000);
    cr_expect(assembly_is_under_way(assembly));
    assemblies_tick(&all, 16001);
    cr_expect_not(assembly_is_under_way(assembly));
    cr_expect_not(add(7, 3, "more"), "nothing is there to go on from");
}
