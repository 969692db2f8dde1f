#include "cli/check_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_finding.h"
#include "cli/check_labels.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/stats.h"
#include "common/text.h"
#include "program/job/columns.h"
#include "program/metric/metric.h"
#include "program/prompt/prompt.h"
#include "program/run/stepper.h"

enum {
    ROWS_LEAST = 20,
    ROWS_GOOD = 30,
    PAIRS_TRIED = 200,
    DEMOS_WANTED = 4,
    CANDIDATES_LEAST = 8, // for a budget that makes a search worthwhile
};

// ---- the task

// Models read the descriptions, but labels and numbers are clear without one.
static void check_descriptions(struct jobfile *file)
{
    const struct program *program = file->job->program;
    struct place place = check_finding_place(file);
    struct buf names = CHECK_FINDING_NAMES;

    if (file->optimizer->one_set)
        return;
    for (size_t i = 0; i < program->n_inputs; i++)
        if (program->inputs[i].desc[0] == '\0')
            check_finding_name(&names, "%s", program->inputs[i].name);
    for (size_t p = 0; p < program->n_predictors; p++) {
        const struct step *step = program_predictor(program, p);

        for (size_t i = 0; i < step->signature.n_outputs; i++) {
            const struct field *field = &step->signature.outputs[i];

            if (field->desc[0] == '\0' && field->type.kind == TYPE_STR &&
                strcmp(field->name, "reasoning") != 0)
                check_finding_name(&names, "%s.%s", step->name, field->name);
        }
    }
    if (names.len > 0) {
        diag_add(file->diags, DIAG_INFO, "not-described", &place,
                 "these fields have no description: %s", names.data);
        diag_remedy(file->diags,
                    "describe each of them (`desc`): the model reads it");
    }
    buf_release(&names);
}

// ---- examples

static void check_number(struct jobfile *file)
{
    size_t n = dataset_size(file->dataset);
    size_t val = file->split.n[SHARE_VAL];
    char examples[TEXT_COUNTED_BYTES];
    struct interval half = stats_wilson_share(0.5, val);
    double points = 50 * (half.high - half.low);

    if (n >= ROWS_LEAST || file->optimizer->one_set)
        return;
    diag_remove(file->diags, "few-examples");
    diag_add(file->diags, DIAG_ERROR, "too-few-examples",
             &file->job->data.place,
             "the data has only %s, and a candidate is scored on %zu: such a "
             "score may be off by %.0f points, so hardly any gain can be told "
             "from chance",
             text_counted(examples, (int64_t)n, "example"), val, points);
    diag_remedy(file->diags,
                "collect at least 30 to 50, or 150 if the test share should "
                "settle it; `run` works with fewer, but proves little");
}

static bool same_labels(const struct jobfile *file, size_t a, size_t b)
{
    const char *keys[PROGRAM_MAX_FIELDS + 1];
    size_t n = metric_labels(file->job->metric, keys, PROGRAM_MAX_FIELDS + 1);
    json_t *fields = dataset_fields(file->dataset, a);
    json_t *others = dataset_fields(file->dataset, b);
    bool same = true;

    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_object_get(fields, keys[i]);
        const json_t *other = json_object_get(others, keys[i]);

        same = same && (one == other || (one != NULL && other != NULL &&
                                         json_equal(one, other)));
    }
    json_decref(fields);
    json_decref(others);
    return same;
}

// ---- the metric

// Scores one row's labels as the answer to another row's example.
static bool score_labels(const struct jobfile *file, size_t labels,
                         size_t example, double *value)
{
    const struct program *program = file->job->program;
    json_t *outputs = json_object();
    json_t *right = dataset_fields(file->dataset, labels);
    json_t *fields = dataset_fields(file->dataset, example);
    struct score score = {0};
    struct err ignored = ERR_CLEAR;
    bool ok = outputs != NULL && right != NULL && fields != NULL;

    for (size_t i = 0; ok && i < program->n_outputs; i++) {
        const char *name = program->outputs[i].name;
        json_t *label = json_object_get(right, name);

        ok = json_object_set_new(outputs, name,
                                 label == NULL ? json_null()
                                               : json_incref(label)) == 0;
    }
    ok = ok && metric_score(
                   file->job->metric,
                   &(struct metric_case){.example = fields, .outputs = outputs},
                   &score, &ignored);
    *value = score.value;
    score_release(&score);
    json_decref(right);
    json_decref(fields);
    json_decref(outputs);
    return ok;
}

// Checks that right answers score differently from wrong ones. It compares the
// labels of a row with those of the next row that has different ones.
static void check_metric_reacts(struct jobfile *file)
{
    const char *keys[2];
    struct place place = check_finding_place(file);
    size_t tried = 0;

    if (metric_ask_count(file->job->metric) > 0 ||
        metric_labels(file->job->metric, keys, 2) == 0)
        return;
    for (size_t i = 1; i < dataset_size(file->dataset) && tried < PAIRS_TRIED;
         i++) {
        double right = 0, wrong = 0;

        if (same_labels(file, i, i - 1))
            continue;
        tried++;
        if (!score_labels(file, i, i, &right) ||
            !score_labels(file, i - 1, i, &wrong) || right != wrong)
            return;
    }
    if (tried == 0) {
        diag_add(file->diags, DIAG_WARNING, "metric-constant", &place,
                 "all examples have the same label: no score can tell good "
                 "answers from bad ones");
        diag_remedy(file->diags, "add examples with other labels");
        return;
    }
    diag_add(file->diags, DIAG_WARNING, "metric-constant", &place,
             "the metric scores right and wrong answers alike, in %zu pairs of "
             "examples",
             tried);
    diag_remedy(file->diags, "check that it reads the outputs that have "
                             "labels, and compares the two");
}

// ---- budget and context

static void check_budget(struct jobfile *file)
{
    struct place place = check_finding_place(file);
    int64_t asks = stepper_asks(file->job->program, &file->plan) +
                   (int64_t)metric_ask_count(file->job->metric);
    int64_t once = asks * (int64_t)file->split.n[SHARE_VAL];
    int64_t test = 2 * asks * (int64_t)file->split.n[SHARE_TEST];
    int64_t most = file->job->budget.max_calls;

    if (most == 0 || once == 0 || most >= CANDIDATES_LEAST * once + test)
        return;
    int64_t left = most - test - once;
    char candidates[TEXT_COUNTED_BYTES];
    diag_add(file->diags, DIAG_WARNING, "small-budget", &place,
             "a budget of %" PRId64 " calls is enough for about %s on "
             "all validation examples (%zu), besides the baseline and the test "
             "share",
             most,
             text_counted(candidates, left > 0 ? left / once : 0, "candidate"),
             file->split.n[SHARE_VAL]);
    diag_remedy(file->diags,
                "raise `max_calls` to %" PRId64 ", or use fewer examples",
                CANDIDATES_LEAST * once + test);
}

// Returns how many demos a prompt should be able to show.
static int64_t demos_wanted(const struct job *job)
{
    int64_t most = DEMOS_WANTED;

    for (size_t i = 0; i < job->n_nearest; i++)
        most = job->nearest[i] > most ? job->nearest[i] : most;
    return most;
}

// Appends what a prompt can contain: inputs and labels. Nothing reads the other
// columns.
static void put_read(const struct columns *columns, json_t *fields,
                     struct buf *out)
{
    const char *name;
    json_t *value;

    json_object_foreach(fields, name, value) {
        if (!columns_have(columns, name))
            continue;
        buf_puts(out, name);
        json_put_sorted(out, value);
    }
}

// The texts of the examples, in bytes.
struct sizes {
    size_t longest;
    size_t mean;
};

static struct sizes measure_examples(const struct jobfile *file)
{
    size_t n = dataset_size(file->dataset);
    struct err ignored = ERR_CLEAR;
    struct columns *columns = columns_new(file->job->program, NULL, &ignored);
    struct buf text = BUF_INIT(64 << 20);
    struct sizes sizes = {0};
    size_t sum = 0;

    for (size_t i = 0; columns != NULL && i < n; i++) {
        json_t *fields = dataset_fields(file->dataset, i);

        buf_clear(&text);
        put_read(columns, fields, &text);
        json_decref(fields);
        sum += text.len;
        sizes.longest = text.len > sizes.longest ? text.len : sizes.longest;
    }
    buf_release(&text);
    columns_free(columns);
    sizes.mean = n > 0 ? sum / n : 0;
    return sizes;
}

// Checks how many demos of average size fit next to the longest prompt.
static void check_demos(struct jobfile *file)
{
    const struct job_model *student = &file->job->models[ROLE_STUDENT];
    struct sizes sizes = measure_examples(file);
    int64_t room = (int64_t)student->options.num_ctx -
                   student->options.num_predict -
                   2 * (int64_t)prompt_estimate_tokens(sizes.longest);
    int64_t demo = (int64_t)prompt_estimate_tokens(sizes.mean) + 20;
    char demos[TEXT_COUNTED_BYTES];

    if (sizes.longest == 0 || room >= demos_wanted(file->job) * demo)
        return;
    diag_add(file->diags, DIAG_WARNING, "no-room-for-demos", &student->place,
             "next to the longest example and a reply of num_predict %" PRId32
             " tokens, num_ctx %" PRId32 " has room for %s%s",
             student->options.num_predict, student->options.num_ctx,
             room >= demo ? "about " : "no demo",
             room >= demo ? text_counted(demos, room / demo, "demo") : "");
    diag_remedy(file->diags, "raise `num_ctx`, or lower `num_predict` to what "
                             "an answer needs");
}

// ---- demos that are picked for each question

static void check_nearest(struct jobfile *file)
{
    struct place place = check_finding_place(file);

    if (file->job->n_nearest == 0)
        return;
    if (!file->optimizer->pools) {
        diag_add(file->diags, DIAG_WARNING, "not-searched", &place,
                 "%s makes no demo sets, so `demos.nearest` changes nothing",
                 file->optimizer->name);
        diag_remedy(file->diags, "leave it out, or use `screen_and_race`");
        return;
    }
    diag_add(
        file->diags, DIAG_INFO, "not-for-dspy", &place,
        "with `demos.nearest` the winner may show different demos for each "
        "question, and DSPy's own `load` runs such a program without demos");
    diag_remedy(
        file->diags, "%s, or leave `demos.nearest` out",
        file->job->program->pools_by == SEARCH_BY_EMBEDDINGS
            ? "run it with `promptcc serve`, which asks for the embeddings"
            : "load it with promptcc.load of the Python package");
}

// ---- whether a search is worth it

static void check_tool(struct jobfile *file)
{
    const struct program *program = file->job->program;
    struct place place = check_finding_place(file);

    if (program->n_predictors != 1 ||
        dataset_size(file->dataset) >= ROWS_GOOD || file->optimizer->one_set)
        return;
    diag_add(file->diags, DIAG_INFO, "wrong-tool", &place,
             "this is one call with few examples: if a prompt written by hand "
             "is nearly always right, or the task changes every week, a search "
             "is not worth its calls");
    diag_remedy(file->diags,
                "`eval` tells you what the program scores as written");
}

void check_data(struct jobfile *file)
{
    static void (*const attempts[])(struct jobfile *) = {
        check_descriptions, check_number, check_labels,  check_metric_reacts,
        check_budget,       check_demos,  check_nearest, check_tool,
    };

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        attempts[i](file);
}
