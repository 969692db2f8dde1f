#include "program/graph/type_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"
#include "common/utf8.h"
#include "program/source/pattern.h"

enum { PATH_BYTES = 120, QUOTE_BYTES = 40, LABELS_BYTES = 120 };

// Formats a value for a message, cut to QUOTE_BYTES.
static void quote_value(const json_t *value, char out[QUOTE_BYTES])
{
    char *text = json_text(value);
    size_t len = text == NULL ? 0 : strlen(text);

    if (len < QUOTE_BYTES) {
        (void)text_print(out, QUOTE_BYTES, "%s", text == NULL ? "?" : text);
    } else {
        size_t kept = utf8_cut(text, QUOTE_BYTES - 4);
        (void)text_print(out, QUOTE_BYTES, "%.*s...", (int)kept, text);
    }
    free(text);
}

static bool refuse(const char *name, const json_t *value, const char *why,
                   struct err *err)
{
    char quote[QUOTE_BYTES];

    quote_value(value, quote);
    err_set(err, ERR_INPUT, "`%s` is %s, %s", name, quote, why);
    return false;
}

static bool refusef(const char *name, const json_t *value, struct err *err,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool refusef(const char *name, const json_t *value, struct err *err,
                    const char *format, ...)
{
    char why[160];
    va_list args;

    va_start(args, format);
    (void)text_vprint(why, sizeof why, format, args);
    va_end(args);
    return refuse(name, value, why, err);
}

static bool check_length(const struct type *type, const char *name,
                         const json_t *value, int64_t length, const char *unit,
                         struct err *err)
{
    if (type->min_length >= 0 && length < type->min_length)
        return refusef(name, value, err,
                       "with %" PRId64 " %s shorter than its minimum %" PRId64,
                       length, unit, type->min_length);
    if (type->max_length >= 0 && length > type->max_length)
        return refusef(name, value, err,
                       "with %" PRId64 " %s longer than its maximum %" PRId64,
                       length, unit, type->max_length);
    return true;
}

static int64_t count_characters(const char *text, size_t len)
{
    int64_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static bool check_str(const struct type *type, const char *name,
                      const json_t *value, struct err *err)
{
    bool matches = true;

    if (!json_is_string(value))
        return refuse(name, value, "not a text", err);
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if ((type->min_length >= 0 || type->max_length >= 0) &&
        !check_length(type, name, value, count_characters(text, len),
                      "characters", err))
        return false;
    if (type->pattern == NULL)
        return true;
    if (!pattern_matches(type->pattern, text, len, &matches, err))
        return false;
    if (matches)
        return true;
    return refusef(name, value, err, "which does not match the pattern %.80s",
                   type->pattern_text);
}

static bool check_number(const struct type *type, const char *name,
                         const json_t *value, struct err *err)
{
    double number = json_number_value(value);

    if (type->has_min && number < type->min)
        return refusef(name, value, err, "below its minimum %.15g", type->min);
    if (type->has_max && number > type->max)
        return refusef(name, value, err, "above its maximum %.15g", type->max);
    return true;
}

static bool check_int(const struct type *type, const char *name,
                      const json_t *value, struct err *err)
{
    if (!json_is_integer(value))
        return refuse(name, value, "not a whole number", err);
    return check_number(type, name, value, err);
}

static bool check_float(const struct type *type, const char *name,
                        const json_t *value, struct err *err)
{
    if (!json_is_number(value))
        return refuse(name, value, "not a number", err);
    return check_number(type, name, value, err);
}

static bool check_bool(const struct type *type, const char *name,
                       const json_t *value, struct err *err)
{
    (void)type;
    return json_is_boolean(value) ||
           refuse(name, value, "not true or false", err);
}

// Lists the labels if there are few.
static bool refuse_label(const struct type *type, const char *name,
                         const json_t *value, struct err *err)
{
    struct buf labels = BUF_INIT(LABELS_BYTES);

    for (size_t i = 0; i < type->n_labels; i++)
        buf_printf(&labels, "%s%s", i > 0 ? "; " : "", type->labels[i]);
    bool few = labels.len > 0 && !labels.failed;
    (void)refusef(name, value, err, "not one of its labels%s%.120s%s",
                  few ? " (" : "", few ? labels.data : "", few ? ")" : "");
    buf_release(&labels);
    return false;
}

static bool check_enum(const struct type *type, const char *name,
                       const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);

    if (text == NULL)
        return refuse_label(type, name, value, err);
    for (size_t i = 0; i < type->n_labels; i++) {
        if (strcmp(type->labels[i], text) == 0)
            return true;
    }
    const char *nearest = text_nearest(text, type->labels, type->n_labels);
    if (nearest == NULL)
        return refuse_label(type, name, value, err);
    return refusef(name, value, err,
                   "not one of its labels, did you mean `%.80s`?", nearest);
}

static bool check_list(const struct type *type, const char *name,
                       const json_t *value, struct err *err)
{
    char path[PATH_BYTES];

    if (!json_is_array(value))
        return refuse(name, value, "not a list", err);
    size_t n = json_array_size(value);
    if (!check_length(type, name, value, (int64_t)n, "items", err))
        return false;
    for (size_t i = 0; i < n; i++) {
        (void)text_print(path, sizeof path, "%.80s[%zu]", name, i);
        if (!type_check(type->item, path, json_array_get(value, i), err))
            return false;
    }
    return true;
}

static bool has_member(const struct type *type, const char *name)
{
    for (size_t i = 0; i < type->n_members; i++) {
        if (strcmp(type->members[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool check_members(const struct type *type, const char *name,
                          const json_t *value, struct err *err)
{
    char path[PATH_BYTES];

    for (size_t i = 0; i < type->n_members; i++) {
        const struct field *member = &type->members[i];
        const json_t *part = json_object_get(value, member->name);
        (void)text_print(path, sizeof path, "%.80s.%.30s", name, member->name);
        if (part == NULL && !member->type.optional) {
            err_set(err, ERR_INPUT, "`%s` is missing", path);
            return false;
        }
        if (part != NULL && !type_check(&member->type, path, part, err))
            return false;
    }
    return true;
}

static bool check_object(const struct type *type, const char *name,
                         const json_t *value, struct err *err)
{
    if (!json_is_object(value))
        return refuse(name, value, "not an object", err);
    // jansson's iterators take a value that is not const, but nothing changes
    // it.
    json_t *object = (json_t *)value;
    for (void *at = json_object_iter(object); at != NULL;
         at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (has_member(type, key))
            continue;
        err_set(err, ERR_INPUT, "`%s` has a member `%.60s` that it should not",
                name, key);
        return false;
    }
    return check_members(type, name, value, err);
}

bool type_check(const struct type *type, const char *name, const json_t *value,
                struct err *err)
{
    static bool (*const checks[])(const struct type *, const char *,
                                  const json_t *, struct err *) = {
        [TYPE_STR] = check_str,       [TYPE_INT] = check_int,
        [TYPE_FLOAT] = check_float,   [TYPE_BOOL] = check_bool,
        [TYPE_ENUM] = check_enum,     [TYPE_LIST] = check_list,
        [TYPE_OBJECT] = check_object,
    };

    if (json_is_null(value) && type->optional)
        return true;
    return checks[type->kind](type, name, value, err);
}
