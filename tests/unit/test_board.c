#include "search/toolkit/board.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "fake_support.h"
#include "search/toolkit/space.h"

enum { ROWS = 12 };

static struct err err;
static struct support support = {.base = 0.5, .demo_gain = 0.3, .teacher = 1};
static struct session *fake;
static struct space space;
static struct board board;

static void begin(void)
{
    fake = support_session(&support, ROWS, 0, FINISH_LATE);
    cr_assert(space_init(&space, fake, &err));
    cr_assert(board_init(&board, fake,
                         row_span_of(session_split(fake), SHARE_VAL), 2, &err));
}

static void end(void)
{
    board_release(&board);
    space_release(&space);
    fake_free(fake);
}

TestSuite(board, .init = begin, .fini = end);

// Adds a demo set that shows these rows, as choice 1.
static void add_demos(const int *rows, size_t n)
{
    struct demo_list list = {0};
    int number = 0;

    for (size_t i = 0; i < n; i++) {
        struct demo demo = {.fields =
                                json_pack("{s:o, s:s, s:f}", "text",
                                          json_sprintf("row %d", rows[i]),
                                          "label", "a", "confidence", 0.5),
                            .row = rows[i]};
        cr_assert(demo_list_add(&list, &demo, &err));
        json_decref(demo.fields);
    }
    cr_assert(
        space_add_demos(&space, 0, &list, "test", SPACE_ORPHAN, &number, &err));
    cr_assert_eq(number, 1);
    cr_assert(
        space_add_demos(&space, 0, &list, "test", SPACE_ORPHAN, &number, &err));
    cr_assert_eq(number, 1, "what is the same is not added again");
    for (size_t i = 0; i < list.n; i++)
        json_decref(list.demos[i].fields);
    free(list.demos);
}

static struct entry *enter(int text, int set)
{
    const int choices[] = {text, set};
    struct candidate *candidate =
        space_candidate(&space, choices, session_baseline(fake), &err);
    struct entry *entry;

    cr_assert_not_null(candidate, "%s", err.text);
    entry = board_enter(&board, candidate, choices, &err);
    candidate_unref(candidate);
    cr_assert_not_null(entry, "%s", err.text);
    return entry;
}

static void ask(struct entry *entry, size_t from, size_t n)
{
    size_t places[ROWS];

    for (size_t i = 0; i < n; i++)
        places[i] = from + i;
    cr_assert(
        board_ask(&board, entry, places, n, TRIAL_MINIBATCH, "test", &err),
        "%s", err.text);
}

Test(board, last_trial_holds_everything_known_about_an_entry)
{
    struct entry *entry = enter(0, 0);

    ask(entry, 4, 4);
    cr_assert(board_wait(&board, &err));
    ask(entry, 2, 4);
    cr_assert(board_wait(&board, &err));
    cr_expect_eq(entry->n, 6);
    cr_expect_eq(entry->trial->n, 6);
    cr_expect_eq(board.asked, 6, "places 4 and 5 are asked for once");
    for (size_t i = 0; i < ROWS; i++)
        cr_expect_eq(entry->known[i], i >= 2 && i < 8);
}

Test(board, known_scores_need_no_new_trial)
{
    struct entry *entry = enter(0, 0);
    size_t n = 0;

    ask(entry, 0, 4);
    cr_assert(board_wait(&board, &err));
    session_trials(fake, &n);
    ask(entry, 1, 3);
    cr_expect_null(entry->asked);
    cr_expect_eq(fake->n_trials, n);
}

Test(board, row_shown_as_a_demo_is_scored_without_that_demo)
{
    struct entry *entry;

    add_demos((int[]){1, 3}, 2);
    entry = enter(0, 1);
    cr_expect_not(entry->closed[1] || entry->closed[3]);
    ask(entry, 0, 4);
    cr_assert(board_wait(&board, &err));
    cr_expect_eq(entry->n, 4);
    cr_expect_not(support.saw_itself);
}

Test(board, each_candidate_has_one_entry)
{
    struct entry *entry = enter(0, 0);
    int number = -1;

    cr_assert(space_add_text(&space, 0, " classify  the text. ", "test",
                             SPACE_ORPHAN, &number, &err));
    cr_expect_eq(number, 0, "the same but for case and spaces");
    cr_expect_eq(enter(0, 0), entry);
    cr_expect_eq(board.n, 1);
}

// Six rows are known for both. One side alone is right on five of them, which
// has a probability of 1 / 32.
Test(board, entries_are_compared_on_their_common_rows)
{
    struct entry *a = enter(0, 0);
    struct entry *b;
    struct board_pairs pairs;

    add_demos((int[]){11}, 1);
    b = enter(0, 1);
    for (size_t i = 0; i < 8; i++) {
        a->known[i] = i < 6;
        b->known[i] = true;
        a->scores[i] = i == 0;
        b->scores[i] = 1;
    }
    cr_assert(board_compare(&board, a, b, &pairs, &err));
    cr_expect_eq(pairs.n, 6);
    cr_expect_float_eq(pairs.gain, 5.0 / 6, 1e-12);
    cr_expect_float_eq(pairs.p_value, 1.0 / 32, 1e-12);
    cr_assert(board_compare(&board, b, a, &pairs, &err));
    cr_expect_float_eq(pairs.p_value, 31.0 / 32, 1e-12);
}

Test(board, score_is_the_mean_of_all_draws)
{
    struct entry *entry = enter(0, 0);
    size_t rows[] = {0, 1, 5};
    bool scored[] = {true, true, true};
    double scores[] = {0.25, 0.75, 1};
    const struct trial again = {
        .rows = rows, .scored = scored, .scores = scores, .n_rows = 3};
    double first, second;

    ask(entry, 0, 2);
    cr_assert(board_wait(&board, &err));
    first = entry->scores[0];
    second = entry->scores[1];
    board_add_draw(&board, entry, &again);
    cr_expect_float_eq(entry->scores[0], (first + 0.25) / 2, 1e-12);
    cr_expect_float_eq(entry->scores[1], (second + 0.75) / 2, 1e-12);
    cr_expect_float_eq(entry->sum, entry->scores[0] + entry->scores[1], 1e-12);
    cr_expect_eq(entry->n, 2, "a row that it was not scored on stays unknown");
    board_add_draw(&board, entry, &again);
    cr_expect_float_eq(entry->scores[0], (first + 0.5) / 3, 1e-12);
}
