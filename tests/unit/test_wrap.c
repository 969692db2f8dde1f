#include <criterion/criterion.h>
#include <locale.h>
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

Test(wrap, text_of_a_pair_starts_in_the_text_column)
{
    wrap_pair(40, 12, "name", "a text that is longer than the line", &out);
    cr_expect_str_eq(out.data, "  name      a text that is longer than\n"
                               "            the line\n");
    buf_clear(&out);
    wrap_pair(40, 12, "a-long-name", "text", &out);
    cr_expect_str_eq(out.data, "  a-long-name\n            text\n");
}

Test(wrap, text_of_a_pair_moves_below_its_name_on_narrow_lines)
{
    wrap_pair(30, 12, "name", "a text that is longer", &out);
    cr_expect_str_eq(out.data, "  name\n      a text that is longer\n");
}

Test(wrap, first_word_that_does_not_fit_moves_to_the_next_line)
{
    wrap_text(30, 24, 4, "sort_the_messages", &out);
    cr_expect_str_eq(out.data, "\n    sort_the_messages");
}

Test(wrap, text_without_blanks_breaks_between_wide_characters)
{
    const char *next;

    cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
    cr_expect_eq(wrap_widest_word("\xe9\xa1\xa7\xe5\xae\xa2"), 2);
    // The full stop stays with the character that it follows.
    cr_expect_eq(wrap_widest_word("\xe9\xa1\xa7\xe3\x80\x82\xe5\xae\xa2"), 4);
    cr_expect_eq(
        wrap_line("\xe9\xa1\xa7\xe5\xae\xa2\xe9\xa1\xa7\xe5\xae\xa2", 6, &next),
        9);
    cr_expect_str_eq(next, "\xe5\xae\xa2");
    // An ASCII id after it is one word.
    cr_expect_eq(wrap_widest_word("\xe9\xa1\xa7job-3f2a"), 8);
}

Test(wrap, a_number_and_its_percent_sign_stay_together)
{
    wrap_text(21, 0, 2, "the best scores 84.0 % (77 to 90), the other 61 %",
              &out);
    cr_expect_str_eq(out.data, "the best scores\n"
                               "  84.0 % (77 to 90),\n"
                               "  the other 61 %");
}

Test(wrap, quotation_from_a_file_is_not_broken)
{
    wrap_lines(24,
               "   11 | data: {examples: examples.jsonl}\n"
               "      |       ^\n"
               "   = label thirty or more, better a hundred\n",
               &out);
    cr_expect_str_eq(out.data, "   11 | data: {examples: examples.jsonl}\n"
                               "      |       ^\n"
                               "   = label thirty or\n"
                               "   more, better a\n"
                               "   hundred\n");
}

Test(wrap, width_counts_characters_not_bytes)
{
    cr_expect_eq(wrap_widest_word("ein \xc3\xbc\xc3\xb6\xc3\xa4 x"), 3);
}
