// What score to expect of a combination, and who wins a race.

#include "search/toolkit/race.h"

#include <criterion/criterion.h>

#include "fake_support.h"
#include "search/toolkit/demo_space.h"

enum { ROWS = 32 };

static struct err err;
static struct support support;
static struct session *fake;
static struct study study;
static struct space space;
static struct board board;
static struct outlook outlook;

// Texts: the original, GOOD, and one derived from GOOD. The first n_train rows
// are only trained on; 0: all rows train and validate.
static void open_board(size_t n_train)
{
    support = (struct support){.base = 0.3, .good_gain = 0.6, .teacher = 1};
    fake = support_session(&support, ROWS, n_train, FINISH_LATE);
    cr_assert(study_init(&study, fake, 1, &err), "%s", err.text);
    cr_assert(space_init(&space, fake, &err));
    cr_assert(board_init(&board, fake,
                         row_span_of(session_split(fake), SHARE_VAL),
                         space.n_choices, &err));
    cr_assert(space_add_text(&space, 0, "GOOD one.", "test", 0, NULL, &err));
    cr_assert(
        space_add_text(&space, 0, "A child of it.", "test", 1, NULL, &err));
    cr_assert(space_add_text(&space, 0, "Plain one.", "test", SPACE_ORPHAN,
                             NULL, &err));
    outlook = outlook_of(&space, &board, 0.5);
}

static void begin(void)
{
    open_board(0);
}

static void begin_apart(void)
{
    open_board(ROWS / 4);
}

static void end(void)
{
    outlook_release(&outlook);
    board_release(&board);
    space_release(&space);
    study_release(&study);
    fake_free(fake);
}

TestSuite(outlook, .init = begin, .fini = end);

static struct entry *enter_both(int text, int set)
{
    const int choices[] = {text, set};
    struct candidate *candidate =
        space_candidate(&space, choices, session_baseline(fake), &err);
    struct entry *entry = board_enter(&board, candidate, choices, &err);

    candidate_unref(candidate);
    cr_assert_not_null(entry, "%s", err.text);
    return entry;
}

static struct entry *enter(int text)
{
    return enter_both(text, 0);
}

static void score(struct entry *entry, size_t n)
{
    size_t places[ROWS];

    for (size_t i = 0; i < n; i++)
        places[i] = i;
    cr_assert(
        board_ask(&board, entry, places, n, TRIAL_MINIBATCH, "test", &err));
    cr_assert(board_wait(&board, &err));
}

static double mean_of(int text)
{
    return outlook_guess(&outlook, (int[]){text, 0}).mean;
}

Test(outlook, untried_text_is_predicted_from_its_parent)
{
    score(enter(0), 16);
    score(enter(1), 16);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_expect_gt(mean_of(1), mean_of(0) + 0.2);
    cr_expect_gt(mean_of(2), mean_of(3), "the child of GOOD");
    cr_expect_lt(mean_of(2), mean_of(1));
}

static void cover(size_t demos)
{
    const struct demo_wish wish = {TASTE_VARIED, demos, "test", 0};

    cr_assert(demo_space_cover(&space, &study, 0, &wish, &err), "%s", err.text);
}

static double mean_of_set(int set)
{
    return outlook_guess(&outlook, (int[]){0, set}).mean;
}

Test(outlook, few_scores_do_not_imply_that_more_demos_help_more)
{
    support.demo_gain = 0.6;
    outlook.few = true;
    cover(2);
    cover(16);
    score(enter(0), 16);
    score(enter_both(0, 1), 16);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_expect_gt(mean_of_set(1), mean_of_set(0) + 0.3);
    cr_expect_gt(mean_of_set(2), mean_of_set(0) + 0.2, "it shows demos too");
    cr_expect_lt(mean_of_set(2), mean_of_set(1), "and nobody has tried it");
}

Test(outlook, more_scores_reduce_the_deviation)
{
    score(enter(0), 16);
    score(enter(1), 4);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_expect_gt(outlook_guess(&outlook, (int[]){3, 0}).deviation,
                 outlook_guess(&outlook, (int[]){1, 0}).deviation);
    cr_expect_gt(outlook_guess(&outlook, (int[]){1, 0}).deviation,
                 outlook_guess(&outlook, (int[]){0, 0}).deviation);
}

Test(outlook, scores_of_texts_inform_about_shared_sentences)
{
    int first = 0, second = 0;

    cr_assert(space_add_sayings(&space, 0, "Be GOOD.", 0, &err));
    cr_assert(space_add_text(&space, 0, "Be GOOD. Read it.", "test",
                             SPACE_ORPHAN, &first, &err));
    cr_assert(space_add_text(&space, 0, "Mind the form. Be GOOD.", "test",
                             SPACE_ORPHAN, &second, &err));
    score(enter(0), 16);
    score(enter(3), 16);
    score(enter(first), 16);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_expect_gt(outlook_saying(&outlook, 0, 0).mean, 0.02);
    cr_expect_gt(mean_of(second), mean_of(2) + 0.02, "neither was tried");
}

Test(outlook_apart, sentence_concerns_rows_that_nothing_is_learned_from,
     .init = begin_apart, .fini = end)
{
    const struct sayings *sayings;
    size_t n = board.n_rows;

    cr_assert_eq(n, ROWS - ROWS / 4, "the board has no row to train on");
    cr_assert(space_add_sayings(&space, 0, "In doubt say `A`.", 0, &err));
    score(enter(0), 4);
    cr_assert(outlook_learn(&outlook, 0, &err));
    sayings = &outlook.sayings[0];
    cr_assert_eq(sayings->n_rows, n);
    for (size_t i = 0; i < n; i++)
        cr_expect_eq(sayings->about[i], board.rows[i] % 2 == 0, "row %zu",
                     board.rows[i]);
    cr_expect_float_eq(sayings->share[0], 0.5, 0.05);
}

Test(outlook, new_text_is_predicted_only_after_learning_it)
{
    int late = 0;

    score(enter(0), 16);
    score(enter(1), 16);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_assert(space_add_text(&space, 0, "GOOD too.", "test", 1, &late, &err));
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_expect_gt(mean_of(late), mean_of(3), "it takes after GOOD");
}

Test(outlook, the_better_one_wins_a_race_and_the_worse_are_dropped)
{
    const struct race_rules rules = {.racers = 3, .worse = 0.1};
    struct entry *plain = enter(3);
    struct entry *good = enter(1);
    struct entry *winner = NULL;

    score(enter(0), 4);
    score(good, 4);
    score(plain, 4);
    cr_assert(outlook_learn(&outlook, 0, &err));
    cr_assert(race_run(&outlook, &rules, enter(0), &winner, &err));
    cr_expect_eq(winner, good);
    cr_expect_geq(plain->n, 8, "the first block");
    cr_expect_lt(plain->n, ROWS, "and it need not run them all");
}
