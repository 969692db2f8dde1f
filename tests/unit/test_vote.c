#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "given_program.h"
#include "program/run/stepper.h"

// Three voters with two outputs each; `tell` reads the winner's answer.
static const char yaml[] =
    "inputs: {text: }\n"
    "steps:\n"
    "  one: {predict: Say., inputs: [text], outputs: {label: {enum: [a, b, "
    "c]}}}\n"
    "  two: {predict: Say., inputs: [text], outputs: {label: {enum: [a, b, "
    "c]}}}\n"
    "  three: {predict: Say., inputs: [text],\n"
    "          outputs: {label: {enum: [a, b, c]}}}\n"
    "  more: {predict: More., inputs: {label: three.label}, outputs: {note: "
    "}}\n"
    "  pick: {predict: Pick., inputs: [text], outputs: {best: {type: int}}}\n"
    "  vote:\n"
    "    vote: {note: [one.label, two.label, more.note],\n"
    "           label: [one.label, two.label, three.label]}\n"
    "    choice: pick.best\n"
    "    outputs: {note: , label: {enum: [a, b, c]}}\n"
    "outputs: {label: vote.label, note: vote.note}\n";
enum { ONE, TWO, THREE, MORE, PICK, VOTE };

static struct program *program;
static struct plan plan;
static struct stepper *stepper;
static struct err err;

static void open_program(void)
{
    json_t *inputs = given_json("{\"text\": \"x\"}");

    err = ERR_CLEAR;
    program = given_program(yaml);
    plan_all(program, &plan);
    stepper = stepper_new(program, &plan, ADAPTER_JSON, NULL, inputs, &err);
    json_decref(inputs);
    cr_assert_not_null(stepper, "%s", err.text);
}

static void close_program(void)
{
    stepper_free(stepper);
    program_free(program);
}

TestSuite(vote, .init = open_program, .fini = close_program);

// `text` NULL means that the model's answer is cut.
static void answer(int step, const char *text)
{
    struct call_answer given = {.outcome = text == NULL ? CALL_CUT : CALL_TEXT,
                                .text = strdup(text == NULL ? "" : text)};
    struct ask ask;

    given.text_len = strlen(given.text);
    while (stepper_next(stepper, &ask, &err))
        continue;
    cr_assert(stepper_answer(stepper, step, &given, &err), "%s", err.text);
    free(given.text);
}

static void say(const char *one, const char *two, const char *three,
                const char *pick)
{
    answer(ONE, one);
    answer(TWO, two);
    answer(THREE, three);
    if (three != NULL)
        answer(MORE, "{\"note\": \"of three\"}");
    cr_expect_not(stepper_ended(stepper), "it waits for all, and the judge");
    answer(PICK, pick);
    cr_assert(stepper_ended(stepper));
}

static void expect(const char *outputs)
{
    char *text = json_text(stepper_outputs(stepper));

    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect_str_eq(text, outputs, "%s", text);
    free(text);
}

#define A "{\"label\": \"a\"}"
#define B "{\"label\": \"b\"}"
#define C "{\"label\": \"c\"}"
#define NOBODY "{\"best\": 0}"

Test(vote, most_votes_win_with_the_outputs_of_their_first_voter)
{
    say(C, B, B, NOBODY);
    expect("{\"label\":\"b\",\"note\":\"b\"}");
}

Test(vote, earlier_voter_wins_a_tie)
{
    say(C, B, A, NOBODY);
    expect("{\"label\":\"c\",\"note\":\"c\"}");
}

Test(vote, voter_named_by_the_judge_wins)
{
    say(C, B, A, "{\"best\": 3}");
    expect("{\"label\":\"a\",\"note\":\"of three\"}");
}

Test(vote, votes_count_if_the_judge_gives_no_answer)
{
    say(C, B, B, NULL);
    expect("{\"label\":\"b\",\"note\":\"b\"}");
}

Test(vote, failed_step_does_not_vote)
{
    say(NULL, B, C, NOBODY);
    expect("{\"label\":\"b\",\"note\":\"b\"}");
}

Test(vote, only_values_of_a_failed_step_are_lost)
{
    say(A, B, NULL, "{\"best\": 3}");
    expect("{\"label\":\"a\",\"note\":\"a\"}");
}

Test(vote, run_fails_if_all_voters_fail)
{
    say(NULL, NULL, NULL, "{\"best\": 1}");
    cr_expect_eq(stepper_outcome(stepper), RUN_CUT);
    cr_expect_eq(stepper_failed_step(stepper), ONE);
}

Test(vote, only_steps_that_are_read_or_counted_run)
{
    bool reads[2] = {true, false};

    plan_make(program, reads, &plan);
    cr_expect(plan.runs[ONE] && plan.runs[THREE] && plan.runs[PICK]);
    cr_expect_not(plan.runs[MORE], "nobody reads the note");
}

Test(vote, the_first_label_is_counted_and_it_reads_back_as_written)
{
    json_t *json = program_json(program);
    struct program *again = program_of_json(json, "again", &err);

    cr_assert_not_null(again, "%s", err.text);
    cr_expect_eq(program->steps[VOTE].vote->field, 1);
    json_t *other = program_json(again);
    cr_expect(json_equal(json, other));
    json_decref(other);
    json_decref(json);
    program_free(again);
}

static void expect_bad(const char *vote, const char *sentence)
{
    json_t *json = program_json(program);
    json_t *step = json_object_get(json_object_get(json, "steps"), "vote");

    json_object_set_new(step, "vote", given_json(vote));
    err = ERR_CLEAR;
    cr_expect_null(program_of_json(json, "bad", &err), "%s", vote);
    cr_expect(strstr(err.text, sentence) != NULL, "%s", err.text);
    json_decref(json);
}

Test(vote, mismatched_lists_of_sources_are_refused)
{
    expect_bad("{\"label\": [\"one.label\"]}", "a list of sources for each");
    expect_bad("{\"label\": [\"one.label\", \"two.label\"], "
               "\"note\": [\"more.note\"]}",
               "have the same length");
    expect_bad("{\"label\": [\"one.label\"], \"note\": [\"more.note\"], "
               "\"x\": [\"more.note\"]}",
               "not an output of the step");
    expect_bad("{\"label\": [\"one.nothing\"], \"note\": [\"more.note\"]}",
               "nothing");
}

// Gives the answers to four voters of this type, one after another.
static void expect_winner(const char *type, const char *const said[4],
                          const char *wanted)
{
    char text[1024];
    struct plan all;
    json_t *inputs = given_json("{\"q\": \"x\"}");

    (void)snprintf(text, sizeof text,
                   "inputs: {q: }\n"
                   "steps:\n"
                   "  a: {predict: A., inputs: [q], outputs: {n: %s}}\n"
                   "  b: {predict: B., inputs: [q], outputs: {n: %s}}\n"
                   "  c: {predict: C., inputs: [q], outputs: {n: %s}}\n"
                   "  d: {predict: D., inputs: [q], outputs: {n: %s}}\n"
                   "  v: {vote: {n: [a.n, b.n, c.n, d.n]}, outputs: {n: %s}}\n",
                   type, type, type, type, type);
    struct program *other = given_program(text);
    plan_all(other, &all);
    stepper_free(stepper);
    stepper = stepper_new(other, &all, ADAPTER_JSON, NULL, inputs, &err);
    cr_assert_not_null(stepper, "%s", err.text);
    for (int i = 0; i < 4; i++)
        answer(i, said[i]);
    char *got = json_text(stepper_outputs(stepper));
    cr_expect_str_eq(got, wanted, "%s: %s", type, got);
    free(got);
    stepper_free(stepper);
    stepper = NULL;
    json_decref(inputs);
    program_free(other);
}

Test(vote, numbers_are_counted_by_value)
{
    expect_winner("float",
                  (const char *const[]){"{\"n\": 3}", "{\"n\": 5}",
                                        "{\"n\": 5.0}", "{\"n\": 4}"},
                  "{\"n\":5}");
    expect_winner("{list: float}",
                  (const char *const[]){"{\"n\": [3]}", "{\"n\": [5, 1]}",
                                        "{\"n\": [5.0, 1.0]}", "{\"n\": [5]}"},
                  "{\"n\":[5,1]}");
    expect_winner(
        "{object: {x: float}}",
        (const char *const[]){"{\"n\": {\"x\": 3}}", "{\"n\": {\"x\": 5.0}}",
                              "{\"n\": {\"x\": 5}}", "{\"n\": {\"x\": 4}}"},
        "{\"n\":{\"x\":5.0}}");
}
