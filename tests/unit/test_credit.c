#include "search/toolkit/credit.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "fake_session.h"
#include "search/toolkit/diagnosis.h"
#include "search/toolkit/space.h"
#include "search/toolkit/teacher.h"

// Two steps: the first says what a letter is about, which no row does, and the
// second chooses the desk.
#define CHAIN                                                                  \
    "inputs: {letter: {desc: A letter}}\n"                                     \
    "steps:\n"                                                                 \
    "  gist:\n"                                                                \
    "    predict: Say what it is about.\n"                                     \
    "    inputs: [letter]\n"                                                   \
    "    outputs: {gist: {desc: A few words}}\n"                               \
    "  route:\n"                                                               \
    "    predict: Choose the desk.\n"                                          \
    "    inputs: {gist: gist.gist}\n"                                          \
    "    outputs: {desk: {enum: [a, b]}}\n"                                    \
    "outputs: {desk: route.desk}\n"

enum { ROWS = 12, VAGUE = 6, BLIND = 3 };

static struct err err;
static struct session *fake;
static struct study study;
static struct space space;
static struct board board;
static size_t asked;

// An instruction with CLEAR distinguishes the letters from VAGUE on. One with
// SEEING chooses right for the first BLIND.
static json_t *answer(void *user, const struct fake_ask *ask)
{
    bool clear = strstr(ask->part->instruction, "CLEAR") != NULL;
    bool seeing = strstr(ask->part->instruction, "SEEING") != NULL;
    const char *text;
    int row;

    (void)user;
    asked++;
    if (strcmp(ask->step->name, "gist") == 0) {
        text = json_string_value(json_object_get(ask->inputs, "letter"));
        row = atoi(text);
        return row >= VAGUE && !clear ? json_pack("{s:s}", "gist", "something")
                                      : json_pack("{s:s}", "gist", text);
    }
    text = json_string_value(json_object_get(ask->inputs, "gist"));
    row = atoi(text);
    if (strcmp(text, "something") == 0 || (row < BLIND && !seeing))
        return json_pack("{s:s}", "desk", "b");
    return json_pack("{s:s}", "desk", "a");
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    return json_equal(json_object_get(example, "desk"),
                      json_object_get(outputs, "desk"))
               ? 1
               : 0;
}

static void begin(void)
{
    json_t *rows = json_array();
    char *text;

    for (int i = 0; i < ROWS; i++)
        json_array_append_new(rows,
                              json_pack("{s:o, s:s}", "letter",
                                        json_sprintf("%d", i), "desk", "a"));
    text = json_dumps(rows, 0);
    fake = fake_new(CHAIN, text, 0, NULL,
                    (struct fake_script){answer, score, NULL}, FINISH_LATE);
    free(text);
    json_decref(rows);
    cr_assert(study_init(&study, fake, 1, &err), "%s", err.text);
    cr_assert(space_init(&space, fake, &err));
    cr_assert(board_init(&board, fake,
                         row_span_of(session_split(fake), SHARE_VAL), 4, &err));
    cr_assert(space_add_text(&space, 0, "Be CLEAR.", "test", 0, NULL, &err));
    cr_assert(space_add_text(&space, 1, "Be SEEING.", "test", 0, NULL, &err));
}

static void end(void)
{
    board_release(&board);
    space_release(&space);
    study_release(&study);
    fake_free(fake);
}

TestSuite(credit, .init = begin, .fini = end);

static struct entry *enter(int gist, int route)
{
    const int choices[] = {gist, 0, route, 0};
    struct candidate *candidate =
        space_candidate(&space, choices, session_baseline(fake), &err);
    struct entry *entry = board_enter(&board, candidate, choices, &err);
    size_t places[ROWS];

    candidate_unref(candidate);
    cr_assert_not_null(entry, "%s", err.text);
    for (size_t i = 0; i < ROWS; i++)
        places[i] = i;
    cr_assert(board_ask(&board, entry, places, ROWS, TRIAL_FULL, "test", &err));
    cr_assert(board_wait(&board, &err));
    return entry;
}

static size_t measure(struct entry *entry, double *shares)
{
    size_t places[ROWS], failed[ROWS];
    struct runs *runs = study_trace(&study, &board, entry, places, &err);
    size_t n = 0, tried = 0;

    cr_assert_not_null(runs, "%s", err.text);
    for (size_t i = 0; i < runs->n; i++)
        if (diagnosis_failed(&runs->items[i], 1))
            failed[n++] = i;
    asked = 0;
    cr_assert(credit_measure(&study, &board,
                             &(struct credit_failures){entry, runs, failed, n},
                             shares, &tried, &err),
              "%s", err.text);
    runs_drop(fake, runs);
    return tried;
}

Test(credit, step_is_blamed_if_a_winners_value_in_its_place_fixes_the_run)
{
    double shares[2] = {0, 0};
    struct entry *written = enter(0, 0); // fails on 0..2 and on 6..11

    enter(1, 0); // is right on 6..11
    enter(0, 1); // is right on 0..2
    cr_expect_eq(measure(written, shares), CREDIT_ROWS);
    cr_expect_float_eq(shares[0], 5.0 / 8, 1e-9, "%g", shares[0]);
    cr_expect_float_eq(shares[1], 3.0 / 8, 1e-9, "%g", shares[1]);
}

Test(credit, step_with_the_right_value_is_cleared_without_a_call)
{
    double shares[2] = {0, 0};
    struct entry *clear = enter(1, 0); // fails on 0..2
    size_t winners = 3 * 2;            // two traced steps each

    enter(1, 1);
    cr_expect_eq(measure(clear, shares), 3);
    cr_expect_float_eq(shares[1], 1, 1e-9);
    cr_expect_eq(asked, winners, "nothing is tried: %zu", asked);
}

Test(credit, nothing_is_learned_without_a_winning_run)
{
    double shares[2] = {0.5, 0.5};
    struct entry *written = enter(0, 0);

    cr_expect_eq(measure(written, shares), 0);
    cr_expect_eq(shares[0], 0.5);
}
