#include "search/toolkit/reflection.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"

static struct err err;

// A teacher that remembers what it was shown and says what it is set to say.
struct teacher {
    const char *says;       // the instruction
    const char *hypothesis; // or NULL
    json_t *shown;          // the last inputs; owned
    size_t asked;
};

static json_t *answer(void *user, const struct fake_ask *ask)
{
    struct teacher *teacher = user;
    json_t *out = NULL;

    if (strcmp(ask->sampling->purpose, "reflect") != 0)
        return json_pack("{s:s, s:f}", "label", "a", "confidence", 0.5);
    teacher->asked++;
    json_decref(teacher->shown);
    teacher->shown = json_deep_copy(ask->inputs);
    out = json_pack("{s:s}", "new_instruction", teacher->says);
    if (teacher->hypothesis != NULL)
        json_object_set_new(out, "hypothesis",
                            json_string(teacher->hypothesis));
    return out;
}

static double score(void *user, const json_t *example, const json_t *outputs)
{
    (void)user;
    return strcmp(json_get_text(example, "label", "?"),
                  json_get_text(outputs, "label", "!")) == 0;
}

static struct session *open_session(struct teacher *teacher)
{
    char *examples = support_examples(12);
    struct session *fake =
        fake_new(SUPPORT_ONE, examples, 6, NULL,
                 (struct fake_script){answer, score, teacher}, FINISH_LATE);

    free(examples);
    return fake;
}

static const struct reflection_options plain = {.hypotheses = false};

// Runs the baseline on rows 0 to 2 and reflects on the results.
static char *reflect(struct session *fake,
                     const struct reflection_options *options, const char *hint,
                     char **hypothesis)
{
    const size_t rows[] = {0, 1, 2};
    const struct runs_request request = {
        .program = fake->job.program,
        .plan = &fake->plan,
        .candidate = fake->baseline,
        .role = ROLE_STUDENT,
        .sampling = {.temperature = -1, .purpose = "trial"},
        .scored = true,
        .rows = rows,
        .n = 3,
    };
    struct runs *runs = runs_submit(fake, &request, &err);
    struct reflection_case cases[3];
    struct reflection_form form = {0};
    struct question question = {0};
    char *made = NULL;

    cr_assert(runs_wait(fake, runs, &err));
    for (size_t i = 0; i < 3; i++)
        cr_assert(reflection_case_of(&runs->items[i], 0, &cases[i]));
    const struct reflection reflection = {
        .step = &fake->job.program->steps[0],
        .instruction = "Classify the text.",
        .cases = cases,
        .n_cases = 3,
        .hint = hint,
        .temperature = 1,
        .draw = 7,
    };
    cr_assert(reflection_form_init(&form, fake, options, &err), "%s", err.text);
    cr_assert(reflection_prepare(&form, &reflection, &question, &err), "%s",
              err.text);
    runs_free(runs); // the question does not need them any more
    cr_assert(questions_ask(fake, &question, 1, &err), "%s", err.text);
    if (hypothesis != NULL)
        *hypothesis = strdup(json_get_text(question.answer, "hypothesis", ""));
    cr_assert(reflection_take(&question, &made, &err), "%s", err.text);
    question_release(&question);
    reflection_form_release(&form);
    return made;
}

Test(reflection, the_teacher_sees_inputs_outputs_and_feedback)
{
    struct teacher teacher = {.says = "Answer b for odd rows."};
    struct session *fake = open_session(&teacher);
    char *made = reflect(fake, &plain, NULL, NULL);
    const char *shown =
        json_get_text(teacher.shown, "examples_with_feedback", "");

    cr_expect_str_eq(made, "Answer b for odd rows.");
    cr_expect_eq(teacher.asked, 1);
    cr_expect_str_eq(json_get_text(teacher.shown, "basic_instruction", ""),
                     "Classify the text.");
    cr_expect_not_null(strstr(shown, "# Example 1\n## Inputs\ntext: row 0\n"
                                     "## Outputs\nlabel: a\nconfidence: 0.5\n"
                                     "## Feedback\nThe score is 1.00 of 1. "
                                     "This is right.\n"),
                       "%s", shown);
    cr_expect_not_null(strstr(shown, "text: row 1\n"), "%s", shown);
    cr_expect_not_null(strstr(shown, "0.00 of 1. row 1: label is b\n"), "%s",
                       shown);
    cr_expect_null(json_object_get(teacher.shown, "hint"));
    free(made);
    json_decref(teacher.shown);
    fake_free(fake);
}

Test(reflection, hypothesis_and_hint_are_requested_if_enabled)
{
    const struct reflection_options both = {.hypotheses = true, .hints = true};
    struct teacher teacher = {.says = "Look at the number.",
                              .hypothesis = "Numbers are not looked at."};
    struct session *fake = open_session(&teacher);
    char *hypothesis = NULL;
    char *made = reflect(fake, &both, "Be terse.", &hypothesis);

    cr_expect_str_eq(made, "Look at the number.");
    cr_expect_str_eq(hypothesis, "Numbers are not looked at.");
    cr_expect_str_eq(json_get_text(teacher.shown, "hint", ""), "Be terse.");
    free(made);
    free(hypothesis);
    json_decref(teacher.shown);
    fake_free(fake);
}

// A hypothesis helps to find a better instruction, but only the instruction is
// wanted.
Test(reflection, instruction_without_its_hypothesis_is_accepted)
{
    const struct reflection_options named = {.hypotheses = true};
    struct teacher teacher = {.says = "Look at the number."};
    struct session *fake = open_session(&teacher);
    char *made = reflect(fake, &named, NULL, NULL);

    cr_assert_not_null(made);
    cr_expect_str_eq(made, "Look at the number.");
    cr_expect_eq(teacher.asked, 1);
    free(made);
    json_decref(teacher.shown);
    fake_free(fake);
}

Test(reflection, unchanged_instruction_is_rejected)
{
    struct teacher teacher = {.says = "\"classify  the text.\""};
    struct session *fake = open_session(&teacher);

    cr_expect_null(reflect(fake, &plain, NULL, NULL));
    json_decref(teacher.shown);
    fake_free(fake);
}

Test(reflection, reply_of_only_markup_is_retried_then_dropped)
{
    struct teacher teacher = {.says = "{new_instruction}"};
    struct session *fake = open_session(&teacher);

    cr_expect_null(reflect(fake, &plain, NULL, NULL));
    cr_expect_eq(teacher.asked, TEACHER_ATTEMPTS);
    json_decref(teacher.shown);
    fake_free(fake);
}

Test(reflection, long_values_are_cut_until_all_examples_fit)
{
    struct teacher teacher = {.says = "Read the end of the text."};
    struct session *fake = open_session(&teacher);
    struct reflection_form form = {0};
    struct question question = {0};
    char text[601];
    memset(text, 'x', 600);
    text[600] = '\0';
    json_t *inputs = json_pack("{s:s}", "text", text);
    const struct reflection_case one = {.inputs = inputs, .feedback = text};
    const struct reflection_case cases[] = {one, one, one, one};
    const struct reflection reflection = {
        .step = &fake->job.program->steps[0],
        .instruction = "Classify the text.",
        .cases = cases,
        .n_cases = 4,
    };

    // Room for 500 tokens, at 3 bytes each.
    fake->job.models[ROLE_TEACHER].options.num_ctx = 1512;
    cr_assert(reflection_form_init(&form, fake, &plain, &err), "%s", err.text);
    cr_assert(reflection_prepare(&form, &reflection, &question, &err), "%s",
              err.text);
    const char *shown =
        json_get_text(question.inputs, "examples_with_feedback", "");
    cr_expect_lt(strlen(shown), 1500);
    cr_expect_gt(strlen(shown), 700, "cut no more than is needed");
    cr_expect_not_null(strstr(shown, "# Example 4\n"), "%s", shown);
    cr_expect_not_null(strstr(shown, "None that could be read."));
    cr_expect_not_null(strstr(shown, "xxx...\n"));
    question_release(&question);
    reflection_form_release(&form);
    json_decref(inputs);
    fake_free(fake);
}
