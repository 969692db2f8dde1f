#include <criterion/criterion.h>
#include <string.h>

#include "cli/wrap.h"

static struct buf out;

static void open_out(void)
{
    out = BUF_INIT(1 << 12);
}

static void close_out(void)
{
    buf_release(&out);
}

TestSuite(wrap, .init = open_out, .fini = close_out);

Test(wrap, lines_break_between_words)
{
    wrap_text(24, 0, 2, "one two three four five six seven", &out);
    cr_expect_str_eq(out.data, "one two three four five\n  six seven");
}

Test(wrap, a_word_that_is_too_long_stays_whole)
{
    wrap_text(24, 0, 0,
              "job customer-care-with-a-long-name-3f2a1b90c4de is done", &out);
    cr_expect_str_eq(
        out.data, "job\ncustomer-care-with-a-long-name-3f2a1b90c4de\nis done");
}

Test(wrap, a_pair_has_its_text_in_the_column_of_texts)
{
    wrap_pair(40, 12, "name", "a text that is longer than the line", &out);
    cr_expect_str_eq(out.data, "  name      a text that is longer than\n"
                               "            the line\n");
    buf_clear(&out);
    wrap_pair(40, 12, "a-long-name", "text", &out);
    cr_expect_str_eq(out.data, "  a-long-name\n            text\n");
}

Test(wrap, characters_count_and_not_bytes)
{
    cr_expect_eq(wrap_widest_word("ein \xc3\xbc\xc3\xb6\xc3\xa4 x"), 3);
}
