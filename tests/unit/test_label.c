#include "program/prompt/label.h"

#include <string.h>

#include <criterion/criterion.h>

static const char *const letters[] = {"A", "B", "C", "D"};
static const char *const intents[] = {"refund", "refund_request", "Track order",
                                      "not sure"};
static const char *const moods[] = {"positive", "negative", "neutral"};
static const char *const numbers[] = {"-1", "0", "1"};
static const char *const marks[] = {"C", "C++", "C#"};
static const char *const stars[] = {"1", "2", "3", "4", "5"};
static const char *const signs[] = {"<", ">", "-"};
static const char *const signs_of_no[] = {"yes", "no", "spam", "not_spam"};
static const char *const chinese[] = {"\xE8\xB4\xA8\xE9\x97\xAE",
                                      "\xE6\x8A\x95\xE8\xAF\x89"};

#define COMPLAINT "\xE6\x8A\x95\xE8\xAF\x89"
#define SET(texts)                                                             \
    {                                                                          \
        texts, sizeof texts / sizeof texts[0], NULL, 99                        \
    }

static const struct label_set sets[] = {
    SET(letters), SET(intents), SET(moods), SET(numbers),     SET(marks),
    SET(chinese), SET(stars),   SET(signs), SET(signs_of_no),
};
enum {
    LETTERS,
    INTENTS,
    MOODS,
    NUMBERS,
    MARKS,
    CHINESE,
    STARS,
    SIGNS,
    SIGNS_OF_NO
};

struct row {
    int set;
    const char *text;
    const char *label; // NULL: none, or in doubt
};

static void expect_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_CLEAR;
        struct span text = {rows[i].text, strlen(rows[i].text)};
        int found = label_find(&sets[rows[i].set], text, &err);

        if (rows[i].label == NULL)
            cr_expect_lt(found, 0, "%s is %s", rows[i].text,
                         found < 0 ? "" : sets[rows[i].set].texts[found]);
        else if (found < 0)
            cr_expect_fail("%s is %d, not %s", rows[i].text, found,
                           rows[i].label);
        else
            cr_expect_str_eq(sets[rows[i].set].texts[found], rows[i].label,
                             "%s is %s", rows[i].text,
                             sets[rows[i].set].texts[found]);
    }
}

#define EXPECT_ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(rows)[0])

Test(label, is_read_despite_markup_around_it)
{
    static const struct row rows[] = {
        {LETTERS, "B", "B"},
        {LETTERS, "b", "B"},
        {LETTERS, "**B**", "B"},
        {LETTERS, "__B__", "B"},
        {LETTERS, "(B)", "B"},
        {LETTERS, "B)", "B"},
        {LETTERS, "[B]", "B"},
        {LETTERS, "$B$", "B"},
        {LETTERS, "$$B$$", "B"},
        {LETTERS, "\\boxed{B}", "B"},
        {LETTERS, "$\\boxed{\\text{B}}$.", "B"},
        {LETTERS, "\\(\\mathrm{B}\\)", "B"},
        {LETTERS, "\\boxed{\\textbf{(B)}}", "B"},
        {LETTERS, "# B", "B"},
        {LETTERS, "> B", "B"},
        {LETTERS, "- B", "B"},
        {LETTERS, "<label>B</label>", "B"},
        {LETTERS, "```\nB\n```", "B"},
        {LETTERS, "\xEF\xBC\xA2", "B"}, // full-width
        {LETTERS,
         "\xE2\x80\x9C"
         "B\xE2\x80\x9D",
         "B"}, // curly quotes
        {LETTERS,
         "\xC2\xAB\xC2\xA0"
         "B\xC2\xA0\xC2\xBB",
         "B"},
        {LETTERS,
         "\xE2\x80\x8B"
         "B\xEF\xBB\xBF",
         "B"}, // zero width
        {LETTERS, "B\xE2\x80\xA6", "B"},
        {MOODS, "\xF0\x9F\x98\x80 Positive \xF0\x9F\x91\x8D", "positive"},
        {MOODS, "\xE2\x9C\x85 positive", "positive"},
        {INTENTS, "REFUND-REQUEST", "refund_request"},
        {INTENTS, "track_order.", "Track order"},
        {INTENTS, "\"Track  Order\"", "Track order"},
        {INTENTS, "track\xC2\xA0order", "Track order"},
        {INTENTS, "Not sure.", "not sure"},
        {NUMBERS, "-1.", "-1"},
        {NUMBERS, "1!", "1"},
        {NUMBERS,
         "\xE2\x88\x92" // the typographic minus
         "1",
         "-1"},
        {INTENTS, "refund\xE2\x80\x93request", "refund_request"},
        {INTENTS, "track\xE2\x80\xAForder", "Track order"},
        {MOODS, "\xE2\x80\xABpositive\xE2\x80\xAC", "positive"},
        {MOODS, "posi\xC2\xADtive", "positive"},
        {MOODS, "posi\xE2\x80\x8Btive", "positive"},
        {MARKS, "C++.", "C++"},
        {MARKS, "c#", "C#"},
        {MARKS, "**C**", "C"},
        {CHINESE, COMPLAINT "\xE3\x80\x82", COMPLAINT},
        {CHINESE, "\xE3\x80\x8C" COMPLAINT "\xE3\x80\x8D", COMPLAINT},
        {CHINESE, "\xE3\x80\x90" COMPLAINT "\xE3\x80\x91\xEF\xBC\x81",
         COMPLAINT},
        {CHINESE, "\xE6\xA0\x87\xE7\xAD\xBE\xEF\xBC\x9A" COMPLAINT, COMPLAINT},
        {CHINESE, "\xE3\x80\x80" COMPLAINT, COMPLAINT},
        {LETTERS, "#### B", "B"},
        {LETTERS, "1. B", "B"},
        {LETTERS,
         "\xE2\x80\x9D"
         "B\xE2\x80\x9D",
         "B"}, // Swedish quotes
        {STARS, "- 1", "1"},
        // A label that contains another one still counts as itself.
        {INTENTS, "```\nrefund_request\n```", "refund_request"},
        {INTENTS, "Answer:\nrefund_request", "refund_request"},
        {INTENTS, "Here it is:\n\nnot sure", "not sure"},
        {MARKS, "```\nC++\n```", "C++"},
    };

    EXPECT_ROWS(rows);
}

Test(label, is_read_among_words_that_name_no_other_label)
{
    static const struct row rows[] = {
        {INTENTS, "refund (requested twice)", "refund"},
        {LETTERS, "B. Paris", "B"},
        {LETTERS, "B) Paris", "B"},
        {LETTERS, "(B) Paris", "B"},
        {LETTERS, "B - Paris", "B"},
        {LETTERS, "B: Paris", "B"},
        {LETTERS, "**B**: Paris", "B"},
        {LETTERS, "B (Paris)", "B"},
        {LETTERS, "Answer: B", "B"},
        {LETTERS, "Final answer: **B**", "B"},
        {LETTERS, "**Answer:** B", "B"},
        {LETTERS, "The answer is B.", "B"},
        {LETTERS, "The correct answer is (B) Paris", "B"},
        {LETTERS, "It is B", "B"},
        {LETTERS, "Option B", "B"},
        {LETTERS, "I choose B.", "B"},
        {LETTERS, "label = B", "B"},
        {LETTERS, "I think the answer is B.", "B"},
        {LETTERS, "I would say (B)", "B"},
        {LETTERS,
         "\xE7\xAD\x94\xE6\xA1\x88\xE6\x98\xAF"
         "B\xE3\x80\x82",
         "B"},
        {LETTERS, "B. It is a city", "B"},
        {LETTERS, "The capital is Paris.\n\nAnswer: B", "B"},
        {MOODS, "Positive, because they like it", "positive"},
        {MOODS, "positive\n\nThe text praises the film.", "positive"},
        {MOODS, "Sentiment: neutral", "neutral"},
        {MOODS, "positive: no complaints at all", "positive"},
        {MOODS, "They praise it.\nSo the answer is positive.", "positive"},
        {INTENTS, "refund_request: they want money back", "refund_request"},
        {LETTERS, "Sure! The answer is B.", "B"},
        // An option may itself say no, and words after a label may deny
        // something else.
        {LETTERS, "B) No", "B"},
        {LETTERS, "B. None of the above", "B"},
        {LETTERS, "B. No refund was asked for", "B"},
        {LETTERS, "B, not enough is known", "B"},
        {LETTERS, "Rated by the text: B", "B"},
        {SIGNS_OF_NO, "No, it is not.", "no"},
        {SIGNS_OF_NO, "not spam", "not_spam"},
        {MARKS, "R\xC3\xA9ponse : C", "C"},
    };

    EXPECT_ROWS(rows);
}

Test(label, ambiguous_text_gives_no_label)
{
    static const struct row rows[] = {
        {LETTERS, "", NULL},
        {LETTERS, "E", NULL},
        {LETTERS, "A or B", NULL},
        {LETTERS, "A, B", NULL},
        {LETTERS, "A/B", NULL},
        {LETTERS, "A\nB", NULL},
        {LETTERS, "not B", NULL},
        {LETTERS, "Not: B", NULL},
        {LETTERS, "The answer is not B.", NULL},
        {LETTERS, "Wrong answer: B", NULL},
        {LETTERS, "B. No, it is C", NULL},
        {LETTERS, "B is wrong", NULL},
        {LETTERS, "AB", NULL},
        {LETTERS, "Bananas", NULL},
        {LETTERS, "It is not A.\nB", NULL},
        {LETTERS, "First I thought of A.\nAnswer: B", NULL},
        {INTENTS, "refund (request)", NULL},
        {INTENTS, "Refund: Request for a broken cup", NULL},
        {MOODS, "positive, not negative", NULL},
        {MOODS, "not positive", NULL},
        {MOODS, "positive: rather negative", NULL},
        {MOODS, "positively", NULL},
        {LETTERS, "First A. Final: B", NULL},
        {MOODS, "A positive review? Label: negative", NULL},
        {MOODS, "positive (?)", NULL},
        {MOODS, "positive: no", NULL},
        {MOODS, "positive: **false**.", NULL},
        {MOODS, "positive=0", NULL},
        {MOODS, "- positive: no\n- negative: yes", NULL},
        {MOODS, "\xE2\x9D\x8C positive", NULL},
        {LETTERS, "B\xCC\xB6", NULL}, // struck out
        {LETTERS,
         "\xE7\xAD\x94\xE6\xA1\x88\xE4\xB8\x8D\xE6\x98\xAF"
         "B",
         NULL},
        {MOODS, "somewhat positive", NULL},
        {NUMBERS, "- 1", NULL},
        {NUMBERS, "+1", NULL},
        {NUMBERS, "10", NULL},
        {INTENTS, "refund or refund request", NULL},
        {INTENTS, "sure", NULL},
        {MARKS, "C or C++", NULL},
        // Words that take back a label, before it or after it.
        {LETTERS, "Rejected: B", NULL},
        {LETTERS, "Excluded: B", NULL},
        {LETTERS, "Least likely: B", NULL},
        {LETTERS, "Avoid: B", NULL},
        {LETTERS, "It isn't: B", NULL},
        {LETTERS, "It isn\xE2\x80\x99t: B", NULL},
        {LETTERS, "Nicht: B", NULL},
        {LETTERS, "!= B", NULL},
        {LETTERS, "B: eliminated", NULL},
        {LETTERS, "B: rejected", NULL},
        {LETTERS, "B: 0.00", NULL},
        {LETTERS, "B: \xE2\x9C\x97", NULL},
        {LETTERS, "B (wrong)", NULL},
        {LETTERS, "B (unlikely)", NULL},
        {LETTERS, "B - disqualified", NULL},
        {LETTERS, "B, which is not right", NULL},
        {LETTERS, "B - does not match", NULL},
        {LETTERS, "B... wait, no.", NULL},
        {LETTERS, "B. Scratch that.", NULL},
        {LETTERS, "<del>B</del>", NULL},
        {LETTERS, "\xE2\x98\x90 B", NULL}, // an unchecked box
        {INTENTS, "not sure: rejected", NULL},
        {SIGNS, "> <", NULL},
        {STARS, "1. 2", NULL},
    };

    EXPECT_ROWS(rows);
}

Test(label, labels_of_one_group_count_as_the_same)
{
    static const char *const words[] = {"true", "yes", "false", "no", "on"};
    static const int groups[] = {1, 1, 0, 0, 1};
    static const struct label_set set = {words, 5, groups, 4};
    static const struct {
        const char *text;
        int group; // -1: in doubt
    } rows[] = {
        {"Yes", 1},
        {"**No**.", 0},
        {"yes, true", 1},
        {"yes\ntrue", 1},
        {"yes\nno", -1},
        {"Yes, it is on time", 1},
        {"No, based on it", 0},
        {"Yes, no doubt", -1},
        {"true or false", -1},
        {"Answer: yes", 1},
        {"not true", -1},
    };
    struct err err = ERR_CLEAR;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span text = {rows[i].text, strlen(rows[i].text)};
        int found = label_find(&set, text, &err);
        cr_expect_eq(found < 0 ? -1 : groups[found], rows[i].group, "%s is %d",
                     rows[i].text, found);
    }
}
