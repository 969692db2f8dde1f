// Examples, their split and their scores when memory runs out.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/alloc_fault.h"
#include "program/job/dataset_load.h"

static const char job_text[] =
    "name: memory\n"
    "models: {student: m}\n"
    "inputs: {q: {desc: A question}, c: {default: none}}\n"
    "steps: {sort: {predict: Sort., inputs: [q, c], outputs: {kind: {enum: "
    "[a, b]}, words: }}}\n"
    "data: {examples: %s, split: {stratify: kind}}\n"
    "metric: {weighted: [{weight: 1, exact_match: kind}, {weight: 1, "
    "token_f1: words}]}\n";

static const char lines[] =
    "{\"q\": \"one\", \"kind\": \"a\", \"words\": \"x\"}\n"
    "{\"q\": \"two\", \"kind\": \"b\", \"words\": \"y\"}\n"
    "{\"q\": \"six\", \"kind\": \"a\", \"words\": \"z\"}\n"
    "{\"q\": \"ten\", \"kind\": \"b\", \"words\": \"x\"}\n";
static const char table[] = "q,kind,words\n\"one, two\",a,x\nthree,b,\"y z\"\n"
                            "four,a,x\nfive,b,y\n";

struct given {
    struct bundle *bundle;
    struct diags *diags;
    struct job *job;
    struct dataset *dataset;
    struct split split;
};

static void release(struct given *given)
{
    split_release(&given->split);
    dataset_free(given->dataset);
    job_free(given->job);
    diags_free(given->diags);
    bundle_free(given->bundle);
}

static bool load(struct given *given, const char *name, const char *data,
                 struct err *err)
{
    char text[1024];

    snprintf(text, sizeof text, job_text, name);
    given->bundle = bundle_new("job.yaml", err);
    given->diags = given->bundle == NULL ? NULL : diags_new(err);
    if (given->diags == NULL ||
        !bundle_add(given->bundle, "job.yaml", text, strlen(text), err) ||
        !bundle_add(given->bundle, name, data, strlen(data), err))
        return false;
    given->job = job_load(given->bundle, NULL, 0, given->diags);
    if (given->job != NULL)
        given->dataset = dataset_load(given->job, given->bundle, given->diags);
    if (given->dataset != NULL &&
        split_make(given->job, given->dataset, &given->split, given->diags))
        return true;
    cr_expect_not(diags_ok(given->diags, err), "no data and no finding");
    return false;
}

static bool load_lines(struct err *err)
{
    struct given given = {0};
    bool ok = load(&given, "rows.jsonl", lines, err);

    release(&given);
    return ok;
}

static bool load_table(struct err *err)
{
    struct given given = {0};
    bool ok = load(&given, "rows.csv", table, err);

    release(&given);
    return ok;
}

// A list with values that have to be mended and a label that is converted.
static const char list[] =
    "{\"rows\": [\n"
    "{\"q\": \"one\", \"kind\": \"A\", \"words\": 1, \"x\": NaN},\n"
    "{\"q\": \"two\", \"kind\": \"b\", \"words\": \"y\"},\n"
    "{\"q\": \"six\", \"kind\": \"a\", \"words\": \"z\"},\n"
    "{\"q\": \"ten\", \"kind\": \"b\", \"words\": \"x\"}]}\n";

static bool load_list(struct err *err)
{
    struct given given = {0};
    bool ok = load(&given, "rows.json", list, err);

    release(&given);
    return ok;
}

static struct given scored;

static bool score(struct err *err)
{
    json_t *outputs = json_pack("{s:s, s:s}", "kind", "a", "words", "x y");
    struct score value = {0};
    bool ok = outputs != NULL;

    if (!ok)
        err_nomem(err, "outputs");
    json_t *fields = dataset_fields(scored.dataset, 0);
    if (fields == NULL)
        err_nomem(err, "an example");
    ok = ok && fields != NULL &&
         metric_score(
             scored.job->metric,
             &(struct metric_case){.example = fields, .outputs = outputs},
             &value, err);
    json_decref(fields);
    score_release(&value);
    json_decref(outputs);
    return ok;
}

Test(dataset, reading_lines_reports_out_of_memory)
{
    cr_expect_geq(fault_each(load_lines), 20);
}

Test(dataset, reading_a_list_reports_out_of_memory)
{
    cr_expect_geq(fault_each(load_list), 20);
}

Test(dataset, reading_a_table_reports_out_of_memory)
{
    cr_expect_geq(fault_each(load_table), 20);
}

Test(dataset, metric_out_of_memory_gives_no_score)
{
    struct err err = ERR_CLEAR;

    cr_assert(load(&scored, "rows.jsonl", lines, &err), "%s", err.text);
    cr_expect_geq(fault_each(score), 3);
    release(&scored);
}
