#include "search/toolkit/demos.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "fake_support.h"

static struct err err;

static struct support support_of(double teacher)
{
    return (struct support){.teacher = teacher, .base = 0.3};
}

static struct demo_recipe recipe_of(int64_t bootstrapped, int64_t labeled)
{
    return (struct demo_recipe){.max_bootstrapped = bootstrapped,
                                .max_labeled = labeled,
                                .max_rounds = 1,
                                .max_errors = 10,
                                .metric_threshold = NAN};
}

static struct demo_set make(struct session *fake, struct demo_recipe recipe)
{
    struct demo_set set = {0};
    struct rng rng = session_rng(fake, "test", 0);
    struct demo_maker *maker =
        demo_maker_new(fake, NULL, session_plan(fake), &err);

    cr_assert_not_null(maker, "%s", err.text);
    cr_assert(
        demos_bootstrap(maker, &recipe,
                        &(struct demo_rows){fake->split.rows[SHARE_TRAIN],
                                            fake->split.n[SHARE_TRAIN], &rng},
                        &set, &err),
        "%s", err.text);
    demo_maker_free(maker);
    return set;
}

Test(demos, missing_fields_are_filled_once_and_the_label_is_kept)
{
    struct support support = support_of(1);
    struct session *fake = support_session(&support, 20, 10, FINISH_LATE);
    struct demo_set set = make(fake, recipe_of(0, 4));

    cr_assert_eq(set.lists[0].n, 4);
    cr_expect_eq(fake->asked_fill, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct demo *demo = &set.lists[0].demos[i];
        const json_t *row = fake->fields[demo->row];
        cr_expect_eq(json_object_size(demo->fields), 3);
        cr_expect_str_eq(json_get_text(demo->fields, "label", ""),
                         json_get_text(row, "label", "?"));
        cr_expect_eq(json_get_number(demo->fields, "confidence", 0), 0.75);
        cr_expect(demo->augmented);
    }
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, example_that_cannot_be_filled_is_not_used_as_a_demo)
{
    struct support support = support_of(1);
    support.silent_fill = true;
    struct session *fake = support_session(&support, 20, 10, FINISH_LATE);
    struct demo_set set = make(fake, recipe_of(0, 4));

    cr_expect_eq(set.lists[0].n, 0);
    cr_expect_eq(fake->asked_fill, 40, "each of 10 rows was asked %zu / 10",
                 fake->asked_fill);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, traces_come_from_the_first_rows_that_pass)
{
    struct support support = support_of(0.5);
    struct session *fake = support_session(&support, 60, 40, FINISH_LATE);
    struct demo_set set = make(fake, recipe_of(4, 0));
    int last = -1;

    cr_assert_eq(set.lists[0].n, 4);
    for (size_t i = 0; i < 4; i++) {
        int row = set.lists[0].demos[i].row;
        cr_expect_gt(row, last);
        for (int k = last + 1; k < row; k++)
            cr_expect_geq((k * 37 + 11) % 100, 50, "row %d was passed", k);
        last = row;
    }
    cr_expect_leq(fake->asked_bootstrap, 16);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, labelled_demos_fill_up_with_other_rows)
{
    struct support support = support_of(1);
    struct session *fake = support_session(&support, 40, 20, FINISH_LATE);
    struct demo_set set = make(fake, recipe_of(3, 8));

    cr_assert_eq(set.lists[0].n, 8);
    for (size_t i = 0; i < 8; i++) {
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(set.lists[0].demos[i].row, set.lists[0].demos[k].row);
    }
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, the_teacher_never_sees_its_own_row)
{
    struct support support = support_of(1);
    struct session *fake = support_session(&support, 12, 6, FINISH_LATE);
    struct demo_set set = make(fake, recipe_of(6, 16));

    cr_expect_eq(support.max_demos, 5, "all six rows but the one it runs on");
    cr_expect_not(support.saw_itself);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, teacher_gets_only_as_many_demos_as_fit_its_context)
{
    struct support support = support_of(1);
    struct session *fake = support_session(&support, 30, 20, FINISH_LATE);

    fake->job.models[ROLE_STUDENT].options.num_ctx = 900;
    struct demo_set set = make(fake, recipe_of(4, 16));
    cr_expect_gt(support.max_demos, 0);
    cr_expect_lt(support.max_demos, 16);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, a_threshold_of_0_lets_every_answer_pass)
{
    struct support support = support_of(0);
    struct session *fake = support_session(&support, 20, 10, FINISH_LATE);
    struct demo_recipe recipe = recipe_of(4, 0);

    struct demo_set set = make(fake, recipe);
    cr_expect_eq(set.lists[0].n, 0, "without one the score must be above 0");
    demo_set_release(&set);
    recipe.metric_threshold = 0;
    set = make(fake, recipe);
    cr_expect_eq(set.lists[0].n, 4);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, a_label_wins_over_what_the_teacher_said)
{
    struct support support = support_of(0);
    struct session *fake = support_session(&support, 20, 10, FINISH_LATE);
    struct demo_recipe recipe = recipe_of(2, 0);

    recipe.metric_threshold = 0;
    struct demo_set set = make(fake, recipe);
    cr_assert_eq(set.lists[0].n, 2);
    const struct demo *demo = &set.lists[0].demos[1];
    cr_expect_eq(demo->row, 1);
    cr_expect_str_eq(json_get_text(demo->fields, "label", ""), "b");
    cr_expect_eq(json_get_number(demo->fields, "confidence", 0), 0.5);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, all_sets_share_the_teachers_runs)
{
    struct support support = support_of(0.6);
    struct session *fake = support_session(&support, 30, 10, FINISH_LATE);
    struct demo_recipe recipe = recipe_of(10, 0);
    struct demo_maker *maker =
        demo_maker_new(fake, NULL, session_plan(fake), &err);

    cr_assert_not_null(maker, "%s", err.text);
    for (int i = 0; i < 3; i++) {
        struct demo_set set = {0};
        struct rng rng = session_rng(fake, "test", 0);
        cr_assert(demos_bootstrap(maker, &recipe,
                                  &(struct demo_rows){
                                      fake->split.rows[SHARE_TRAIN], 10, &rng},
                                  &set, &err),
                  "%s", err.text);
        demo_set_release(&set);
    }
    cr_expect_eq(fake->asked_bootstrap, 10);
    demo_maker_free(maker);
    fake_free(fake);
}

// --- a pipeline

static const char pipeline[] =
    "inputs: {text: {desc: A text}}\n"
    "steps:\n"
    "  classify:\n"
    "    predict: Classify the text.\n"
    "    inputs: [text]\n"
    "    outputs: {label: {enum: [a, b]}}\n"
    "  reply:\n"
    "    chain_of_thought: Reply to the text.\n"
    "    inputs: {text: , label: classify.label}\n"
    "    outputs: {response: {desc: A reply}}\n"
    "outputs: {label: classify.label, response: reply.response}\n";

static json_t *answer_pipeline(void *user, const struct fake_ask *ask)
{
    json_t *outputs = json_object();

    (void)user;
    for (size_t i = 0; i < ask->step->signature.n_outputs; i++) {
        const char *name = ask->step->signature.outputs[i].name;
        json_object_set_new(
            outputs, name,
            json_string(strcmp(name, "label") == 0 ? "a" : "said"));
    }
    return outputs;
}

static double score_pipeline(void *user, const json_t *example,
                             const json_t *outputs)
{
    (void)user;
    return strcmp(json_get_text(example, "label", ""),
                  json_get_text(outputs, "label", "!")) == 0;
}

static struct session *pipeline_session(const char *examples,
                                        const char *const *reads)
{
    const struct fake_script script = {answer_pipeline, score_pipeline, NULL};
    return fake_new(pipeline, examples, 3, reads, script, FINISH_LATE);
}

static const char unlabelled_reply[] =
    "[{\"text\": \"1\", \"label\": \"a\"}, {\"text\": \"2\", \"label\": \"b\"},"
    " {\"text\": \"3\", \"label\": \"a\"}, {\"text\": \"4\", \"label\": "
    "\"a\"}]";

static const char labelled_reply[] =
    "[{\"text\": \"1\", \"response\": \"one\"},"
    " {\"text\": \"2\", \"response\": \"two\"},"
    " {\"text\": \"3\", \"response\": \"three\"},"
    " {\"text\": \"4\", \"response\": \"four\"}]";

Test(demos, a_step_without_any_label_has_no_labelled_demo)
{
    struct session *fake = pipeline_session(unlabelled_reply, NULL);
    struct demo_set set = make(fake, recipe_of(0, 8));

    cr_expect_eq(set.lists[0].n, 3);
    cr_expect_eq(set.lists[1].n, 0);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, reasoning_and_the_inputs_of_a_late_step_are_filled)
{
    struct session *fake = pipeline_session(labelled_reply, NULL);
    struct demo_set set = make(fake, recipe_of(0, 8));

    cr_assert_eq(set.lists[1].n, 3);
    const json_t *fields = set.lists[1].demos[0].fields;
    cr_expect_str_eq(json_get_text(fields, "label", ""), "a");
    cr_expect_str_eq(json_get_text(fields, "reasoning", ""), "said");
    cr_expect_neq(strcmp(json_get_text(fields, "response", ""), "said"), 0,
                  "the labelled reply stays");
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, skipped_steps_get_demos_from_runs_that_pass)
{
    static const char *const reads[] = {"label", NULL};
    struct session *fake = pipeline_session(unlabelled_reply, reads);
    struct candidate *out = NULL;

    cr_assert(demos_for_skipped(fake, fake->baseline, 4, &out, &err), "%s",
              err.text);
    cr_expect_eq(out->parts[0].n_demos, 0, "the searched step stays");
    cr_assert_eq(out->parts[1].n_demos, 2, "rows 0 and 2 pass");
    cr_expect_eq(out->parts[1].demos[0].row, 0);
    cr_expect_eq(out->parts[1].demos[1].row, 2);
    candidate_unref(out);
    fake_free(fake);
}

Test(demos, no_extra_runs_are_made_when_no_step_was_skipped)
{
    struct session *fake = pipeline_session(unlabelled_reply, NULL);
    struct candidate *out = NULL;

    cr_assert(demos_for_skipped(fake, fake->baseline, 4, &out, &err), "%s",
              err.text);
    cr_expect_eq(out, fake->baseline);
    cr_expect_eq(fake->runs[ROLE_TEACHER], 0);
    candidate_unref(out);
    fake_free(fake);
}

// --- rounds and faults

struct shy {
    double from; // lowest temperature at which the teacher answers well
    bool silent; // it never answers
};

static json_t *answer_shy(void *user, const struct fake_ask *ask)
{
    const struct shy *shy = user;

    if (ask->role == ROLE_TEACHER && shy->silent)
        return NULL;
    bool well = ask->sampling->temperature >= shy->from;
    return json_pack("{s:s, s:f}", "label", well ? "a" : "b", "confidence",
                     0.5);
}

static struct session *shy_session(struct shy *shy)
{
    static const char examples[] =
        "[{\"text\":\"1\",\"label\":\"a\"},{\"text\":\"2\",\"label\":\"a\"},"
        "{\"text\":\"3\",\"label\":\"a\"},{\"text\":\"4\",\"label\":\"a\"}]";
    const struct fake_script script = {answer_shy, score_pipeline, shy};
    return fake_new(SUPPORT_ONE, examples, 3, NULL, script, FINISH_LATE);
}

Test(demos, a_second_round_tries_again_at_temperature_1)
{
    struct shy shy = {.from = 1};
    struct session *fake = shy_session(&shy);
    struct demo_recipe recipe = recipe_of(2, 0);

    struct demo_set set = make(fake, recipe);
    cr_expect_eq(set.lists[0].n, 0);
    demo_set_release(&set);
    recipe.max_rounds = 2;
    set = make(fake, recipe);
    cr_expect_eq(set.lists[0].n, 2);
    demo_set_release(&set);
    fake_free(fake);
}

Test(demos, teacher_that_does_not_answer_is_dropped_after_max_errors)
{
    struct shy shy = {.silent = true};
    struct session *fake = shy_session(&shy);
    struct demo_recipe recipe = recipe_of(2, 0);

    recipe.max_errors = 2;
    struct demo_set set = make(fake, recipe);
    cr_expect_eq(set.lists[0].n, 0);
    cr_expect_not_null(strstr(fake->notes, "could not answer 2 of 2"), "%s",
                       fake->notes);
    demo_set_release(&set);
    fake_free(fake);
}
