#include "store/key_index.h"

#include <string.h>

#include <criterion/criterion.h>

static struct key_index keys;
static struct err err;

static void release_keys(void)
{
    key_index_release(&keys);
}

TestSuite(key_index, .fini = release_keys);

static void add(struct hash key)
{
    cr_assert(key_index_reserve(&keys, &err), "%s", err.text);
    (void)key_index_add(&keys, &key);
}

Test(key_index, empty_index_finds_nothing)
{
    struct hash key = key_of(1, 2);
    size_t at = 0;

    cr_expect_not(key_index_find(&keys, &key, &at));
}

Test(key_index, keys_are_numbered_in_order_of_arrival)
{
    struct hash first = key_of(7, 0);
    struct hash second = key_of(3, 0);
    size_t at = 9;

    add(first);
    add(second);
    cr_expect(key_index_find(&keys, &first, &at) && at == 0);
    cr_expect(key_index_find(&keys, &second, &at) && at == 1);
}

Test(key_index, every_one_of_many_plain_numbers_is_found)
{
    size_t at = 0;

    for (int64_t i = 0; i < 10000; i++)
        add(key_of(i / 100, i % 100));
    for (int64_t i = 0; i < 10000; i++) {
        struct hash key = key_of(i / 100, i % 100);
        cr_assert(key_index_find(&keys, &key, &at));
        cr_assert_eq(at, (size_t)i);
    }
    struct hash other = key_of(100, 0);
    cr_expect_not(key_index_find(&keys, &other, &at));
}

Test(key_index, a_third_of_the_slots_stays_free)
{
    for (int64_t i = 0; i < 1000; i++) {
        add(key_of(i, -i));
        cr_assert_leq(keys.slots.n * 3, keys.slots.count * 2);
    }
}
