// A job from its first line to its end, in a whole promptcc in one process.

#include "search/conduct.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "spine.h"

#define OPTIMIZER "labeled_few_shot: {k: 8}"

static const char job[] = SPINE_JOB(OPTIMIZER);
static const char two_steps[] = SPINE_STEP
    "  title:\n"
    "    predict: Give the note a title.\n"
    "    inputs: [text]\n"
    "    outputs: {title: {desc: A few words}}\n"
    "outputs: {topic: sort.topic, title: title.title}\n" SPINE_REST(OPTIMIZER);

static struct spine spine;
static char *examples;

static void set_up(void)
{
    spine_init(&spine, &(struct sim_options){.slots = 4});
    examples = spine_examples();
    spine_start(&spine, 1, 4);
}

static void tear_down(void)
{
    spine_release(&spine);
    free(examples);
}

TestSuite(conduct, .init = set_up, .fini = tear_down);

static const json_t *run(const char *action, const char *options,
                         const char *text)
{
    spine_submit(&spine, action, options, text, examples);
    cr_assert_eq(spine.status, 0, "%s",
                 json_get_text(json_object_get(spine.document, "error"), "text",
                               "(no word why)"));
    return spine.document;
}

static int64_t n_of(const json_t *document, const char *member)
{
    return json_get_int(json_object_get(document, member), "n", -1);
}

// Counts requests without the copies of slow calls; on a slow or emulated
// machine every call is slow.
static size_t chats(void)
{
    const json_t *calls = json_object_get(spine.document, "calls");
    struct sim_stats stats;

    sim_server_stats(spine.sim, &stats);
    return (size_t)stats.chats - (size_t)json_get_int(calls, "hedged", 0);
}

Test(conduct, a_run_ends_with_a_document_and_a_compiled_file)
{
    const json_t *document = run("run", "{}", job);
    json_t *calls = json_object_get(document, "calls");

    cr_expect_str_eq(json_get_text(document, "finish_reason", ""),
                     "trials_done");
    cr_expect_gt(n_of(document, "baseline"), 0);
    cr_expect_gt(n_of(document, "compiled"), 0);
    cr_expect_eq(json_get_int(calls, "student", 0), (int64_t)chats());
    cr_expect(json_get_bool(document, "simulated", false));
    cr_expect_eq(spine.compiled[0], '{');
}

Test(conduct, both_programs_are_compared_on_the_same_rows)
{
    const json_t *document = run("run", "{}", job);
    const json_t *same = json_object_get(document, "same_rows");

    // The eight rows that the winner shows are scored too, each without its own
    // demo.
    cr_expect_eq(n_of(document, "baseline"), 32);
    cr_expect_eq(n_of(document, "compiled"), 32);
    cr_expect_eq(n_of(same, "baseline"), 32);
    cr_expect_eq(n_of(same, "compiled"), 32);
}

Test(conduct, a_test_share_is_scored_with_both_programs)
{
    const json_t *document, *test;

    document = run(
        "run",
        "{\"set\": [\"data.split={train: 0.5, val: 0.25, test: 0.25}\"]}", job);
    test = json_object_get(document, "test");
    cr_expect_eq(n_of(test, "baseline"), 10);
    cr_expect_eq(n_of(test, "compiled"), 10);
    cr_expect_geq(json_get_number(test, "p_value", -1), 0);
}

Test(conduct, a_budget_that_is_used_up_ends_a_run_with_the_best_so_far)
{
    const json_t *document =
        run("run", "{\"set\": [\"budget.max_calls=50\"]}", job);

    cr_expect_str_eq(json_get_text(document, "finish_reason", ""), "budget");
    cr_expect_eq(json_get_int(document, "trials", -1), 1);
    cr_expect_eq(n_of(document, "baseline"), 32);
    cr_expect_eq(n_of(document, "compiled"), 32);
    cr_expect_eq(n_of(json_object_get(document, "test"), "compiled"), 8);
    cr_expect_leq(chats(), 50);
    cr_expect_gt(strlen(spine.compiled), 100);
}

Test(conduct, a_budget_that_is_too_small_for_the_baseline_makes_no_call)
{
    const json_t *document =
        run("run", "{\"set\": [\"budget.max_calls=31\"]}", job);

    cr_expect_str_eq(json_get_text(document, "finish_reason", ""), "budget");
    cr_expect(json_is_null(json_object_get(document, "baseline")));
    cr_expect(json_is_null(json_object_get(document, "compiled")));
    cr_expect_str_eq(json_get_text(document, "reason", ""),
                     "the baseline is not scored: the budget is 31 calls; 0 "
                     "are used, and trial 1 needs at least 32");
    cr_expect_eq(chats(), 0);
    cr_expect_gt(strlen(spine.compiled), 100, "the program as written");
}

Test(conduct, a_budget_that_ends_before_the_test_share_says_so)
{
    const json_t *document =
        run("run", "{\"set\": [\"budget.max_calls=35\"]}", job);

    cr_expect(json_is_null(json_object_get(document, "test")));
    cr_expect_not_null(strstr(json_get_text(document, "reason", ""),
                              "the test share is not scored"));
    cr_expect_leq(chats(), 35);
}

// 30 rows validate in both forms, and 10 rows may test two programs. What is
// left of the 100 calls is too little for the search's only trial.
Test(conduct, the_test_share_is_paid_before_the_search)
{
    const json_t *document =
        run("run",
            "{\"set\": [\"budget.max_calls=100\", "
            "\"data.split={train: 0.5, val: 0.25, test: 0.25}\"]}",
            job);

    cr_expect_eq(json_get_int(document, "trials", -1), 3);
    cr_expect_eq(n_of(json_object_get(document, "test"), "compiled"), 10);
    cr_expect_leq(chats(), 100);
}

// 20 rows validate and 20 test, so 70 calls are too few in any case.
Test(conduct, a_test_share_that_cannot_be_paid_takes_nothing_from_the_search)
{
    const json_t *document =
        run("run",
            "{\"set\": [\"budget.max_calls=70\", "
            "\"data.split={train: 0.25, val: 0.25, test: 0.5}\"]}",
            job);

    cr_expect_eq(json_get_int(document, "trials", -1), 4);
    cr_expect(json_is_null(json_object_get(document, "test")));
    cr_expect_leq(chats(), 70);
}

Test(conduct, a_larger_budget_continues_the_same_run)
{
    int64_t trials;
    char *whole;
    size_t paid;

    run("run", "{}", job);
    whole = strdup(spine.compiled);
    trials = json_get_int(spine.document, "trials", -1);
    paid = chats();
    spine_release(&spine);
    spine_init(&spine, &(struct sim_options){.slots = 4});
    spine_start(&spine, 1, 4);
    run("run", "{\"set\": [\"budget.max_calls=40\", \"window=4\"]}", job);
    run("run", "{}", job);
    cr_expect_eq(json_get_int(spine.document, "trials", -1), trials);
    cr_expect_str_eq(spine.compiled, whole);
    cr_expect_eq(chats(), paid, "nothing is paid for twice");
    free(whole);
}

Test(conduct, an_evaluation_of_more_data_scores_every_row)
{
    const json_t *document = run("eval", "{\"data\": \"examples.jsonl\"}", job);

    cr_expect_eq(json_get_int(document, "n", -1), 40);
    cr_expect_eq(json_get_int(document, "model_faults", -1), 0);
    cr_expect_eq(chats(), 40);
}

Test(conduct, evaluation_runs_all_steps_only_on_request)
{
    run("eval", "{\"data\": \"examples.jsonl\"}", two_steps);
    cr_expect_eq(chats(), 40);
    run("eval", "{\"data\": \"examples.jsonl\", \"all_steps\": true}",
        two_steps);
    cr_expect_geq(chats(), 80);
}

Test(conduct, a_run_names_the_steps_that_it_did_not_search)
{
    const json_t *document = run("run", "{}", two_steps);
    const json_t *skipped = json_object_get(document, "skipped_steps");

    cr_assert_eq(json_array_size(skipped), 1);
    cr_expect_str_eq(json_string_value(json_array_get(skipped, 0)), "title");
}

// --- compiled files ---

static const char best[] =
    "{\"data\": \"examples.jsonl\", \"compiled\": \"best.json\"}";

Test(conduct, an_evaluation_of_a_compiled_file_scores_its_prompts)
{
    double written, compiled;
    char *file;

    run("run", "{}", job);
    file = strdup(spine.compiled);
    written = json_get_number(
        run("eval", "{\"data\": \"examples.jsonl\"}", job), "score", -1);
    spine.compiled_in = file;
    compiled = json_get_number(run("eval", best, job), "score", -1);
    cr_expect_gt(compiled, written);
    free(file);
}

Test(conduct, a_compiled_file_of_another_program_is_bad_input)
{
    char *file;

    run("run", "{}", two_steps);
    file = strdup(spine.compiled);
    spine.compiled_in = file;
    spine_submit(&spine, "eval", best, job, examples);
    cr_expect_eq(spine.status, 2);
    free(file);
}

Test(conduct, a_compiled_file_that_cannot_be_read_is_bad_input)
{
    spine.compiled_in = "{\"sort\": ";
    spine_submit(&spine, "eval", best, job, examples);
    cr_expect_eq(spine.status, 2);
}
