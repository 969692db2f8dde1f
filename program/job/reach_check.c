#include "program/job/reach_check.h"

#include "common/buf.h"
#include "common/utf8.h"
#include "program/graph/type_form.h"
#include "program/metric/reach.h"

enum { QUOTE_BYTES = 60 };

// The rows on which one part of a metric cannot score.
struct missed {
    size_t n;
    size_t of;
    size_t first;
};

static void put_label(const struct dataset *dataset, size_t row,
                      const char *label, struct buf *out)
{
    struct buf text = BUF_INIT(1 << 20);
    json_t *fields = dataset_fields(dataset, row);
    const json_t *value = json_object_get(fields, label);

    if (value != NULL)
        value_put(value, &text);
    size_t len =
        text.len > QUOTE_BYTES ? utf8_cut(text.data, QUOTE_BYTES) : text.len;
    buf_append(out, text.data == NULL ? "" : text.data, len);
    if (text.len > QUOTE_BYTES)
        buf_puts(out, "...");
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
    json_decref(fields);
    buf_release(&text);
}

static void report(const struct reach_part *part, const struct dataset *dataset,
                   const struct missed *missed, struct diags *diags)
{
    struct row_place row = dataset_place(dataset, missed->first);
    struct place place = {.file = row.path, .line = row.line, .column = 1};
    const char *name = part->label != NULL ? part->label : part->output;
    bool number = part->label != NULL && part->kind[0] == 'n';
    bool all = missed->n == missed->of;
    bool sure = all && part->whole && part->label != NULL;
    struct buf label = BUF_INIT(1024);

    put_label(dataset, missed->first, name, &label);
    diag_add(diags, sure ? DIAG_ERROR : DIAG_WARNING, "never-scores", &place,
             "%s: no answer can score on %zu of %zu examples by `%s`: %s; the "
             "label of the first, `%s`, is \"%s\"",
             all && part->whole ? "every score would be 0"
             : all              ? "a part of the metric would always be 0"
                                : "some scores would always be 0",
             missed->n, missed->of, part->kind,
             number ? "it compares numbers, and these labels are not numbers"
             : part->label == NULL
                 ? "not even their right answers do"
                 : "no value that the output may hold matches",
             name, label.data == NULL ? "" : label.data);
    if (number)
        diag_remedy(diags,
                    "make the labels plain numbers, or name the column that "
                    "has them: {numeric: {field: %s, label: COLUMN}}",
                    part->output);
    else
        diag_remedy(diags,
                    "compare the labels with the type and the limits of `%s`, "
                    "or choose another metric",
                    part->output);
    buf_release(&label);
}

static bool check_part(const struct reach_part *part, const struct job *job,
                       const struct dataset *dataset, struct diags *diags,
                       struct err *err)
{
    struct missed missed = {0};

    for (size_t i = 0; i < dataset_size(dataset) && i < REACH_MAX_ROWS; i++) {
        json_t *fields = dataset_fields(dataset, i);
        bool reaches = false;
        bool ok = fields != NULL &&
                  reach_example(part, job->program, fields, &reaches, err);

        if (fields == NULL)
            err_nomem(err, "an example");
        json_decref(fields);
        if (!ok)
            return false;
        missed.of++;
        if (reaches)
            continue;
        if (missed.n++ == 0)
            missed.first = i;
    }
    if (missed.n > 0)
        report(part, dataset, &missed, diags);
    return true;
}

void reach_check(const struct job *job, const struct dataset *dataset,
                 struct diags *diags)
{
    struct reach_part parts[REACH_MAX_PARTS];
    size_t n = reach_parts(job->metric, parts);
    struct err err = ERR_CLEAR;

    for (size_t i = 0; i < n; i++)
        if (!check_part(&parts[i], job, dataset, diags, &err) &&
            err.code == ERR_NOMEM) {
            diags->nomem = true;
            return;
        }
}
