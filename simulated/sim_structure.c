#include "simulated/sim_structure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/json.h"

#include "simulated/sim_say.h"
#include "simulated/sim_shape.h"

enum {
    VALUE_MAX_BYTES = 1 << 16,
    SCHEMA_DEPTH_MAX = 8,
    ITEMS_MAX = 16,
};

// ---- structures, by a schema or without one

static const json_t *resolve(const json_t *root, const json_t *schema)
{
    static const char *const CHOICES[] = {"anyOf", "oneOf", "allOf"};
    for (int hops = 0; hops < SCHEMA_DEPTH_MAX; hops++) {
        const char *ref = json_get_text(schema, "$ref", NULL);
        const char *name = ref == NULL ? NULL : strrchr(ref, '/');
        const json_t *next = NULL;
        if (name != NULL) {
            next = json_object_get(json_object_get(root, "$defs"), name + 1);
            if (next == NULL)
                next = json_object_get(json_object_get(root, "definitions"),
                                       name + 1);
        }
        for (size_t i = 0; i < 3 && next == NULL; i++)
            next = json_array_get(json_object_get(schema, CHOICES[i]), 0);
        if (next == NULL)
            return schema;
        schema = next;
    }
    return schema;
}

static json_t *schema_text(struct sim_ask *ask, const json_t *schema,
                           const char *name)
{
    const char *text = sim_say_named(ask, name);
    int64_t max = json_get_int(schema, "maxLength", VALUE_MAX_BYTES);
    size_t len = text == NULL ? 0 : strlen(text);
    if (max >= 0 && len > (size_t)max)
        len = (size_t)max;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return json_stringn(text == NULL ? "" : text, len);
}

// Returns how much a text resembles the question, 0 to 1.
static double fit_of(const struct sim_ask *ask, const char *text)
{
    struct sim_bag bag = sim_bag_new(ask->arena, text, strlen(text));
    sim_bag_weigh(&bag, &ask->task->idf, ask->task->default_weight);
    return sim_bag_cosine(&bag, ask->question);
}

static const char *nearest_text(const struct sim_ask *ask, const char **texts,
                                size_t n)
{
    const char *best = texts[ask->draw % n];
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        double fit = fit_of(ask, texts[i]);
        if (fit > top) {
            top = fit;
            best = texts[i];
        }
    }
    return best;
}

static json_t *schema_enum(struct sim_ask *ask, const json_t *values)
{
    size_t n = json_array_size(values);
    size_t best = (size_t)(ask->draw % n);
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(values, i));
        double fit = text == NULL ? 0 : fit_of(ask, text);
        if (fit > top) {
            top = fit;
            best = i;
        }
    }
    return json_incref(json_array_get(values, best));
}

static json_t *by_schema(struct sim_ask *ask, const json_t *root,
                         const json_t *schema, const char *name, int depth);

static json_t *schema_object(struct sim_ask *ask, const json_t *root,
                             const json_t *schema, int depth)
{
    json_t *object = json_object();
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(json_object_get(schema, "properties"), key, member)
        json_object_set_new(object, key,
                            by_schema(ask, root, member, key, depth + 1));
    return object;
}

static json_t *schema_list(struct sim_ask *ask, const json_t *root,
                           const json_t *schema, const char *name, int depth)
{
    int64_t n = json_get_int(schema, "minItems", 1);
    json_t *list = json_array();
    for (int64_t i = 0; i < (n < 1 ? 1 : n) && i < ITEMS_MAX; i++)
        json_array_append_new(list, by_schema(ask, root,
                                              json_object_get(schema, "items"),
                                              name, depth + 1));
    return list;
}

static json_t *by_schema(struct sim_ask *ask, const json_t *root,
                         const json_t *schema, const char *name, int depth)
{
    schema = resolve(root, schema);
    const json_t *values = json_object_get(schema, "enum");
    const json_t *type = json_object_get(schema, "type");
    if (json_is_array(type))
        type = json_array_get(type, 0);
    const char *kind = json_is_string(type) ? json_string_value(type) : "";
    if (depth > SCHEMA_DEPTH_MAX)
        return json_null();
    if (json_array_size(values) > 0)
        return schema_enum(ask, values);
    if (json_object_get(schema, "const") != NULL)
        return json_incref(json_object_get(schema, "const"));
    if (strcmp(kind, "object") == 0 || json_object_get(schema, "properties"))
        return schema_object(ask, root, schema, depth);
    if (strcmp(kind, "array") == 0)
        return schema_list(ask, root, schema, name, depth);
    if (strcmp(kind, "boolean") == 0)
        return json_boolean(ask->draw & 1);
    double number = json_get_number(schema, "minimum", 0);
    if (strcmp(kind, "integer") == 0)
        return json_integer((json_int_t)fmin(fmax(ceil(number), -1e15), 1e15));
    if (strcmp(kind, "number") == 0)
        return json_real(number);
    if (strcmp(kind, "null") == 0)
        return json_null();
    return schema_text(ask, schema, name);
}

// Makes a list of the question's keywords, or of numbers if the type says so.
static json_t *plain_list(struct sim_ask *ask, const struct sim_field *field)
{
    json_t *list = json_array();
    bool numbers = strstr(field->type, "int") != NULL ||
                   strstr(field->type, "float") != NULL;
    struct sim_keyword words[2];
    size_t n = sim_ask_find_keywords(ask, sim_ask_input(ask), words, 2);
    double value = 0;
    if (field->n_labels > 0) {
        const char *fits = nearest_text(ask, field->labels, field->n_labels);
        json_array_append_new(list, json_string(fits));
        return list;
    }
    if (numbers && sim_shape_number(ask->turn->joined, &value))
        json_array_append_new(list,
                              json_integer((json_int_t)fmin(value, 1e15)));
    for (size_t i = 0; i < n && !numbers; i++)
        json_array_append_new(list,
                              json_stringn(words[i].raw.at, words[i].raw.len));
    return list;
}

// ---- objects by the words that describe them

static const char WITH[] = "object with ";

static json_t *named_object(struct sim_ask *ask, const char *type, int depth);

static json_t *member_number(struct sim_ask *ask, const struct sim_field *field)
{
    double value = 0;
    if (!sim_shape_number(ask->turn->joined, &value))
        value = field->has_max ? (field->min + field->max) / 2 : field->min + 1;
    value = fmin(fmax(sim_field_limit(field, value), -1e15), 1e15);
    return field->kind == SIM_INT ? json_integer((json_int_t)value)
                                  : json_real(value);
}

static json_t *make_member(struct sim_ask *ask, const struct sim_field *field,
                           int depth)
{
    switch (field->kind) {
    case SIM_INT:
    case SIM_FLOAT:
        return member_number(ask, field);
    case SIM_BOOL:
        return json_boolean(ask->draw & 1);
    case SIM_LABEL:
        return json_string(nearest_text(ask, field->labels, field->n_labels));
    case SIM_LIST:
        return plain_list(ask, field);
    case SIM_OBJECT:
        return named_object(ask, field->type, depth + 1);
    case SIM_TEXT:
        break;
    }
    return schema_text(ask, NULL, field->name);
}

// Returns the length of the type that `text` begins with: up to the next comma
// outside brackets.
static size_t member_type(const char *text)
{
    size_t depth = 0, i = 0;
    for (; text[i] != '\0' && (depth > 0 || text[i] != ','); i++) {
        if (text[i] == '(')
            depth++;
        else if (text[i] == ')' && depth-- == 0)
            break;
    }
    return i;
}

// Takes "a: int" or "a: (int, 1 to 5)" off *at. Returns false at the end.
static bool next_member(struct sim_ask *ask, const char **at,
                        struct sim_field *out)
{
    const char *start = *at + strspn(*at, ", ");
    const char *colon = strchr(start, ':');
    if (colon == NULL || *start == ')')
        return false;
    const char *type = colon + 1 + strspn(colon + 1, " ");
    size_t len = member_type(type);
    *at = type + len;
    if (len > 1 && type[0] == '(') {
        type++;
        len -= 2;
    }
    *out = (struct sim_field){
        .name = arena_strndup(ask->arena, start, (size_t)(colon - start)),
        .type = arena_strndup(ask->arena, type, len),
        .desc = ""};
    if (out->name == NULL || out->type == NULL)
        return false;
    sim_field_type(ask->arena, out);
    return true;
}

// Makes the members of a type such as "object with a: str, b: int", each with a
// value of its type.
static json_t *named_object(struct sim_ask *ask, const char *type, int depth)
{
    json_t *object = json_object();
    const char *at = depth > SCHEMA_DEPTH_MAX ? NULL : strstr(type, WITH);
    struct sim_field member;
    at = at == NULL ? "" : at + sizeof WITH - 1;
    while (next_member(ask, &at, &member))
        json_object_set_new(object, member.name,
                            make_member(ask, &member, depth));
    return object;
}

// If there is no schema, the members are those that the type names, or those of
// a demo's value.
static json_t *plain_object(struct sim_ask *ask, size_t field)
{
    const struct sim_prompt *prompt = &ask->task->prompt;
    json_t *object = NULL;
    if (strstr(prompt->outputs[field].type, WITH) != NULL)
        return named_object(ask, prompt->outputs[field].type, 0);
    for (size_t i = 0; i < prompt->n_demos && object == NULL; i++) {
        const char *value = prompt->demos[i].values[field];
        if (value != NULL)
            object = json_parse(value, strlen(value), VALUE_MAX_BYTES, NULL);
    }
    if (!json_is_object(object)) {
        json_decref(object);
        return json_object();
    }
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(object, key, member)
        if (json_is_string(member))
            json_object_set_new(object, key, schema_text(ask, NULL, key));
    return object;
}

const char *sim_structure_make(struct sim_ask *ask, size_t field)
{
    const struct sim_field *out = &ask->task->prompt.outputs[field];
    json_t *value = NULL;
    if (out->schema != NULL)
        value = by_schema(ask, ask->task->schema, out->schema, out->name, 0);
    else if (out->kind == SIM_LIST)
        value = plain_list(ask, out);
    else
        value = plain_object(ask, field);
    char *text = json_text(value);
    const char *copy = text == NULL ? NULL : arena_strdup(ask->arena, text);
    free(text);
    json_decref(value);
    return copy;
}
