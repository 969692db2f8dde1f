#include <criterion/criterion.h>
#include <string.h>

#include "common/map.h"

static int values[5000];

Test(map, finds_exactly_the_stored_keys)
{
    struct map map = MAP_INIT;
    struct hash key = map_number(7);

    cr_expect_null(map_find(&map, &key));
    cr_assert(map_put(&map, &key, &values[7]));
    cr_expect_eq(map_find(&map, &key), &values[7]);
    key = map_number(8);
    cr_expect_null(map_find(&map, &key));
    map_release(&map);
}

Test(map, keeps_every_key_through_growth_and_removal)
{
    struct map map = MAP_INIT;

    for (int i = 0; i < 5000; i++) {
        struct hash key = map_number(i);
        cr_assert(map_put(&map, &key, &values[i]));
    }
    for (int i = 0; i < 5000; i += 3) {
        struct hash key = map_number(i);
        cr_assert_eq(map_remove(&map, &key), &values[i]);
    }
    for (int i = 0; i < 5000; i++) {
        struct hash key = map_number(i);
        cr_assert_eq(map_find(&map, &key), i % 3 == 0 ? NULL : &values[i]);
    }
    map_release(&map);
}

// Keys with equal first bytes share one probe path, the hard case for deletion.
Test(map, survives_removal_in_a_crowded_probe_path)
{
    struct map map = MAP_INIT;
    struct hash keys[20];

    for (int i = 0; i < 20; i++) {
        memset(keys[i].bytes, 0, sizeof keys[i].bytes);
        keys[i].bytes[0] = 63;
        keys[i].bytes[15] = (uint8_t)i;
        cr_assert(map_put(&map, &keys[i], &values[i]));
    }
    for (int i = 0; i < 20; i += 2)
        cr_assert_eq(map_remove(&map, &keys[i]), &values[i]);
    for (int i = 1; i < 20; i += 2)
        cr_expect_eq(map_find(&map, &keys[i]), &values[i]);
    cr_expect_eq(map.n, 10);
    map_release(&map);
}

Test(map, walks_each_entry_once)
{
    struct map map = MAP_INIT;
    struct hash key;
    void *value;
    size_t at = 0;
    int seen = 0;

    for (int i = 0; i < 100; i++) {
        key = map_number(i);
        cr_assert(map_put(&map, &key, &values[i]));
    }
    while (map_next(&map, &at, &key, &value))
        seen++;
    cr_expect_eq(seen, 100);
    map_release(&map);
}

Test(map, maps_each_number_to_a_distinct_key)
{
    struct hash a = map_number(-1);
    struct hash b = map_number(1);

    cr_expect_not(hash_equal(&a, &b));
}
