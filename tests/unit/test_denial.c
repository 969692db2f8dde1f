#include "program/graph/denial.h"

#include <string.h>

#include <criterion/criterion.h>

#define CROSS "\xE2\x9C\x97"

static bool is_in(const char *text)
{
    return denial_in(text, strlen(text));
}

static bool is_of_choice(const char *text)
{
    return denial_of_choice(text, strlen(text));
}

static enum denial after(const char *text)
{
    return denial_after(text, strlen(text));
}

Test(denial, is_recognized_only_as_a_whole_word)
{
    cr_expect(is_in("not this"));
    cr_expect(is_in("It ISN'T"));
    cr_expect(is_in("it isn\xE2\x80\x99t"));
    cr_expect(is_in("It can't be"));
    cr_expect(is_in("everything except"));
    cr_expect(is_in("kein"));
    cr_expect(is_in("\xD0\xBD\xD0\xB5 \xD1\x82\xD0\xBE"));
    cr_expect(is_in("\xE4\xB8\x8D\xE6\x98\xAF"));
    cr_expect(is_in(CROSS));
    cr_expect_not(is_in("note of the north"));
    cr_expect_not(is_in("0 to 5"));
    cr_expect_not(is_in("\xC3\xA9t\xC3\xA9"));
    cr_expect_not(is_in(""));
}

Test(denial, of_a_choice_includes_words_such_as_rejected)
{
    cr_expect(is_of_choice("Rejected"));
    cr_expect(is_of_choice("Least likely"));
    cr_expect(is_of_choice("not"));
    cr_expect_not(is_in("3 entries were rejected"));
    cr_expect_not(is_of_choice("Selected"));
}

Test(denial, after_a_value_denies_that_value)
{
    cr_expect_eq(after("no"), DENIAL_WORDS);
    cr_expect_eq(after(" Wrong, the text says so"), DENIAL_WORDS);
    cr_expect_eq(after("0.00"), DENIAL_WORDS);
    cr_expect_eq(after("0%"), DENIAL_WORDS);
    cr_expect_eq(after(CROSS), DENIAL_WORDS);
    cr_expect_eq(after("not the right one"), DENIAL_WORDS);
    cr_expect_eq(after("which is not right"), DENIAL_SENTENCE);
    cr_expect_eq(after(".. wait, no."), DENIAL_SENTENCE);
    cr_expect_eq(after("does not match"), DENIAL_SENTENCE);
    cr_expect_eq(after("Scratch that."), DENIAL_SENTENCE);
}

Test(denial, of_something_else_does_not_deny_the_value)
{
    cr_expect_eq(after("No refund was asked for"), DENIAL_NONE);
    cr_expect_eq(after("the text has no date"), DENIAL_NONE);
    cr_expect_eq(after("None of the above"), DENIAL_NONE);
    cr_expect_eq(after("0.9"), DENIAL_NONE);
    cr_expect_eq(after("10"), DENIAL_NONE);
    cr_expect_eq(after("Paris"), DENIAL_NONE);
    cr_expect_eq(after(""), DENIAL_NONE);
}
