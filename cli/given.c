#include "cli/given.h"

#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "predict/inputs.h"

enum { VALUE_MAX_BYTES = 16 << 20, NAME_BYTES = 128 };

static bool is_text(const struct type *type)
{
    return type->kind == TYPE_STR || type->kind == TYPE_ENUM;
}

static json_t *read_value(const struct field *field, const char *text,
                          struct err *err)
{
    struct err ignored = ERR_CLEAR;
    size_t len = strlen(text);
    json_t *value;

    if (!text_is_utf8(text, len)) {
        err_set(err, ERR_INPUT, "`%s` is not UTF-8", field->name);
        return NULL;
    }
    // A value that is not JSON stays a text, and the check of its type says
    // what is wrong.
    value = is_text(&field->type)
                ? NULL
                : json_parse(text, len, VALUE_MAX_BYTES, &ignored);
    if (value == NULL)
        value = json_stringn(text, len);
    if (value == NULL)
        err_nomem(err, "an input");
    return value;
}

static bool add_word(const struct field *fields, size_t n_fields,
                     const char *word, json_t *values, struct err *err)
{
    const char *equal = strchr(word, '=');
    size_t len = equal == NULL ? 0 : (size_t)(equal - word);
    const struct field *field;
    char name[NAME_BYTES] = "";
    json_t *value;

    if (equal == NULL || len == 0 || len >= sizeof name) {
        err_set(err, ERR_INPUT, "`%.60s` is not an input: write FIELD=VALUE",
                word);
        return false;
    }
    memcpy(name, word, len);
    field = inputs_find(fields, n_fields, name, err);
    if (field == NULL)
        return false;
    if (json_object_get(values, name) != NULL) {
        err_set(err, ERR_INPUT, "the input `%s` is given twice", name);
        return false;
    }
    value = read_value(field, equal + 1, err);
    if (value == NULL)
        return false;
    return json_object_set_new(values, name, value) == 0;
}

json_t *given_values(const struct field *fields, size_t n_fields,
                     const char *const *words, size_t n, struct err *err)
{
    json_t *values = json_object();

    if (values == NULL)
        err_nomem(err, "the inputs");
    for (size_t i = 0; values != NULL && i < n; i++)
        if (!add_word(fields, n_fields, words[i], values, err)) {
            json_decref(values);
            return NULL;
        }
    return values;
}

static bool is_needed(const struct field *field)
{
    return field->default_value == NULL && !field->type.optional;
}

const struct field *given_needed(const struct field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++)
        if (is_needed(&fields[i]))
            return &fields[i];
    return NULL;
}

void given_put_needed(const struct field *fields, size_t n_fields,
                      struct buf *out)
{
    for (size_t i = 0; i < n_fields; i++)
        if (is_needed(&fields[i]))
            buf_printf(out, " %s=VALUE", fields[i].name);
}
