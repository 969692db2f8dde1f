#include "program/prompt/list_text.h"

#include <string.h>

#include <criterion/criterion.h>

static struct type words = {.kind = TYPE_STR};
static struct type reals = {.kind = TYPE_FLOAT};
static const struct type of_words = {.kind = TYPE_LIST, .item = &words};
static const struct type of_reals = {.kind = TYPE_LIST, .item = &reals};

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void expect_item(const char *line, const char *wanted)
{
    struct span item;

    cr_assert(list_text_bullet(span_of(line), &item), "%s", line);
    item = list_text_skip_box(item);
    cr_expect(span_is(item, wanted), "%s gave %.*s", line, (int)item.len,
              item.at);
}

Test(list_text, item_follows_its_bullet_number_or_checkbox)
{
    expect_item("- apple", "apple");
    expect_item("\xE2\x80\xA2 apple", "apple");
    expect_item("12. apple", "apple");
    expect_item("2) apple", "apple");
    expect_item("- [x] apple", "apple");
    expect_item("[ ] apple", "apple");
}

Test(list_text, line_without_a_bullet_is_not_an_item)
{
    struct span item;

    cr_expect_not(list_text_bullet(span_of("apple"), &item));
    cr_expect_not(list_text_bullet(span_of("-5"), &item));
    cr_expect_not(list_text_bullet(span_of("3.5"), &item));
    cr_expect(list_text_are_bullets(span_of("- a\n\n- b")));
    cr_expect_not(list_text_are_bullets(span_of("Here they are:\n- a")));
}

Test(list_text, a_line_that_holds_the_next_number_holds_two_items)
{
    const struct span both = span_of("1. apple 2. pear");

    cr_expect(list_text_has_next_number(both, span_from(both, 3)));
    cr_expect_not(
        list_text_has_next_number(span_of("1. apple"), span_of("apple")));
}

Test(list_text, unticked_checkbox_is_recognized)
{
    cr_expect(list_text_has_empty_box(span_of("- [x] a\n- [ ] b")));
    cr_expect_not(list_text_has_empty_box(span_of("- [x] a\n- [X] b")));
}

Test(list_text, row_is_recognized_only_if_unambiguous)
{
    cr_expect(list_text_is_row(&of_words, span_of("apple, pear")));
    cr_expect(list_text_is_row(&of_words, span_of("apple; pear")));
    cr_expect(list_text_is_row(&of_words, span_of("\"a b c d e f\", \"g\"")));
    cr_expect_not(list_text_is_row(&of_words, span_of("apple")));
    cr_expect_not(list_text_is_row(&of_words, span_of("I found a, and b")));
    cr_expect_not(list_text_is_row(&of_words, span_of("apple, (pear, fig)")));
    cr_expect_not(list_text_is_row(&of_words, span_of("apple,\npear")));
}

Test(list_text, ambiguous_commas_between_digits_do_not_separate_numbers)
{
    cr_expect(list_text_is_row(&of_reals, span_of("1, 2, 3")));
    cr_expect_not(list_text_is_row(&of_reals, span_of("1,000, 2,000")));
    cr_expect_not(list_text_is_row(&of_reals, span_of("0,5")));
}
