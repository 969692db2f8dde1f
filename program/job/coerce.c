#include "program/job/coerce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fold.h"
#include "common/json.h"
#include "common/text.h"
#include "program/graph/number.h"
#include "program/job/rows.h"

json_t *coerce_copy(json_t *object)
{
    json_t *copy = json_copy(object);

    if (json_object_size(copy) == json_object_size(object))
        return copy;
    json_decref(copy);
    return NULL;
}

static json_t *to_text(json_t *value)
{
    if (json_is_integer(value))
        return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_incref(value);
}

// Parses +1, .5 and 5., which JSON does not allow, by rewriting them as JSON.
static json_t *parse_plain(const char *text, size_t len, struct err *err)
{
    char plain[48];
    size_t n = 0;
    bool sign = len > 0 && (*text == '+' || *text == '-');
    bool minus = sign && *text == '-';

    text += sign;
    len -= sign;
    if (len == 0 || len + 4 > sizeof plain ||
        strspn(text, "0123456789.eE+-") < len)
        return NULL;
    if (minus)
        plain[n++] = '-';
    if (*text == '.')
        plain[n++] = '0';
    memcpy(plain + n, text, len);
    n += len;
    if (plain[n - 1] == '.')
        plain[n++] = '0';
    return json_parse(plain, n, n, err);
}

// Sets *out to the number that a value is, or that is all there is in a text (a
// new reference), or else to NULL. Returns false when out of memory.
static bool number_of(json_t *value, json_t **out)
{
    struct err err = ERR_CLEAR;
    size_t len = 0;

    *out = NULL;
    if (json_is_number(value))
        *out = json_incref(value);
    if (!json_is_string(value))
        return true;
    const char *text =
        text_trim(json_string_value(value), json_string_length(value), &len);
    *out = json_parse(text, len, len, &err);
    if (*out == NULL && err.code != ERR_NOMEM) {
        err = ERR_CLEAR;
        *out = parse_plain(text, len, &err);
    }
    if (json_is_number(*out))
        return true;
    json_decref(*out);
    *out = NULL;
    return err.code != ERR_NOMEM;
}

static bool is_whole(const json_t *number)
{
    double value = json_number_value(number);

    return json_is_integer(number) ||
           (value == floor(value) && fabs(value) < 9e15);
}

// 5.000 is doubtful, since half of the world reads it as five thousand; 3.0 is
// not.
static bool is_doubtful(const json_t *value)
{
    struct number number = {0};

    return json_is_string(value) &&
           !number_find(json_string_value(value), json_string_length(value),
                        &number);
}

// pandas writes a whole number as 1.0 if another value of its column is
// missing.
static json_t *to_number(const struct type *type, json_t *value)
{
    json_t *number = NULL;

    if (!number_of(value, &number))
        return NULL;
    if (number == NULL)
        return json_incref(value);
    if (type->kind != TYPE_INT || !is_whole(number))
        return number;
    if (json_is_integer(number))
        return number;
    if (is_doubtful(value)) {
        json_decref(number);
        return json_incref(value);
    }
    json_t *whole = json_integer((json_int_t)json_real_value(number));
    json_decref(number);
    return whole;
}

static json_t *to_bool(json_t *value)
{
    static const char *const yes[] = {"true", "yes", "on", "t", "y"};
    static const char *const no[] = {"false", "no", "off", "f", "n"};
    json_t *number = NULL;

    for (size_t i = 0; json_is_string(value) && i < sizeof yes / sizeof *yes;
         i++) {
        if (fold_same(json_string_value(value), yes[i]))
            return json_true();
        if (fold_same(json_string_value(value), no[i]))
            return json_false();
    }
    if (!number_of(value, &number))
        return NULL;
    double real = number == NULL ? -1 : json_number_value(number);
    json_decref(number);
    if (real == 0 || real == 1)
        return json_boolean(real == 1);
    return json_incref(value);
}

// Returns the label that equals a text, ignoring case, or NULL. No two labels
// differ only in case, so one that is spelt alike, which is soon found among a
// thousand, is the only one.
static const char *find_label(const struct type *type, const char *text)
{
    for (size_t i = 0; i < type->n_labels; i++)
        if (strcmp(type->labels[i], text) == 0)
            return type->labels[i];
    for (size_t i = 0; i < type->n_labels; i++)
        if (fold_same(type->labels[i], text))
            return type->labels[i];
    return NULL;
}

// Writes a number or a boolean as it would be written as a label.
static void write_label(json_t *value, json_t *number, char *out, size_t size)
{
    if (number != NULL && is_whole(number))
        (void)text_print(out, size, "%" JSON_INTEGER_FORMAT,
                         json_is_integer(number)
                             ? json_integer_value(number)
                             : (json_int_t)json_real_value(number));
    else if (json_is_real(number))
        (void)text_print(out, size, "%.15g", json_real_value(number));
    else if (json_is_boolean(value))
        (void)text_print(out, size, "%s",
                         json_is_true(value) ? "true" : "false");
}

// Returns the label that is this number in any notation, such as 0.5 and .50,
// or 1 and 1.0; NULL if there is none, or more than one.
static const char *find_numeral(const struct type *type, const json_t *number)
{
    const char *found = NULL;

    for (size_t i = 0; number != NULL && i < type->n_labels; i++) {
        char *end = NULL;
        double label = strtod(type->labels[i], &end);

        if (end == type->labels[i] || *end != '\0' ||
            label != json_number_value(number))
            continue;
        if (found != NULL)
            return NULL;
        found = type->labels[i];
    }
    return found;
}

// A label is a text, but in data it may be a number (or a cell with 1.0) or a
// boolean.
static json_t *to_label(const struct type *type, json_t *value)
{
    char text[40] = "";
    json_t *number = NULL;
    const char *label = json_is_string(value)
                            ? find_label(type, json_string_value(value))
                            : NULL;

    if (label != NULL)
        return json_string(label);
    if (!number_of(value, &number))
        return NULL;
    write_label(value, number, text, sizeof text);
    label = text[0] == '\0' ? NULL : find_label(type, text);
    if (label == NULL)
        label = find_numeral(type, number);
    json_decref(number);
    return label == NULL ? json_incref(value) : json_string(label);
}

static json_t *to_items(const struct type *type, json_t *list, bool table)
{
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < json_array_size(list); i++)
        if (json_array_append_new(
                out, coerce(type->item, json_array_get(list, i), table)) != 0) {
            json_decref(out);
            out = NULL;
        }
    return out;
}

static json_t *to_members(const struct type *type, json_t *object, bool table)
{
    json_t *out = coerce_copy(object);

    for (size_t i = 0; out != NULL && i < type->n_members; i++) {
        const struct field *member = &type->members[i];
        json_t *value = json_object_get(object, member->name);
        if (value == NULL)
            continue;
        if (json_object_set_new(out, member->name,
                                coerce(&member->type, value, table)) != 0) {
            json_decref(out);
            out = NULL;
        }
    }
    return out;
}

// Tables contain lists and objects as JSON.
static json_t *to_nested(const struct type *type, json_t *value, bool table)
{
    json_t *nested =
        table && json_is_string(value)
            ? json_parse(json_string_value(value), json_string_length(value),
                         ROWS_MAX_ROW_BYTES, NULL)
            : json_incref(value);
    json_t *out = NULL;

    if (type->kind == TYPE_LIST && json_is_array(nested))
        out = to_items(type, nested, table);
    else if (type->kind == TYPE_OBJECT && json_is_object(nested))
        out = to_members(type, nested, table);
    else
        out = json_incref(value);
    json_decref(nested);
    return out;
}

json_t *coerce(const struct type *type, json_t *value, bool table)
{
    if (type == NULL || json_is_null(value))
        return json_incref(value);
    switch (type->kind) {
    case TYPE_STR:
        return to_text(value);
    case TYPE_INT:
    case TYPE_FLOAT:
        return to_number(type, value);
    case TYPE_BOOL:
        return to_bool(value);
    case TYPE_ENUM:
        return to_label(type, value);
    case TYPE_LIST:
    case TYPE_OBJECT:
        return to_nested(type, value, table);
    }
    return json_incref(value);
}
