#include "cli/check_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    LABEL_LEAST = 3,      // examples of a label
    LABELS_MAX = 512,     // those that are counted one by one
    ENUM_LABELS_MAX = 20, // most distinct texts that could be an enum
    NAMES_BYTES = 200,
    PAIRS_TRIED = 200,
    DEMOS_WANTED = 4,
    CANDIDATES_LEAST = 8, // for a budget that makes a search worthwhile
};
static const double MAJORITY = 0.6;

static struct place whole_file(const struct jobfile *file)
{
    return (struct place){.file = file->path};
}

// ---- the task

static void put_name(struct buf *names, const char *step, const char *field)
{
    if (names->len >= NAMES_BYTES)
        return;
    buf_puts(names, names->len > 0 ? ", " : "");
    buf_printf(names, step == NULL ? "%s%s" : "%s.%s", step == NULL ? "" : step,
               field);
    if (names->len >= NAMES_BYTES)
        buf_puts(names, ", ...");
}

// Models read the descriptions, but labels and numbers are clear without one.
static void check_descriptions(struct jobfile *file)
{
    const struct program *program = file->job->program;
    struct place place = whole_file(file);
    struct buf names = BUF_INIT(1 << 12);

    if (file->optimizer->one_set)
        return;
    for (size_t i = 0; i < program->n_inputs; i++)
        if (program->inputs[i].desc[0] == '\0')
            put_name(&names, NULL, program->inputs[i].name);
    for (size_t p = 0; p < program->n_predictors; p++) {
        const struct step *step = program_predictor(program, p);

        for (size_t i = 0; i < step->signature.n_outputs; i++) {
            const struct field *field = &step->signature.outputs[i];

            if (field->desc[0] == '\0' && field->type.kind == TYPE_STR &&
                strcmp(field->name, "reasoning") != 0)
                put_name(&names, step->name, field->name);
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

// ---- labels

struct label_count {
    char *name; // owned
    size_t rows;
    size_t of[SHARE_COUNT];
};

struct labels {
    const char *key; // of the examples
    const char *output;
    const struct type *type; // of the output
    struct label_count list[LABELS_MAX];
    size_t n;
    size_t others; // rows whose label is not in the list
};

static const char *label_text(const json_t *value)
{
    return json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
                                  : json_string_value(value);
}

static struct label_count *label_of(struct labels *labels, const char *name)
{
    for (size_t i = 0; i < labels->n; i++)
        if (strcmp(labels->list[i].name, name) == 0)
            return &labels->list[i];
    if (labels->n == LABELS_MAX)
        return NULL;
    labels->list[labels->n] = (struct label_count){.name = strdup(name)};
    return labels->list[labels->n].name == NULL ? NULL
                                                : &labels->list[labels->n++];
}

static const struct type *type_of(const struct program *program, size_t output)
{
    struct source source = program->outputs[output].source;

    if (source.step < 0 || source.field < 0)
        return NULL;
    return &program->steps[source.step].signature.outputs[source.field].type;
}

// Returns the count of the row's label, or NULL if the row has no label that is
// counted.
static struct label_count *count_of(struct labels *labels,
                                    const struct dataset *dataset, size_t row)
{
    json_t *fields = dataset_fields(dataset, row);
    const char *text = label_text(json_object_get(fields, labels->key));
    struct label_count *count = text == NULL ? NULL : label_of(labels, text);

    json_decref(fields);
    return count;
}

static void count_labels(const struct jobfile *file, struct labels *labels)
{
    const struct dataset *dataset = file->dataset;

    for (size_t i = 0; labels->type->kind == TYPE_ENUM &&
                       i < labels->type->n_labels && i < LABELS_MAX;
         i++)
        (void)label_of(labels, labels->type->labels[i]);
    for (size_t i = 0; i < dataset_size(dataset); i++) {
        struct label_count *count = count_of(labels, dataset, i);

        if (count != NULL)
            count->rows++;
        else
            labels->others++;
    }
    for (int s = 0; s < SHARE_COUNT; s++)
        for (size_t i = 0; i < file->split.n[s]; i++) {
            struct label_count *count =
                count_of(labels, dataset, file->split.rows[s][i]);

            if (count != NULL)
                count->of[s]++;
        }
}

static void check_rare_labels(struct jobfile *file, const struct labels *labels)
{
    struct place place = whole_file(file);
    struct buf names = BUF_INIT(1 << 12);
    size_t n = 0;

    for (size_t i = 0; i < labels->n; i++)
        if (labels->list[i].rows < LABEL_LEAST) {
            put_name(&names, NULL, labels->list[i].name);
            n++;
        }
    if (n > 0) {
        diag_add(file->diags, DIAG_WARNING, "rare-labels", &place,
                 "%zu of %zu labels of `%s` have fewer than %d examples: %s", n,
                 labels->n, labels->output, LABEL_LEAST, names.data);
        diag_remedy(file->diags, "add some, or remove the label: what is not "
                                 "shown cannot be learned or measured");
    }
    buf_release(&names);
}

// Warns if most of the data has one label: always answering it scores well.
static void check_majority(struct jobfile *file, const struct labels *labels)
{
    struct place place = whole_file(file);
    const struct label_count *most = &labels->list[0];

    for (size_t i = 1; i < labels->n; i++)
        if (labels->list[i].rows > most->rows)
            most = &labels->list[i];
    double share = (double)most->rows / (double)dataset_size(file->dataset);
    if (labels->n < 2 || share < MAJORITY)
        return;
    diag_add(file->diags, DIAG_WARNING, "unbalanced", &place,
             "%.0f %% of the examples have the label `%.60s`: a program that "
             "always gives this answer scores just as high",
             100 * share, most->name);
    diag_remedy(file->diags, "add examples of the other labels");
}

static void check_shares(struct jobfile *file, const struct labels *labels)
{
    struct place place = whole_file(file);

    for (int s = SHARE_VAL; s < SHARE_COUNT; s++) {
        struct buf names = BUF_INIT(1 << 12);

        for (size_t i = 0; i < labels->n && file->split.n[s] > 0; i++)
            if (labels->list[i].rows > 0 && labels->list[i].of[s] == 0)
                put_name(&names, NULL, labels->list[i].name);
        if (names.len > 0) {
            diag_add(file->diags, DIAG_WARNING, "share-lacks-label", &place,
                     "the %s share has no example of: %s",
                     s == SHARE_VAL ? "validation" : "test", names.data);
            diag_remedy(file->diags,
                        "add examples of these, or name the label in "
                        "`data.split.stratify: %s`",
                        labels->key);
        }
        buf_release(&names);
    }
}

// Warns about a text field with few distinct values, which should be declared
// as an enum. As a text, its labels are not shown to the model, and a server
// cannot enforce them.
static void check_loose_type(struct jobfile *file, const struct labels *labels)
{
    struct place place = whole_file(file);

    if (labels->n < 2 || labels->n > ENUM_LABELS_MAX || labels->others > 0 ||
        dataset_size(file->dataset) < 3 * labels->n)
        return;
    diag_add(
        file->diags, DIAG_WARNING, "loose-type", &place,
        "`%s` may be any text, but the examples have only %zu different ones",
        labels->output, labels->n);
    diag_remedy(file->diags,
                "declare it as `enum: [\"%.40s\", ...]`: then the model knows "
                "the labels and is held to them",
                labels->list[0].name);
}

static void release_labels(struct labels *labels)
{
    for (size_t i = 0; i < labels->n; i++)
        free(labels->list[i].name);
}

static void check_label(struct jobfile *file, struct labels *labels)
{
    count_labels(file, labels);
    if (labels->type->kind == TYPE_STR) {
        check_loose_type(file, labels);
        return;
    }
    if (file->optimizer->one_set)
        return; // the scores decide nothing
    check_rare_labels(file, labels);
    check_majority(file, labels);
    check_shares(file, labels);
}

static void check_labels(struct jobfile *file)
{
    struct metric_label list[PROGRAM_MAX_FIELDS];
    const struct program *program = file->job->program;
    size_t n = metric_labelled(file->job->metric, list, PROGRAM_MAX_FIELDS);
    struct labels *labels = calloc(1, sizeof *labels);

    for (size_t i = 0; labels != NULL && i < n; i++) {
        const struct type *type = type_of(program, list[i].output);

        if (type == NULL || (type->kind != TYPE_ENUM &&
                             type->kind != TYPE_BOOL && type->kind != TYPE_STR))
            continue;
        *labels =
            (struct labels){.key = list[i].label,
                            .output = program->outputs[list[i].output].name,
                            .type = type};
        check_label(file, labels);
        release_labels(labels);
    }
    file->diags->nomem = file->diags->nomem || labels == NULL;
    free(labels);
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
    struct place place = whole_file(file);
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
    struct place place = whole_file(file);
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

// Checks how many demos of average size fit next to the longest prompt.
static void check_demos(struct jobfile *file)
{
    const struct job_model *student = &file->job->models[ROLE_STUDENT];
    struct err ignored = ERR_CLEAR;
    struct columns *columns =
        columns_new(file->job->program, NULL, 0, &ignored);
    struct buf text = BUF_INIT(64 << 20);
    size_t longest = 0, sum = 0;

    for (size_t i = 0; i < dataset_size(file->dataset); i++) {
        json_t *fields = dataset_fields(file->dataset, i);

        buf_clear(&text);
        if (columns != NULL)
            put_read(columns, fields, &text);
        json_decref(fields);
        sum += text.len;
        longest = text.len > longest ? text.len : longest;
    }
    buf_release(&text);
    columns_free(columns);
    if (dataset_size(file->dataset) == 0 || longest == 0)
        return;
    int64_t room = (int64_t)student->options.num_ctx -
                   student->options.num_predict -
                   2 * (int64_t)prompt_estimate_tokens(longest);
    int64_t demo =
        (int64_t)prompt_estimate_tokens(sum / dataset_size(file->dataset)) + 20;
    char demos[TEXT_COUNTED_BYTES];

    if (room >= demos_wanted(file->job) * demo)
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
    struct place place = whole_file(file);

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
    struct place place = whole_file(file);

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
