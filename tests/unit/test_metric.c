#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "program/metric/metric.h"
#include "program/source/yaml.h"

// The outputs that all tests refer to, made by hand, since a metric needs no
// more of a program.
static struct field outputs[] = {
    {.name = "intent", .desc = "", .type = {.kind = TYPE_ENUM}},
    {.name = "amount", .desc = "", .type = {.kind = TYPE_FLOAT}},
    {.name = "answer", .desc = "", .type = {.kind = TYPE_STR}},
    {.name = "tags", .desc = "", .type = {.kind = TYPE_LIST}},
    {.name = "urgent", .desc = "", .type = {.kind = TYPE_BOOL}},
};
static struct step steps[] = {
    {.name = "judge", .signature = {.outputs = outputs, .n_outputs = 5}},
};
static struct program_output names[] = {
    {.name = "intent", .source = {0, 0}},
    {.name = "amount", .source = {0, 1}},
    {.name = "answer", .source = {0, 2}},
    {.name = "tags", .source = {0, 3}},
    {.name = "urgent", .source = {0, 4}},
    {.name = "whole", .source = {0, SOURCE_WHOLE}},
};
static const struct program program = {
    .steps = steps, .n_steps = 1, .outputs = names, .n_outputs = 6};

static struct arena arena;
static struct diags *diags;
static struct metric *metric;
static struct score score;
static struct err err;

static void open_metric(void)
{
    arena = ARENA_INIT(1 << 20);
    err = ERR_CLEAR;
    diags = diags_new(&err);
    cr_assert_not_null(diags);
}

static void close_metric(void)
{
    score_release(&score);
    metric_release(metric);
    diags_free(diags);
    arena_release(&arena);
}

static struct metric *parse(const char *yaml)
{
    struct node *node =
        yaml_parse(&arena, "job.yaml", yaml, strlen(yaml), diags);

    cr_assert_not_null(node);
    metric_release(metric);
    metric = metric_parse(&arena, node, &program, diags);
    return metric;
}

static void parse_good(const char *yaml)
{
    parse(yaml);
    cr_assert_not_null(metric, "%s",
                       diags->n > 0 ? diags->items[0].text : "no finding");
}

static json_t *value_of(const char *text)
{
    json_t *value = json_parse(text, strlen(text), 1 << 20, &err);

    cr_assert_not_null(value, "%s", err.text);
    return value;
}

// Scores with the parts that were asked outside; NULL: there are none.
static void score_parts(const json_t *example, const json_t *given,
                        const struct score *outside)
{
    const struct metric_case scored = {
        .example = example, .outputs = given, .outside = outside};

    score_release(&score);
    cr_assert(metric_score(metric, &scored, &score, &err), "%s", err.text);
}

static double score_of(const char *example, const char *answer)
{
    json_t *labels = value_of(example);
    json_t *given = value_of(answer);

    score_parts(labels, given, NULL);
    json_decref(labels);
    json_decref(given);
    return score.value;
}

static void expect_score(double expected, const char *example,
                         const char *answer)
{
    double got = score_of(example, answer);

    cr_expect_float_eq(got, expected, 1e-12, "%s against %s: %g, not %g",
                       answer, example, got, expected);
}

// Checks that the metric is refused, with a finding with this text at line 1
// and this column.
static void expect_finding(const char *yaml, const char *text, int column)
{
    parse(yaml);
    cr_assert_null(metric, "%s is accepted", yaml);
    cr_assert(diags->n > 0);
    cr_expect(strstr(diags->items[0].text, text) != NULL, "%s: %s", yaml,
              diags->items[0].text);
    cr_expect_eq(diags->items[0].place.column, column, "%s: column %d", yaml,
                 diags->items[0].place.column);
}

TestSuite(metric, .init = open_metric, .fini = close_metric);

Test(metric, exact_match_trims_and_folds_texts)
{
    parse_good("exact_match: intent");
    expect_score(1, "{\"intent\": \"refund\"}", "{\"intent\": \" Refund\\n\"}");
    expect_score(1, "{\"intent\": \"\\u00c4rger\"}",
                 "{\"intent\": \"\\u00e4RGER\"}");
    expect_score(0, "{\"intent\": \"refund\"}", "{\"intent\": \"refunds\"}");
}

Test(metric, exact_match_ignores_invisible_characters)
{
    parse_good("exact_match: intent");
    // A capital sharp s; a no-break space; marks without width.
    expect_score(1, "{\"intent\": \"Stra\u00dfe\"}",
                 "{\"intent\": \"STRASSE\"}");
    expect_score(1, "{\"intent\": \"New York\"}",
                 "{\"intent\": \"New\u00a0York\"}");
    expect_score(1, "{\"intent\": \"Paris\"}",
                 "{\"intent\": \"Pa\u00adris\u200b\"}");
    expect_score(0, "{\"intent\": \"Paris\"}", "{\"intent\": \"Pa ris\"}");
}

Test(metric, contains_does_not_match_part_of_a_number)
{
    parse_good("contains: answer");
    expect_score(1, "{\"answer\": 5}", "{\"answer\": \"It is 5.\"}");
    expect_score(1, "{\"answer\": 5}", "{\"answer\": \"15 or 5, I think\"}");
    expect_score(1, "{\"answer\": 5}", "{\"answer\": \"3-5 kg\"}");
    expect_score(1, "{\"answer\": \"5 kg\"}", "{\"answer\": \"(5 kg)\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is 15.\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is 50.\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is 5.2.\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is 1.5\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is 5,000\"}");
    expect_score(0, "{\"answer\": 5}", "{\"answer\": \"It is -5\"}");
    expect_score(1, "{\"answer\": \"refund\"}",
                 "{\"answer\": \"We refunded it.\"}");
}

Test(metric, token_f1_leaves_out_punctuation_of_any_script)
{
    parse_good("token_f1: answer");
    expect_score(1, "{\"answer\": \"don't stop\"}",
                 "{\"answer\": \"\u201cDon\u2019t stop\u2026\u201d\"}");
    expect_score(1, "{\"answer\": \"\u6771\u4eac\"}",
                 "{\"answer\": \"\u300c\u6771\u4eac\u300d\u3002\"}");
    expect_score(1, "{\"answer\": \"yes, certainly\"}",
                 "{\"answer\": \"yes\u2014certainly\"}");
    // 2 of 2 and 3 words: 4 / 5.
    expect_score(0.8, "{\"answer\": \"red car\"}",
                 "{\"answer\": \"\u00abred\u00bb big car\"}");
}

Test(metric, exact_match_compares_numbers_by_value)
{
    parse_good("exact_match: amount");
    expect_score(1, "{\"amount\": 3}", "{\"amount\": 3.0}");
    expect_score(1, "{\"amount\": 1250.5}", "{\"amount\": \"1,250.50\"}");
    expect_score(0, "{\"amount\": 3}", "{\"amount\": \"3 euros\"}");
    expect_score(0, "{\"amount\": 9007199254740993}",
                 "{\"amount\": 9007199254740992}");
}

Test(metric, exact_match_compares_json_part_by_part)
{
    parse_good("exact_match: whole");
    expect_score(1, "{\"whole\": {\"a\": [1, \"X\"], \"b\": null}}",
                 "{\"whole\": {\"b\": null, \"a\": [1.0, \"x \"]}}");
    expect_score(0, "{\"whole\": [1, 2]}", "{\"whole\": [2, 1]}");
    expect_score(0, "{\"whole\": {\"a\": 1}}",
                 "{\"whole\": {\"a\": 1, \"b\": 2}}");
    expect_score(0, "{\"whole\": true}", "{\"whole\": false}");
}

Test(metric, null_equals_only_null)
{
    parse_good("exact_match: intent");
    expect_score(1, "{\"intent\": null}", "{\"intent\": null}");
    expect_score(1, "{\"intent\": null}", "{}");
    expect_score(0, "{\"intent\": \"refund\"}", "{\"intent\": null}");
    expect_score(0, "{\"intent\": null}", "{\"intent\": \"\"}");
    parse_good("contains: answer");
    expect_score(0, "{\"answer\": null}", "{\"answer\": \"some\"}");
    parse_good("set_f1: tags");
    expect_score(0, "{\"tags\": null}", "{\"tags\": []}");
}

Test(metric, exact_match_of_a_list_needs_all_fields)
{
    const char *example = "{\"intent\": \"a\", \"amount\": 1}";

    parse_good("exact_match: [intent, amount]");
    expect_score(1, example, "{\"intent\": \"a\", \"amount\": 1}");
    expect_score(0, example, "{\"intent\": \"a\", \"amount\": 2}");
}

Test(metric, a_label_may_have_another_name)
{
    parse_good("exact_match: {field: answer, label: gold}");
    expect_score(1, "{\"gold\": \"yes\", \"answer\": \"no\"}",
                 "{\"answer\": \"Yes\"}");
}

Test(metric, a_wrong_answer_gives_feedback)
{
    parse_good("exact_match: intent");
    score_of("{\"intent\": \"refund\"}", "{\"intent\": \"cancel\"}");
    cr_assert_not_null(score.feedback);
    cr_expect_str_eq(score.feedback,
                     "`intent` is `cancel`, but `refund` is right.");
    score_of("{\"intent\": \"refund\"}", "{\"intent\": \"refund\"}");
    cr_expect_null(score.feedback);
}

Test(metric, contains_looks_for_the_label_or_every_item_of_a_list)
{
    parse_good("contains: answer");
    expect_score(1, "{\"answer\": \"Paris\"}",
                 "{\"answer\": \"It is PARIS, of course\"}");
    expect_score(1, "{\"answer\": [\"red\", \"blue\"]}",
                 "{\"answer\": \"Blue and red\"}");
    expect_score(0, "{\"answer\": [\"red\", \"green\"]}",
                 "{\"answer\": \"Blue and red\"}");
    cr_expect_str_eq(score.feedback, "`answer` should hold `green`.");
}

Test(metric, contains_finds_an_empty_label_only_in_an_empty_answer)
{
    parse_good("contains: answer");
    expect_score(0, "{\"answer\": \"\"}", "{\"answer\": \"Paris\"}");
    expect_score(0, "{\"answer\": []}", "{\"answer\": \"Paris\"}");
    expect_score(1, "{\"answer\": \" \"}", "{\"answer\": \"\"}");
    expect_score(1, "{\"answer\": []}", "{\"answer\": \" \"}");
}

Test(metric, contains_can_look_for_a_fixed_text_from_the_job)
{
    const char *labels[8];

    parse_good("contains: {field: answer, text: [sorry, refund]}");
    expect_score(1, "{}", "{\"answer\": \"Sorry! The refund is on its way\"}");
    expect_score(0, "{}", "{\"answer\": \"Sorry!\"}");
    cr_expect_eq(metric_labels(metric, labels, 8), 0);
}

Test(metric, regex_that_matches_every_answer_is_reported)
{
    parse_good("regex: {field: answer, pattern: '^$|yes'}");
    cr_expect_eq(diags->n, 0);
    parse_good("regex: {field: answer, pattern: 'x*'}");
    cr_assert_eq(diags->n, 1);
    cr_expect_str_eq(diags->items[0].code, "always-scores");
}

Test(metric, regex_finds_its_pattern_anywhere)
{
    parse_good("regex: {field: answer, pattern: '[A-Z]{2}-\\d{4}'}");
    expect_score(1, "{}", "{\"answer\": \"order AB-1234.\"}");
    expect_score(0, "{}", "{\"answer\": \"order AB-12\"}");
    expect_score(0, "{}", "{\"answer\": null}");
}

Test(metric, regex_that_is_too_costly_for_an_answer_scores_it_0)
{
    char answer[200] = "{\"answer\": \"";

    parse_good(
        "regex: {field: answer, pattern: '^(([a-z])+.)+[A-Z]([a-z])+$'}");
    memset(answer + 12, 'a', 100);
    memcpy(answer + 112, "\"}", 3);
    expect_score(0, "{}", answer);
    cr_expect_not_null(score.feedback);
}

Test(metric, numeric_allows_its_tolerance)
{
    parse_good("numeric: {field: amount, tolerance: 0.1}");
    expect_score(1, "{\"amount\": 2.2}", "{\"amount\": 2.3}");
    expect_score(0, "{\"amount\": 2.2}", "{\"amount\": 2.31}");
    expect_score(0, "{\"amount\": 2.2}", "{\"amount\": \"two\"}");
    parse_good("numeric: answer");
    expect_score(1, "{\"answer\": 42}", "{\"answer\": \" 42.0 \"}");
    expect_score(0, "{\"answer\": 42}", "{\"answer\": \"inf\"}");
}

Test(metric, token_f1_counts_shared_words)
{
    parse_good("token_f1: answer");
    expect_score(1, "{\"answer\": \"the Eiffel Tower\"}",
                 "{\"answer\": \"Eiffel tower.\"}");
    // 2 shared of 3 and 2 words: 2 x 2 / 5.
    expect_score(0.8, "{\"answer\": \"eiffel tower\"}",
                 "{\"answer\": \"eiffel tower paris\"}");
    // A repeated word counts as often as both texts contain it: 2 x 1 / 3.
    expect_score(2.0 / 3, "{\"answer\": \"no\"}", "{\"answer\": \"no no\"}");
    expect_score(0, "{\"answer\": \"yes\"}", "{\"answer\": \"\"}");
    expect_score(1, "{\"answer\": \"\"}", "{\"answer\": \"the\"}");
    // No-break and ideographic spaces separate words; letters may be composed.
    expect_score(1, "{\"answer\": \"eiffel tower\"}",
                 "{\"answer\": \"Eiffel\\u00a0Tower\\u3000\"}");
    expect_score(1, "{\"answer\": \"caf\\u00e9 noir\"}",
                 "{\"answer\": \"cafe\\u0301 noir\"}");
}

Test(metric, token_f1_counts_characters_in_scripts_without_blanks)
{
    parse_good("token_f1: answer");
    // 5 characters are shared, of 6 and 5; the full stop is not counted.
    expect_score(10.0 / 11, "{\"answer\": \"退款需要五天。\"}",
                 "{\"answer\": \"退款要五天\"}");
    expect_score(1, "{\"answer\": \"iPhone 手机\"}",
                 "{\"answer\": \"iphone手机！\"}");
    expect_score(1, "{\"answer\": \"Paris\"}", "{\"answer\": \"«Paris»…\"}");
}

Test(metric, letters_are_the_same_however_they_are_composed)
{
    parse_good("exact_match: answer");
    expect_score(1, "{\"answer\": \"caf\\u00e9\"}",
                 "{\"answer\": \"Cafe\\u0301\\u200b\"}");
    expect_score(0, "{\"answer\": \"caf\\u00e9\"}", "{\"answer\": \"cafe\"}");
    parse_good("contains: answer");
    expect_score(1, "{\"answer\": \"caf\\u00e9\"}",
                 "{\"answer\": \"The cafe\\u0301.\"}");
    parse_good("numeric: answer");
    expect_score(1, "{\"answer\": \"-5.25\"}", "{\"answer\": \"\\u22125.25\"}");
    expect_score(0, "{\"answer\": \"1234567\"}", "{\"answer\": \"1234,567\"}");
}

Test(metric, token_f1_distinguishes_numbers_and_signs)
{
    parse_good("token_f1: answer");
    expect_score(0, "{\"answer\": \"-5\"}", "{\"answer\": \"5\"}");
    expect_score(0, "{\"answer\": \"1.5\"}", "{\"answer\": \"15\"}");
    expect_score(0, "{\"answer\": \"1/2\"}", "{\"answer\": \"12\"}");
    expect_score(1, "{\"answer\": \"1,500.\"}", "{\"answer\": \"(1500)\"}");
    expect_score(0, "{\"answer\": \"+\"}", "{\"answer\": \"-\"}");
    expect_score(1, "{\"answer\": \"+\"}", "{\"answer\": \"+\"}");
    expect_score(0, "{\"answer\": \"A\"}", "{\"answer\": \"the\"}");
    expect_score(1, "{\"answer\": \"A\"}", "{\"answer\": \"a\"}");
}

Test(metric, member_missing_from_an_example_object_counts_as_null)
{
    parse_good("exact_match: whole");
    expect_score(1, "{\"whole\": {\"size\": 3}}",
                 "{\"whole\": {\"size\": 3, \"note\": null}}");
    expect_score(1, "{\"whole\": {\"size\": 3, \"note\": null}}",
                 "{\"whole\": {\"size\": 3}}");
    expect_score(0, "{\"whole\": {\"size\": 3}}",
                 "{\"whole\": {\"size\": 3, \"note\": \"x\"}}");
    parse_good("set_f1: tags");
    expect_score(1, "{\"tags\": [{\"a\": 1}]}",
                 "{\"tags\": [{\"a\": 1, \"b\": null}]}");
}

Test(metric, both_forms_of_line_end_are_equal)
{
    parse_good("exact_match: answer");
    expect_score(1, "{\"answer\": \"a\\r\\nb\"}", "{\"answer\": \"a\\nb\"}");
    expect_score(1, "{\"answer\": \"\\u00e4\\r\\nb\"}",
                 "{\"answer\": \"\\u00e4\\nb\"}");
}

Test(metric, token_f1_takes_the_nearest_of_several_answers)
{
    parse_good("token_f1: answer");
    expect_score(1, "{\"answer\": [\"new york city\", \"new york\"]}",
                 "{\"answer\": \"New York\"}");
}

Test(metric, set_f1_ignores_order_and_repetition)
{
    parse_good("set_f1: tags");
    expect_score(1, "{\"tags\": [\"a\", \"b\"]}",
                 "{\"tags\": [\"B\", \"a\", \"b\"]}");
    expect_score(2.0 / 3, "{\"tags\": [\"a\", \"b\"]}", "{\"tags\": [\"a\"]}");
    expect_score(1, "{\"tags\": []}", "{\"tags\": []}");
    expect_score(0, "{\"tags\": []}", "{\"tags\": [\"a\"]}");
    expect_score(1, "{\"tags\": \"a, b\"}", "{\"tags\": [\"b\", \"a\"]}");
    expect_score(1, "{\"tags\": [1, 2]}", "{\"tags\": [2.0, 1]}");
}

Test(metric, fields_scores_the_share_of_correct_fields)
{
    parse_good("fields: [intent, amount, answer]");
    expect_score(2.0 / 3,
                 "{\"intent\": \"a\", \"amount\": 1, \"answer\": \"x\"}",
                 "{\"intent\": \"a\", \"amount\": 1, \"answer\": \"y\"}");
}

Test(metric, weighted_is_a_mean_by_weight)
{
    parse_good("weighted: [{weight: 3, exact_match: intent}, "
               "{weight: 1, token_f1: answer}]");
    expect_score(0.75, "{\"intent\": \"a\", \"answer\": \"x\"}",
                 "{\"intent\": \"a\", \"answer\": \"y\"}");
    expect_score(1, "{\"intent\": \"a\", \"answer\": \"x\"}",
                 "{\"intent\": \"a\", \"answer\": \"x\"}");
}

Test(metric, weights_that_round_still_add_up_to_1)
{
    parse_good("weighted: [{weight: 0.1, exact_match: intent}, "
               "{weight: 0.7, exact_match: answer}, "
               "{weight: 0.2, exact_match: amount}]");
    cr_expect_eq(score_of("{\"intent\": 1, \"answer\": 2, \"amount\": 3}",
                          "{\"intent\": 1, \"answer\": 2, \"amount\": 3}"),
                 1.0);
}

Test(metric, reads_and_labels_are_those_of_all_parts)
{
    bool reads[6];
    const bool expected[6] = {true, false, true, false, false, false};
    const char *labels[8];

    parse_good("weighted: [{weight: 1, exact_match: intent}, "
               "{weight: 1, token_f1: {field: answer, label: gold}}, "
               "{weight: 1, fields: [intent]}]");
    metric_reads(metric, reads);
    cr_expect_arr_eq(reads, expected, sizeof reads);
    cr_assert_eq(metric_labels(metric, labels, 8), 2);
    cr_expect_str_eq(labels[0], "intent");
    cr_expect_str_eq(labels[1], "gold");
    cr_expect_null(labels[2]);
    cr_expect_eq(metric_labels(metric, labels, 2), 1);
}

Test(metric, exec_reads_all_outputs_unless_told)
{
    bool reads[6];
    const bool all[6] = {true, true, true, true, true, true};
    const bool some[6] = {false, false, true, false, false, false};

    parse_good("exec: {command: [python3, judge.py]}");
    metric_reads(metric, reads);
    cr_expect_arr_eq(reads, all, sizeof reads);
    parse_good("exec: {command: [python3, judge.py], reads: [answer]}");
    metric_reads(metric, reads);
    cr_expect_arr_eq(reads, some, sizeof reads);
}

Test(metric, exec_parts_take_their_answers_in_order)
{
    const struct user_command *commands[METRIC_MAX_OUTSIDE];
    char feedback[] = "too short";
    const struct score outside[2] = {{0.5, NULL}, {0.25, feedback}};

    parse_good("weighted: [{weight: 1, exec: {command: [one]}}, "
               "{weight: 3, exec: {command: [two, x], timeout: 1.5s}}]");
    cr_assert_eq(metric_ask_count(metric), 2);
    cr_assert_eq(metric_commands(metric, commands), 2);
    cr_expect_str_eq(commands[0]->argv[0], "one");
    cr_expect_eq(commands[0]->timeout_ms, 30000);
    cr_expect_str_eq(commands[1]->argv[1], "x");
    cr_expect_null(commands[1]->argv[2]);
    cr_expect_eq(commands[1]->timeout_ms, 1500);
    score_parts(NULL, NULL, outside);
    cr_expect_float_eq(score.value, 0.3125, 1e-12);
    cr_expect_str_eq(score.feedback, "too short");
}

Test(metric, feedback_defaults_to_the_difference)
{
    const struct score outside[1] = {{0.25, NULL}};
    json_t *example = value_of("{\"answer\": \"red\", \"amount\": 2, "
                               "\"note\": \"x\"}");
    json_t *given = value_of("{\"intent\": \"a\", \"answer\": \"blue\", "
                             "\"amount\": \"2.0\"}");

    parse_good("exec: {command: [python3, judge.py]}");
    score_parts(example, given, outside);
    cr_expect_str_eq(score.feedback, "`answer` is `blue`, but `red` is right.");

    parse_good("exec: {command: [python3, judge.py], reads: [amount]}");
    score_parts(example, given, outside);
    cr_expect_null(score.feedback, "%s", score.feedback);
    json_decref(example);
    json_decref(given);
}

Test(metric, each_part_of_a_weighted_metric_has_its_feedback)
{
    const struct score outside[1] = {{0, NULL}};
    json_t *example = value_of("{\"answer\": \"red\", \"intent\": \"b\"}");
    json_t *given = value_of("{\"intent\": \"a\", \"answer\": \"blue\"}");

    parse_good("weighted: [{weight: 1, exec: {command: [one], reads: "
               "[answer]}}, {weight: 3, exact_match: intent}]");
    score_parts(example, given, outside);
    cr_expect_str_eq(score.feedback, "`answer` is `blue`, but `red` is right. "
                                     "`intent` is `a`, but `b` is right.");
    json_decref(example);
    json_decref(given);
}

Test(metric, a_request_is_one_line_of_json)
{
    struct buf line = BUF_INIT(1 << 20);
    struct ask ask;
    json_t *example = value_of("{\"b\": \"x\\ny\", \"a\": 1}");
    json_t *given = value_of("{\"answer\": \"z\"}");

    parse_good("exec: {command: [python3, judge.py]}");
    cr_assert(
        metric_ask(metric, 0,
                   &(struct metric_case){.example = example, .outputs = given},
                   &line, &ask, &err),
        "%s", err.text);
    cr_expect_eq(ask.answerer, ANSWERER_EXEC);
    cr_expect_str_eq(ask.command->argv[1], "judge.py");
    cr_expect_str_eq(ask.payload, line.data);
    cr_expect_str_eq(line.data, "{\"example\":{\"a\":1,\"b\":\"x\\ny\"},"
                                "\"outputs\":{\"answer\":\"z\"}}");
    buf_release(&line);
    json_decref(example);
    json_decref(given);
}

Test(metric, an_answer_is_a_number_or_a_score_with_feedback)
{
    const char *object = "{\"score\": 0.5, \"feedback\": \"half\"}";

    cr_assert(score_read("1", 1, &score, &err), "%s", err.text);
    cr_expect_eq(score.value, 1);
    cr_assert(score_read(object, strlen(object), &score, &err), "%s", err.text);
    cr_expect_eq(score.value, 0.5);
    cr_expect_str_eq(score.feedback, "half");
    score_release(&score);
    // Feedback is optional: if it is not a text, the score still counts.
    cr_assert(score_read("{\"score\": 1, \"feedback\": [\"a\", 3]}", 34, &score,
                         &err),
              "%s", err.text);
    cr_expect_eq(score.value, 1);
    cr_expect_str_eq(score.feedback, "[\"a\",3]");
    score_release(&score);
    cr_assert(score_read("1.0000000000000002", 18, &score, &err), "%s",
              err.text);
    cr_expect_eq(score.value, 1);
}

Test(metric, any_other_answer_is_refused)
{
    const char *const wrong[] = {
        "",
        "ok",
        "1.5",
        "-0.1",
        "1.0001",
        "[1]",
        "{}",
        "{\"score\": \"1\"}",
        "NaN",
        "true",
        "{\"score\": 2}",
        "1 1",
        "{\"score\": \"1\", \"feedback\": \"x\"}",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err = ERR_CLEAR;
        cr_expect_not(score_read(wrong[i], strlen(wrong[i]), &score, &err),
                      "%s", wrong[i]);
        cr_expect_eq(err.code, ERR_PROTOCOL, "%s: %s", wrong[i], err.text);
    }
}

Test(metric, misspelt_output_is_reported_with_the_nearest_name)
{
    expect_finding("exact_match: intnet",
                   "no output `intnet`, did you mean `intent`?", 14);
}

Test(metric, unknown_output_in_a_list_is_reported_at_its_place)
{
    expect_finding("fields: [intent, colour]", "no output `colour`", 18);
}

Test(metric, misspelt_metric_is_reported_with_the_nearest_name)
{
    expect_finding("exact_mach: intent", "did you mean `exact_match`?", 1);
}

Test(metric, misspelt_parameter_is_reported_with_the_nearest_name)
{
    expect_finding("numeric: {field: amount, tolerence: 1}",
                   "did you mean `tolerance`?", 26);
}

Test(metric, output_of_the_wrong_type_is_reported)
{
    expect_finding("numeric: tags",
                   "`numeric` compares numbers, but `tags` is a list", 10);
}

Test(metric, broken_pattern_is_reported)
{
    expect_finding("regex: {field: answer, pattern: '('}", "", 34);
}

Test(metric, metric_of_two_kinds_is_reported)
{
    expect_finding("{exact_match: intent, token_f1: answer}",
                   "a metric has one kind", 23);
}

Test(metric, part_without_weight_is_reported)
{
    expect_finding("weighted: [{exact_match: intent}]", "needs `weight`", 12);
}

Test(metric, command_written_as_one_text_is_reported)
{
    expect_finding("exec: {command: python3 judge.py}", "no shell splits it",
                   17);
}

Test(metric, too_many_exec_parts_are_reported)
{
    char yaml[2048] = "weighted: [";

    for (int i = 0; i < METRIC_MAX_OUTSIDE + 1; i++)
        (void)snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
                       "{weight: 1, exec: {command: [x]}}, ");
    memcpy(yaml + strlen(yaml) - 2, "]", 2);
    parse(yaml);
    cr_expect_null(metric);
    cr_assert_eq(diags->n, 1);
    cr_expect(strstr(diags->items[0].text, "at most 16 questions") != NULL,
              "%s", diags->items[0].text);
}

Test(metric, written_metric_reads_back_the_same)
{
    static const char *const metrics[] = {
        "exact_match: [intent, answer]",
        "exact_match: {field: answer, label: gold}",
        "contains: {field: answer, text: [sorry]}",
        "regex: {field: answer, pattern: '^a\\d'}",
        "numeric: {field: amount, tolerance: 0.25}",
        "token_f1: answer",
        "weighted: [{weight: 0.5, set_f1: tags}, {weight: 2, fields: "
        "[intent]}]",
        "exec: {command: [python3, 'a b.py'], reads: [answer], timeout: 1500s}",
    };

    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        parse_good(metrics[i]);
        json_t *written = metric_json(metric);
        char *text = json_text(written);
        cr_assert_not_null(text);
        parse_good(text);
        json_t *again = metric_json(metric);
        cr_expect(json_equal(written, again), "%s: %s", metrics[i], text);
        json_decref(written);
        json_decref(again);
        free(text);
    }
}

// ---- asking a model

static struct field questions[] = {{.name = "question", .desc = "Asked"}};

// Makes the program above with an input, which a judge may be shown.
static struct metric *parse_with_input(const char *yaml)
{
    static struct program asking;
    struct node *node =
        yaml_parse(&arena, "job.yaml", yaml, strlen(yaml), diags);

    asking = program;
    asking.inputs = questions;
    asking.n_inputs = 1;
    metric_release(metric);
    metric = metric_parse(&arena, node, &asking, diags);
    return metric;
}

#define GROUNDED "grounded: {answer: answer, context: question}"

static void expect_grounded(const char *context, const char *answer,
                            double wanted, const char *feedback)
{
    json_t *example = json_pack("{s:s}", "question", context);
    json_t *given = json_pack("{s:s}", "answer", answer);

    cr_assert_not_null(parse_with_input(GROUNDED));
    cr_assert_eq(metric_ask_count(metric), 0);
    score_parts(example, given, NULL);
    cr_expect_float_eq(score.value, wanted, 1e-12, "%s: %g", answer,
                       score.value);
    if (feedback == NULL)
        cr_expect_null(score.feedback, "%s", score.feedback);
    else
        cr_expect_not_null(
            strstr(score.feedback == NULL ? "" : score.feedback, feedback),
            "%s", score.feedback);
    score_release(&score);
    json_decref(example);
    json_decref(given);
}

Test(metric, grounded_is_the_share_of_statements_supported_by_the_context)
{
    static const char context[] = "Parcels above 20 kg cost 5.50 euros more. "
                                  "They leave on Mondays.";

    expect_grounded(context, "A parcel above 20 kg costs 5.50 euros more.", 1,
                    NULL);
    expect_grounded(context, "They leave on Mondays. We give it to you free.",
                    0.5, "does not say: We give it to you free.");
    expect_grounded(context, "A parcel above 30 kg costs 5.50 euros more.", 0,
                    "30 kg");
    expect_grounded(context, "", 0, "says nothing");
    expect_grounded("", "They leave on Mondays.", 0, "Mondays");
}

Test(metric, grounded_reads_other_letters_and_scripts)
{
    expect_grounded("Bei übelkeit “sofort” absetzen.",
                    "Übelkeit: sofort absetzen!", 1, NULL);
    expect_grounded("退款需要五个工作日才能到账，请联系客服。",
                    "退款需要五个工作日。请联系客服。", 1, NULL);
    expect_grounded("退款需要五个工作日才能到账。",
                    "退款需要五个工作日。我们明天免费送货。", 0.5,
                    "我们明天免费送货");
    expect_grounded("返品は30日以内に受け付けます。", "返品は60日以内。", 0,
                    "60");
}

Test(metric, judge_has_its_own_prompt)
{
    struct buf text = BUF_INIT(1 << 20), format = BUF_INIT(1 << 20);
    struct ask ask;
    json_t *example = value_of("{\"question\": \"Why?\", \"answer\": \"So.\"}");
    json_t *given = value_of("{\"answer\": \"Because.\"}");
    bool reads[6];
    const char *needs[9];

    cr_assert_not_null(parse_with_input(
        "judge: {instruction: Is it kind?, replicates: 2, rubric: {1: Rude}, "
        "inputs: [answer, question, example.answer]}"));
    metric_reads(metric, reads);
    cr_expect(reads[2] && !reads[0] && !reads[5]);
    cr_expect_eq(metric_labels(metric, needs, 9), 1);
    cr_expect_str_eq(needs[0], "answer");
    cr_expect_eq(metric_ask_count(metric), 2);
    cr_expect(metric_asks_model(metric));
    cr_assert(metric_prefix(metric, 1, &text, &format, &err), "%s", err.text);
    cr_expect_not_null(strstr(text.data, "Is it kind?"));
    cr_expect_not_null(strstr(text.data, "1: Rude"));
    cr_expect_not_null(strstr(format.data, "\"maximum\":5"));
    buf_clear(&text);
    cr_assert(
        metric_ask(metric, 1,
                   &(struct metric_case){.example = example, .outputs = given},
                   &text, &ask, &err),
        "%s", err.text);
    cr_expect_eq(ask.answerer, ANSWERER_MODEL);
    cr_expect_eq(ask.part, 1);
    cr_expect_not_null(strstr(ask.payload, "Because."));
    cr_expect_not_null(strstr(ask.payload, "expected_answer"));
    buf_release(&text);
    buf_release(&format);
    json_decref(example);
    json_decref(given);
}

static void expect_verdict(const char *text, double value)
{
    struct call_answer answer = {
        .outcome = CALL_TEXT, .text = (char *)text, .text_len = strlen(text)};

    err = ERR_CLEAR;
    if (value < 0) {
        cr_expect_not(metric_read_answer(metric, 0, &answer, &score, &err),
                      "%s", text);
        cr_expect_eq(err.code, ERR_INPUT);
        return;
    }
    cr_assert(metric_read_answer(metric, 0, &answer, &score, &err), "%s",
              err.text);
    cr_expect_eq(score.value, value, "%s: %g", text, score.value);
    score_release(&score);
}

Test(metric, judge_reply_is_read_on_its_scale)
{
    cr_assert_not_null(parse_with_input(
        "judge: {instruction: Good?, inputs: [answer], scale: [2, 6]}"));
    expect_verdict("{\"feedback\": \"\", \"score\": 2}", 0);
    expect_verdict("{\"feedback\": \"\", \"score\": 5}", 0.75);
    expect_verdict("```\n{\"feedback\": \"\", \"score\": 6}\n```", 1);
    expect_verdict("{\"feedback\": \"\", \"score\": 7}", -1);
    expect_verdict("{\"feedback\": \"good\"}", -1);
    expect_verdict("good", -1);

    cr_assert_not_null(parse_with_input(
        "grounded: {answer: answer, context: question, judge: true}"));
    expect_verdict(
        "{\"unsupported\": \"x\", \"statements\": 4, \"supported\": 3}", 0.75);
    expect_verdict(
        "{\"unsupported\": \"\", \"statements\": 0, \"supported\": 0}", 0);
    expect_verdict(
        "{\"unsupported\": \"\", \"statements\": 1, \"supported\": 3}", -1);
}

// Comments only help to improve an answer; the score alone is the answer.
Test(metric, judge_reply_of_only_a_score_is_accepted)
{
    cr_assert_not_null(parse_with_input(
        "judge: {instruction: Good?, inputs: [answer], scale: [2, 6]}"));
    expect_verdict("{\"score\": 5}", 0.75);
    expect_verdict("{\"feedback\": null, \"score\": 5}", 0.75);
    expect_verdict("{\"feedback\": [\"late\"], \"score\": 5}", 0.75);
    expect_verdict("5", 0.75);
    expect_verdict("{\"feedback\": \"late\", \"score\": null}", -1);
    expect_verdict("It has 3 mistakes.", -1); // not a score

    cr_assert_not_null(parse_with_input(
        "grounded: {answer: answer, context: question, judge: true}"));
    expect_verdict("{\"statements\": 4, \"supported\": 3}", 0.75);
    expect_verdict("{\"unsupported\": null, \"statements\": 4, "
                   "\"supported\": 3}",
                   0.75);
    expect_verdict("{\"unsupported\": \"x\", \"statements\": 4}", -1);
}

Test(metric, judge_reply_cut_after_its_score_is_accepted)
{
    const char *whole = "{\"feedback\": \"late\", \"score\": 3}\n\n{\"fee";
    struct call_answer answer = {
        .outcome = CALL_CUT, .text = (char *)whole, .text_len = strlen(whole)};

    cr_assert_not_null(parse_with_input(
        "judge: {instruction: Good?, inputs: [answer], scale: [1, 5]}"));
    cr_assert(metric_read_answer(metric, 0, &answer, &score, &err), "%s",
              err.text);
    cr_expect_eq(score.value, 0.5);
    score_release(&score);
    answer.text_len = 20;
    cr_expect_not(metric_read_answer(metric, 0, &answer, &score, &err));
}

Test(metric, the_mean_of_replicates_comes_with_its_variance)
{
    const struct score outside[] = {{0.25, "late"}, {0.75, NULL}, {1, NULL}};
    json_t *none = json_object();

    cr_assert_not_null(parse_with_input(
        "weighted: [{weight: 1, judge: {instruction: Good?, inputs: [answer], "
        "replicates: 2}}, {weight: 3, judge: {instruction: Kind?, inputs: "
        "[answer]}}]"));
    score_parts(none, none, outside);
    cr_expect_eq(score.value, 0.875);
    cr_expect_str_eq(score.feedback, "late");
    // The variance of a mean of two is 0.125 / 2, and this part has a weight of
    // a quarter.
    cr_expect_eq(score.variance, 0.0625 / 16);
    json_decref(none);
}

static void expect_wrong(const char *yaml, const char *text)
{
    size_t before = diags->n;

    cr_assert_null(parse_with_input(yaml), "%s", yaml);
    cr_assert_gt(diags->n, before);
    cr_expect_not_null(strstr(diags->items[before].text, text), "%s: %s", yaml,
                       diags->items[before].text);
}

Test(metric, wrong_judge_parameters_are_reported)
{
    expect_wrong("judge: {inputs: [answer]}", "needs `instruction`");
    expect_wrong("judge: {instruction: Good?}", "needs `inputs`");
    expect_wrong("judge: {instruction: Good?, inputs: [question]}",
                 "no output of the program");
    expect_wrong("judge: {instruction: Good?, inputs: [answer, answer]}",
                 "shown twice");
    expect_wrong("judge: {instruction: Good?, inputs: [answer], scale: [5, 1]}",
                 "two whole numbers");
    expect_wrong("judge: {instruction: Good?, inputs: [answer], rubric: x}",
                 "levels");
    expect_wrong("grounded: {answer: answer}", "needs `context`");
    expect_wrong("grounded: {answer: answer, context: whole, replicates: 2}",
                 "needs `judge: true`");
}
