#include "program/job/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "program/job/columns.h"
#include "program/job/rows.h"
#include "program/metric/metric.h"
#include "program/source/pattern.h"

enum {
    ROW_MAX_BYTES = 4 << 20,
    REASON_BYTES = 240,
    MAX_TOLD = 20, // mistakes; who sees that many looks for their cause
    MAX_LABELS = PROGRAM_MAX_FIELDS + 1,
};

// What travels down while files are read.
struct loader {
    const struct job *job;
    struct dataset *dataset;
    struct diags *diags;
    struct columns *columns;        // owned
    const char *labels[MAX_LABELS]; // that the metric needs
    size_t n_labels;
    size_t room;       // rows allocated
    const char *file;  // that is being read, as the job names it
    const char *path;  // of it, for messages
    struct rows *rows; // its reader; owned
    bool bad;          // the row at hand
    bool failed;       // nothing further can be read
    bool foreign;      // the file is no one of the job's
    struct place first_bad;
    char reason[REASON_BYTES]; // of the first bad row
    size_t told;
    size_t untold;
};

void dataset_free(struct dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (size_t i = 0; i < dataset->n; i++) {
        json_decref(dataset->rows[i].fields);
        json_decref(dataset->rows[i].inputs);
    }
    for (size_t i = 0; i < dataset->n_paths; i++)
        free(dataset->paths[i]);
    free(dataset->rows);
    free(dataset);
}

static void no_memory(struct loader *loader)
{
    loader->diags->nomem = true;
    loader->failed = true;
}

// Findings

// A finding of the row at hand; with skip_bad only the first one is kept, for
// the warning that sums them up. A columns_fault_fn.
static void row_fault(void *user, const char *key, const char *text)
{
    struct loader *loader = user;
    struct place place = {.file = loader->path};
    const char *line = "";
    size_t len = 0;

    loader->bad = true;
    if (loader->failed)
        return;
    if (pattern_budget_spent()) {
        loader->failed = true;
        loader->untold = 0;
        rows_place(loader->rows, key, &place, &line, &len);
        diag_add(loader->diags, DIAG_ERROR, "costly-pattern", &place, "%s",
                 text);
        return;
    }
    if (loader->job->skip_bad && loader->reason[0] != '\0')
        return;
    if (!loader->job->skip_bad && loader->told == MAX_TOLD) {
        loader->untold++;
        return;
    }
    rows_place(loader->rows, key, &place, &line, &len);
    if (loader->job->skip_bad) {
        (void)text_print(loader->reason, sizeof loader->reason, "%s", text);
        loader->first_bad = place;
        return;
    }
    loader->told++;
    diag_add(loader->diags, DIAG_ERROR, "bad-row", &place, "%s", text);
    diag_line(loader->diags, line, len);
}

// A finding of a head line: an error, skip_bad or not.
static void header_fault(void *user, const char *key, const char *text)
{
    struct loader *loader = user;
    struct place place = {.file = loader->path};
    const char *line = "";
    size_t len = 0;

    rows_place(loader->rows, key, &place, &line, &len);
    diag_add(loader->diags, DIAG_ERROR, "bad-header", &place, "%s", text);
    diag_line(loader->diags, line, len);
}

// Keeping a row

static bool make_room(struct loader *loader)
{
    struct dataset *dataset = loader->dataset;

    if (dataset->n >= DATASET_MAX_ROWS) {
        struct place place = {
            .file = loader->path, .line = rows_line(loader->rows), .column = 1};
        diag_add(loader->diags, DIAG_ERROR, "too-many-rows", &place,
                 "there are more than %d examples: leave some out",
                 DATASET_MAX_ROWS);
        loader->failed = true;
        return false;
    }
    if (dataset->n < loader->room)
        return true;
    size_t room = loader->room == 0 ? 64 : loader->room * 2;
    struct row *rows = realloc(dataset->rows, room * sizeof *rows);
    if (rows == NULL) {
        no_memory(loader);
        return false;
    }
    dataset->rows = rows;
    loader->room = room;
    return true;
}

static void keep_row(struct loader *loader, json_t *fields, json_t *inputs)
{
    struct buf text = BUF_INIT(ROW_MAX_BYTES * (size_t)6);
    struct dataset *dataset = loader->dataset;

    json_put(&text, fields, true);
    if (text.failed)
        no_memory(loader);
    if (!loader->failed && make_room(loader))
        dataset->rows[dataset->n++] = (struct row){
            .fields = json_incref(fields),
            .inputs = json_incref(inputs),
            .hash = hash_of("row", text.data, text.len),
            .file = loader->file,
            .path = loader->path,
            .line = rows_line(loader->rows),
        };
    buf_release(&text);
}

// Checks the row at hand and keeps it when it is good.
static void take_row(struct loader *loader)
{
    struct err err = ERR_CLEAR;
    json_t *inputs = NULL;

    if (!columns_take(loader->columns, loader->rows, row_fault, loader, &inputs,
                      &err))
        no_memory(loader);
    else if (loader->bad)
        loader->dataset->skipped++;
    else
        keep_row(loader, rows_fields(loader->rows), inputs);
    json_decref(inputs);
}

// False at the end.
static bool take_next(struct loader *loader)
{
    struct err err = ERR_CLEAR;

    loader->bad = false;
    switch (rows_next(loader->rows, &err)) {
    case ROWS_ROW:
        take_row(loader);
        break;
    case ROWS_BAD:
        row_fault(loader, NULL, err.text);
        loader->dataset->skipped++;
        break;
    case ROWS_FAILED:
        no_memory(loader); // the bytes are all here
        break;
    case ROWS_END:
        return false;
    case ROWS_BLANK:
        break;
    }
    return !loader->failed;
}

// Files

// Beside the job file, from where the user is: what an editor opens. A file
// that the caller of dataset_file brings has such a name already.
static const char *show_path(struct loader *loader, const char *name)
{
    struct dataset *dataset = loader->dataset;
    char *folder =
        loader->foreign ? strdup(".") : file_folder(loader->job->path);
    char *path = folder == NULL ? NULL : file_join(folder, name);

    free(folder);
    if (path == NULL) {
        no_memory(loader);
        return NULL;
    }
    dataset->paths[dataset->n_paths++] = path;
    return path;
}

static struct rows *open_rows(struct loader *loader,
                              const struct bundle_file *file)
{
    struct rows_input input = {
        .name = loader->file, .data = file->data, .len = file->len};
    struct place place = {.file = loader->path};
    struct err err = ERR_CLEAR;

    input.wanted = columns_wanted(loader->columns, &input.n_wanted);
    struct rows *rows = rows_open(&input, &err);
    if (rows == NULL && err.code == ERR_NOMEM)
        no_memory(loader);
    else if (rows == NULL)
        diag_add(loader->diags, DIAG_ERROR, "bad-file", &place, "%s", err.text);
    return rows;
}

static void report_none(struct loader *loader)
{
    struct place place = {.file = loader->path};

    diag_add(loader->diags, DIAG_ERROR, "no-examples", &place,
             "`%s` holds no %sexamples", loader->file,
             loader->dataset->skipped > 0 ? "good " : "");
    diag_remedy(loader->diags,
                "write 30 to 500 labelled examples, one JSON object a line");
}

static void load_file(struct loader *loader, struct bundle *bundle,
                      const char *name)
{
    struct err err = ERR_CLEAR;
    const struct bundle_file *file = bundle_get(bundle, name, &err);
    size_t before = loader->dataset->n;
    size_t errors = loader->diags->errors;

    if (file == NULL) {
        diag_add(loader->diags, DIAG_ERROR, "missing-file",
                 &loader->job->data.place, "%s", err.text);
        return;
    }
    loader->path = show_path(loader, name);
    if (loader->path == NULL)
        return;
    loader->file = name;
    loader->rows = open_rows(loader, file);
    if (loader->rows == NULL)
        return;
    if (columns_header(loader->columns, loader->rows, header_fault, loader))
        while (take_next(loader))
            continue;
    rows_close(loader->rows);
    loader->rows = NULL;
    if (loader->dataset->n == before && loader->diags->errors == errors &&
        !loader->failed)
        report_none(loader);
}

static void report_rest(struct loader *loader)
{
    if (loader->untold == 0)
        return;
    struct place place = {.file = loader->path};
    char mistakes[TEXT_COUNTED_BYTES];

    diag_add(
        loader->diags, DIAG_ERROR, "bad-row", &place,
        "%s in the examples, not shown here",
        text_counted(mistakes, (int64_t)loader->untold, "further mistake"));
    diag_remedy(loader->diags,
                "correct them, or let `skip_bad: true` leave bad rows out");
}

static void report_skipped(struct loader *loader)
{
    char rows[TEXT_COUNTED_BYTES];

    if (!loader->job->skip_bad)
        loader->dataset->skipped = 0;
    if (loader->dataset->skipped > 0)
        diag_add(
            loader->diags, DIAG_WARNING, "skipped-rows", &loader->first_bad,
            "%s skipped, the first because %s",
            text_counted(rows, (int64_t)loader->dataset->skipped, "bad row"),
            loader->reason);
}

// Conflicts

struct labelled {
    struct hash inputs;
    struct hash labels;
    size_t row;
};

static int compare_labelled(const void *a, const void *b)
{
    const struct labelled *one = a;
    const struct labelled *other = b;
    int order = memcmp(&one->inputs, &other->inputs, sizeof one->inputs);

    if (order != 0)
        return order;
    return one->row < other->row ? -1 : one->row > other->row;
}

static bool hash_row(const struct loader *loader, size_t i,
                     struct labelled *out)
{
    const struct row *row = &loader->dataset->rows[i];
    struct buf text = BUF_INIT(ROW_MAX_BYTES * (size_t)6);

    json_put(&text, row->inputs, true);
    out->row = i;
    out->inputs = hash_of("inputs", text.data, text.len);
    bool ok = !text.failed;
    buf_clear(&text);
    for (size_t j = 0; j < loader->n_labels; j++) {
        json_put(&text, json_object_get(row->fields, loader->labels[j]), true);
        buf_putc(&text, '\n');
    }
    ok = ok && !text.failed;
    out->labels = hash_of("labels", text.data, text.len);
    buf_release(&text);
    return ok;
}

static void warn_conflicts(struct loader *loader, const struct labelled *rows,
                           size_t n)
{
    const struct labelled *first = NULL; // the conflict first in the file
    const struct labelled *with = NULL;
    size_t count = 0;
    size_t group = 0; // where the rows with the same inputs begin

    for (size_t i = 1; i < n; i++) {
        if (!hash_equal(&rows[i].inputs, &rows[group].inputs))
            group = i;
        if (hash_equal(&rows[i].labels, &rows[group].labels))
            continue;
        count++;
        if (first == NULL || rows[i].row < first->row) {
            first = &rows[i];
            with = &rows[group];
        }
    }
    if (count == 0)
        return;
    const struct row *all = loader->dataset->rows;
    struct place place = {.file = all[first->row].path,
                          .line = all[first->row].line,
                          .column = 1};
    diag_add(loader->diags, DIAG_WARNING, "conflicting-labels", &place,
             "%zu example%s the same inputs as an earlier one and another "
             "label; the first contradicts %s:%d",
             count, count == 1 ? " has" : "s have", all[with->row].path,
             all[with->row].line);
    diag_remedy(loader->diags, "decide which label is right and keep that one");
}

static void find_conflicts(struct loader *loader)
{
    size_t n = loader->dataset->n;
    struct labelled *rows = calloc(n + 1, sizeof *rows);
    bool ok = rows != NULL;

    for (size_t i = 0; ok && i < n; i++)
        ok = hash_row(loader, i, &rows[i]);
    if (ok) {
        qsort(rows, n, sizeof *rows, compare_labelled);
        warn_conflicts(loader, rows, n);
    } else {
        no_memory(loader);
    }
    free(rows);
}

// Loading

static struct dataset *load_files(const struct job *job, struct bundle *bundle,
                                  const char *const *names, size_t n,
                                  bool foreign, struct diags *diags)
{
    struct loader loader = {.job = job, .foreign = foreign, .diags = diags};
    struct err err = ERR_CLEAR;
    size_t errors = diags->errors;

    loader.dataset = calloc(1, sizeof *loader.dataset);
    if (loader.dataset == NULL) {
        diags->nomem = true;
        return NULL;
    }
    loader.n_labels = metric_labels(job->metric, loader.labels, MAX_LABELS);
    loader.columns =
        columns_new(job->program, loader.labels, loader.n_labels, &err);
    if (loader.columns == NULL)
        no_memory(&loader);
    pattern_budget_start();
    for (size_t i = 0; i < n && !loader.failed; i++)
        load_file(&loader, bundle, names[i]);
    pattern_budget_end();
    report_rest(&loader);
    report_skipped(&loader);
    if (diags->errors == errors && loader.n_labels > 0)
        find_conflicts(&loader);
    columns_free(loader.columns);
    if (diags->errors == errors && !loader.failed)
        return loader.dataset;
    dataset_free(loader.dataset);
    return NULL;
}

// The compiled file that the job begins with: no data, but to be brought along.
static void fetch_from(const struct job *job, struct bundle *bundle,
                       struct diags *diags)
{
    struct err why = ERR_CLEAR;

    if (job->from == NULL || bundle_get(bundle, job->from, &why) != NULL)
        return;
    if (why.code == ERR_NOMEM)
        diags->nomem = true;
    else
        diag_add(diags, DIAG_ERROR, "no-file", &job->from_place, "%s",
                 why.text);
}

struct dataset *dataset_load(const struct job *job, struct bundle *bundle,
                             struct diags *diags)
{
    const char *given[] = {job->data.examples, job->data.train, job->data.val,
                           job->data.test};
    const char *names[DATASET_MAX_FILES] = {0};
    size_t n = 0;

    // A file that is named for two shares is read once.
    for (size_t i = 0; i < DATASET_MAX_FILES; i++) {
        bool fresh = given[i] != NULL;
        for (size_t j = 0; fresh && j < n; j++)
            fresh = strcmp(names[j], given[i]) != 0;
        if (fresh)
            names[n++] = given[i];
    }
    fetch_from(job, bundle, diags);
    return load_files(job, bundle, names, n, false, diags);
}

struct dataset *dataset_file(const struct job *job, struct bundle *bundle,
                             const char *name, struct diags *diags)
{
    return load_files(job, bundle, &name, 1, true, diags);
}
