#include <criterion/criterion.h>
#include <string.h>

#include "cli/report.h"
#include "common/json.h"

static const struct terminal terminal = {.width = 80};
static struct buf out;
static json_t *document;

static const char whole[] =
    "{\"job\": \"care-1\", \"finish_reason\": \"trials_done\","
    " \"baseline\": {\"score\": 0.61, \"low\": 0.52, \"high\": 0.69, \"n\": "
    "100},"
    " \"compiled\": {\"score\": 0.84, \"low\": 0.77, \"high\": 0.9, \"n\": "
    "100},"
    " \"test\": {\"baseline\": {\"score\": 0.6, \"low\": 0.4, \"high\": 0.78,"
    "  \"n\": 20}, \"compiled\": {\"score\": 0.85, \"low\": 0.64, \"high\":"
    "  0.95, \"n\": 20}, \"p_value\": 0.002},"
    " \"calls\": {\"student\": 1812, \"teacher\": 24, \"judge\": 0,"
    "  \"reused\": 2210, \"hedged\": 0},"
    " \"tokens\": {\"prompt\": 410233, \"prompt_cached\": null,"
    "  \"generated\": 30211}, \"wall_s\": 71.3,"
    " \"skipped_steps\": [\"extract\"], \"out\": \"compiled.json\","
    " \"simulated\": true, \"trials\": 18, \"optimizer\": \"miprov2\","
    " \"changes\": {\"classify\": {\"before\": \"Classify it.\","
    "  \"after\": \"Read the message twice, then classify it by what the "
    "customer wants to happen next, not by its tone.\", \"demos\": 4},"
    "  \"extract\": {\"before\": \"Extract.\", \"after\": \"Extract.\","
    "  \"demos\": 1}}}";

static void open_document(void)
{
    struct err err = ERR_CLEAR;

    out = BUF_INIT(1 << 16);
    document = json_parse(whole, sizeof whole - 1, 1 << 16, &err);
    cr_assert_not_null(document, "%s", err.text);
}

static void close_document(void)
{
    json_decref(document);
    buf_release(&out);
}

static bool shows(const char *text)
{
    return out.data != NULL && strstr(out.data, text) != NULL;
}

static void set_test(const char *text)
{
    struct err err = ERR_CLEAR;

    json_object_set_new(document, "test",
                        json_parse(text, strlen(text), 1 << 16, &err));
}

TestSuite(report, .init = open_document, .fini = close_document);

Test(report, scores_are_compared_on_the_same_rows)
{
    json_object_set_new(
        document, "same_rows",
        json_pack("{s:{s:f, s:f, s:f, s:i}, s:{s:f, s:f, s:f, s:i}}",
                  "baseline", "score", 0.5, "low", 0.4, "high", 0.6, "n", 90,
                  "compiled", "score", 0.84, "low", 0.77, "high", 0.9, "n",
                  90));
    report_run(&terminal, document, &out);
    cr_expect(shows("50.0 % (40 to 60, n = 90)  ->  84.0 %"), "%s", out.data);
    cr_expect_not(shows("61.0 %"));
}

Test(report, baseline_and_compiled_are_shown_with_intervals)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("61.0 % (52 to 69, n = 100)  ->  84.0 % (77 to 90, n = "
                    "100)"),
              "%s", out.data);
}

Test(report, scores_stand_below_each_other)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("baseline                    ->  compiled (95 %"), "%s",
              out.data);
    cr_expect(shows("61.0 % (52 to 69, n = 100)  ->  84.0 %"), "%s", out.data);
    cr_expect(shows("60.0 % (40 to 78, n = 20)   ->  85.0 %"), "%s", out.data);
}

Test(report, a_significant_gain_is_called_better)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("better than the baseline on the test share (p = 0.002)"),
              "%s", out.data);
}

Test(report, difference_that_may_be_chance_is_called_no_difference)
{
    set_test("{\"baseline\": {\"score\": 0.6}, \"compiled\": {\"score\": "
             "0.7}, \"p_value\": 0.31}");
    cr_expect_str_eq(report_verdict(json_object_get(document, "test")),
                     "no detectable difference");
}

Test(report, a_significant_loss_is_called_worse)
{
    set_test("{\"baseline\": {\"score\": 0.8}, \"compiled\": {\"score\": "
             "0.5}, \"p_value\": 0.01}");
    cr_expect_str_eq(report_verdict(json_object_get(document, "test")),
                     "worse than the baseline");
}

Test(report, without_a_test_share_the_reader_is_warned)
{
    json_object_set_new(document, "test", json_null());
    report_run(&terminal, document, &out);
    cr_expect(shows("no test share"), "%s", out.data);
    cr_expect_not(shows("verdict"), "%s", out.data);
}

Test(report, a_stopped_job_does_not_blame_a_missing_test_share)
{
    json_object_set_new(document, "test", json_null());
    json_object_set_new(document, "finish_reason", json_string("stopped"));
    report_run(&terminal, document, &out);
    cr_expect_not(shows("no test share"), "%s", out.data);
    cr_expect(shows("stopped before the test share was scored"), "%s",
              out.data);
}

Test(report, a_simulated_run_says_so)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("simulated: "), "%s", out.data);

    buf_clear(&out);
    json_object_set_new(document, "simulated", json_false());
    report_run(&terminal, document, &out);
    cr_expect_not(shows("simulate"), "%s", out.data);
}

Test(report, instructions_are_shown_before_and_after)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("classify: new instruction, 4 demos"), "%s", out.data);
    cr_expect(shows("before Classify it.\n"), "%s", out.data);
    cr_expect(shows("after  Read the message twice"), "%s", out.data);
    cr_expect(shows("not by its tone.\n"), "a file gets all of it: %s",
              out.data);
}

Test(report, a_terminal_gets_the_first_lines_of_an_instruction)
{
    struct terminal narrow = {.width = 44, .live = true};

    report_run(&narrow, document, &out);
    cr_expect(shows("after  Read the message twice, then\n"
                    "           classify it by what the\n"
                    "           customer wants to happen next,...\n"),
              "%s", out.data);
}

Test(report, skipped_steps_are_named_with_the_reason)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("extract: instruction as written, 1 demo (not searched, "
                    "not measured)"),
              "%s", out.data);
    cr_expect(shows("the metric does not need extract"), "%s", out.data);
}

Test(report, cost_is_shown_by_role)
{
    report_run(&terminal, document, &out);
    cr_expect(shows("1,812 student, 24 teacher; 2,210 reused"), "%s", out.data);
    cr_expect(shows("410,233 prompt, 30,211 generated"), "%s", out.data);
    cr_expect(shows("71.3 s"), "%s", out.data);
}

Test(report, report_ends_with_the_file)
{
    report_run(&terminal, document, &out);
    report_try(document, " --simulate message=VALUE topic=VALUE", &out);
    cr_expect(shows("promptcc predict compiled.json --simulate message=VALUE "
                    "topic=VALUE\n"),
              "%s", out.data);
}

Test(report, a_job_that_scored_nothing_has_no_file)
{
    json_object_set_new(document, "out", json_null());
    json_object_set_new(document, "baseline", json_null());
    json_object_set_new(document, "compiled", json_null());
    report_run(&terminal, document, &out);
    cr_expect(shows("no compiled file: nothing has been scored yet"), "%s",
              out.data);
}

Test(report, model_text_cannot_control_the_terminal)
{
    json_object_set_new(
        json_object_get(json_object_get(document, "changes"), "classify"),
        "after", json_string("be\x1b[31m evil"));
    report_run(&terminal, document, &out);
    cr_expect_null(strchr(out.data, '\x1b'));
}
