#include "program/job/columns.h"

#include <string.h>

#include "program/graph/type_check.h"
#include "program/job/coerce.h"
#include "program/job/column_faults.h"
#include "program/job/columns_state.h"

// A row while it is being converted.
struct taking {
    const struct columns *columns;
    const struct rows *rows;
    json_t *given;  // the row by the file's keys
    json_t *fields; // the row by the file's keys and the columns' names
    json_t *inputs; // the program's inputs; NULL: not wanted
    const struct column_faults *faults;
    struct err *err;
    bool failed; // out of memory
};

// Returns the value of a key, or of a path into nested objects; NULL if there
// is none.
static json_t *find_path(json_t *fields, const char *path)
{
    json_t *value = json_object_get(fields, path);
    const char *dot = strchr(path, '.');
    char key[COLUMN_KEY_BYTES];

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

// Returns true if an empty cell is null: what is compared with a text may be an
// empty text.
static bool null_is_a_value(const struct column *column)
{
    const struct type *like = column->like;

    if (!column->needed)
        return false;
    if (column->type != NULL)
        return column->type->optional;
    return like != NULL && like->optional && like->kind != TYPE_STR;
}

// Returns true if an empty cell is an empty text. It usually means that there
// is no value, except for a text without a default.
static bool is_empty_text(const struct column *column)
{
    if (null_is_a_value(column) ||
        (column->type != NULL &&
         (column->type->kind != TYPE_STR || column->type->optional)))
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
        column_faults_add(
            taking->faults, column->from,
            "`%s` is %.*s, which no field can hold: write null, or leave the "
            "row out",
            column->from, (int)len, token);
    else
        column_faults_add(
            taking->faults, column->from,
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

// Returns true if a label of this type never equals such a value as it stands,
// but may after it is converted. Everything else is compared by what it means.
static bool must_convert(const struct type *like, const json_t *value,
                         bool table)
{
    switch (like->kind) {
    case TYPE_BOOL:
        return json_is_string(value) || json_is_number(value);
    case TYPE_ENUM:
        return json_is_boolean(value);
    case TYPE_LIST:
        return table && json_is_string(value);
    case TYPE_OBJECT:
        return json_is_string(value);
    default:
        return false;
    }
}

// Converts the value of a column. A composed value is JSON wherever it is
// written as a text.
static json_t *convert(const struct column *column, json_t *value, bool table)
{
    const struct type *like = column->like;

    if (column->type != NULL || like == NULL)
        return coerce(column->type, value, table);
    return must_convert(like, value, table) ? coerce(like, value, true)
                                            : json_incref(value);
}

// Puts what the row has for a column under the column's name. Returns false if
// it is a value that cannot be kept, or when out of memory.
static bool map_column(struct taking *taking, const struct column *column)
{
    bool table = rows_is_table(taking->rows);
    json_t *value = find_value(taking, column);

    if (value == NULL) {
        if (column->from != column->name)
            (void)json_object_del(taking->fields, column->name);
        return true;
    }
    bool odd = refuse_odd(taking, column);
    if (!table || !json_is_null(value))
        set_field(taking, column->name, convert(column, value, table));
    else if (is_empty_text(column))
        set_field(taking, column->name, json_string(""));
    else if (null_is_a_value(column))
        set_field(taking, column->name, json_null()); // null is a value too
    else
        (void)json_object_del(taking->fields, column->name);
    return !odd && !taking->failed;
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
    column_faults_add(taking->faults, column->from, "%s%s", why.text,
                      remedy_of(column->type, value));
}

static void take_input(struct taking *taking, const struct column *column)
{
    json_t *value = json_object_get(taking->fields, column->name);

    if (value == NULL && column->input->default_value != NULL) {
        value = column->input->default_value;
        set_field(taking, column->name, json_incref(value));
    } else if (value == NULL && column->type->optional) {
        value = json_null();
    } else if (value == NULL) {
        column_faults_missing(taking->faults, taking->given, column);
        return;
    } else {
        check_value(taking, column, value);
    }
    if (taking->inputs != NULL &&
        json_object_set(taking->inputs, column->name, value) != 0) {
        err_nomem(taking->err, "a row");
        taking->failed = true;
    }
}

// Takes a label. One that is null and not needed is unknown: it is removed, so
// that no demo shows it.
static void take_label(struct taking *taking, const struct column *column)
{
    const json_t *value = json_object_get(taking->fields, column->name);

    if (value == NULL && column->needed)
        column_faults_missing(taking->faults, taking->given, column);
    if (value == NULL || column->type == NULL)
        return;
    if (json_is_null(value) && column->needed && column->may_be_null)
        return; // null is correct if the step does not run
    if (json_is_null(value) && !column->type->optional && !column->needed)
        (void)json_object_del(taking->fields, column->name);
    else
        check_value(taking, column, value);
}

static void refuse_unknown(struct taking *taking)
{
    const char *key;
    json_t *value;

    json_object_foreach(taking->fields, key, value) {
        if (!columns_know(taking->columns, key))
            column_faults_unknown(taking->faults, taking->columns, key);
    }
}

// An empty cell of any other column is an empty text.
static void fill_further(struct taking *taking)
{
    const char *key;
    json_t *value;

    json_object_foreach(taking->given, key, value) {
        if (json_is_null(value) && columns_find(taking->columns, key) == NULL)
            set_field(taking, key, json_string(""));
    }
}

static void take_columns(struct taking *taking)
{
    const struct columns *columns = taking->columns;

    for (size_t i = 0; i < columns->n && !taking->failed; i++) {
        const struct column *column = &columns->items[i];
        if (columns->only_inputs && column->input == NULL)
            continue;
        if (!map_column(taking, column))
            continue;
        if (column->input != NULL)
            take_input(taking, column);
        else
            take_label(taking, column);
    }
}

bool columns_take(const struct columns *columns, const struct rows *rows,
                  const struct column_faults *faults, json_t **inputs,
                  struct err *err)
{
    struct taking taking = {.columns = columns,
                            .rows = rows,
                            .fields = rows_fields(rows),
                            .inputs = inputs == NULL ? NULL : json_object(),
                            .faults = faults,
                            .err = err};

    taking.given = coerce_copy(taking.fields);
    if ((inputs != NULL && taking.inputs == NULL) || taking.given == NULL) {
        err_nomem(err, "a row");
        taking.failed = true;
    }
    // The columns of a table were already checked at its head line.
    if (columns->only_inputs && !rows_is_table(rows) && !taking.failed)
        refuse_unknown(&taking);
    if (rows_is_table(rows) && !taking.failed)
        fill_further(&taking);
    take_columns(&taking);
    json_decref(taking.given);
    if (taking.failed) {
        json_decref(taking.inputs);
        taking.inputs = NULL;
    }
    if (inputs != NULL)
        *inputs = taking.inputs;
    return !taking.failed;
}
