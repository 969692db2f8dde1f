#include "program/job/dataset.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"
#include "program/metric/metric.h"
#include "program/source/csv.h"
#include "program/source/pattern.h"

enum {
    ROW_MAX_BYTES = 4 << 20,
    FEW_ROWS = 30,
    REASON_BYTES = 240,
    MAX_TOLD = 20, // mistakes; who sees that many looks for their cause
    MAX_LABELS = PROGRAM_MAX_FIELDS + 1,
};

// What travels down while files are read. `place`, `line` and `bad` are those
// of the row at hand.
struct loader {
    const struct job *job;
    struct dataset *dataset;
    struct diags *diags;
    const char *labels[MAX_LABELS]; // that the metric needs
    size_t n_labels;
    size_t room;      // rows allocated
    const char *file; // that is being read, as the job names it
    struct place place;
    const char *line;
    size_t line_len;
    bool bad;
    bool failed;  // nothing further can be read
    bool foreign; // the file is no one of the job's
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

static void row_fault(struct loader *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// A finding of the row at hand; with skip_bad only the first one is kept, for
// the warning that sums them up.
static void row_fault(struct loader *loader, const char *format, ...)
{
    char text[REASON_BYTES];
    va_list args;

    va_start(args, format);
    (void)text_vprint(text, sizeof text, format, args);
    va_end(args);
    loader->bad = true;
    if (!loader->job->skip_bad && loader->told == MAX_TOLD) {
        loader->untold++;
    } else if (!loader->job->skip_bad) {
        loader->told++;
        diag_add(loader->diags, DIAG_ERROR, "bad-row", &loader->place, "%s",
                 text);
        diag_line(loader->diags, loader->line, loader->line_len);
    } else if (loader->reason[0] == '\0') {
        memcpy(loader->reason, text, sizeof text);
        loader->first_bad = loader->place;
    }
}

// The key of fields that name was likely meant to be, or NULL.
static const char *nearest_key(json_t *fields, const char *name)
{
    const char *keys[CSV_MAX_COLUMNS];
    size_t n = 0;

    for (void *at = json_object_iter(fields); at != NULL && n < CSV_MAX_COLUMNS;
         at = json_object_iter_next(fields, at))
        keys[n++] = json_object_iter_key(at);
    return text_nearest(name, keys, n);
}

static void report_missing(struct loader *loader, const char *what,
                           const char *name, json_t *fields)
{
    const char *near = nearest_key(fields, name);

    if (near != NULL)
        row_fault(loader, "the %s `%s` is missing, did you mean it by `%s`?",
                  what, name, near);
    else
        row_fault(loader, "the %s `%s` is missing", what, name);
}

// Types

static const struct type *source_type(const struct program *program,
                                      const struct source *source)
{
    if (source->field == SOURCE_WHOLE)
        return NULL;
    if (source->step == SOURCE_INPUT)
        return &program->inputs[source->field].type;
    return &program->steps[source->step].signature.outputs[source->field].type;
}

// The type of "step.field", or NULL.
static const struct type *step_field_type(const struct program *program,
                                          const char *key)
{
    const char *dot = strchr(key, '.');

    for (size_t i = 0; dot != NULL && i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        size_t len = (size_t)(dot - key);
        if (strlen(step->name) != len || strncmp(step->name, key, len) != 0)
            continue;
        for (size_t j = 0; j < step->signature.n_outputs; j++) {
            if (strcmp(step->signature.outputs[j].name, dot + 1) == 0)
                return &step->signature.outputs[j].type;
        }
    }
    return NULL;
}

// The type of a label: an output of the program or of a step. NULL when the
// key is none, or may hold anything.
static const struct type *label_type(const struct program *program,
                                     const char *key)
{
    for (size_t i = 0; i < program->n_outputs; i++) {
        if (strcmp(program->outputs[i].name, key) == 0)
            return source_type(program, &program->outputs[i].source);
    }
    return step_field_type(program, key);
}

static const struct type *column_type(const struct program *program,
                                      const char *key)
{
    for (size_t i = 0; i < program->n_inputs; i++) {
        if (strcmp(program->inputs[i].name, key) == 0)
            return &program->inputs[i].type;
    }
    return label_type(program, key);
}

// Checking a row

static bool is_needed(const struct loader *loader, const char *key)
{
    for (size_t i = 0; i < loader->n_labels; i++) {
        if (strcmp(loader->labels[i], key) == 0)
            return true;
    }
    return false;
}

static void check_value(struct loader *loader, const struct type *type,
                        const char *name, const json_t *value)
{
    struct err err = ERR_CLEAR;

    if (type == NULL || type_check(type, name, value, &err))
        return;
    if (!pattern_budget_spent()) {
        row_fault(loader, "%s", err.text);
        return;
    }
    loader->failed = true;
    diag_add(loader->diags, DIAG_ERROR, "costly-pattern", &loader->place, "%s",
             err.text);
}

// Puts the inputs of fields, defaults filled, into inputs; and the defaults
// into fields too.
static void take_inputs(struct loader *loader, json_t *fields, json_t *inputs)
{
    const struct program *program = loader->job->program;

    for (size_t i = 0; i < program->n_inputs; i++) {
        const struct field *input = &program->inputs[i];
        json_t *value = json_object_get(fields, input->name);
        if (value == NULL && input->otherwise != NULL) {
            value = input->otherwise;
            if (json_object_set(fields, input->name, value) != 0)
                no_memory(loader);
        } else if (value == NULL && input->type.optional) {
            value = json_null();
        } else if (value == NULL) {
            report_missing(loader, "input", input->name, fields);
            continue;
        } else {
            check_value(loader, &input->type, input->name, value);
        }
        if (json_object_set(inputs, input->name, value) != 0)
            no_memory(loader);
    }
}

// A label that is null and that the metric does not need is one that nobody
// knows: it is taken out, so that no demo shows it.
static void check_labels(struct loader *loader, json_t *fields)
{
    const struct program *program = loader->job->program;
    void *after = NULL;

    for (size_t i = 0; i < loader->n_labels; i++) {
        if (json_object_get(fields, loader->labels[i]) == NULL)
            report_missing(loader, "label", loader->labels[i], fields);
    }
    for (void *at = json_object_iter(fields); at != NULL; at = after) {
        const char *key = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        const struct type *type = label_type(program, key);
        after = json_object_iter_next(fields, at);
        if (type == NULL)
            continue;
        if (json_is_null(value) && !type->optional && !is_needed(loader, key))
            (void)json_object_del(fields, key);
        else
            check_value(loader, type, key, value);
    }
}

static bool make_room(struct loader *loader)
{
    struct dataset *dataset = loader->dataset;

    if (dataset->n < loader->room)
        return true;
    if (dataset->n == DATASET_MAX_ROWS) {
        diag_add(loader->diags, DIAG_ERROR, "too-many-rows", &loader->place,
                 "over %d examples", DATASET_MAX_ROWS);
        loader->failed = true;
        return false;
    }
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
            .path = loader->place.file,
            .line = loader->place.line,
        };
    buf_release(&text);
}

// Checks a row and keeps it when it is good. fields is borrowed and changed.
static void take_row(struct loader *loader, json_t *fields)
{
    json_t *inputs = json_object();

    if (inputs == NULL) {
        no_memory(loader);
        return;
    }
    take_inputs(loader, fields, inputs);
    check_labels(loader, fields);
    if (loader->bad)
        loader->dataset->skipped++;
    else
        keep_row(loader, fields, inputs);
    json_decref(inputs);
}

static void begin_row(struct loader *loader, int line, const char *text,
                      size_t len)
{
    loader->place.line = line;
    loader->place.column = 1;
    loader->place.width = 0;
    loader->line = text;
    loader->line_len = len;
    loader->bad = false;
}

// JSON lines

static void take_json(struct loader *loader, const char *text, size_t len)
{
    struct err why = ERR_CLEAR;
    json_error_t where;
    json_t *fields = json_parse_at(text, len, ROW_MAX_BYTES, &where, &why);

    loader->place.column = where.column > 0 ? where.column : 1;
    if (why.code == ERR_NOMEM)
        no_memory(loader);
    else if (why.code == ERR_LIMIT)
        row_fault(loader, "the row is longer than %d bytes", ROW_MAX_BYTES);
    else if (fields == NULL)
        row_fault(loader, "this is no JSON: %s", where.text);
    if (fields != NULL)
        loader->place.column = 1;
    if (json_is_object(fields)) {
        take_row(loader, fields);
    } else {
        if (fields != NULL)
            row_fault(loader, "an example is a JSON object, {...}, on a line "
                              "of its own");
        loader->dataset->skipped++;
    }
    json_decref(fields);
}

static void load_json(struct loader *loader, const char *text, size_t len)
{
    size_t at = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    for (int line = 1; at < len && !loader->failed; line++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t bytes = end != NULL ? (size_t)(end - text) - at : len - at;
        size_t used = 0;
        const char *row = text_trim(text + at, bytes, &used);
        begin_row(loader, line, row, used);
        if (used > 0)
            take_json(loader, row, used);
        at += bytes + 1;
    }
}

// CSV

// What a cell means in a column of that type. NULL: nothing stands there.
// What does not fit stays a text, and the check of the type says so.
static json_t *cell_value(const struct type *type, const struct csv_cell *cell)
{
    static const char *const yes[] = {"true", "yes", "1"};
    static const char *const no[] = {"false", "no", "0"};
    enum type_kind kind = type != NULL ? type->kind : TYPE_STR;
    json_t *value = NULL;

    for (size_t i = 0; kind == TYPE_BOOL && i < 3; i++) {
        if (text_same(cell->text, yes[i]))
            return json_true();
        if (text_same(cell->text, no[i]))
            return json_false();
    }
    if (kind == TYPE_INT || kind == TYPE_FLOAT || kind == TYPE_LIST ||
        kind == TYPE_OBJECT)
        value = json_parse(cell->text, cell->len, ROW_MAX_BYTES, NULL);
    return value != NULL ? value : json_stringn(cell->text, cell->len);
}

// An empty cell is a text only where a text may stand; quoted ones always.
static bool is_absent(const struct loader *loader, const char *key,
                      const struct type *type, const struct csv_cell *cell)
{
    const struct program *program = loader->job->program;

    if (cell->len > 0 || cell->quoted)
        return false;
    if (type != NULL && (type->kind != TYPE_STR || type->optional))
        return true;
    for (size_t i = 0; i < program->n_inputs; i++) {
        if (strcmp(program->inputs[i].name, key) == 0)
            return program->inputs[i].otherwise != NULL;
    }
    return false;
}

static void add_cell(struct loader *loader, json_t *fields, const char *key,
                     const struct csv_cell *cell)
{
    const struct type *type = column_type(loader->job->program, key);

    if (is_absent(loader, key, type, cell))
        return;
    if (!text_is_utf8(cell->text, cell->len))
        row_fault(loader, "the cell of `%s` is no UTF-8 text", key);
    else if (json_object_set_new(fields, key, cell_value(type, cell)) != 0)
        no_memory(loader);
}

static void take_record(struct loader *loader, const struct csv *csv,
                        char *const *header, size_t n)
{
    json_t *fields = json_object();

    if (fields == NULL) {
        no_memory(loader);
        return;
    }
    if (csv->n != n)
        row_fault(loader, "the row has %zu cells, the header %zu", csv->n, n);
    for (size_t i = 0; csv->n == n && i < n; i++)
        add_cell(loader, fields, header[i], &csv->cells[i]);
    if (loader->bad)
        loader->dataset->skipped++;
    else
        take_row(loader, fields);
    json_decref(fields);
}

static bool has_column(const struct csv *csv, char *const *header,
                       const char *name)
{
    for (size_t i = 0; i < csv->n; i++) {
        if (strcmp(header[i], name) == 0)
            return true;
    }
    return false;
}

static void report_column(struct loader *loader, const char *name,
                          char *const *header, size_t n)
{
    const char *near = text_nearest(name, (const char *const *)header, n);

    if (near != NULL)
        diag_add(loader->diags, DIAG_ERROR, "bad-header", &loader->place,
                 "there is no column `%s`, did you mean it by `%s`?", name,
                 near);
    else
        diag_add(loader->diags, DIAG_ERROR, "bad-header", &loader->place,
                 "there is no column `%s`", name);
    diag_line(loader->diags, loader->line, loader->line_len);
}

// Told once at the header, not at every row.
static bool check_columns(struct loader *loader, const struct csv *csv,
                          char *const *header)
{
    const struct program *program = loader->job->program;
    size_t errors = loader->diags->errors;

    for (size_t i = 0; i < program->n_inputs; i++) {
        const struct field *input = &program->inputs[i];
        if (input->otherwise == NULL && !input->type.optional &&
            !has_column(csv, header, input->name))
            report_column(loader, input->name, header, csv->n);
    }
    for (size_t i = 0; i < loader->n_labels; i++) {
        if (!has_column(csv, header, loader->labels[i]))
            report_column(loader, loader->labels[i], header, csv->n);
    }
    return loader->diags->errors == errors;
}

// Copies the first record as names. A bad header is an error, skip_bad or not.
static bool read_header(struct loader *loader, const struct csv *csv,
                        char *header[CSV_MAX_COLUMNS], size_t *n)
{
    bool ok = true;

    for (*n = 0; *n < csv->n; (*n)++) {
        size_t len = 0;
        const struct csv_cell *cell = &csv->cells[*n];
        const char *name = text_trim(cell->text, cell->len, &len);
        header[*n] = calloc(1, len + 1);
        if (header[*n] == NULL) {
            no_memory(loader);
            return false;
        }
        memcpy(header[*n], name, len);
        bool good = len > 0 && text_is_utf8(name, len);
        for (size_t i = 0; i < *n; i++)
            good = good && strcmp(header[i], header[*n]) != 0;
        if (!good)
            diag_add(loader->diags, DIAG_ERROR, "bad-header", &loader->place,
                     "column %zu of the header has %s", *n + 1,
                     len == 0 ? "no name" : "no name of its own");
        ok = ok && good;
    }
    return ok && check_columns(loader, csv, header);
}

static bool next_record(struct loader *loader, struct csv *csv, bool *more)
{
    struct err err = ERR_CLEAR;
    bool ok = csv_next(csv, more, &err);

    if (*more)
        begin_row(loader, csv->line, csv->first, csv->first_len);
    if (ok)
        return true;
    if (err.code == ERR_NOMEM)
        no_memory(loader);
    else
        row_fault(loader, "%s", err.text);
    loader->dataset->skipped++;
    return false;
}

static void load_csv(struct loader *loader, const char *text, size_t len)
{
    struct csv *csv = calloc(1, sizeof *csv);
    char *header[CSV_MAX_COLUMNS] = {0};
    size_t n = 0;
    bool more = false;

    if (csv == NULL) {
        no_memory(loader);
        return;
    }
    csv_init(csv, text, len);
    if (next_record(loader, csv, &more) && more &&
        !read_header(loader, csv, header, &n))
        more = false;
    while (more && !loader->failed) {
        if (next_record(loader, csv, &more) && more)
            take_record(loader, csv, header, n);
    }
    for (size_t i = 0; i < CSV_MAX_COLUMNS; i++)
        free(header[i]);
    csv_release(csv);
    free(csv);
}

// Files

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t n = strlen(ending);

    return len >= n && text_same(name + len - n, ending);
}

static bool is_csv(const char *name, const char *text, size_t len)
{
    size_t at = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    if (ends_with(name, ".csv"))
        return true;
    if (ends_with(name, ".jsonl") || ends_with(name, ".json") ||
        ends_with(name, ".ndjson"))
        return false;
    text = text_trim(text + at, len - at, &len);
    return len > 0 && text[0] != '{' && text[0] != '[';
}

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
    const char *path = show_path(loader, name);
    if (path == NULL)
        return;
    loader->file = name;
    loader->place = (struct place){.file = path};
    if (is_csv(name, file->data, file->len))
        load_csv(loader, file->data, file->len);
    else
        load_json(loader, file->data, file->len);
    if (loader->dataset->n > before || loader->diags->errors > errors ||
        loader->failed)
        return;
    loader->place = (struct place){.file = path};
    diag_add(loader->diags, DIAG_ERROR, "no-examples", &loader->place,
             "`%s` holds no %sexamples", name,
             loader->dataset->skipped > 0 ? "good " : "");
    diag_remedy(loader->diags,
                "write 30 to 500 labelled examples, one JSON object a line");
}

static void report_rest(struct loader *loader)
{
    if (loader->untold == 0)
        return;
    loader->place = (struct place){.file = loader->place.file};
    diag_add(loader->diags, DIAG_ERROR, "bad-row", &loader->place,
             "%zu further mistakes in the examples are not shown",
             loader->untold);
    diag_remedy(loader->diags,
                "mend them, or let `skip_bad: true` leave bad rows out");
}

static void report_skipped(struct loader *loader)
{
    if (!loader->job->skip_bad)
        loader->dataset->skipped = 0;
    if (loader->dataset->skipped > 0)
        diag_add(loader->diags, DIAG_WARNING, "skipped-rows",
                 &loader->first_bad,
                 "%zu bad rows skipped, the first because "
                 "%s",
                 loader->dataset->skipped, loader->reason);
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
    size_t errors = diags->errors;

    loader.dataset = calloc(1, sizeof *loader.dataset);
    if (loader.dataset == NULL) {
        diags->nomem = true;
        return NULL;
    }
    loader.n_labels = metric_labels(job->metric, loader.labels, MAX_LABELS);
    pattern_budget_start();
    for (size_t i = 0; i < n && !loader.failed; i++)
        load_file(&loader, bundle, names[i]);
    pattern_budget_end();
    report_rest(&loader);
    report_skipped(&loader);
    if (diags->errors == errors && loader.n_labels > 0)
        find_conflicts(&loader);
    if (diags->errors == errors && !loader.failed)
        return loader.dataset;
    dataset_free(loader.dataset);
    return NULL;
}

static void warn_few(const struct job *job, const struct dataset *dataset,
                     struct diags *diags)
{
    if (dataset == NULL || dataset->n >= FEW_ROWS)
        return;
    diag_add(diags, DIAG_WARNING, "few-examples", &job->data.place,
             "only %zu examples: scores will be too uncertain to tell good "
             "prompts from lucky ones",
             dataset->n);
    diag_remedy(diags, "label %d or more, better 100", FEW_ROWS);
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
    struct dataset *dataset = load_files(job, bundle, names, n, false, diags);
    warn_few(job, dataset, diags);
    return dataset;
}

struct dataset *dataset_file(const struct job *job, struct bundle *bundle,
                             const char *name, struct diags *diags)
{
    return load_files(job, bundle, &name, 1, true, diags);
}
