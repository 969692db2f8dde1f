#include "program/prompt/reply_value.h"

#include <string.h>

#include "program/graph/type_check.h"
#include "program/prompt/json_mend.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_json.h"
#include "program/prompt/value_reader.h"

static const struct value_kind *const kinds[] = {
    [TYPE_STR] = &value_kind_str,       [TYPE_INT] = &value_kind_number,
    [TYPE_FLOAT] = &value_kind_number,  [TYPE_BOOL] = &value_kind_bool,
    [TYPE_ENUM] = &value_kind_enum,     [TYPE_LIST] = &value_kind_list,
    [TYPE_OBJECT] = &value_kind_object,
};

// Also returns true when out of memory, with the problem set.
static bool fits(struct value_reader *reader, const struct type *type,
                 const json_t *value)
{
    struct err why = ERR_CLEAR;
    bool good = value == NULL || type_check(type, reader->name, value, &why);

    if (why.code != ERR_NOMEM)
        return good;
    err_set(reader->problem, why.code, "%s", why.text);
    return true;
}

static bool is_good_str(struct value_reader *reader, const struct type *type,
                        struct span text)
{
    json_t *value = kinds[TYPE_STR]->text(reader, type, text);
    bool good = fits(reader, type, value);

    json_decref(value);
    return good;
}

// `null` is null. If text would not be a value anyway, so are other ways to say
// it, and "null" in quotes or with a full stop.
static bool says_null(struct value_reader *reader, const struct type *type,
                      struct span text)
{
    if (!type->optional)
        return false;
    if (span_is(text, "null"))
        return true;
    struct span whole = text;
    if (span_ends(text, "."))
        text = span_to(text, text.len - 1);
    if (text.len > 2 && span_starts(text, "\"") && span_ends(text, "\""))
        text = span_from(span_to(text, text.len - 1), 1);
    if (!(text.len == 0 || span_same(text, "null") || span_same(text, "none") ||
          span_same(text, "n/a")) ||
        (type->kind == TYPE_STR && is_good_str(reader, type, whole)))
        return false;
    reader->lenient |= LENIENT_LABEL;
    return true;
}

static json_t *read_text(struct value_reader *reader, const struct type *type,
                         struct span text)
{
    struct span whole = span_trim(text);

    text = reply_clean_value(whole, &reader->lenient);
    if (says_null(reader, type, text))
        return json_null();
    if (text.len == 0 && whole.len > 0) // it was all thinking
        return value_reader_refuse(reader, type, text);
    return kinds[type->kind]->text(reader, type, text);
}

static bool json_says_null(struct value_reader *reader, const struct type *type,
                           const json_t *value)
{
    return json_is_string(value) &&
           (type->kind != TYPE_STR || !fits(reader, type, value)) &&
           says_null(reader, type, value_reader_clean(reader, value));
}

static json_t *read_json(struct value_reader *reader, const struct type *type,
                         const json_t *value)
{
    if (type->optional &&
        (json_is_null(value) || json_says_null(reader, type, value)))
        return json_null();
    return kinds[type->kind]->json(reader, type, value);
}

// Checks the limits once, on the whole value. If memory ran out while looking,
// the value may be the wrong one, so it is dropped.
static json_t *finish(const struct field *field,
                      const struct value_reader *reader, json_t *value,
                      unsigned *lenient)
{
    if (value == NULL)
        return NULL;
    if (reader->problem->code == ERR_NOMEM ||
        !type_check(&field->type, field->name, value, reader->problem)) {
        json_decref(value);
        return NULL;
    }
    *lenient |= reader->lenient;
    return value;
}

// For {"title": "Weather"} where `title` was asked for, returns "Weather",
// borrowed. Returns NULL if the object may be the value itself.
static const json_t *own_value(const struct field *field, json_t *object)
{
    void *first = json_object_iter(object);
    const char *key = first == NULL ? "" : json_object_iter_key(first);
    const json_t *value = first == NULL ? NULL : json_object_iter_value(first);

    if (json_object_size(object) != 1 ||
        !span_same((struct span){key, strlen(key)}, field->name) ||
        (field->type.kind == TYPE_STR && !json_is_string(value)))
        return NULL;
    for (size_t i = 0; i < field->type.n_members; i++) {
        if (strcmp(field->type.members[i].name, key) == 0)
            return NULL;
    }
    return value;
}

// Reads a section that holds its own name and value as JSON. Returns a new
// reference to the value, or NULL if the section is not of that form.
static json_t *find_own_value(const struct field *field,
                              struct value_reader *reader, struct span text)
{
    struct span bare = reply_strip_fence(span_trim(text));
    size_t used = 0;

    if (!span_starts(bare, "{") || !span_ends(bare, "}"))
        return NULL;
    json_t *object = reply_whole_json(bare, reader->problem);
    unsigned lenient = LENIENT_FORM;
    if (object == NULL) {
        object = json_mend(bare.at, bare.len, true, &used, reader->problem);
        lenient |= LENIENT_MENDED;
    }
    json_t *value = NULL;
    if (used == 0 || used == bare.len)
        value = json_incref((json_t *)own_value(field, object));
    json_decref(object);
    if (value != NULL)
        reader->lenient |= lenient | (bare.len < text.len ? LENIENT_FENCE : 0u);
    return value;
}

// Returns the inside of <title>Weather</title> where `title` was asked for.
static struct span strip_own_tag(const struct field *field,
                                 struct value_reader *reader, struct span text)
{
    struct span whole = span_trim(text);
    size_t len = strlen(field->name);

    if (whole.len < 2 * len + 5 || !span_starts(whole, "<") ||
        !span_starts(span_from(whole, 1), field->name) ||
        whole.at[len + 1] != '>')
        return text;
    struct span inner = span_from(span_to(whole, whole.len - len - 3), len + 2);
    struct span close = span_from(whole, len + 2 + inner.len);
    if (!span_starts(close, "</") || !span_ends(close, ">") ||
        !span_starts(span_from(close, 2), field->name) ||
        span_find(inner, 0, "</") < inner.len)
        return text;
    reader->lenient |= LENIENT_FORM;
    return inner;
}

static struct value_reader open_reader(const struct field *field,
                                       struct span source, struct err *problem)
{
    return (struct value_reader){.name = field->name,
                                 .source = source,
                                 .problem = problem,
                                 .text = read_text,
                                 .json = read_json};
}

json_t *reply_value_text(const struct field *field, struct span text,
                         unsigned *lenient, struct err *problem)
{
    struct value_reader reader = open_reader(field, text, problem);

    text = strip_own_tag(field, &reader, text);
    json_t *own = find_own_value(field, &reader, text);
    json_t *value = own != NULL ? read_json(&reader, &field->type, own)
                                : read_text(&reader, &field->type, text);

    json_decref(own);
    return finish(field, &reader, value, lenient);
}

json_t *reply_value_json(const struct field *field, const json_t *value,
                         struct span source, unsigned *lenient,
                         struct err *problem)
{
    struct value_reader reader = open_reader(field, source, problem);

    return finish(field, &reader, read_json(&reader, &field->type, value),
                  lenient);
}
