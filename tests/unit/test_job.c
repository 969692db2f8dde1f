#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "program/job/job.h"

// A job with LINES at its end. tests/data/jobs contains a file for each
// mistake.
#define JOB                                                                    \
    "name: Small Job\nmodels: {student: m}\ninputs: {q: }\nsteps:\n"           \
    "  a: {predict: A., inputs: [q], outputs: {x: }}\n"                        \
    "data: {examples: data.jsonl}\nmetric: {exact_match: x}\n"

static const char *const none[1];
static struct diags *diags;
static struct bundle *bundle;
static struct job *job;
static struct err err;

static void open_findings(void)
{
    err = ERR_CLEAR;
    diags = diags_new(&err);
    cr_assert_not_null(diags, "%s", err.text);
}

static void close_job(void)
{
    job_free(job);
    bundle_free(bundle);
    diags_free(diags);
    job = NULL;
    bundle = NULL;
    diags = NULL;
}

TestSuite(job, .init = open_findings, .fini = close_job);

static void bundle_of(const char *text, const char *data)
{
    bundle_free(bundle);
    bundle = bundle_new("job.yaml", &err);
    cr_assert_not_null(bundle, "%s", err.text);
    cr_assert(bundle_add(bundle, "job.yaml", text, strlen(text), &err), "%s",
              err.text);
    cr_assert(bundle_add(bundle, "data.jsonl", data, strlen(data), &err), "%s",
              err.text);
}

static void load(const char *text, const char *const *overrides, size_t n)
{
    bundle_of(text, "{}\n");
    job_free(job);
    job = job_load(bundle, overrides, n, diags);
    cr_assert(diags_ok(diags, &err), "%s", err.text);
    cr_assert_not_null(job);
}

Test(job, takes_the_documented_defaults)
{
    load(JOB, none, 0);
    cr_expect_str_eq(job->optimizer, "screen_and_race");
    cr_expect_null(job->optimizer_node);
    cr_expect_eq(job->seed, 9);
    cr_expect_eq(job->window, 4);
    cr_expect_eq(job->settings.adapter, ADAPTER_CHAT);
    cr_expect(job->bootstrap_skipped);
    cr_expect_not(job->skip_bad);
    cr_expect_eq(job->budget.max_calls, 0);
    cr_expect_float_eq(job->data.train_share, 0.4, 0);
    cr_expect_float_eq(job->data.val_share, 0.4, 0);
    cr_expect_float_eq(job->data.test_share, 0.2, 0);
    cr_expect_str_eq(job->models[ROLE_JUDGE].name, "m");
    cr_expect_eq(job->models[ROLE_STUDENT].options.num_ctx, 4096);
    cr_expect_eq(job->models[ROLE_STUDENT].options.num_predict, 1000);
    cr_expect_eq(job->models[ROLE_STUDENT].options.think, THINK_UNSET);
}

Test(job, reads_budgets_with_suffixes)
{
    load(JOB "budget: {max_calls: 20K, max_tokens: 30M, max_time: 1.5h}\n",
         none, 0);
    cr_expect_eq(job->budget.max_calls, 20000);
    cr_expect_eq(job->budget.max_tokens, 30000000);
    cr_expect_eq(job->budget.max_time_ms, 5400000);
}

Test(job, without_a_test_share_has_none)
{
    load(JOB, (const char *[]){"data.split={train: 0.5, val: 0.5}"}, 1);
    cr_expect_float_eq(job->data.test_share, 0, 0);
}

Test(job, lays_options_of_a_role_over_those_of_all)
{
    const char *const overrides[] = {
        "models.teacher=large", "models.options={num_ctx: 8K, temperature: 1}",
        "models.student_options.num_ctx=2048",
        "models.teacher_options.num_predict=500"};

    load(JOB, overrides, 4);
    cr_expect_eq(job->models[ROLE_STUDENT].options.num_ctx, 2048);
    cr_expect_eq(job->models[ROLE_TEACHER].options.num_ctx, 8000);
    cr_expect_eq(job->models[ROLE_TEACHER].options.num_predict, 500);
    cr_expect_float_eq(job->models[ROLE_TEACHER].options.temperature, 1, 0);
    cr_expect_str_eq(job->models[ROLE_JUDGE].name, "large");
    cr_expect_eq(job->models[ROLE_JUDGE].options.num_predict, 500);
}

Test(job, a_teacher_that_is_the_student_is_asked_as_the_student_is)
{
    load(JOB,
         (const char *[]){"models.student_options.num_ctx=8192",
                          "models.student_revision=v2"},
         2);
    cr_expect_eq(job->models[ROLE_TEACHER].options.num_ctx, 8192);
    cr_expect_str_eq(job->models[ROLE_TEACHER].revision, "v2");
}

Test(job, embedding_model_is_separate_from_the_other_models)
{
    load(JOB, none, 0);
    cr_expect_null(job->models[ROLE_EMBED].name);
    json_t *canonical = job_canonical(job);
    cr_expect_null(
        json_object_get(json_object_get(canonical, "models"), "embed"));
    json_decref(canonical);
    job_free(job);
    job = NULL;
    load(JOB,
         (const char *[]){"models.embed=all-minilm",
                          "models.options={num_ctx: 2048}",
                          "models.embed_revision=v2"},
         3);
    cr_expect_str_eq(job->models[ROLE_EMBED].name, "all-minilm");
    cr_expect_str_eq(job->models[ROLE_EMBED].revision, "v2");
    cr_expect_eq(job->models[ROLE_EMBED].options.num_ctx, 8192);
    cr_expect_not(job_embeds(job));
}

Test(job, takes_its_seed_from_the_optimizer)
{
    load(JOB "optimizer: bootstrap_few_shot\n",
         (const char *[]){"optimizer.bootstrap_few_shot.seed=0"}, 1);
    cr_expect_str_eq(job->optimizer, "bootstrap_few_shot");
    cr_expect_eq(job->seed, 0);
}

Test(job, applies_overrides_in_order)
{
    load(JOB, (const char *[]){"window=8", "adapter=json", "window=2"}, 3);
    cr_expect_eq(job->window, 2);
    cr_expect_eq(job->settings.adapter, ADAPTER_JSON);
}

Test(job, an_override_is_named_where_it_is_wrong)
{
    bundle_of(JOB, "{}\n");
    job = job_load(bundle, (const char *[]){"windw=3"}, 1, diags);
    cr_expect_null(job);
    cr_expect_not(diags_ok(diags, &err));
    cr_expect_str_eq(err.text, "--set windw=3: unknown key `windw` in a job, "
                               "did you mean `window`?");
}

Test(job, an_override_has_a_key_and_a_value)
{
    bundle_of(JOB, "{}\n");
    job = job_load(bundle, (const char *[]){"window"}, 1, diags);
    cr_expect_null(job);
    cr_expect_not(diags_ok(diags, &err));
    cr_expect_str_eq(err.text, "--set: `window` sets nothing: write KEY=VALUE, "
                               "such as optimizer.miprov2.auto=medium");
}

Test(job, names_a_file_that_is_missing)
{
    bundle_of(JOB, "{}\n");
    job =
        job_load(bundle, (const char *[]){"data.examples=dta.jsonl"}, 1, diags);
    cr_expect_null(job);
    cr_expect_not(diags_ok(diags, &err));
    cr_expect_str_eq(err.text, "--set data.examples=dta.jsonl: the job was "
                               "sent without the file dta.jsonl");
}

Test(job, list_outside_the_program_is_reported_as_not_searched)
{
    load(JOB, (const char *[]){"optimizer.miprov2.seed={tune: [3, 4]}"}, 1);
    cr_expect_eq(job->seed, 3);
    cr_expect_eq(job->tunables.n, 0);
    cr_assert_eq(diags->n, 1);
    cr_expect_eq(diags->items[0].level, DIAG_WARNING);
    cr_expect_str_eq(
        diags->items[0].text,
        "`seed` is not part of the program, so it is not searched: "
        "its value is 3");
}

Test(job, tunables_start_at_their_default_and_are_searched)
{
    load(JOB,
         (const char *[]){"models.options.temperature="
                          "{tune: [0, 0.5, 1], default: 0.5}",
                          "adapter={tune: [json, chat]}",
                          "demos.count={tune: [2, 8], default: 2}"},
         3);
    cr_expect_float_eq(job->models[ROLE_STUDENT].options.temperature, 0.5, 0);
    cr_expect_eq(job->settings.adapter, ADAPTER_JSON);
    cr_assert_eq(job->tunables.n, 3);

    const struct tunable *heat = tunables_find(&job->tunables, "temperature");
    cr_assert_not_null(heat);
    cr_expect_eq(heat->n_choices, 3);
    cr_expect_eq(heat->default_index, 1);
    cr_expect_float_eq(json_real_value(heat->choices[2]), 1, 0);

    const struct tunable *count = tunables_find(&job->tunables, "demos.count");
    cr_assert_not_null(count);
    cr_expect(count->counts_demos);
    cr_expect_eq(job->max_demos, 8, "no limit but the largest choice");
}

static char *id_of(const char *text, const char *data, bool simulated)
{
    bundle_of(text, data);
    struct job *one = job_load(bundle, none, 0, diags);
    cr_assert_not_null(one, "%s", diags->n > 0 ? diags->items[0].text : "");
    char *id = job_id(one, bundle, simulated);
    cr_assert_not_null(id);
    job_free(one);
    return id;
}

static bool same_id(const char *text, const char *data, bool simulated)
{
    char *first = id_of(JOB, "{}\n", false);
    char *second = id_of(text, data, simulated);
    bool same = strcmp(first, second) == 0;

    free(first);
    free(second);
    return same;
}

Test(job, id_starts_with_its_name)
{
    char *id = id_of(JOB, "{}\n", false);

    cr_expect_eq(strspn(id + 10, "0123456789abcdef"), 12);
    cr_expect_eq(strlen(id), 22);
    id[10] = '\0';
    cr_expect_str_eq(id, "small-job-");
    free(id);
}

Test(job, id_does_not_depend_on_description_budget_or_layout)
{
    cr_expect(same_id("# a comment\n" JOB "description: another\n"
                      "budget: {max_calls: 3}\nwindow: 4\n"
                      "optimizer: {screen_and_race: {seed: 9}}\n",
                      "{}\n", false));
}

Test(job, id_depends_on_whatever_affects_answers_or_decisions)
{
    cr_expect_not(same_id(JOB, "{ }\n", false));
    cr_expect_not(same_id(JOB, "{}\n", true));
    cr_expect_not(same_id(JOB "window: 5\n", "{}\n", false));
    cr_expect_not(same_id(JOB "adapter: json\n", "{}\n", false));
    cr_expect_not(
        same_id(JOB "optimizer: {miprov2: {seed: 8}}\n", "{}\n", false));
    cr_expect_not(
        same_id(JOB "optimizer: {miprov2: {auto: heavy}}\n", "{}\n", false));
}

// --- the corpus

static void load_file(const char *folder, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/jobs/%s/%s", TEST_DATA, folder, name);
    bundle = bundle_open(path, &err);
    cr_assert_not_null(bundle, "%s", err.text);
    job = job_load(bundle, none, 0, diags);
}

// Calls `one` for each job file of a folder, with its own findings.
static void for_each(const char *folder, void (*one)(const char *name))
{
    char path[512];
    int n = 0;

    (void)snprintf(path, sizeof path, "%s/jobs/%s", TEST_DATA, folder);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir, "%s", path);
    for (const struct dirent *at; (at = readdir(dir)) != NULL;) {
        if (strstr(at->d_name, ".yaml") == NULL)
            continue;
        close_job();
        open_findings();
        load_file(folder, at->d_name);
        one(at->d_name);
        n++;
    }
    (void)closedir(dir);
    cr_expect_gt(n, 4);
}

// The canonical job is a job file, and its own canonical job is the same.
static void expect_round_trip(const char *name)
{
    cr_assert(diags_ok(diags, &err), "%s", err.text);
    cr_assert_not_null(job, "%s", name);
    json_t *canonical = job_canonical(job);
    char *text = json_text(canonical);
    struct bundle *other = bundle_new("canonical", &err);

    cr_assert_not_null(other, "%s", err.text);
    cr_assert_not_null(text, "%s", name);
    cr_assert(bundle_add(other, "job.yaml", text, strlen(text), &err));
    for (size_t i = 1; i < bundle->n_files; i++)
        cr_assert(bundle_add(other, bundle->files[i].name,
                             bundle->files[i].data, bundle->files[i].len, &err),
                  "%s", err.text);
    struct job *again = job_load(other, none, 0, diags);
    cr_assert(diags_ok(diags, &err), "%s: %s", name, err.text);
    json_t *of_again = job_canonical(again);
    cr_expect(json_equal(canonical, of_again), "%s: %s", name, text);
    job_free(again);
    bundle_free(other);
    free(text);
    json_decref(canonical);
    json_decref(of_again);
}

Test(job, each_valid_file_loads_and_its_canonical_form_round_trips)
{
    for_each("good", expect_round_trip);
}

// Writes the errors in the form of a bad file's first lines: "#:12:5: error:
// ...".
static void put_errors(struct buf *out)
{
    struct buf text = BUF_INIT(1 << 20);
    size_t prefix = strlen(bundle->path);

    diags_print(diags, &text);
    for (const char *line = text.data; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n") + 1;
        const char *word = strstr(line, ": error: ");
        if (strncmp(line, bundle->path, prefix) == 0 && word != NULL &&
            word < line + len) {
            buf_putc(out, '#');
            buf_append(out, line + prefix, len - prefix);
        }
        line += len;
    }
    buf_release(&text);
}

static void expect_findings(const char *name)
{
    struct buf got = BUF_INIT(1 << 20);
    const char *want = strchr(bundle->files[0].data, '\n') + 1;
    size_t len = 0;

    cr_expect_null(job, "%s loads", name);
    put_errors(&got);
    while (strncmp(want + len, "#:", 2) == 0)
        len += strcspn(want + len, "\n") + 1;
    cr_expect(got.len == len && got.len > 0 &&
                  strncmp(got.data, want, len) == 0,
              "%s gives\n%s", name, got.len > 0 ? got.data : "nothing");
    buf_release(&got);
}

Test(job, each_invalid_file_gives_the_findings_in_its_first_lines)
{
    for_each("bad", expect_findings);
}
