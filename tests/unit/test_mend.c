// A harmful sentence is found on the few rows that it made wrong.

#include "search/optimizers/screen_and_race/mend.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"

#define HELPS "Be GOOD."
#define HARMS "Never say `a`."
#define MIXED "Tell `a` from `b`." // harms a few rows, but most need it

enum { N_ROWS = 40 };

static const struct search_params params = {
    .evaluations = 1000, .max_demos = -1, .proposals = 0};
static struct support support = {.base = 0.3, .good_gain = 0.6, .teacher = 1};
static struct fake_script script;
static struct session *fake;
static struct search search;
static struct err err;

static bool mixing; // whether MIXED matters

static const char *other_label(int row)
{
    return row % 2 == 0 ? "b" : "a";
}

// A model that is told never to say a label does not say it.
static json_t *answer(void *user, const struct fake_ask *ask)
{
    const char *text = ask->part->instruction;
    struct fake_script steady = support_script(user);
    json_t *outputs = steady.answer(user, ask);
    int row =
        atoi(json_get_text(ask->inputs, "text", "row 0") + strlen("row "));
    bool mixed = strstr(text, MIXED) != NULL;

    if (strstr(text, HARMS) != NULL)
        json_object_set_new(outputs, "label", json_string("b"));
    if (mixing)
        json_object_set_new(outputs, "label",
                            json_string(other_label(row + 1)));
    if (mixing && (mixed ? row % 8 == 0 : row % 2 == 1))
        json_object_set_new(outputs, "label", json_string(other_label(row)));
    return outputs;
}

static void set_up(void)
{
    char *examples = support_examples(N_ROWS);

    script = support_script(&support);
    script.answer = answer;
    fake = fake_new(SUPPORT_ONE, examples, 0, NULL, script, FINISH_LATE);
    free(examples);
    search = (struct search){.session = fake,
                             .params = &params,
                             .program = session_job(fake)->program,
                             .limit = 1000};
    cr_assert(search_start(&search, &err), "%s", err.text);
}

static void tear_down(void)
{
    search_release(&search);
    fake_free(fake);
}

TestSuite(mend, .init = set_up, .fini = tear_down);

// Makes a leader with this text, known on n rows, whose text the teacher wrote.
static void lead_with(const char *text, size_t n)
{
    int choices[2] = {0, 0};
    size_t places[N_ROWS];
    struct entry *entry;

    cr_assert(space_add_sayings(&search.space, 0, HELPS " " HARMS " " MIXED, 0,
                                &err));
    cr_assert(
        space_add_text(&search.space, 0, text, "test", 0, &choices[0], &err));
    entry = search_enter(&search, choices, &err);
    cr_assert_not_null(entry);
    for (size_t i = 0; i < n; i++)
        places[i] = i;
    cr_assert(
        board_ask(&search.board, entry, places, n, TRIAL_FULL, "test", &err));
    cr_assert(board_wait(&search.board, &err));
    search_set_leader(&search, entry);
    cr_assert(outlook_learn(&search.outlook, SEARCH_SOFT, &err));
}

// Returns the instruction of the entry that was asked on most rows, apart from
// the leader and the baseline.
static const char *runner_up(void)
{
    const struct entry *best = NULL;

    for (size_t i = 0; i < search.board.n; i++) {
        const struct entry *entry = search.board.entries[i];

        if (entry != search.leader && entry != search.baseline &&
            (best == NULL || entry->n > best->n))
            best = entry;
    }
    cr_assert_not_null(best);
    return best->candidate->parts[0].instruction;
}

Test(mend, only_the_harmful_sentence_is_removed)
{
    size_t before;
    bool mended = false;

    lead_with("Classify.\n" HELPS "\n" HARMS, N_ROWS);
    before = search.board.asked;
    cr_assert(mend_leader(&search, 0, &mended, &err), "%s", err.text);
    cr_expect(mended);
    cr_expect_not_null(strstr(runner_up(), HELPS));
    cr_expect_null(strstr(runner_up(), HARMS));
    cr_expect_lt(search.board.asked - before, N_ROWS / 2);
}

Test(mend, already_mended_instruction_is_not_evaluated_again)
{
    size_t before;
    bool mended = false;

    lead_with("Classify.\n" HELPS "\n" HARMS, N_ROWS);
    cr_assert(mend_leader(&search, 0, &mended, &err));
    before = search.board.asked;
    cr_assert(mend_leader(&search, 1, &mended, &err));
    cr_expect_not(mended);
    cr_expect_eq(search.board.asked, before);
}

Test(mend, leader_is_unchanged_if_no_sentence_harms)
{
    bool mended = true;

    lead_with("Classify.\n" HELPS, N_ROWS);
    cr_assert(mend_leader(&search, 0, &mended, &err));
    cr_expect_not(mended);
}

Test(mend, nothing_is_evaluated_without_a_sentence_of_the_teacher)
{
    size_t before;
    bool mended = true;

    lead_with("Classify it well.", N_ROWS - 8);
    before = search.board.asked;
    cr_assert(mend_leader(&search, 0, &mended, &err));
    cr_expect_not(mended);
    cr_expect_eq(search.board.asked, before);
}

Test(mend, sentence_that_helps_more_rows_than_it_harms_is_kept)
{
    bool mended = true;

    mixing = true;
    lead_with("Classify.\n" MIXED, N_ROWS);
    cr_assert_eq(search.leader->n - (size_t)search.leader->sum, N_ROWS / 8);
    cr_assert(mend_leader(&search, 0, &mended, &err));
    cr_expect_not(mended);
}

Test(mend, leader_without_errors_is_scored_on_the_remaining_rows)
{
    bool mended = true;

    support.good_gain = 1;
    lead_with("Classify.\n" HELPS, N_ROWS - 8);
    cr_assert(mend_leader(&search, 0, &mended, &err));
    cr_expect_eq(search.leader->n, N_ROWS);
    cr_expect_not(mended);
}
