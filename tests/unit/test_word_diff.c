#include "common/word_diff.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"

// Returns "same[-gone-]{+new+}", so that a test is as readable as its texts.
static const char *shown(const char *a, const char *b)
{
    static const char *const MARKS[][2] = {[WORD_SAME] = {"", ""},
                                           [WORD_GONE] = {"[-", "-]"},
                                           [WORD_NEW] = {"{+", "+}"}};
    static char text[4096];
    struct err err = ERR_CLEAR;
    struct word_diff diff;

    cr_assert(word_diff_make(a, b, &diff, &err), "%s", err.text);
    text[0] = '\0';
    for (size_t i = 0; i < diff.n; i++) {
        strcat(text, MARKS[diff.pieces[i].change][0]);
        strncat(text, diff.pieces[i].text, diff.pieces[i].len);
        strcat(text, MARKS[diff.pieces[i].change][1]);
    }
    word_diff_release(&diff);
    return text;
}

Test(word_diff, keeps_unchanged_words)
{
    cr_expect_str_eq(shown("Classify the message.", "Classify the message."),
                     "Classify the message.");
    cr_expect_str_eq(
        shown("Classify the message.", "Classify the customer's message."),
        "Classify the {+customer's +}message.");
    cr_expect_str_eq(shown("a b c d", "a d"), "a [-b c -]d");
}

Test(word_diff, shows_removed_words_before_added_ones)
{
    cr_expect_str_eq(shown("one red fish", "one blue fish"),
                     "one [-red -]{+blue +}fish");
    cr_expect_str_eq(shown("a b c d e", "a x y d z"),
                     "a [-b c -]{+x y +}d [-e-]{+z+}");
}

Test(word_diff, takes_texts_that_share_nothing_or_are_empty)
{
    cr_expect_str_eq(shown("", ""), "");
    cr_expect_str_eq(shown("", "new text"), "{+new text+}");
    cr_expect_str_eq(shown("old text", ""), "[-old text-]");
    cr_expect_str_eq(shown("old", "new"), "[-old-]{+new+}");
}

Test(word_diff, matches_the_last_word_with_the_same_word_within_text)
{
    cr_expect_str_eq(shown("sort it", "sort it now"), "sort it {+now+}");
}

Test(word_diff, texts_of_many_words_are_shown_whole)
{
    enum { WORDS = 4000 };
    char *a = calloc(WORDS, 3), *b = calloc(WORDS, 3);
    struct err err = ERR_CLEAR;
    struct word_diff diff;

    for (int i = 0; i < WORDS; i++) {
        memcpy(a + 2 * i, i % 2 == 0 ? "a " : "c ", 3);
        memcpy(b + 2 * i, i % 3 == 0 ? "b " : "c ", 3);
    }
    cr_assert(word_diff_make(a, b, &diff, &err));
    cr_expect_eq(diff.pieces[0].change, WORD_GONE);
    cr_expect_eq(diff.pieces[1].change, WORD_NEW);
    cr_expect_leq(diff.n, 3);
    word_diff_release(&diff);
    free(a);
    free(b);
}
