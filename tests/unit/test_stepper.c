#include "program/prompt/prompt.h"
#include "program/run/stepper.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "given_program.h"
#include "program/prompt/reply.h"

static struct program *program;
static struct plan plan;
static struct stepper *stepper;
static struct ask ask;
static struct err err;

static void open_program(void)
{
    err = ERR_CLEAR;
    program = given_program(given_customer_care);
    plan_all(program, &plan);
}

static void close_program(void)
{
    stepper_free(stepper);
    program_free(program);
}

TestSuite(stepper, .init = open_program, .fini = close_program);

static void begin(void)
{
    json_t *inputs = given_json(
        "{\"user_message\": \"Where is 17?\", \"policy_context\": \"\"}");

    stepper = stepper_new(program, &plan, ADAPTER_CHAT, NULL, inputs, &err);
    json_decref(inputs);
    cr_assert(stepper != NULL, "%s", err.text);
}

// Makes the plan for a metric that reads only the intent.
static void plan_intent(void)
{
    bool reads[4] = {true, false, false, false};

    plan_make(program, reads, &plan);
}

static void expect_ask(int step, int attempt)
{
    cr_assert(stepper_next(stepper, &ask, &err), "%s", err.text);
    cr_expect_eq(ask.part, step);
    cr_expect_eq(ask.attempt, attempt);
}

static void expect_no_ask(void)
{
    cr_expect_not(stepper_next(stepper, &ask, &err));
    cr_expect_eq(err.code, ERR_NONE, "%s", err.text);
}

static void answer(int step, enum call_outcome outcome, const char *text)
{
    struct call_answer given = {.outcome = outcome};

    given.text = strdup(text);
    given.text_len = strlen(text);
    cr_assert(stepper_answer(stepper, step, &given, &err), "%s", err.text);
    free(given.text);
}

#define CLASSIFIED                                                             \
    "[[ ## intent ## ]]\ntrack_order\n\n[[ ## confidence ## ]]\n0.5\n\n"       \
    "[[ ## completed ## ]]"
#define EXTRACTED                                                              \
    "[[ ## order_id ## ]]\n17\n\n[[ ## issue ## ]]\nlate\n\n"                  \
    "[[ ## completed ## ]]"
#define RESPONDED                                                              \
    "[[ ## reasoning ## ]]\nr\n\n[[ ## response ## ]]\nSoon.\n\n"              \
    "[[ ## completed ## ]]"

static void expect_outputs(const char *json)
{
    char *text = json_text(stepper_outputs(stepper));

    cr_expect_str_eq(text, json, "%s", text);
    free(text);
}

Test(stepper, asks_each_step_once_its_inputs_are_there)
{
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    expect_ask(GIVEN_EXTRACT, 0);
    expect_no_ask();
    answer(GIVEN_CLASSIFY, CALL_TEXT, CLASSIFIED);
    expect_no_ask();
    answer(GIVEN_EXTRACT, CALL_TEXT, EXTRACTED);
    expect_ask(GIVEN_RESPOND, 0);
    cr_expect(strstr(ask.payload, "{\\\"order_id\\\":\\\"17\\\","
                                  "\\\"issue\\\":\\\"late\\\"}") != NULL,
              "%s", ask.payload);
    cr_expect_not(stepper_ended(stepper));
    answer(GIVEN_RESPOND, CALL_TEXT, RESPONDED);
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect_eq(stepper_lenient(stepper), 0);
    expect_outputs("{\"intent\":\"track_order\",\"confidence\":0.5,"
                   "\"entities\":{\"order_id\":\"17\",\"issue\":\"late\"},"
                   "\"response\":\"Soon.\"}");
}

Test(stepper, given_value_replaces_an_answer)
{
    int classify = program_find_step(program, "classify");
    json_t *outputs = given_json("{\"intent\": \"refund\", "
                                 "\"confidence\": 0.9}");

    plan_intent();
    begin();
    cr_assert(stepper_give(stepper, classify, outputs, &err), "%s", err.text);
    json_decref(outputs);
    expect_no_ask();
    cr_expect(stepper_ended(stepper));
    cr_expect_str_eq(
        json_string_value(json_object_get(stepper_outputs(stepper), "intent")),
        "refund");
    cr_expect_null(stepper_step_inputs(stepper, classify));
}

Test(stepper, runs_only_what_the_plan_needs)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    expect_no_ask();
    answer(GIVEN_CLASSIFY, CALL_TEXT, CLASSIFIED);
    cr_expect(stepper_ended(stepper));
    expect_no_ask();
    expect_outputs("{\"intent\":\"track_order\",\"confidence\":0.5,"
                   "\"entities\":null,\"response\":null}");
    cr_expect_null(stepper_step_outputs(stepper, GIVEN_RESPOND));
}

Test(stepper, asks_the_same_again_once_under_the_schema)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    cr_expect_eq(ask.form, ADAPTER_CHAT);
    answer(GIVEN_CLASSIFY, CALL_TEXT, "I would rather not.");
    cr_expect_not(stepper_ended(stepper));
    expect_ask(GIVEN_CLASSIFY, 1);
    cr_expect_eq(ask.form, ADAPTER_JSON);
    cr_expect_null(strstr(ask.payload, "I would rather not."));
    cr_expect_null(strstr(ask.payload, "assistant"), "%s", ask.payload);
    answer(GIVEN_CLASSIFY, CALL_TEXT,
           "{\"intent\": \"track_order\", \"confidence\": 0.5}");
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect_eq(stepper_repairs(stepper), 1);
    cr_expect_eq(stepper_lenient(stepper), 0);
}

Test(stepper, reads_the_second_answer_in_either_form)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_TEXT, "I would rather not.");
    expect_ask(GIVEN_CLASSIFY, 1);
    answer(GIVEN_CLASSIFY, CALL_TEXT, CLASSIFIED);
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect_eq(stepper_lenient(stepper), LENIENT_FORM);
}

Test(stepper, fails_after_the_second_unreadable_answer)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_TEXT, "no");
    expect_ask(GIVEN_CLASSIFY, 1);
    cr_expect_str_eq(stepper_problem(stepper), "");
    answer(GIVEN_CLASSIFY, CALL_TEXT,
           "[[ ## intent ## ]]\nyes\n\n[[ ## completed ## ]]");
    cr_expect(stepper_ended(stepper));
    cr_expect(strstr(stepper_problem(stepper), "`intent` is \"yes\"") != NULL,
              "%s", stepper_problem(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_FORMAT);
    cr_expect_eq(stepper_failed_step(stepper), GIVEN_CLASSIFY);
    expect_outputs("{\"intent\":null,\"confidence\":null,\"entities\":null,"
                   "\"response\":null}");
}

static void expect_feedback(const char *expected)
{
    struct buf text = BUF_INIT(1 << 16);

    stepper_feedback(stepper, &text);
    cr_expect_str_eq(text.len > 0 ? text.data : "", expected);
    buf_release(&text);
}

Test(stepper, reports_what_was_unreadable_and_what_was_expected)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    expect_feedback("");
    answer(GIVEN_CLASSIFY, CALL_TEXT, "no");
    expect_ask(GIVEN_CLASSIFY, 1);
    answer(GIVEN_CLASSIFY, CALL_TEXT, "{\"confidence\": 0.5}");
    expect_feedback("The reply of `classify` could not be read: the key "
                    "\"intent\" is missing. Expected are, each below its "
                    "marker, `intent` (one of: track_order; cancel_order; "
                    "general_query) and `confidence` (float, 0 to 1).");
}

Test(stepper, reports_a_truncated_reply)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_CUT, "[[ ## intent ## ]]\nThe mess");
    expect_feedback(
        "The reply of `classify` was cut off at num_predict, before "
        "it was complete. Expected are, each below its marker, "
        "`intent` (one of: track_order; cancel_order; "
        "general_query) and `confidence` (float, 0 to 1).");
}

Test(stepper, ends_with_the_outcome_of_a_call_that_gave_no_text)
{
    static const struct {
        enum call_outcome call;
        enum run_outcome run;
    } rows[] = {
        {CALL_CUT, RUN_CUT},
        {CALL_EMPTY, RUN_EMPTY},
        {CALL_LOOP, RUN_LOOP},
        {CALL_TOO_LONG, RUN_TOO_LONG},
    };

    plan_intent();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        expect_ask(GIVEN_CLASSIFY, 0);
        answer(GIVEN_CLASSIFY, rows[i].call, "");
        cr_expect(stepper_ended(stepper));
        cr_expect_eq(stepper_outcome(stepper), rows[i].run);
        cr_expect_eq(stepper_repairs(stepper), 0);
        stepper_free(stepper);
    }
    stepper = NULL;
}

Test(stepper, reports_the_words_of_a_models_refusal)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_EMPTY, "I cannot help with that.");
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_EMPTY);
    expect_feedback(
        "The reply of `classify` was empty: it was refused with "
        "the words \"I cannot help with that.\". Expected are, each "
        "below its marker, `intent` (one of: track_order; "
        "cancel_order; general_query) and `confidence` (float, 0 "
        "to 1).");
}

Test(stepper, accepts_an_answer_truncated_after_its_end_marker)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_CUT,
           "[[ ## intent ## ]]\ncancel_order\n\n[[ ## confidence ## "
           "]]\n0.9\n\n[[ ## completed ## ]]\n[[ ## user_message ## ]]\nWhe");
    cr_assert(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect((stepper_lenient(stepper) & LENIENT_END) != 0);
}

Test(stepper, refuses_an_answer_truncated_before_its_end)
{
    plan_intent();
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    answer(GIVEN_CLASSIFY, CALL_CUT,
           "[[ ## intent ## ]]\ncancel_order\n\n[[ ## confidence ## ]]\n0.");
    cr_assert(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_CUT);
}

Test(stepper, finishes_steps_parallel_to_a_failed_one_in_any_order)
{
    for (int turn = 0; turn < 2; turn++) {
        int first = turn == 0 ? GIVEN_CLASSIFY : GIVEN_EXTRACT;
        int second = turn == 0 ? GIVEN_EXTRACT : GIVEN_CLASSIFY;

        begin();
        expect_ask(GIVEN_CLASSIFY, 0);
        expect_ask(GIVEN_EXTRACT, 0);
        answer(first, first == GIVEN_CLASSIFY ? CALL_LOOP : CALL_CUT, "");
        cr_expect_not(stepper_ended(stepper));
        answer(second, second == GIVEN_CLASSIFY ? CALL_LOOP : CALL_CUT, "");
        cr_expect(stepper_ended(stepper));
        cr_expect_eq(stepper_outcome(stepper), RUN_LOOP);
        cr_expect_eq(stepper_failed_step(stepper), GIVEN_CLASSIFY);
        stepper_free(stepper);
    }
    stepper = NULL;
}

Test(stepper, tolerates_the_failure_of_a_step_that_nothing_reads)
{
    plan_all(program, &plan);
    plan.runs[GIVEN_ENTITIES] = false;
    plan.runs[GIVEN_RESPOND] = false;
    plan.reads[GIVEN_EXTRACT] = 0;
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    expect_ask(GIVEN_EXTRACT, 0);
    answer(GIVEN_EXTRACT, CALL_CUT, "");
    answer(GIVEN_CLASSIFY, CALL_TEXT, CLASSIFIED);
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect_eq(stepper_failed_step(stepper), -1);
    cr_expect_eq(stepper_lenient(stepper), LENIENT_UNREAD);
    cr_expect(json_is_null(json_object_get(
        stepper_step_outputs(stepper, GIVEN_EXTRACT), "issue")));
}

Test(stepper, treats_a_prompt_over_the_limit_as_a_failure)
{
    size_t len = (size_t)PROMPT_MAX_BYTES + 1;
    char *value = malloc(len);

    cr_assert(value != NULL);
    memset(value, 'x', len);
    json_t *inputs = json_object();
    json_object_set_new(inputs, "user_message", json_stringn(value, len));
    plan_intent();
    stepper = stepper_new(program, &plan, ADAPTER_CHAT, NULL, inputs, &err);
    cr_assert(stepper != NULL, "%s", err.text);
    expect_no_ask();
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_TOO_LONG);
    json_decref(inputs);
    free(value);
}

Test(stepper, shows_what_went_into_a_step)
{
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    const json_t *inputs = stepper_step_inputs(stepper, GIVEN_CLASSIFY);
    cr_expect_str_eq(json_get_text(inputs, "user_message", ""), "Where is 17?");
    cr_expect_null(stepper_step_inputs(stepper, GIVEN_RESPOND));
}

Test(stepper, names_each_outcome)
{
    cr_expect_str_eq(run_outcome_name(RUN_DONE), "done");
    cr_expect_str_eq(run_outcome_name(RUN_TOO_LONG), "too_long");
}

// --- `when`, and steps that a program of the user answers ---

static const char branches[] =
    "inputs:\n"
    "  q: {desc: A question}\n"
    "steps:\n"
    "  sort: {predict: Sort., inputs: [q],\n"
    "    outputs: {kind: {enum: [a, b]}, note: {optional: true}}}\n"
    "  find:\n"
    "    exec: {command: [python3, find.py]}\n"
    "    when: {sort.kind: a}\n"
    "    inputs: {q: }\n"
    "    outputs: {found: , extra: {optional: true}}\n"
    "  tell: {predict: Tell., inputs: {x: find.found}, outputs: {text: }}\n"
    "  can: {predict: Can., inputs: {x: find.extra, q: }, outputs: {text: }}\n"
    "  both: {compose: {tell: tell.text, can: can.text}}\n"
    "  late: {predict: Late., when: {find.found: null}, inputs: [q],\n"
    "    outputs: {text: }}\n"
    "outputs: {kind: sort.kind, both: both, late: late.text}\n";

enum { SORT, FIND, TELL, CAN, BOTH, LATE };

static void begin_branches(void)
{
    json_t *inputs = given_json("{\"q\": \"Why?\"}");

    program_free(program);
    program = given_program(branches);
    plan_all(program, &plan);
    stepper = stepper_new(program, &plan, ADAPTER_CHAT, NULL, inputs, &err);
    json_decref(inputs);
    cr_assert(stepper != NULL, "%s", err.text);
}

static void answer_text(int step, const char *text)
{
    struct call_answer given = {
        .outcome = CALL_TEXT, .text = (char *)text, .text_len = strlen(text)};

    cr_assert(stepper_answer(stepper, step, &given, &err), "%s", err.text);
}

static const char sorted_a[] = "[[ ## kind ## ]]\na\n\n[[ ## note ## ]]\nn\n\n"
                               "[[ ## completed ## ]]";
static const char sorted_b[] = "[[ ## kind ## ]]\nb\n\n[[ ## note ## ]]\nn\n\n"
                               "[[ ## completed ## ]]";
static const char said[] = "[[ ## text ## ]]\nyes\n\n[[ ## completed ## ]]";

static void expect_result(const char *wanted)
{
    json_t *expected = given_json(wanted);
    char *got = json_text(stepper_outputs(stepper));

    cr_assert(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_DONE);
    cr_expect(json_equal(stepper_outputs(stepper), expected), "%s", got);
    free(got);
    json_decref(expected);
}

Test(stepper, a_step_whose_when_holds_asks_the_users_program)
{
    begin_branches();
    expect_ask(SORT, 0);
    expect_no_ask();
    answer_text(SORT, sorted_a);
    expect_ask(FIND, 0);
    cr_expect_eq(ask.answerer, ANSWERER_EXEC);
    cr_expect_eq(ask.command, program->steps[FIND].command);
    cr_expect_str_eq(ask.payload, "{\"inputs\":{\"q\":\"Why?\"}}");
    expect_no_ask();
    answer_text(FIND, "{\"outputs\": {\"found\": \"it\"}}");
    expect_ask(TELL, 0);
    expect_ask(CAN, 0);
    expect_no_ask();
    answer_text(TELL, said);
    answer_text(CAN, said);
    expect_result("{\"kind\": \"a\", \"both\": {\"tell\": \"yes\", \"can\": "
                  "\"yes\"}, \"late\": null}");
    cr_expect_null(stepper_step_outputs(stepper, LATE));
}

Test(stepper, steps_that_need_a_skipped_step_are_skipped_too)
{
    begin_branches();
    expect_ask(SORT, 0);
    answer_text(SORT, sorted_b);
    expect_ask(CAN, 0);
    cr_expect_not_null(strstr(ask.payload, "null"), "%s", ask.payload);
    expect_ask(LATE, 0);
    expect_no_ask();
    answer_text(CAN, said);
    answer_text(LATE, said);
    expect_result("{\"kind\": \"b\", \"both\": {\"tell\": null, \"can\": "
                  "\"yes\"}, \"late\": \"yes\"}");
    cr_expect_null(stepper_step_inputs(stepper, TELL), "it makes no demo");
    cr_expect_null(stepper_step_outputs(stepper, FIND));
}

Test(stepper, conditions_after_a_failure_are_not_evaluated)
{
    struct call_answer cut = {.outcome = CALL_CUT, .text = ""};

    begin_branches();
    expect_ask(SORT, 0);
    cr_assert(stepper_answer(stepper, SORT, &cut, &err));
    expect_no_ask();
    cr_expect(stepper_ended(stepper));
    cr_expect_eq(stepper_outcome(stepper), RUN_CUT);
}

Test(stepper, answer_of_a_program_is_checked_before_it_is_accepted)
{
    begin_branches();
    const struct user_command *command = program->steps[FIND].command;
    const char *good = "{\"outputs\": {\"found\": \"x\", \"more\": 1}}";
    const char *lacks = "{\"outputs\": {\"extra\": \"x\"}}";
    const char *type = "{\"outputs\": {\"found\": 7}}";
    const char *flat = "{\"found\": \"x\"}";

    cr_expect(command->check(command->of, good, strlen(good), &err));
    cr_expect_not(command->check(command->of, lacks, strlen(lacks), &err));
    cr_expect_str_eq(err.text, "the output `found` is missing");
    err = ERR_CLEAR;
    cr_expect_not(command->check(command->of, type, strlen(type), &err));
    cr_expect_eq(err.code, ERR_PROTOCOL);
    err = ERR_CLEAR;
    cr_expect_not(command->check(command->of, flat, strlen(flat), &err));
    cr_expect_str_eq(err.text, "expected {\"outputs\": {...}} with the outputs "
                               "of the step");
}

static const char *ask_about(struct question_cache *cache, size_t row)
{
    stepper_free(stepper);
    begin();
    stepper_share(stepper, cache, row);
    expect_ask(GIVEN_CLASSIFY, 0);
    return ask.payload;
}

Test(stepper, question_of_a_row_is_built_once)
{
    struct question_cache *cache = question_cache_new();
    const char *first = ask_about(cache, 7);
    const char *again = ask_about(cache, 7);

    cr_expect_eq(first, again);
    cr_expect_eq(strlen(again), ask.payload_len);
    cr_expect_neq(ask_about(cache, 8), first);
    stepper_free(stepper);
    begin();
    expect_ask(GIVEN_CLASSIFY, 0);
    cr_expect_null(ask.kept);
    cr_expect_str_eq(ask.payload, first);
    question_cache_free(cache);
}

Test(stepper, follow_up_and_retry_questions_are_not_cached)
{
    struct question_cache *cache = question_cache_new();

    (void)ask_about(cache, 7);
    cr_expect_not_null(ask.kept);
    answer(GIVEN_CLASSIFY, CALL_TEXT, "no idea");
    expect_ask(GIVEN_CLASSIFY, 1);
    cr_expect_null(ask.kept);
    answer(GIVEN_CLASSIFY, CALL_TEXT,
           "{\"intent\": \"track_order\", \"confidence\": 0.5}");
    while (stepper_next(stepper, &ask, &err))
        cr_expect(ask.part != GIVEN_CLASSIFY);
    question_cache_free(cache);
}

Test(stepper, question_outlives_its_eviction_from_the_cache)
{
    struct question_cache *cache = question_cache_new();
    const char *payload = ask_about(cache, 7);
    char *copy = strdup(payload);

    cr_assert_not_null(question_cache_keep(cache, 7 + QUESTION_CACHE_PLACES,
                                           GIVEN_CLASSIFY, "other", 5));
    cr_expect_null(question_cache_find(cache, 7, GIVEN_CLASSIFY));
    question_cache_free(cache);
    cr_expect_str_eq(payload, copy);
    free(copy);
}

Test(stepper, long_question_is_not_cached)
{
    struct question_cache *cache = question_cache_new();
    static char text[QUESTION_CACHE_BYTES + 1];

    cr_expect_null(question_cache_keep(cache, 1, 0, text, sizeof text));
    cr_expect_null(question_cache_find(cache, 1, 0));
    question_cache_free(cache);
}
