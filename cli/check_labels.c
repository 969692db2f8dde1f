#include "cli/check_labels.h"

#include <stdlib.h>
#include <string.h>

#include "cli/check_finding.h"
#include "common/buf.h"
#include "program/metric/metric.h"

enum {
    LABEL_LEAST = 3,      // examples of a label
    LABELS_MAX = 512,     // those that are counted one by one
    ENUM_LABELS_MAX = 20, // most distinct texts that could be an enum
};
static const double MAJORITY = 0.6;

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
    struct place place = check_finding_place(file);
    struct buf names = CHECK_FINDING_NAMES;
    size_t n = 0;

    for (size_t i = 0; i < labels->n; i++)
        if (labels->list[i].rows < LABEL_LEAST) {
            check_finding_name(&names, "%s", labels->list[i].name);
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
    struct place place = check_finding_place(file);
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
    struct place place = check_finding_place(file);

    for (int s = SHARE_VAL; s < SHARE_COUNT; s++) {
        struct buf names = CHECK_FINDING_NAMES;

        for (size_t i = 0; i < labels->n && file->split.n[s] > 0; i++)
            if (labels->list[i].rows > 0 && labels->list[i].of[s] == 0)
                check_finding_name(&names, "%s", labels->list[i].name);
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
    struct place place = check_finding_place(file);

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

void check_labels(struct jobfile *file)
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
