#include "program/graph/type_form.h"

#include <math.h>

#include "common/json.h"

struct range {
    bool has_min, has_max;
    double min, max;
};

// Appends ", at least 2", ", at most 5" or ", 2 to 5", or nothing.
static void put_range(const struct range *range, const char *unit,
                      struct buf *out)
{
    if (!range->has_min && !range->has_max)
        return;
    if (range->has_min && range->has_max)
        buf_printf(out, ", %.15g to %.15g", range->min, range->max);
    else if (range->has_min)
        buf_printf(out, ", at least %.15g", range->min);
    else
        buf_printf(out, ", at most %.15g", range->max);
    buf_puts(out, unit);
}

static void put_length(const struct type *type, const char *unit,
                       struct buf *out)
{
    put_range(&(struct range){.has_min = type->min_length >= 0,
                              .has_max = type->max_length >= 0,
                              .min = (double)type->min_length,
                              .max = (double)type->max_length},
              unit, out);
}

static void describe_str(const struct type *type, struct buf *out)
{
    bool limited = type->min_length >= 0 || type->max_length >= 0;

    if (!limited && type->pattern_text == NULL)
        return;
    buf_puts(out, "str");
    put_length(type, " characters", out);
    if (type->pattern_text != NULL)
        buf_printf(out, ", matching the pattern %s", type->pattern_text);
}

static void describe_number(const struct type *type, struct buf *out)
{
    buf_puts(out, type_scalar_names[type->kind]);
    put_range(&(struct range){.has_min = type->has_min,
                              .has_max = type->has_max,
                              .min = type->min,
                              .max = type->max},
              "", out);
}

static void describe_bool(const struct type *type, struct buf *out)
{
    (void)type;
    buf_puts(out, "bool, true or false");
}

static void describe_enum(const struct type *type, struct buf *out)
{
    buf_puts(out, "one of: ");
    for (size_t i = 0; i < type->n_labels; i++) {
        buf_puts(out, i > 0 ? "; " : "");
        buf_puts(out, type->labels[i]);
    }
}

// Describes a type that is part of another. A plain str is spelled out, and
// anything longer than a bare number type goes in parentheses.
static void describe_part(const struct type *type, struct buf *out)
{
    bool plain = type->kind == TYPE_STR && type->pattern_text == NULL &&
                 type->min_length < 0 && type->max_length < 0 &&
                 !type->optional;
    bool bare = type->kind == TYPE_INT || type->kind == TYPE_FLOAT;

    bare = bare && !type->has_min && !type->has_max && !type->optional;
    if (plain) {
        buf_puts(out, "str");
    } else if (bare) {
        type_describe(type, out);
    } else {
        buf_putc(out, '(');
        type_describe(type, out);
        buf_putc(out, ')');
    }
}

static void describe_list(const struct type *type, struct buf *out)
{
    buf_puts(out, "list of ");
    describe_part(type->item, out);
    put_length(type, " items", out);
}

static void describe_object(const struct type *type, struct buf *out)
{
    buf_puts(out, "object with ");
    for (size_t i = 0; i < type->n_members; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        buf_printf(out, "%s: ", type->members[i].name);
        describe_part(&type->members[i].type, out);
    }
}

void type_describe(const struct type *type, struct buf *out)
{
    static void (*const describes[])(const struct type *, struct buf *) = {
        [TYPE_STR] = describe_str,       [TYPE_INT] = describe_number,
        [TYPE_FLOAT] = describe_number,  [TYPE_BOOL] = describe_bool,
        [TYPE_ENUM] = describe_enum,     [TYPE_LIST] = describe_list,
        [TYPE_OBJECT] = describe_object,
    };
    size_t before = out->len;

    describes[type->kind](type, out);
    if (type->optional)
        buf_puts(out, out->len > before ? ", or null" : "str or null");
}

// Writes whole numbers as integers, so that 1 and 1.0 give the same canonical
// text.
static json_t *number_json(double value)
{
    if (value == floor(value) && fabs(value) < 9e15)
        return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *labels_json(const struct type *type)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < type->n_labels; i++) {
        if (json_array_append_new(list, json_string(type->labels[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

// Sets key, taking ownership of value. When out of memory, returns false and
// frees *json. Does nothing if *json is already NULL.
static bool set_new(json_t **json, const char *key, json_t *value)
{
    if (*json == NULL) {
        json_decref(value);
        return false;
    }
    if (json_object_set_new(*json, key, value) == 0)
        return true;
    json_decref(*json);
    *json = NULL;
    return false;
}

// The names that a format has for the limits of a type.
struct limit_words {
    const char *min, *max, *min_length, *max_length, *pattern;
};

static void set_limits(json_t **json, const struct type *type,
                       const struct limit_words *words)
{
    if (type->has_min)
        set_new(json, words->min, number_json(type->min));
    if (type->has_max)
        set_new(json, words->max, number_json(type->max));
    if (type->min_length >= 0)
        set_new(json, words->min_length, json_integer(type->min_length));
    if (type->max_length >= 0)
        set_new(json, words->max_length, json_integer(type->max_length));
    if (type->pattern_text != NULL)
        set_new(json, words->pattern, json_string(type->pattern_text));
}

static json_t *member_schema(const struct field *member)
{
    json_t *schema = type_schema(&member->type);

    if (member->desc[0] != '\0')
        set_new(&schema, "description", json_string(member->desc));
    return schema;
}

static json_t *object_schema(const struct type *type)
{
    json_t *schema = json_object();
    json_t *members = json_object();
    json_t *required = json_array();
    bool ok = members != NULL && required != NULL;

    for (size_t i = 0; ok && i < type->n_members; i++) {
        const struct field *member = &type->members[i];
        ok = json_object_set_new(members, member->name,
                                 member_schema(member)) == 0 &&
             json_array_append_new(required, json_string(member->name)) == 0;
    }
    set_new(&schema, "type", json_string("object"));
    set_new(&schema, "properties", members);
    set_new(&schema, "required", required);
    set_new(&schema, "additionalProperties", json_false());
    if (!ok) {
        json_decref(schema);
        return NULL;
    }
    return schema;
}

static json_t *plain_schema(const struct type *type)
{
    static const char *const names[] = {
        [TYPE_STR] = "string",    [TYPE_INT] = "integer",
        [TYPE_FLOAT] = "number",  [TYPE_BOOL] = "boolean",
        [TYPE_ENUM] = "string",   [TYPE_LIST] = "array",
        [TYPE_OBJECT] = "object",
    };
    json_t *schema = json_object();

    set_new(&schema, "type", json_string(names[type->kind]));
    if (type->kind == TYPE_ENUM)
        set_new(&schema, "enum", labels_json(type));
    if (type->kind == TYPE_LIST)
        set_new(&schema, "items", type_schema(type->item));
    return schema;
}

json_t *type_schema(const struct type *type)
{
    static const struct limit_words texts = {NULL, NULL, "minLength",
                                             "maxLength", "pattern"};
    static const struct limit_words others = {"minimum", "maximum", "minItems",
                                              "maxItems", NULL};
    json_t *schema =
        type->kind == TYPE_OBJECT ? object_schema(type) : plain_schema(type);

    set_limits(&schema, type, type->kind == TYPE_STR ? &texts : &others);
    if (!type->optional || schema == NULL)
        return schema;
    return json_pack("{s:[o,{s:s}]}", "anyOf", schema, "type", "null");
}

static void set_type(json_t **json, const struct type *type);

static json_t *members_json(const struct type *type)
{
    json_t *members = json_object();

    for (size_t i = 0; members != NULL && i < type->n_members; i++)
        set_new(&members, type->members[i].name, field_json(&type->members[i]));
    return members;
}

static json_t *item_json(const struct type *type)
{
    json_t *json = json_object();

    set_type(&json, type);
    return json;
}

static void set_type(json_t **json, const struct type *type)
{
    static const struct limit_words words = {"min", "max", "min_length",
                                             "max_length", "pattern"};

    switch (type->kind) {
    case TYPE_STR:
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_BOOL:
        set_new(json, "type", json_string(type_scalar_names[type->kind]));
        break;
    case TYPE_ENUM:
        set_new(json, "enum", labels_json(type));
        break;
    case TYPE_LIST:
        set_new(json, "list", item_json(type->item));
        break;
    case TYPE_OBJECT:
        set_new(json, "object", members_json(type));
        break;
    }
    set_limits(json, type, &words);
    if (type->optional)
        set_new(json, "optional", json_true());
}

json_t *field_json(const struct field *field)
{
    json_t *json = json_object();

    if (field->desc[0] != '\0')
        set_new(&json, "desc", json_string(field->desc));
    if (field->from != NULL)
        set_new(&json, "from", json_string(field->from));
    set_type(&json, &field->type);
    if (field->default_value != NULL)
        set_new(&json, "default", json_incref(field->default_value));
    return json;
}

json_t *fields_json(const struct field *fields, size_t n)
{
    json_t *map = json_object();

    for (size_t i = 0; map != NULL && i < n; i++) {
        if (json_object_set_new(map, fields[i].name, field_json(&fields[i])) ==
            0)
            continue;
        json_decref(map);
        map = NULL;
    }
    return map;
}

void value_put(const json_t *value, struct buf *out)
{
    if (json_is_string(value))
        buf_append(out, json_string_value(value), json_string_length(value));
    else
        json_put(out, value);
}
