// The teacher's words, sentence by sentence, and the rows that each is about.

#include "search/toolkit/sayings.h"

#include <string.h>

#include <criterion/criterion.h>

#include "search/toolkit/concern.h"
#include "search/toolkit/sentences.h"
#include "search/toolkit/text_space.h"
#include "space_fixture.h"

TestSuite(sayings, .init = open_space, .fini = close_space);

Test(sayings, sentences_end_at_stops_and_at_the_end_of_a_line)
{
    static const char text[] = "One. Two!  \n\n Three is v1.5\n四。五";
    static const char *const wanted[] = {"One.", "Two!", "Three is v1.5",
                                         "四。", "五"};
    static const bool first[] = {true, false, true, true, false};
    struct sentence sentence;
    bool more = sentence_first(text, &sentence);
    size_t n = 0;

    for (; more; more = sentence_next(&sentence), n++) {
        cr_assert_lt(n, 5);
        cr_expect_eq(sentence.len, strlen(wanted[n]));
        cr_expect_eq(strncmp(sentence.text, wanted[n], sentence.len), 0);
        cr_expect_eq(sentence.first, first[n]);
    }
    cr_expect_eq(n, 5);
    cr_expect_not(sentence_first(" \n ", &sentence));
}

// Returns how many rows the sentence is about. `even` is how many of these are
// even rows, whose label is a.
static size_t count_about(const char *text, size_t *even)
{
    bool marks[ROWS];
    size_t n = 0;

    *even = 0;
    cr_assert(concern_read(&study.corpus, 0, text, marks, &err));
    for (size_t i = 0; i < ROWS; i++) {
        n += marks[i];
        *even += marks[i] && study.rows[i] % 2 == 0;
    }
    return n;
}

Test(sayings, a_sentence_is_about_the_rows_whose_label_it_names)
{
    size_t even;

    cr_expect_eq(count_about("In doubt say `A`.", &even), ROWS / 2);
    cr_expect_eq(even, ROWS / 2);
    cr_expect_eq(count_about("Never mind what it is", &even), ROWS,
                 "a letter in a word is no label");
}

Test(sayings, sentence_without_a_label_is_about_rows_that_share_a_rare_word)
{
    size_t even;

    cr_expect_eq(count_about("It is odd for 7 only.", &even), 1);
    cr_expect_eq(even, 0);
    cr_expect_eq(count_about("Read the row.", &even), ROWS,
                 "every row has that word");
}

static const char *gathered(const double *worth, size_t n)
{
    const struct space_part *part = &space.parts[0];
    const struct text_draft draft = {.parent = 1, .kind = "test"};

    cr_assert(text_space_gather(&space, &draft, worth, n, NULL, &err));
    return part->texts[part->n_texts - 1].text;
}

static void expect_text(size_t number, const char *added, bool share)
{
    const struct space_text *texts = space.parts[0].texts;

    cr_expect_str_eq(texts[number].text + strlen(texts[0].text), added);
    cr_expect_eq(texts[number].share, share);
}

Test(sayings, replies_of_each_share_of_letters_form_a_text_too)
{
    enum { LETTERS = 3 };
    const struct reflection_options options = {.hints = true};
    struct reflection_form form = {0};
    struct post post = {.form = &form, .temperature = 1};
    struct letter letters[LETTERS] = {{.share = 1}, {.share = 2}, {.share = 1}};

    for (size_t i = 0; i < LETTERS; i++) {
        letters[i].hint = "Say more.";
        letters[i].kind = "test";
        cr_assert(letter_add_row(&letters[i], &study, i, &err));
    }
    cr_assert(reflection_form_init(&form, fake, &options, &err));
    cr_assert(text_space_ask(&space, &post, letters, LETTERS, &err));
    cr_assert_eq(space.parts[0].n_texts, 4);
    expect_text(1, "\nPlain variant 0\nPlain variant 1\nPlain variant 2",
                false);
    expect_text(2, "\nPlain variant 0\nPlain variant 2", true);
    expect_text(3, "\nPlain variant 1", true);
    for (size_t i = 0; i < LETTERS; i++)
        letter_release(&letters[i]);
    reflection_form_release(&form);
}

Test(sayings, all_sentences_are_gathered_except_harmful_ones)
{
    const double worth[] = {-1, 0};

    cr_assert(space_add_sayings(&space, 0, "Say so. Be brief.", 0, &err));
    cr_assert(
        space_add_sayings(&space, 0, "Be brief. Be kind.", SPACE_ORPHAN, &err));
    cr_assert_eq(space.parts[0].n_sayings, 3, "each once");
    cr_assert(
        space_add_text(&space, 0, "Begin. Say so.", "test", 0, NULL, &err));
    cr_expect_str_eq(gathered(NULL, 0), "Begin. Say so.\nBe brief.\nBe kind.");
    cr_expect_str_eq(gathered(worth, 2), "Begin.\nBe brief.\nBe kind.");
}
