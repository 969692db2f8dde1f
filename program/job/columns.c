#include "program/job/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/text.h"
#include "program/graph/type_check.h"
#include "program/job/coerce.h"
#include "program/source/csv.h"

enum {
    ARENA_BYTES = 4 << 20,
    TEXT_BYTES = 480,
    KEY_BYTES = 256,
    KEYS_SHOWN = 6,
    INSIDE_MAX = 3, // depth of nested objects
};

struct column {
    const char *name;
    const char *from;          // the row's key or path
    const struct type *type;   // NULL: anything
    const struct field *input; // NULL: a label
    bool needed;
    bool may_be_null; // a label of a step that may be left out
};

struct columns {
    struct arena arena;
    const struct program *program;
    bool only_inputs;
    struct column *items;
    size_t n;
    const char **wanted; // the `from` of each that is read; n_wanted
    size_t n_wanted;
};

// A row while it is being converted.
struct taking {
    const struct columns *columns;
    const struct rows *rows;
    json_t *given;  // the row by the file's keys
    json_t *fields; // the row by the file's keys and the columns' names
    columns_fault_fn *fault;
    void *user;
    struct err *err;
    bool failed; // out of memory
};

// --- which columns ---

static const struct type *source_type(const struct program *program,
                                      const struct source *source)
{
    if (source->field == SOURCE_WHOLE)
        return NULL;
    if (source->step == SOURCE_INPUT)
        return &program->inputs[source->field].type;
    return &program->steps[source->step].signature.outputs[source->field].type;
}

// Returns the `from` of the field that an output returns, or NULL.
static const char *source_from(const struct program *program,
                               const struct source *source)
{
    if (source->field == SOURCE_WHOLE || source->step == SOURCE_INPUT)
        return NULL;
    return program->steps[source->step].signature.outputs[source->field].from;
}

static struct column *find_column(const struct columns *columns,
                                  const char *name)
{
    for (size_t i = 0; i < columns->n; i++)
        if (strcmp(columns->items[i].name, name) == 0)
            return &columns->items[i];
    return NULL;
}

static void add_column(struct columns *columns, const char *name,
                       const char *from, const struct type *type,
                       const struct field *input)
{
    if (find_column(columns, name) == NULL)
        columns->items[columns->n++] =
            (struct column){.name = name,
                            .from = from == NULL ? name : from,
                            .type = type,
                            .input = input};
}

static void add_outputs(struct columns *columns)
{
    const struct program *program = columns->program;

    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        const char *from = output->from != NULL
                               ? output->from
                               : source_from(program, &output->source);
        add_column(columns, output->name, from,
                   source_type(program, &output->source), NULL);
        if (output->source.step != SOURCE_INPUT)
            find_column(columns, output->name)->may_be_null =
                program->steps[output->source.step].may_be_left_out;
    }
}

// Returns true if the program returns a field; its label is then found under
// the name of that output.
static bool is_returned(const struct program *program, size_t step,
                        size_t field)
{
    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct source *source = &program->outputs[i].source;
        if (source->step == (int)step && source->field == (int)field)
            return true;
    }
    return false;
}

static bool add_step(struct columns *columns, size_t at)
{
    const struct step *step = &columns->program->steps[at];

    for (size_t i = 0; i < step->signature.n_outputs; i++) {
        const struct field *field = &step->signature.outputs[i];
        const char *name =
            arena_printf(&columns->arena, "%s.%s", step->name, field->name);
        if (name == NULL)
            return false;
        add_column(columns, name,
                   is_returned(columns->program, at, i) ? NULL : field->from,
                   &field->type, NULL);
    }
    return true;
}

static bool fill_columns(struct columns *columns, const char *const *labels,
                         size_t n_labels)
{
    const struct program *program = columns->program;
    size_t room = program->n_inputs + program->n_outputs + n_labels;

    for (size_t i = 0; i < program->n_steps; i++)
        room += program->steps[i].signature.n_outputs;
    columns->items =
        arena_array(&columns->arena, room + 1, sizeof *columns->items);
    columns->wanted =
        arena_array(&columns->arena, room + 1, sizeof *columns->wanted);
    if (columns->items == NULL || columns->wanted == NULL)
        return false;
    for (size_t i = 0; i < program->n_inputs; i++)
        add_column(columns, program->inputs[i].name, program->inputs[i].from,
                   &program->inputs[i].type, &program->inputs[i]);
    add_outputs(columns);
    for (size_t i = 0; i < program->n_steps; i++)
        if (!add_step(columns, i))
            return false;
    for (size_t i = 0; i < n_labels; i++) {
        add_column(columns, labels[i], NULL, NULL, NULL);
        find_column(columns, labels[i])->needed = true;
    }
    return true;
}

static struct columns *make_columns(const struct program *program,
                                    const char *const *labels, size_t n_labels,
                                    bool only_inputs, struct err *err)
{
    struct columns *columns = calloc(1, sizeof *columns);

    if (columns != NULL) {
        columns->arena = ARENA_INIT(ARENA_BYTES);
        columns->program = program;
        columns->only_inputs = only_inputs;
        if (!fill_columns(columns, labels, n_labels)) {
            columns_free(columns);
            columns = NULL;
        }
    }
    if (columns == NULL) {
        err_nomem(err, "the columns of a program");
        return NULL;
    }
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        if (column->input != NULL || column->needed ||
            column->from != column->name)
            columns->wanted[columns->n_wanted++] = column->from;
    }
    return columns;
}

struct columns *columns_new(const struct program *program,
                            const char *const *labels, size_t n_labels,
                            struct err *err)
{
    return make_columns(program, labels, n_labels, false, err);
}

struct columns *columns_new_inputs(const struct program *program,
                                   struct err *err)
{
    return make_columns(program, NULL, 0, true, err);
}

void columns_free(struct columns *columns)
{
    if (columns == NULL)
        return;
    arena_release(&columns->arena);
    free(columns);
}

bool columns_have(const struct columns *columns, const char *name)
{
    return find_column(columns, name) != NULL;
}

const char *const *columns_wanted(const struct columns *columns, size_t *n)
{
    *n = columns->n_wanted;
    return columns->wanted;
}

// --- mistakes ---

static void report(struct taking *taking, const char *key, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

static void report(struct taking *taking, const char *key, const char *format,
                   ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    (void)text_vprint(text, sizeof text, format, args);
    va_end(args);
    taking->fault(taking->user, key, text);
}

// Returns the key of fields that `name` was probably meant to be, or NULL.
static const char *nearest_key(json_t *fields, const char *name)
{
    const char *keys[CSV_MAX_COLUMNS];
    size_t n = 0;

    for (void *at = json_object_iter(fields); at != NULL && n < CSV_MAX_COLUMNS;
         at = json_object_iter_next(fields, at))
        keys[n++] = json_object_iter_key(at);
    const char *near = text_nearest(name, keys, n);
    size_t len = near == NULL ? 0 : strlen(near);

    // If only the first part of a path matches, it is correct, and the rest is
    // what is missing.
    return near != NULL && strncmp(name, near, len) == 0 && name[len] == '.'
               ? NULL
               : near;
}

// Finds the path to a key of this name inside the members of object.
static bool find_inside(json_t *object, const char *name, int depth,
                        char path[KEY_BYTES])
{
    size_t len = strlen(path);

    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        json_t *value = json_object_iter_value(at);

        path[len] = '\0';
        if (!json_is_object(value) || depth == INSIDE_MAX ||
            len + strlen(json_object_iter_key(at)) + strlen(name) + 3 >
                KEY_BYTES)
            continue;
        (void)snprintf(path + len, KEY_BYTES - len, "%s%s", len > 0 ? "." : "",
                       json_object_iter_key(at));
        if (json_object_get(value, name) != NULL) {
            len = strlen(path);
            (void)snprintf(path + len, KEY_BYTES - len, ".%s", name);
            return true;
        }
        if (find_inside(value, name, depth + 1, path))
            return true;
    }
    path[len] = '\0';
    return false;
}

// Lists the first keys of a row, to help find a missing one.
static void put_keys(json_t *fields, struct buf *out)
{
    int n = 0;

    for (void *at = json_object_iter(fields); at != NULL;
         at = json_object_iter_next(fields, at)) {
        if (++n > KEYS_SHOWN) {
            buf_puts(out, ", ...");
            break;
        }
        buf_printf(out, "%s`%.40s`", n > 1 ? ", " : "",
                   json_object_iter_key(at));
    }
}

static void report_missing_with_keys(struct taking *taking, const char *what,
                                     const char *name)
{
    struct buf keys = BUF_INIT(TEXT_BYTES);

    put_keys(taking->given, &keys);
    if (keys.len > 0 && !keys.failed)
        report(taking, NULL,
               "the %s `%s` is missing; the row has %s: if one of these is it, "
               "name it with `from:`",
               what, name, keys.data);
    else
        report(taking, NULL, "the %s `%s` is missing", what, name);
    buf_release(&keys);
}

// Returns the length of the part of a path that leads to a list, where the path
// cannot continue; 0 if there is none.
static size_t list_on_path(json_t *fields, const char *path)
{
    const char *at = path;
    char key[KEY_BYTES];

    for (const char *dot = strchr(at, '.');
         dot != NULL && (size_t)(dot - at) < sizeof key;
         dot = strchr(at, '.')) {
        (void)snprintf(key, sizeof key, "%.*s", (int)(dot - at), at);
        fields = json_object_get(fields, key);
        if (json_is_array(fields))
            return (size_t)(dot - path);
        at = dot + 1;
    }
    return 0;
}

static void report_missing(struct taking *taking, const struct column *column)
{
    const char *what = column->input != NULL ? "input" : "label";
    bool given = json_object_get(taking->given, column->from) != NULL;
    const char *near = nearest_key(taking->given, column->from);
    char inside[KEY_BYTES] = "";

    if (!given && find_inside(taking->given, column->from, 0, inside)) {
        report(
            taking, inside,
            "the %s `%s` is missing; if `%s` is it, give its field `from: %s`",
            what, column->from, inside, inside);
        return;
    }
    if (given)
        report(taking, column->from, "the %s `%s` is empty", what,
               column->from);
    else if (near != NULL)
        report(
            taking, near,
            "the %s `%s` is missing; if `%s` is it, give its field `from: %s`",
            what, column->from, near, near);
    else if (list_on_path(taking->given, column->from) > 0)
        report(
            taking, NULL,
            "the %s `%s` is missing: `%.*s` is a list, and a path can only go "
            "through objects: put the value under a key of its own",
            what, column->name, (int)list_on_path(taking->given, column->from),
            column->from);
    else if (column->from != column->name)
        report(taking, NULL,
               "the %s `%s` is missing: there is no `%s` in this row", what,
               column->name, column->from);
    else
        report_missing_with_keys(taking, what, column->name);
}

// --- a row ---

// Returns the value of a key, or of a path into nested objects; NULL if there
// is none.
static json_t *find_path(json_t *fields, const char *path)
{
    json_t *value = json_object_get(fields, path);
    const char *dot = strchr(path, '.');
    char key[KEY_BYTES];

    if (value != NULL || dot == NULL || (size_t)(dot - path) >= sizeof key)
        return value;
    memcpy(key, path, (size_t)(dot - path));
    key[dot - path] = '\0';
    return find_path(json_object_get(fields, key), dot + 1);
}

// Returns what the row has for a column; NULL: nothing. A bare name is not a
// path, except for the label of a metric, which is only known by that name.
static json_t *find_value(const struct taking *taking,
                          const struct column *column)
{
    bool path = column->from != column->name ||
                (column->needed && column->type == NULL);
    json_t *value = path ? find_path(taking->given, column->from)
                         : json_object_get(taking->given, column->from);

    if (value == NULL && taking->columns->only_inputs)
        value = json_object_get(taking->given, column->name);
    return value;
}

// Returns true if an empty cell is an empty text. It usually means that there
// is no value, except for a text without a default.
static bool is_empty_text(const struct column *column)
{
    if (column->type != NULL &&
        (column->type->kind != TYPE_STR || column->type->optional))
        return false;
    return column->input == NULL || column->input->default_value == NULL;
}

static bool refuse_odd(struct taking *taking, const struct column *column)
{
    const char *token = NULL;
    size_t len = rows_raw_token(taking->rows, column->from, &token);

    if (len == 0)
        return false;
    if (token[len - 1] == 'N' || token[len - 1] == 'y')
        report(
            taking, column->from,
            "`%s` is %.*s, which no field can hold: write null, or leave the "
            "row out",
            column->from, (int)len, token);
    else
        report(taking, column->from,
               "`%s` is %.*s, a number too large to keep: write it in quotes, "
               "as a text",
               column->from, (int)(len > 60 ? 60 : len), token);
    return true;
}

static void set_field(struct taking *taking, const char *name, json_t *value)
{
    if (value == NULL ||
        json_object_set_new(taking->fields, name, value) != 0) {
        err_nomem(taking->err, "a row");
        taking->failed = true;
    }
}

// Puts what the row has for a column under the column's name. Sets *odd if it
// is a value that cannot be kept.
static void map_column(struct taking *taking, const struct column *column,
                       bool *odd)
{
    bool table = rows_is_table(taking->rows);
    json_t *value = find_value(taking, column);

    *odd = false;
    if (value == NULL) {
        if (column->from != column->name)
            (void)json_object_del(taking->fields, column->name);
        return;
    }
    *odd = refuse_odd(taking, column);
    if (!table || !json_is_null(value))
        set_field(taking, column->name, coerce(column->type, value, table));
    else if (is_empty_text(column))
        set_field(taking, column->name, json_string(""));
    else if (column->needed && column->type != NULL && column->type->optional)
        set_field(taking, column->name, json_null()); // null is a value too
    else
        (void)json_object_del(taking->fields, column->name);
}

// Says what to do about a value of the wrong type.
static const char *remedy_of(const struct type *type, const json_t *value)
{
    const char *text = json_string_value(value);

    switch (type->kind) {
    case TYPE_STR:
        if (json_is_array(value))
            return ": a row has one value; write one object per row";
        return json_is_number(value) || json_is_boolean(value)
                   ? ": write it in quotes, or give the field a `type`"
                   : "";
    case TYPE_INT:
    case TYPE_FLOAT:
        return text != NULL && strpbrk(text, "0123456789") != NULL
                   ? ": write the bare number, as in 1500 or -0.5"
                   : "";
    case TYPE_BOOL:
        return ": write true or false, yes or no, 1 or 0";
    case TYPE_LIST:
        return text != NULL ? ": write it as JSON, as in [\"a\", \"b\"]" : "";
    case TYPE_OBJECT:
        return text != NULL ? ": write it as JSON, as in {\"a\": 1}" : "";
    default:
        return "";
    }
}

static void check_value(struct taking *taking, const struct column *column,
                        const json_t *value)
{
    struct err why = ERR_CLEAR;

    if (column->type == NULL ||
        type_check(column->type, column->name, value, &why))
        return;
    report(taking, column->from, "%s%s", why.text,
           remedy_of(column->type, value));
}

// inputs may be NULL.
static void take_input(struct taking *taking, const struct column *column,
                       bool odd, json_t *inputs)
{
    json_t *value = json_object_get(taking->fields, column->name);

    if (odd)
        return;
    if (value == NULL && column->input->default_value != NULL) {
        value = column->input->default_value;
        set_field(taking, column->name, json_incref(value));
    } else if (value == NULL && column->type->optional) {
        value = json_null();
    } else if (value == NULL) {
        report_missing(taking, column);
        return;
    } else {
        check_value(taking, column, value);
    }
    if (inputs != NULL && json_object_set(inputs, column->name, value) != 0) {
        err_nomem(taking->err, "a row");
        taking->failed = true;
    }
}

// Takes a label. One that is null and not needed is unknown: it is removed, so
// that no demo shows it.
static void take_label(struct taking *taking, const struct column *column,
                       bool odd)
{
    const json_t *value = json_object_get(taking->fields, column->name);

    if (odd)
        return;
    if (value == NULL && column->needed)
        report_missing(taking, column);
    if (value == NULL || column->type == NULL)
        return;
    if (json_is_null(value) && column->needed && column->may_be_null)
        return; // null is correct if the step does not run
    if (json_is_null(value) && !column->type->optional && !column->needed)
        (void)json_object_del(taking->fields, column->name);
    else
        check_value(taking, column, value);
}

// Returns true if a key of a row is a column, or the beginning of a path to
// one.
static bool is_known(const struct columns *columns, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        if (strcmp(column->name, key) == 0 || strcmp(column->from, key) == 0 ||
            (strncmp(column->from, key, len) == 0 && column->from[len] == '.'))
            return true;
    }
    return false;
}

static void put_inputs(const struct columns *columns, struct buf *out)
{
    const struct program *program = columns->program;

    for (size_t i = 0; i < program->n_inputs; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ", ", program->inputs[i].name);
}

static void refuse_key(struct taking *taking, const char *key)
{
    const struct columns *columns = taking->columns;
    const char *names[PROGRAM_MAX_FIELDS];
    struct buf list = BUF_INIT(TEXT_BYTES);
    size_t n = columns->program->n_inputs;

    for (size_t i = 0; i < n; i++)
        names[i] = columns->program->inputs[i].name;
    const char *near = text_nearest(key, names, n);
    put_inputs(columns, &list);
    if (near != NULL)
        report(taking, key, "there is no input `%.80s`, did you mean `%s`?",
               key, near);
    else
        report(taking, key, "there is no input `%.80s`; the inputs are %s", key,
               list.data == NULL ? "(many)" : list.data);
    buf_release(&list);
}

static void refuse_unknown(struct taking *taking)
{
    const char *key;
    json_t *value;

    json_object_foreach(taking->fields, key, value) {
        if (!is_known(taking->columns, key))
            refuse_key(taking, key);
    }
}

// An empty cell of any other column is an empty text.
static void fill_further(struct taking *taking)
{
    const char *key;
    json_t *value;

    json_object_foreach(taking->given, key, value) {
        if (json_is_null(value) && find_column(taking->columns, key) == NULL)
            set_field(taking, key, json_string(""));
    }
}

bool columns_take(const struct columns *columns, const struct rows *rows,
                  columns_fault_fn *fault, void *user, json_t **inputs,
                  struct err *err)
{
    struct taking taking = {.columns = columns,
                            .rows = rows,
                            .fields = rows_fields(rows),
                            .fault = fault,
                            .user = user,
                            .err = err};

    json_t *given = inputs == NULL ? NULL : json_object();
    taking.given = coerce_copy(taking.fields);
    if ((inputs != NULL && given == NULL) || taking.given == NULL) {
        err_nomem(err, "a row");
        taking.failed = true;
    }
    // The columns of a table were already checked at its head line.
    if (columns->only_inputs && !rows_is_table(rows) && !taking.failed)
        refuse_unknown(&taking);
    if (rows_is_table(rows) && !taking.failed)
        fill_further(&taking);
    for (size_t i = 0; i < columns->n && !taking.failed; i++) {
        const struct column *column = &columns->items[i];
        bool odd = false;
        if (columns->only_inputs && column->input == NULL)
            continue;
        map_column(&taking, column, &odd);
        if (taking.failed)
            break;
        if (column->input != NULL)
            take_input(&taking, column, odd, given);
        else
            take_label(&taking, column, odd);
    }
    json_decref(taking.given);
    if (taking.failed) {
        json_decref(given);
        given = NULL;
    }
    if (inputs != NULL)
        *inputs = given;
    return !taking.failed;
}

// --- head lines ---

static bool has_name(const char *const *header, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(header[i], name) == 0)
            return true;
    return false;
}

static void report_no_column(struct taking *taking, const char *from,
                             const char *const *header, size_t n)
{
    const char *near = text_nearest(from, header, n);

    // Inputs are not data of a job, so there is no `from:` to suggest.
    if (taking->columns->only_inputs && near != NULL)
        report(taking, near,
               "there is no column `%s`; if `%s` is it, rename it", from, near);
    else if (taking->columns->only_inputs)
        report(taking, NULL,
               "there is no column `%s`: the first line must name the columns",
               from);
    else if (near != NULL)
        report(taking, near,
               "there is no column `%s`; if `%s` is it, give its field "
               "`from: %s`",
               from, near, near);
    else
        report(taking, NULL,
               "there is no column `%s`: the first line must name the columns, "
               "and `from:` can point to one with another name",
               from);
}

static void check_repeated(struct taking *taking, const char *const *header,
                           size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (header[i][0] != '\0' && has_name(header, i, header[i]))
            report(
                taking, header[i],
                "column %zu of the header repeats the name `%s`: each column "
                "needs its own",
                i + 1, header[i]);
}

bool columns_header(const struct columns *columns, const struct rows *rows,
                    columns_fault_fn *fault, void *user)
{
    struct taking taking = {
        .columns = columns, .rows = rows, .fault = fault, .user = user};
    size_t n = 0;
    size_t missing = 0;
    const char *const *header = rows_header(rows, &n);

    if (header == NULL || n == 0)
        return true;
    if (rows_head_below(rows) > 0) {
        report(&taking, NULL,
               "the first line must name the columns, and line %d does: delete "
               "the lines above it",
               rows_head_below(rows));
        return false;
    }
    for (size_t i = 0; i < columns->n; i++) {
        const struct column *column = &columns->items[i];
        bool optional =
            column->input != NULL
                ? column->input->default_value != NULL || column->type->optional
                : !column->needed;
        if (optional || has_name(header, n, column->from) ||
            (columns->only_inputs && has_name(header, n, column->name)))
            continue;
        missing++;
        report_no_column(&taking, column->from, header, n);
    }
    check_repeated(&taking, header, n);
    for (size_t i = 0; columns->only_inputs && i < n; i++) {
        if (header[i][0] == '\0' || is_known(columns, header[i]))
            continue;
        missing++;
        refuse_key(&taking, header[i]);
    }
    return missing == 0;
}
