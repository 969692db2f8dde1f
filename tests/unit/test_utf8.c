#include "common/utf8.h"

#include <string.h>

#include <criterion/criterion.h>

Test(utf8, every_code_point_is_read_as_it_was_written)
{
    for (uint32_t code = 0; code < 0x110000; code++) {
        char bytes[4];
        uint32_t back = 0;

        if (code == 0xD800)
            code = 0xE000; // surrogates are not characters
        size_t len = utf8_put(bytes, code);
        cr_assert_eq(utf8_next(bytes, len, &back), len);
        cr_assert_eq(back, code);
        cr_assert_eq(utf8_next(bytes, len - 1, &back), 0);
    }
}

Test(utf8, a_cut_never_ends_inside_a_character)
{
    const char *text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x99\x82z";
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

    for (size_t len = 0; len < sizeof cuts / sizeof cuts[0]; len++)
        cr_expect_eq(utf8_cut(text, len), cuts[len], "at %zu", len);
}

Test(utf8, invalid_utf8_is_cut_at_the_requested_byte)
{
    cr_expect_eq(utf8_cut("\x80\x80\x80\x80\x80\x80", 5), 5);
}

Test(utf8, an_ideograph_is_two_columns_wide_and_an_accent_none)
{
    cr_expect_eq(utf8_columns('a'), 1);
    cr_expect_eq(utf8_columns(0x9000), 2);
    cr_expect_eq(utf8_columns(0x0301), 0);
}
