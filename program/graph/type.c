#include "program/graph/type.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/json.h"
#include "common/text.h"
#include "common/utf8.h"
#include "program/source/pattern.h"

enum { PATH_BYTES = 120, QUOTE_BYTES = 40, LABELS_BYTES = 120 };
#define LENGTH_MAX INT64_C(1000000000)
#define NUMBER_MAX 1e300

// A type being read: where its parts go and what it is called in findings.
struct parse {
    struct arena *arena;
    struct diags *diags;
    const char *name; // of the field
};

static const char *const scalar_names[] = {"str", "int", "float", "bool"};
enum { SCALAR_NAMES = sizeof scalar_names / sizeof scalar_names[0] };

// What other languages call them.
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
    return text_nearest(word, scalar_names, SCALAR_NAMES);
}

static bool parse_scalar_name(const struct parse *parse,
                              const struct node *node, struct type *out)
{
    const char *word = NULL;

    if (!node_text(node, "`type`", &word, parse->diags))
        return false;
    for (size_t i = 0; i < SCALAR_NAMES; i++) {
        if (strcmp(word, scalar_names[i]) == 0) {
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

// Labels that differ in case only could not be told apart in replies.
static bool check_label(const struct parse *parse, const struct type *type,
                        const char *label, const struct place *place)
{
    if (label[0] == '\0') {
        diag_add(parse->diags, DIAG_ERROR, "bad-label", place,
                 "a label of `%s` is empty", parse->name);
        return false;
    }
    for (size_t i = 0; i < type->n_labels; i++) {
        if (!fold_same(type->labels[i], label))
            continue;
        diag_add(
            parse->diags, DIAG_ERROR, "bad-label", place,
            "the labels `%s` and `%s` of `%s` are the same apart from case "
            "and white space",
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
    const struct node *otherwise = node_find(node, "default");
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
    if (otherwise != NULL) {
        diag_add(parse->diags, DIAG_ERROR, "bad-default", &otherwise->place,
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

// The keys of which a type has at most one; without any it is a str.
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

// kind_known is false after a mistake in the kind: then nothing is said about
// limits that do not fit it.
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

// Field keys; those of a bare type are the ones after the first three.
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
        !node_text(desc, "`desc`", &text, parse->diags))
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
                 "`from` of `%s` is empty: it names the key that rows have it "
                 "under",
                 parse->name);
        return false;
    }
    out->from = arena_strdup(parse->arena, text);
    return out->from != NULL || nomem(parse);
}

// A text stands for itself where the field is one, whatever YAML takes it for.
static bool parse_default(const struct parse *parse, const struct node *node,
                          struct field *out)
{
    const struct node *value = node_find(node, "default");
    struct err err = ERR_CLEAR;

    if (value == NULL)
        return true;
    bool text = value->kind == NODE_SCALAR &&
                (out->type.kind == TYPE_STR || out->type.kind == TYPE_ENUM);
    out->otherwise = text ? json_string(value->text) : node_json(value);
    if (out->otherwise == NULL)
        return nomem(parse);
    if (type_check(&out->type, out->name, out->otherwise, &err))
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
    json_decref(field->otherwise);
    field->otherwise = NULL;
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
    if (from->otherwise != NULL) {
        out->otherwise = json_deep_copy(from->otherwise);
        if (out->otherwise == NULL) {
            err_nomem(err, "a field");
            field_release(out);
            return false;
        }
    }
    return true;
}

// A value as it stands in a message, cut to QUOTE_BYTES.
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

// Names the labels where they are few.
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
    // jansson's iterators want a value that may be changed; nothing does.
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

// "at least 2", "at most 5", "2 to 5": behind a comma where there is text.
static void put_range(struct buf *out, bool first, bool has_min, double min,
                      bool has_max, double max, const char *unit)
{
    if (!has_min && !has_max)
        return;
    if (!first)
        buf_puts(out, ", ");
    if (has_min && has_max)
        buf_printf(out, "%.15g to %.15g", min, max);
    else if (has_min)
        buf_printf(out, "at least %.15g", min);
    else
        buf_printf(out, "at most %.15g", max);
    buf_puts(out, unit);
}

static void put_length(const struct type *type, bool first, const char *unit,
                       struct buf *out)
{
    put_range(out, first, type->min_length >= 0, (double)type->min_length,
              type->max_length >= 0, (double)type->max_length, unit);
}

static void describe_str(const struct type *type, struct buf *out)
{
    bool limited = type->min_length >= 0 || type->max_length >= 0;

    if (!limited && type->pattern_text == NULL)
        return;
    buf_puts(out, "str");
    put_length(type, false, " characters", out);
    if (type->pattern_text != NULL)
        buf_printf(out, ", matching the pattern %s", type->pattern_text);
}

static void describe_number(const struct type *type, struct buf *out)
{
    buf_puts(out, scalar_names[type->kind]);
    put_range(out, false, type->has_min, type->min, type->has_max, type->max,
              "");
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

// A part of another type: named where it would say nothing, in brackets where
// it says much.
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
    put_length(type, false, " items", out);
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

// A Python string literal as repr() writes it.
static void put_python_text(const char *text, struct buf *out)
{
    bool single = strchr(text, '\'') != NULL && strchr(text, '"') == NULL;
    char quote = single ? '"' : '\'';

    buf_putc(out, quote);
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == quote)
            buf_putc(out, '\\');
        if (*text == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, quote);
}

static void put_python(const struct type *type, struct buf *out)
{
    switch (type->kind) {
    case TYPE_STR:
    case TYPE_INT:
    case TYPE_FLOAT:
    case TYPE_BOOL:
        buf_puts(out, scalar_names[type->kind]);
        break;
    case TYPE_ENUM:
        buf_puts(out, "Literal[");
        for (size_t i = 0; i < type->n_labels; i++) {
            buf_puts(out, i > 0 ? ", " : "");
            put_python_text(type->labels[i], out);
        }
        buf_putc(out, ']');
        break;
    case TYPE_LIST:
        buf_puts(out, "list[");
        type_python(type->item, out);
        buf_putc(out, ']');
        break;
    case TYPE_OBJECT:
        buf_puts(out, "dict[str, Any]");
        break;
    }
}

void type_python(const struct type *type, struct buf *out)
{
    buf_puts(out, type->optional ? "Optional[" : "");
    put_python(type, out);
    buf_puts(out, type->optional ? "]" : "");
}

// Whole numbers as such, so that 1 and 1.0 are the same canonical text.
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

// Sets key unless json is NULL; takes value. False and json freed without
// memory.
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

// The limits of a type under the names that a format has for them.
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
        set_new(json, "type", json_string(scalar_names[type->kind]));
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
    if (field->otherwise != NULL)
        set_new(&json, "default", json_incref(field->otherwise));
    return json;
}

void value_put(const json_t *value, struct buf *out)
{
    if (json_is_string(value))
        buf_append(out, json_string_value(value), json_string_length(value));
    else
        json_put(out, value, false);
}
