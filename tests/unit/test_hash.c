#include "common/hash.h"

#include <string.h>

#include <criterion/criterion.h>

static void expect_hex(struct hash hash, const char *expected)
{
    char hex[HASH_HEX];

    hash_hex(&hash, hex);
    cr_expect_str_eq(hex, expected);
}

static struct hash of_two(const char *one, const char *other)
{
    struct hasher hasher;

    hasher_init(&hasher, "pair");
    hasher_add_text(&hasher, one);
    hasher_add_text(&hasher, other);
    return hasher_end(&hasher);
}

// Python's hashlib.blake2b computed the expected values over the fields, each
// after its length in 8 bytes.
Test(hash, is_blake2b_over_length_prefixed_fields)
{
    struct hash inner = hash_of("call", "abc", 3);
    struct hasher hasher;

    expect_hex(inner, "d40b7cadd7021fbc31be1ce104c95a9d");

    hasher_init(&hasher, "call");
    hasher_add(&hasher, "ab", 2);
    hasher_add_int(&hasher, -2);
    hasher_add_hash(&hasher, &inner);
    expect_hex(hasher_end(&hasher), "3fc41f7b3f93fa863298720ba0cb53b8");
}

// Short fields are gathered before they are hashed; how they are gathered must
// not matter.
Test(hash, does_not_depend_on_buffering)
{
    static const size_t lens[] = {0,   1,   7,   200, 20,  231,  232, 240,
                                  247, 248, 249, 255, 256, 1000, 3,   512};
    char data[1000];
    unsigned char whole[8192];
    size_t n = 0;
    struct hasher hasher;
    struct hash expected, got;

    memset(data, 'd', sizeof data);
    hasher_init(&hasher, "");
    memset(whole, 0, 8);
    n = 8;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        hasher_add(&hasher, data, lens[i]);
        for (int byte = 0; byte < 8; byte++)
            whole[n++] = (unsigned char)(lens[i] >> (8 * byte));
        memcpy(whole + n, data, lens[i]);
        n += lens[i];
    }
    cr_assert_eq(
        crypto_generichash(expected.bytes, HASH_BYTES, whole, n, NULL, 0), 0);
    got = hasher_end(&hasher);
    cr_expect(hash_equal(&got, &expected));
}

Test(hash, fields_do_not_run_together)
{
    struct hash a = of_two("ab", "c");
    struct hash b = of_two("a", "bc");
    struct hash c = of_two("ab", "c");

    cr_expect_not(hash_equal(&a, &b));
    cr_expect(hash_equal(&a, &c));
}

Test(hash, domains_separate_equal_data)
{
    struct hash a = hash_of("call", "x", 1);
    struct hash b = hash_of("candidate", "x", 1);

    cr_expect_not(hash_equal(&a, &b));
}

Test(hash, null_text_hashes_like_an_empty_text)
{
    struct hash a = of_two(NULL, "x");
    struct hash b = of_two("", "x");

    cr_expect(hash_equal(&a, &b));
}

Test(hash, a_missing_field_differs_from_an_empty_one)
{
    struct hasher hasher;

    hasher_init(&hasher, "pair");
    hasher_add_text(&hasher, "x");
    struct hash one = hasher_end(&hasher);
    struct hash two = of_two("x", "");
    cr_expect_not(hash_equal(&one, &two));
}
