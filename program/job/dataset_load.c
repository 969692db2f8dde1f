#include "program/job/dataset_load.h"

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
    REASON_BYTES = 240,
    MAX_REPORTED = 20, // mistakes; more of them probably share one cause
    MAX_LABELS = PROGRAM_MAX_FIELDS + 1,
};

// The state of loading, passed down while files are read.
struct loader {
    const struct job *job;
    struct dataset *dataset;
    struct diags *diags;
    struct columns *columns;        // owned
    const char *labels[MAX_LABELS]; // those that the metric needs
    size_t n_labels;
    size_t skipped;    // bad rows
    const char *file;  // the file being read, as the job names it
    char *path;        // its path, for messages; owned
    struct rows *rows; // its reader; owned
    bool bad;          // the current row is bad
    bool failed;       // reading cannot continue
    bool foreign;      // the file is not one of the job's
    struct place first_bad;
    char reason[REASON_BYTES]; // of the first bad row
    size_t reported;
    size_t unreported;
    struct place first_unreported; // in the arena of the findings
};

static void no_memory(struct loader *loader)
{
    loader->diags->nomem = true;
    loader->failed = true;
}

// Findings

// Counts a mistake without reporting it. The place of the first one is kept.
static void count_unreported(struct loader *loader, const char *key)
{
    struct place place = {.file = loader->path};
    const char *line = "";
    size_t len = 0;

    if (loader->unreported++ > 0)
        return;
    rows_place(loader->rows, key, &place, &line, &len);
    if (!place_copy(&loader->diags->arena, &place, &loader->first_unreported))
        no_memory(loader);
}

// Adds a finding for the current row. With skip_bad only the first one is kept,
// for the warning that sums them up. An `add` of struct column_faults.
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
        loader->unreported = 0;
        rows_place(loader->rows, key, &place, &line, &len);
        diag_add(loader->diags, DIAG_ERROR, "costly-pattern", &place, "%s",
                 text);
        return;
    }
    if (loader->job->skip_bad && loader->reason[0] != '\0')
        return;
    if (!loader->job->skip_bad && loader->reported == MAX_REPORTED) {
        count_unreported(loader, key);
        return;
    }
    rows_place(loader->rows, key, &place, &line, &len);
    if (loader->job->skip_bad) {
        (void)text_print(loader->reason, sizeof loader->reason, "%s", text);
        loader->first_bad = place;
        return;
    }
    loader->reported++;
    diag_add(loader->diags, DIAG_ERROR, "bad-row", &place, "%s", text);
    diag_line(loader->diags, line, len);
}

// Adds a finding for a head line: an error, with or without skip_bad.
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

static bool has_room(struct loader *loader)
{
    struct place place = {
        .file = loader->path, .line = rows_line(loader->rows), .column = 1};

    if (dataset_size(loader->dataset) < DATASET_MAX_ROWS)
        return true;
    diag_add(loader->diags, DIAG_ERROR, "too-many-rows", &place,
             "there are more than %d examples: leave some out",
             DATASET_MAX_ROWS);
    loader->failed = true;
    return false;
}

// Checks the current row and keeps it if it is good.
static void take_row(struct loader *loader)
{
    const struct column_faults faults = {row_fault, loader};
    struct err err = ERR_CLEAR;

    if (!columns_take(loader->columns, loader->rows, &faults, NULL, &err))
        no_memory(loader);
    else if (loader->bad)
        loader->skipped++;
    else if (has_room(loader) &&
             !dataset_put(loader->dataset, rows_fields(loader->rows),
                          rows_line(loader->rows)))
        no_memory(loader);
}

// Reads the next row. Returns false at the end.
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
        loader->skipped++;
        break;
    case ROWS_FAILED:
        no_memory(loader); // the only cause: the bytes are all in memory
        break;
    case ROWS_END:
        return false;
    case ROWS_BLANK:
        break;
    }
    return !loader->failed;
}

// Files

// Returns the path of a data file from where the user is, which an editor can
// open: data files are next to the job file. A file that the caller of
// dataset_file names has such a path already.
static char *show_path(const struct loader *loader, const char *name)
{
    char *folder =
        loader->foreign ? strdup(".") : file_folder(loader->job->path);
    char *path = folder == NULL ? NULL : file_join(folder, name);

    free(folder);
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

static void report_none(struct loader *loader, bool headed)
{
    struct place place = {.file = loader->path};

    diag_add(loader->diags, DIAG_ERROR, "no-examples", &place,
             "`%s` contains no %sexamples", loader->file,
             loader->skipped > 0 ? "good " : "");
    diag_remedy(
        loader->diags,
        headed ? "write 30 to 500 labelled examples below the line "
                 "that names the columns"
               : "write 30 to 500 labelled examples, one JSON object per line");
}

static void read_rows(struct loader *loader, const struct bundle_file *file)
{
    const struct column_faults faults = {header_fault, loader};
    size_t before = dataset_size(loader->dataset);
    size_t errors = loader->diags->errors;
    size_t n_columns = 0;

    loader->rows = open_rows(loader, file);
    if (loader->rows == NULL)
        return;
    if (columns_header(loader->columns, loader->rows, &faults))
        while (take_next(loader))
            continue;
    (void)rows_header(loader->rows, &n_columns);
    rows_close(loader->rows);
    loader->rows = NULL;
    if (dataset_size(loader->dataset) == before &&
        loader->diags->errors == errors && !loader->failed)
        report_none(loader, n_columns > 0);
}

static void load_file(struct loader *loader, struct bundle *bundle,
                      const char *name)
{
    struct err err = ERR_CLEAR;
    const struct bundle_file *file = bundle_get(bundle, name, &err);

    if (file == NULL) {
        diag_add(loader->diags, DIAG_ERROR, "missing-file",
                 &loader->job->data.place, "%s", err.text);
        return;
    }
    free(loader->path);
    loader->file = name;
    loader->path = show_path(loader, name);
    if (loader->path == NULL ||
        !dataset_begin_file(loader->dataset, name, loader->path))
        no_memory(loader);
    else
        read_rows(loader, file);
}

static void report_rest(struct loader *loader)
{
    if (loader->unreported == 0)
        return;
    char mistakes[TEXT_COUNTED_BYTES];

    diag_add(
        loader->diags, DIAG_ERROR, "bad-row", &loader->first_unreported,
        "from here on, %s not shown",
        text_counted(mistakes, (int64_t)loader->unreported, "further mistake"));
    diag_remedy(loader->diags, "correct them, or set the job's top-level key "
                               "`skip_bad: true` to leave bad rows out");
}

static void report_skipped(struct loader *loader)
{
    char rows[TEXT_COUNTED_BYTES];

    if (!loader->job->skip_bad)
        return;
    dataset_skip(loader->dataset, loader->skipped);
    if (loader->skipped > 0)
        diag_add(loader->diags, DIAG_WARNING, "skipped-rows",
                 &loader->first_bad, "%s skipped, the first because %s",
                 text_counted(rows, (int64_t)loader->skipped, "bad row"),
                 loader->reason);
}

// Conflicts

// Rows that have the inputs of an earlier row, but different labels.
struct conflicts {
    size_t n;
    size_t first; // the first of them in the file
    size_t with;  // the row that it contradicts
};

static bool differ(struct loader *loader, const json_t *a, const json_t *b)
{
    bool same = true;

    for (size_t i = 0; same && i < loader->n_labels; i++)
        same = json_equal(json_object_get(a, loader->labels[i]),
                          json_object_get(b, loader->labels[i]));
    if (a != NULL && b != NULL)
        return !same;
    no_memory(loader);
    return false;
}

// Compares the labels of rows[0..n), which have the same inputs.
static void compare_labels(struct loader *loader, const struct keyed_row *rows,
                           size_t n, struct conflicts *conflicts)
{
    json_t *earliest =
        n > 1 ? dataset_fields(loader->dataset, rows[0].row) : NULL;

    for (size_t i = 1; i < n; i++) {
        json_t *other = dataset_fields(loader->dataset, rows[i].row);
        bool first = conflicts->n == 0 || rows[i].row < conflicts->first;

        if (differ(loader, earliest, other)) {
            conflicts->n++;
            conflicts->first = first ? rows[i].row : conflicts->first;
            conflicts->with = first ? rows[0].row : conflicts->with;
        }
        json_decref(other);
    }
    json_decref(earliest);
}

static void warn_conflicts(struct loader *loader,
                           const struct conflicts *conflicts)
{
    struct row_place first, with;

    if (conflicts->n == 0)
        return;
    first = dataset_place(loader->dataset, conflicts->first);
    with = dataset_place(loader->dataset, conflicts->with);
    struct place place = {.file = first.path, .line = first.line, .column = 1};
    diag_add(loader->diags, DIAG_WARNING, "conflicting-labels", &place,
             "%zu example%s the same inputs as an earlier one but a different "
             "label; the first contradicts %s:%d",
             conflicts->n, conflicts->n == 1 ? " has" : "s have", with.path,
             with.line);
    diag_remedy(loader->diags, "decide which label is right and keep that one");
}

static void find_conflicts(struct loader *loader)
{
    struct keyed_row *rows = dataset_by_inputs(loader->dataset);
    struct conflicts conflicts = {0};
    size_t n = dataset_size(loader->dataset);

    if (rows == NULL) {
        no_memory(loader);
        return;
    }
    for (size_t from = 0, to = 1; from < n; from = to++) {
        while (to < n && rows[to].inputs == rows[from].inputs)
            to++;
        compare_labels(loader, rows + from, to - from, &conflicts);
    }
    warn_conflicts(loader, &conflicts);
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

    loader.dataset = dataset_new(job->program);
    if (loader.dataset == NULL) {
        diags->nomem = true;
        return NULL;
    }
    loader.n_labels = metric_labels(job->metric, loader.labels, MAX_LABELS);
    loader.columns = columns_new(job->program, job->metric, &err);
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
    free(loader.path);
    if (diags->errors == errors && !loader.failed)
        return loader.dataset;
    dataset_free(loader.dataset);
    return NULL;
}

// Fetches the compiled file that the job starts from: it is not data, but part
// of the bundle.
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
