#include "program/job/column_faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "program/source/csv.h"

enum {
    TEXT_BYTES = 480,
    KEYS_SHOWN = 6,
    INSIDE_MAX = 3, // depth of nested objects
};

void column_faults_add(const struct column_faults *faults, const char *key,
                       const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, format);
    (void)text_vprint(text, sizeof text, format, args);
    va_end(args);
    faults->add(faults->user, key, text);
}

// --- a field that is missing

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
                        char path[COLUMN_KEY_BYTES])
{
    size_t len = strlen(path);

    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        json_t *value = json_object_iter_value(at);

        path[len] = '\0';
        if (!json_is_object(value) || depth == INSIDE_MAX ||
            len + strlen(json_object_iter_key(at)) + strlen(name) + 3 >
                COLUMN_KEY_BYTES)
            continue;
        (void)snprintf(path + len, COLUMN_KEY_BYTES - len, "%s%s",
                       len > 0 ? "." : "", json_object_iter_key(at));
        if (json_object_get(value, name) != NULL) {
            len = strlen(path);
            (void)snprintf(path + len, COLUMN_KEY_BYTES - len, ".%s", name);
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

static void report_missing_with_keys(const struct column_faults *faults,
                                     json_t *given, const char *what,
                                     const char *name)
{
    struct buf keys = BUF_INIT(TEXT_BYTES);

    put_keys(given, &keys);
    if (keys.len > 0 && !keys.failed)
        column_faults_add(
            faults, NULL,
            "the %s `%s` is missing; the row has %s: if one of these is it, "
            "name it with `from:`",
            what, name, keys.data);
    else
        column_faults_add(faults, NULL, "the %s `%s` is missing", what, name);
    buf_release(&keys);
}

// Returns the length of the part of a path that leads to a list, where the path
// cannot continue; 0 if there is none.
static size_t list_on_path(json_t *fields, const char *path)
{
    const char *at = path;
    char key[COLUMN_KEY_BYTES];

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

void column_faults_missing(const struct column_faults *faults, json_t *given,
                           const struct column *column)
{
    const char *what = column->input != NULL ? "input" : "label";
    bool is_given = json_object_get(given, column->from) != NULL;
    const char *near = nearest_key(given, column->from);
    char inside[COLUMN_KEY_BYTES] = "";

    if (!is_given && find_inside(given, column->from, 0, inside)) {
        column_faults_add(
            faults, inside,
            "the %s `%s` is missing; if `%s` is it, give its field `from: %s`",
            what, column->from, inside, inside);
        return;
    }
    if (is_given)
        column_faults_add(faults, column->from, "the %s `%s` is empty", what,
                          column->from);
    else if (near != NULL)
        column_faults_add(
            faults, near,
            "the %s `%s` is missing; if `%s` is it, give its field `from: %s`",
            what, column->from, near, near);
    else if (list_on_path(given, column->from) > 0)
        column_faults_add(
            faults, NULL,
            "the %s `%s` is missing: `%.*s` is a list, and a path can only go "
            "through objects: put the value under a key of its own",
            what, column->name, (int)list_on_path(given, column->from),
            column->from);
    else if (column->from != column->name)
        column_faults_add(
            faults, NULL,
            "the %s `%s` is missing: there is no `%s` in this row", what,
            column->name, column->from);
    else
        report_missing_with_keys(faults, given, what, column->name);
}

// --- a key that nothing reads

static void put_inputs(const struct columns *columns, struct buf *out)
{
    const struct program *program = columns->program;

    for (size_t i = 0; i < program->n_inputs; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ", ", program->inputs[i].name);
}

void column_faults_unknown(const struct column_faults *faults,
                           const struct columns *columns, const char *key)
{
    const char *names[PROGRAM_MAX_FIELDS];
    struct buf list = BUF_INIT(TEXT_BYTES);
    size_t n = columns->program->n_inputs;

    for (size_t i = 0; i < n; i++)
        names[i] = columns->program->inputs[i].name;
    const char *near = text_nearest(key, names, n);
    put_inputs(columns, &list);
    if (near != NULL)
        column_faults_add(faults, key,
                          "there is no input `%.80s`, did you mean `%s`?", key,
                          near);
    else
        column_faults_add(faults, key,
                          "there is no input `%.80s`; the inputs are %s", key,
                          list.data == NULL ? "(many)" : list.data);
    buf_release(&list);
}
