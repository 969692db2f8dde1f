#include "program/graph/type.h"

#include <math.h>
#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/graph/type_check.h"
#include "program/source/pattern.h"

#define LENGTH_MAX INT64_C(1000000000)
#define NUMBER_MAX 1e300

// The context for reading a type: where its parts are allocated, and what
// findings call it.
struct parse {
    struct arena *arena;
    struct diags *diags;
    const char *name; // of the field
};

const char *const type_scalar_names[TYPE_SCALARS] = {
    [TYPE_STR] = "str",
    [TYPE_INT] = "int",
    [TYPE_FLOAT] = "float",
    [TYPE_BOOL] = "bool",
};

// What other languages call these types.
static const struct {
    const char *word;
    const char *name;
} foreign_names[] = {
    {"string", "str"},   {"text", "str"},     {"integer", "int"},
    {"number", "float"}, {"double", "float"}, {"real", "float"},
    {"boolean", "bool"},
};

static bool parse_type(const struct parse *parse, const struct node *node,
                       struct type *out);

static bool nomem(const struct parse *parse)
{
    parse->diags->nomem = true;
    return false;
}

static const char *nearest_type(const char *word)
{
    for (size_t i = 0; i < sizeof foreign_names / sizeof foreign_names[0];
         i++) {
        if (fold_same(foreign_names[i].word, word))
            return foreign_names[i].name;
    }
    return text_nearest(word, type_scalar_names, TYPE_SCALARS);
}

static bool parse_scalar_name(const struct parse *parse,
                              const struct node *node, struct type *out)
{
    const char *word = NULL;

    if (!node_text(node, "`type`", &word, parse->diags))
        return false;
    for (size_t i = 0; i < TYPE_SCALARS; i++) {
        if (strcmp(word, type_scalar_names[i]) == 0) {
            out->kind = (enum type_kind)i;
            return true;
        }
    }
    const char *nearest = nearest_type(word);
    if (nearest != NULL)
        diag_add(parse->diags, DIAG_ERROR, "unknown-type", &node->place,
                 "unknown type `%s` of `%s`, did you mean `%s`?", word,
                 parse->name, nearest);
    else
        diag_add(parse->diags, DIAG_ERROR, "unknown-type", &node->place,
                 "unknown type `%s` of `%s`, expected str, int, float, bool, "
                 "or one of the keys `enum`, `list`, `object`",
                 word, parse->name);
    return false;
}

// Checks a label. Labels that differ only in case could not be told apart in
// replies.
static bool check_label(const struct parse *parse, const struct type *type,
                        const char *label, const struct place *place)
{
    if (fold_same(label, "")) {
        diag_add(parse->diags, DIAG_ERROR, "bad-label", place,
                 "a label of `%s` is empty", parse->name);
        return false;
    }
    for (size_t i = 0; i < type->n_labels; i++) {
        if (!fold_same(type->labels[i], label))
            continue;
        if (strcmp(type->labels[i], label) == 0)
            diag_add(parse->diags, DIAG_ERROR, "bad-label", place,
                     "`%s` has the label `%s` twice", parse->name, label);
        else
            diag_add(parse->diags, DIAG_ERROR, "bad-label", place,
                     "the labels `%s` and `%s` of `%s` are the same apart from "
                     "case and white space",
                     type->labels[i], label, parse->name);
        return false;
    }
    return true;
}

static bool parse_enum(const struct parse *parse, const struct node *node,
                       struct type *out)
{
    bool ok = true;

    out->kind = TYPE_ENUM;
    if (node->kind != NODE_LIST || node->n == 0 || node->n > TYPE_MAX_LABELS) {
        diag_add(parse->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "`enum` of `%s` must be a list of 1 to %d labels", parse->name,
                 TYPE_MAX_LABELS);
        diag_remedy(parse->diags, "write enum: [yes, no], in brackets");
        return false;
    }
    out->labels = arena_array(parse->arena, node->n, sizeof *out->labels);
    if (out->labels == NULL)
        return nomem(parse);
    for (size_t i = 0; i < node->n; i++) {
        const char *label = NULL;
        if (!node_text(node->items[i], "a label", &label, parse->diags) ||
            !check_label(parse, out, label, &node->items[i]->place)) {
            ok = false;
            continue;
        }
        label = arena_strdup(parse->arena, label);
        if (label == NULL)
            return nomem(parse);
        out->labels[out->n_labels++] = label;
    }
    return ok;
}

static bool parse_list(const struct parse *parse, const struct node *node,
                       struct type *out)
{
    out->kind = TYPE_LIST;
    out->item = arena_alloc(parse->arena, sizeof *out->item);
    if (out->item == NULL)
        return nomem(parse);
    return parse_type(parse, node, out->item);
}

static bool parse_member(const struct parse *parse, const struct node *map,
                         size_t i, struct field *out)
{
    const struct node *node = map->items[i];
    const struct node *default_node = node_find(node, "default");
    bool ok = field_parse(parse->arena, map->keys[i], node, out, parse->diags);

    out->place.line = map->key_places[i].line;
    out->place.column = map->key_places[i].column;
    out->place.width = map->key_places[i].width;
    if (!text_is_name(map->keys[i])) {
        diag_add(parse->diags, DIAG_ERROR, "bad-name", &map->key_places[i],
                 "`%s` cannot be a name: use letters, digits and _, and no "
                 "digit first",
                 map->keys[i]);
        ok = false;
    }
    if (default_node != NULL) {
        diag_add(parse->diags, DIAG_ERROR, "bad-default", &default_node->place,
                 "only an input of the program may have a default");
        ok = false;
    }
    if (out->from != NULL) {
        diag_add(parse->diags, DIAG_ERROR, "bad-from", &node->place,
                 "only an input or an output may have a `from`, not a member "
                 "of an object");
        ok = false;
    }
    return ok;
}

static bool parse_object(const struct parse *parse, const struct node *node,
                         struct type *out)
{
    bool ok = true;

    out->kind = TYPE_OBJECT;
    if (node->kind != NODE_MAP || node->n == 0) {
        diag_add(parse->diags, DIAG_ERROR, "wrong-value", &node->place,
                 "`object` of `%s` must be a map of fields to types",
                 parse->name);
        return false;
    }
    out->members = arena_array(parse->arena, node->n, sizeof *out->members);
    if (out->members == NULL)
        return nomem(parse);
    for (size_t i = 0; i < node->n; i++) {
        ok = parse_member(parse, node, i, &out->members[i]) && ok;
        out->n_members++;
    }
    return ok;
}

// A type has at most one of these keys; without any it is a str.
static const struct type_row {
    const char *key;
    bool (*parse)(const struct parse *, const struct node *, struct type *);
} type_rows[] = {
    {"type", parse_scalar_name},
    {"enum", parse_enum},
    {"list", parse_list},
    {"object", parse_object},
};
enum { TYPE_ROWS = sizeof type_rows / sizeof type_rows[0] };

static bool parse_kind(const struct parse *parse, const struct node *node,
                       struct type *out)
{
    const struct type_row *row = NULL;

    for (size_t i = 0; i < TYPE_ROWS; i++) {
        const struct node *value = node_find(node, type_rows[i].key);
        if (value == NULL)
            continue;
        if (row != NULL) {
            diag_add(parse->diags, DIAG_ERROR, "two-types", &value->place,
                     "`%s` has both `%s` and `%s`: give one of them",
                     parse->name, row->key, type_rows[i].key);
            return false;
        }
        row = &type_rows[i];
    }
    return row == NULL || row->parse(parse, node_find(node, row->key), out);
}

static bool parse_min(const struct parse *parse, const struct node *node,
                      struct type *out)
{
    out->has_min = node_number(node, "`min`", -NUMBER_MAX, NUMBER_MAX,
                               &out->min, parse->diags);
    return out->has_min;
}

static bool parse_max(const struct parse *parse, const struct node *node,
                      struct type *out)
{
    out->has_max = node_number(node, "`max`", -NUMBER_MAX, NUMBER_MAX,
                               &out->max, parse->diags);
    return out->has_max;
}

static bool parse_min_length(const struct parse *parse, const struct node *node,
                             struct type *out)
{
    return node_int(node, "`min_length`", 0, LENGTH_MAX, &out->min_length,
                    parse->diags);
}

static bool parse_max_length(const struct parse *parse, const struct node *node,
                             struct type *out)
{
    return node_int(node, "`max_length`", 0, LENGTH_MAX, &out->max_length,
                    parse->diags);
}

static bool parse_pattern(const struct parse *parse, const struct node *node,
                          struct type *out)
{
    struct err err = ERR_CLEAR;
    const char *text = NULL;

    if (!node_text(node, "`pattern`", &text, parse->diags))
        return false;
    out->pattern_text = arena_strdup(parse->arena, text);
    if (out->pattern_text == NULL)
        return nomem(parse);
    out->pattern = pattern_new(text, &err);
    if (out->pattern != NULL)
        return true;
    if (err.code == ERR_NOMEM)
        return nomem(parse);
    diag_add(parse->diags, DIAG_ERROR, "bad-pattern", &node->place, "%s",
             err.text);
    return false;
}

#define KIND(kind) (1U << (kind))
static const struct limit_row {
    const char *key;
    unsigned kinds;
    const char *of;
    bool (*parse)(const struct parse *, const struct node *, struct type *);
} limit_rows[] = {
    {"min", KIND(TYPE_INT) | KIND(TYPE_FLOAT), "an int or float", parse_min},
    {"max", KIND(TYPE_INT) | KIND(TYPE_FLOAT), "an int or float", parse_max},
    {"min_length", KIND(TYPE_STR) | KIND(TYPE_LIST), "a str or list",
     parse_min_length},
    {"max_length", KIND(TYPE_STR) | KIND(TYPE_LIST), "a str or list",
     parse_max_length},
    {"pattern", KIND(TYPE_STR), "a str", parse_pattern},
};
enum { LIMIT_ROWS = sizeof limit_rows / sizeof limit_rows[0] };

static bool contradict(const struct parse *parse, const struct node *node,
                       const char *low, const char *high)
{
    const struct node *min = node_find(node, low);
    const struct node *max = node_find(node, high);

    diag_add(parse->diags, DIAG_ERROR, "limits", &max->place,
             "no value can satisfy the limits of `%s`: `%s` is %s, `%s` is %s",
             parse->name, low, min->text, high, max->text);
    return false;
}

static bool check_limits(const struct parse *parse, const struct node *node,
                         const struct type *type)
{
    bool ok = true;

    if (type->has_min && type->has_max) {
        bool whole = type->kind == TYPE_INT;
        double min = whole ? ceil(type->min) : type->min;
        double max = whole ? floor(type->max) : type->max;
        if (min > max)
            ok = contradict(parse, node, "min", "max");
    }
    if (type->max_length >= 0 && type->min_length > type->max_length)
        ok = contradict(parse, node, "min_length", "max_length");
    return ok;
}

// kind_known is false after a mistake in the kind. Limits that do not fit it
// are then not reported.
static bool parse_limits(const struct parse *parse, const struct node *node,
                         bool kind_known, struct type *out)
{
    bool ok = true;

    for (size_t i = 0; i < LIMIT_ROWS; i++) {
        const struct limit_row *row = &limit_rows[i];
        const struct node *value = node_find(node, row->key);
        if (value == NULL)
            continue;
        if (kind_known && (row->kinds & KIND(out->kind)) == 0) {
            diag_add(parse->diags, DIAG_ERROR, "limits", &value->place,
                     "`%s` limits %s, which `%s` is not", row->key, row->of,
                     parse->name);
            ok = false;
            continue;
        }
        ok = row->parse(parse, value, out) && ok;
    }
    return ok && check_limits(parse, node, out);
}

static bool parse_type_map(const struct parse *parse, const struct node *node,
                           struct type *out)
{
    const struct node *optional = node_find(node, "optional");
    bool ok = parse_kind(parse, node, out);

    ok = parse_limits(parse, node, ok, out) && ok;
    if (optional != NULL)
        ok = node_bool(optional, "`optional`", &out->optional, parse->diags) &&
             ok;
    return ok;
}

static bool parse_any(const struct parse *parse, const struct node *node,
                      const char *const *keys, size_t n_keys, struct type *out)
{
    out->min_length = -1;
    out->max_length = -1;
    switch (node->kind) {
    case NODE_NULL:
        return true;
    case NODE_SCALAR:
        return parse_scalar_name(parse, node, out);
    case NODE_MAP: {
        size_t before = parse->diags->errors;
        node_only_keys(node, "a type", keys, n_keys, parse->diags);
        bool ok = parse->diags->errors == before;
        return parse_type_map(parse, node, out) && ok;
    }
    case NODE_LIST:
        break;
    }
    diag_add(parse->diags, DIAG_ERROR, "wrong-value", &node->place,
             "the type of `%s` must be a name such as int, or a map such as "
             "{enum: [a, b]}, found a list",
             parse->name);
    return false;
}

// The keys of a field. A bare type has those after the first three.
enum { FIELD_OWN_KEYS = 3 };
static const char *const field_keys[] = {
    "desc",       "default",    "from",     "type", "enum",
    "list",       "object",     "optional", "min",  "max",
    "min_length", "max_length", "pattern",
};
enum { FIELD_KEYS = sizeof field_keys / sizeof field_keys[0] };

static bool parse_type(const struct parse *parse, const struct node *node,
                       struct type *out)
{
    return parse_any(parse, node, field_keys + FIELD_OWN_KEYS,
                     FIELD_KEYS - FIELD_OWN_KEYS, out);
}

static bool parse_desc(const struct parse *parse, const struct node *node,
                       struct field *out)
{
    const struct node *desc = node_find(node, "desc");
    const char *text = "";

    if (desc != NULL && desc->kind != NODE_NULL &&
        !node_sentence(desc, "`desc`", &text, parse->diags))
        return false;
    size_t len = 0;
    text = text_trim(text, strlen(text), &len);
    out->desc = arena_strndup(parse->arena, text, len);
    return out->desc != NULL || nomem(parse);
}

static bool parse_from(const struct parse *parse, const struct node *node,
                       struct field *out)
{
    const struct node *from = node_find(node, "from");
    const char *text = "";

    if (from == NULL)
        return true;
    if (!node_text(from, "`from`", &text, parse->diags))
        return false;
    if (text[0] == '\0') {
        diag_add(parse->diags, DIAG_ERROR, "wrong-value", &from->place,
                 "`from` of `%s` is empty: it must name the key of this field "
                 "in the data",
                 parse->name);
        return false;
    }
    out->from = arena_strdup(parse->arena, text);
    return out->from != NULL || nomem(parse);
}

// For a str or an enum the default is the text as written, whatever YAML would
// make of it.
static bool parse_default(const struct parse *parse, const struct node *node,
                          struct field *out)
{
    const struct node *value = node_find(node, "default");
    struct err err = ERR_CLEAR;

    if (value == NULL)
        return true;
    bool text = value->kind == NODE_SCALAR &&
                (out->type.kind == TYPE_STR || out->type.kind == TYPE_ENUM);
    out->default_value = text ? json_string(value->text) : node_json(value);
    if (out->default_value == NULL)
        return nomem(parse);
    if (type_check(&out->type, out->name, out->default_value, &err))
        return true;
    diag_add(parse->diags, DIAG_ERROR, "bad-default", &value->place,
             "the default does not fit: %s", err.text);
    return false;
}

bool field_parse(struct arena *arena, const char *name, const struct node *node,
                 struct field *out, struct diags *diags)
{
    struct parse parse = {.arena = arena, .diags = diags, .name = name};

    *out = (struct field){.name = "", .desc = ""};
    name = arena_strdup(arena, name);
    if (name == NULL || !place_copy(arena, &node->place, &out->place))
        return nomem(&parse);
    out->name = name;
    bool ok = parse_any(&parse, node, field_keys, FIELD_KEYS, &out->type);
    ok = parse_desc(&parse, node, out) && ok;
    ok = parse_from(&parse, node, out) && ok;
    return ok && parse_default(&parse, node, out);
}

static void release_type(struct type *type)
{
    pattern_free(type->pattern);
    type->pattern = NULL;
    if (type->item != NULL)
        release_type(type->item);
    for (size_t i = 0; i < type->n_members; i++)
        field_release(&type->members[i]);
}

void field_release(struct field *field)
{
    release_type(&field->type);
    json_decref(field->default_value);
    field->default_value = NULL;
}

static bool copy_type(struct arena *arena, const struct type *from,
                      struct type *out, struct err *err);

static bool copy_labels(struct arena *arena, const struct type *from,
                        struct type *out)
{
    out->labels = arena_array(arena, from->n_labels, sizeof *out->labels);
    if (out->labels == NULL)
        return false;
    for (; out->n_labels < from->n_labels; out->n_labels++) {
        size_t i = out->n_labels;
        out->labels[i] = arena_strdup(arena, from->labels[i]);
        if (out->labels[i] == NULL)
            return false;
    }
    return true;
}

static bool copy_pattern(struct arena *arena, const struct type *from,
                         struct type *out, struct err *err)
{
    out->pattern_text = arena_strdup(arena, from->pattern_text);
    if (out->pattern_text == NULL) {
        err_nomem(err, "a pattern");
        return false;
    }
    out->pattern = pattern_new(from->pattern_text, err);
    return out->pattern != NULL;
}

static bool copy_members(struct arena *arena, const struct type *from,
                         struct type *out, struct err *err)
{
    out->members = arena_array(arena, from->n_members, sizeof *out->members);
    if (out->members == NULL) {
        err_nomem(err, "a type");
        return false;
    }
    for (; out->n_members < from->n_members; out->n_members++) {
        size_t i = out->n_members;
        if (!field_copy(arena, &from->members[i], &out->members[i], err))
            return false;
    }
    return true;
}

static bool copy_item(struct arena *arena, const struct type *from,
                      struct type *out, struct err *err)
{
    out->item = arena_alloc(arena, sizeof *out->item);
    if (out->item == NULL) {
        err_nomem(err, "a type");
        return false;
    }
    return copy_type(arena, from->item, out->item, err);
}

static bool copy_type(struct arena *arena, const struct type *from,
                      struct type *out, struct err *err)
{
    *out = *from;
    out->labels = NULL;
    out->n_labels = 0;
    out->members = NULL;
    out->n_members = 0;
    out->item = NULL;
    out->pattern = NULL;
    if (!copy_labels(arena, from, out)) {
        err_nomem(err, "a type");
        return false;
    }
    if (from->pattern != NULL && !copy_pattern(arena, from, out, err))
        return false;
    if (from->item != NULL && !copy_item(arena, from, out, err))
        return false;
    return copy_members(arena, from, out, err);
}

bool field_copy(struct arena *arena, const struct field *from,
                struct field *out, struct err *err)
{
    *out = (struct field){.place = {0}};
    out->name = arena_strdup(arena, from->name);
    out->desc = arena_strdup(arena, from->desc);
    if (out->name == NULL || out->desc == NULL ||
        !place_copy(arena, &from->place, &out->place)) {
        err_nomem(err, "a field");
        return false;
    }
    if (!copy_type(arena, &from->type, &out->type, err)) {
        field_release(out);
        return false;
    }
    if (from->default_value != NULL) {
        out->default_value = json_deep_copy(from->default_value);
        if (out->default_value == NULL) {
            err_nomem(err, "a field");
            field_release(out);
            return false;
        }
    }
    return true;
}
