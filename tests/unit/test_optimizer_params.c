#include "search/optimizers/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "program/source/yaml.h"

static struct err err;
static struct diags *diags;
static struct arena arena;
static struct job job;
static const struct optimizer *optimizer;

static void open_list(void)
{
    diags = diags_new(&err);
    arena = ARENA_INIT(1 << 20);
    job = (struct job){.optimizer_place = {"job.yaml", 3, 12, 1}};
}

static void close_list(void)
{
    diags_free(diags);
    arena_release(&arena);
}

TestSuite(optimizer_params, .init = open_list, .fini = close_list);

static const void *read_params(const char *name, const char *yaml)
{
    job.optimizer = name;
    job.optimizer_node = yaml == NULL ? NULL
                                      : yaml_parse(&arena, "job.yaml", yaml,
                                                   strlen(yaml), diags);
    return optimizer_params(&job, &optimizer, &arena, diags);
}

// Returns a parameter by the name that users write.
static const void *value_of(const void *params, const char *name)
{
    for (size_t i = 0; i < optimizer->n_params; i++) {
        if (strcmp(optimizer->params[i].name, name) == 0)
            return (const char *)params + optimizer->params[i].offset;
    }
    cr_assert_fail("no parameter %s", name);
    return NULL;
}

static int64_t int_of(const void *params, const char *name)
{
    return *(const int64_t *)value_of(params, name);
}

static void expect_finding(const char *text)
{
    cr_assert_eq(diags->errors, 1);
    cr_expect_not_null(strstr(diags->items[0].text, text), "%s",
                       diags->items[0].text);
}

Test(optimizer_params, optimizer_defaults_to_screen_and_race_medium)
{
    const void *params = read_params(NULL, NULL);

    cr_assert_not_null(params);
    cr_expect_str_eq(optimizer->name, "screen_and_race");
    cr_expect_eq(*(const int *)value_of(params, "auto"), 1);
    cr_expect_eq(int_of(params, "seed"), 9);
    cr_expect_eq(int_of(params, "evaluations"), -1);
    cr_expect_eq(int_of(params, "max_demos"), -1);
    cr_expect_eq(int_of(params, "proposals"), 2);
}

Test(optimizer_params, miprov2_has_the_usual_defaults)
{
    const void *params = read_params("miprov2", "{}");

    cr_assert_not_null(params);
    cr_expect_eq(*(const int *)value_of(params, "auto"), 0);
    cr_expect_eq(int_of(params, "seed"), 9);
    cr_expect_eq(int_of(params, "max_bootstrapped_demos"), 4);
    cr_expect_eq(int_of(params, "max_labeled_demos"), 4);
    cr_expect_eq(int_of(params, "minibatch_size"), 35);
    cr_expect_eq(int_of(params, "minibatch_full_eval_steps"), 5);
    cr_expect_eq(int_of(params, "view_data_batch_size"), 10);
    cr_expect_eq(int_of(params, "num_candidates"), -1);
    cr_expect(isnan(*(const double *)value_of(params, "metric_threshold")));
    cr_expect(*(const bool *)value_of(params, "tip_aware_proposer"));
}

Test(optimizer_params, other_optimizers_have_their_usual_defaults)
{
    const void *params = read_params("labeled_few_shot", NULL);
    cr_assert_not_null(params);
    cr_expect_eq(int_of(params, "k"), 16);
    params = read_params("bootstrap_few_shot", "{}");
    cr_assert_not_null(params);
    cr_expect_eq(int_of(params, "max_labeled_demos"), 16);
    cr_expect_eq(int_of(params, "max_rounds"), 1);
    params = read_params("bootstrap_random_search", "{}");
    cr_assert_not_null(params);
    cr_expect_eq(int_of(params, "num_candidate_programs"), 16);
}

Test(optimizer_params, explicit_values_can_be_combined_with_auto)
{
    const void *params = read_params(
        "miprov2", "{auto: heavy, num_trials: 7, minibatch: false, seed: 0}");

    cr_assert_not_null(params);
    cr_expect_eq(*(const int *)value_of(params, "auto"), 2);
    cr_expect_eq(int_of(params, "num_trials"), 7);
    cr_expect_eq(*(const int *)value_of(params, "minibatch"), 1);
    cr_expect_eq(int_of(params, "seed"), 0);
}

Test(optimizer_params, threshold_of_0_is_kept)
{
    const void *params =
        read_params("bootstrap_few_shot", "{metric_threshold: 0}");

    cr_assert_not_null(params);
    cr_expect_eq(*(const double *)value_of(params, "metric_threshold"), 0);
}

Test(optimizer_params, unknown_optimizer_suggests_the_nearest_one)
{
    cr_expect_null(read_params("mipro2", NULL));
    expect_finding("unknown optimizer `mipro2`, did you mean `miprov2`?");
    cr_expect_eq(diags->items[0].place.line, 3);
    for (size_t i = 0; optimizers[i] != NULL; i++)
        cr_expect_not_null(strstr(diags->items[0].remedy, optimizers[i]->name));
}

Test(optimizer_params, unknown_parameter_suggests_the_nearest_one)
{
    cr_expect_null(read_params("miprov2", "{num_trial: 3}"));
    expect_finding("num_trials");
}

Test(optimizer_params, all_mistakes_are_reported_at_once)
{
    cr_expect_null(read_params(
        "miprov2", "{auto: lite, num_trials: 0, minibatch_size: many}"));
    cr_expect_eq(diags->errors, 3);
}

Test(optimizer_params, wrong_choice_suggests_the_nearest_one)
{
    cr_expect_null(read_params("miprov2", "{auto: lihgt}"));
    expect_finding("did you mean `light`?");
}

Test(optimizer_params, auto_none_needs_num_candidates)
{
    cr_expect_null(read_params("miprov2", "{auto: none}"));
    expect_finding("num_candidates");
}

Test(optimizer_params, null_as_auto_is_none)
{
    const void *params =
        read_params("miprov2", "{auto: null, num_candidates: 3}");

    cr_assert_not_null(params);
    cr_expect_eq(*(const int *)value_of(params, "auto"), 3);
}

Test(optimizer_params, a_list_of_parameters_is_refused)
{
    cr_expect_null(read_params("miprov2", "[light]"));
    expect_finding("must be a map");
}

// Loads a job file with LINE at its end; the file lacks a step's input.
static void load_job(const char *line)
{
    char text[400];
    struct bundle *bundle = bundle_new("job.yaml", &err);

    (void)snprintf(text, sizeof text,
                   "name: n\nmodels: {student: m}\ninputs: {q: }\nsteps:\n"
                   "  a: {predict: A., inputs: [p], outputs: {x: }}\n"
                   "data: {examples: d.jsonl}\nmetric: {exact_match: x}\n%s\n",
                   line);
    cr_assert(bundle != NULL &&
              bundle_add(bundle, "job.yaml", text, strlen(text), &err) &&
              bundle_add(bundle, "d.jsonl", "{}", 2, &err));
    cr_expect_null(job_load_checked(bundle, NULL, 0, optimizer_check, diags));
    bundle_free(bundle);
}

Test(optimizer_params, optimizer_mistakes_are_reported_with_those_of_the_job)
{
    load_job("optimizer: {mipro2: }");
    cr_assert_eq(diags->errors, 2);
    cr_expect_not_null(strstr(diags->items[1].text, "unknown optimizer"));
}

Test(optimizer_params, wrong_seed_is_reported_once)
{
    load_job("optimizer: {miprov2: {seed: x}}");
    cr_expect_eq(diags->errors, 2);
}

// --- what editors are told ---

Test(optimizer_params, the_schema_names_every_optimizer_and_no_other)
{
    json_t *schema = json_load_file(DOCS "/job.schema.json", 0, NULL);
    const json_t *names = json_object_get(
        json_object_get(json_object_get(schema, "$defs"), "optimizer_name"),
        "enum");
    size_t n = 0;

    cr_assert_not_null(names);
    while (optimizers[n] != NULL)
        n++;
    cr_expect_eq(json_array_size(names), n);
    for (size_t i = 0; i < json_array_size(names); i++)
        cr_expect_not_null(
            optimizer_find(json_string_value(json_array_get(names, i))), "%s",
            json_string_value(json_array_get(names, i)));
    json_decref(schema);
}

static size_t warnings_for(const char *name, size_t rows, bool test_empty)
{
    static const struct program none;
    struct dataset *dataset = dataset_new(&none);
    struct split split = {.shared = true, .test_empty = test_empty};
    json_t *fields = json_object();

    cr_assert(dataset_begin_file(dataset, "e.jsonl", "e.jsonl"));
    for (size_t i = 0; i < rows; i++)
        cr_assert(dataset_put(dataset, fields, (int)i + 1));
    optimizer_check_data(optimizer_find(name), &job, dataset, &split, diags);
    json_decref(fields);
    dataset_free(dataset);
    cr_assert_eq(diags->errors, 0);
    return diags->n;
}

Test(optimizer_params, search_warns_of_few_examples_and_an_empty_test_share)
{
    cr_assert_eq(warnings_for("miprov2", 29, true), 2);
    cr_expect_str_eq(diags->items[0].code, "few-examples");
    cr_expect_str_eq(diags->items[1].code, "empty-share");
}

Test(optimizer_params, enough_examples_need_no_warning)
{
    cr_expect_eq(warnings_for("miprov2", 30, false), 0);
}

Test(optimizer_params, single_set_of_demos_is_not_a_search)
{
    cr_expect_eq(warnings_for("labeled_few_shot", 2, true), 0);
    cr_expect_eq(warnings_for("bootstrap_few_shot", 2, true), 0);
}
