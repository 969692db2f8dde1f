#include "simulated/sim_field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

struct sim_field *sim_field_find(struct sim_field *fields, size_t n,
                                 struct sim_span name)
{
    for (size_t i = 0; i < n; i++)
        if (sim_span_is(name, fields[i].name))
            return &fields[i];
    return NULL;
}

size_t sim_field_index(const struct sim_field *fields, size_t n,
                       struct sim_span name)
{
    size_t i = 0;
    while (i < n && !sim_span_is(name, fields[i].name))
        i++;
    return i;
}

struct sim_field *sim_field_add(struct arena *arena, struct sim_field *fields,
                                size_t *n, struct sim_span name)
{
    struct sim_field *known = sim_field_find(fields, *n, name);
    if (known != NULL || *n == SIM_FIELDS_MAX)
        return known;
    struct sim_field *field = &fields[*n];
    *field = (struct sim_field){.type = "", .desc = ""};
    field->name = arena_strndup(arena, name.at, name.len);
    if (field->name == NULL)
        return NULL;
    ++*n;
    return field;
}

// Adds one label, without the quotes and white space around it.
static void add_label(struct arena *arena, struct sim_field *field,
                      struct sim_span label)
{
    label = sim_span_trim(label);
    while (label.len > 1 && strchr("'\"`", label.at[0]) != NULL &&
           label.at[label.len - 1] == label.at[0]) {
        label.at++;
        label.len -= 2;
    }
    if (label.len == 0 || label.len > 200 || field->n_labels == SIM_LABELS_MAX)
        return;
    for (size_t i = 0; i < field->n_labels; i++)
        if (sim_span_is(label, field->labels[i]))
            return;
    if (field->labels == NULL)
        field->labels =
            arena_array(arena, SIM_LABELS_MAX, sizeof *field->labels);
    char *copy = arena_strndup(arena, label.at, label.len);
    if (field->labels == NULL || copy == NULL)
        return;
    field->labels[field->n_labels++] = copy;
}

// Splits the list at `separator`, except inside quotes, and adds each part.
static void add_labels(struct arena *arena, struct sim_field *field,
                       struct sim_span list, char separator)
{
    char quote = '\0';
    size_t start = 0;
    for (size_t i = 0; i <= list.len; i++) {
        char c = i < list.len ? list.at[i] : separator;
        bool opens =
            (c == '"' || c == '\'' || c == '`') &&
            sim_span_trim((struct sim_span){list.at + start, i - start}).len ==
                0;
        if (quote != '\0' && c == quote)
            quote = '\0';
        else if (quote == '\0' && opens && i < list.len)
            quote = c;
        else if (i == list.len || (quote == '\0' && c == separator)) {
            add_label(arena, field,
                      (struct sim_span){list.at + start, i - start});
            start = i + 1;
        }
    }
}

void sim_field_labels(struct arena *arena, struct sim_field *field,
                      struct sim_span text)
{
    const char *literal = sim_span_find(text, "Literal[");
    if (literal != NULL) {
        const char *start = literal + strlen("Literal[");
        struct sim_span rest = {start, (size_t)(text.at + text.len - start)};
        const char *end = memchr(rest.at, ']', rest.len);
        rest.len = end == NULL ? rest.len : (size_t)(end - rest.at);
        add_labels(arena, field, rest, ',');
    }
    const char *one_of = sim_span_find(text, "one of");
    if (one_of == NULL || field->n_labels > 0)
        return;
    const char *start = one_of + strlen("one of");
    struct sim_span rest = {start, (size_t)(text.at + text.len - start)};
    struct sim_span line = {NULL, 0};
    if (rest.len == 0 || !sim_span_line(&rest, &line))
        return;
    while (line.len > 0 && (line.at[0] == ':' || line.at[0] == ' ')) {
        line.at++;
        line.len--;
    }
    const char *stop = memchr(line.at, ')', line.len);
    if (stop == NULL)
        stop = sim_span_find(line, ". ");
    if (stop != NULL)
        line.len = (size_t)(stop - line.at);
    if (line.len > 0 && line.at[line.len - 1] == '.')
        line.len--;
    add_labels(arena, field, line,
               memchr(line.at, ';', line.len) != NULL ? ';' : ',');
}

static bool read_number(const char *at, double *out)
{
    char *end = NULL;
    while (*at == ' ' || *at == ':' || *at == '=')
        at++;
    double value = strtod(at, &end);
    if (end == at)
        return false;
    *out = value;
    return true;
}

// Reads limits such as "0 to 1", "at least 0", "at most 5" or "greater than or
// equal to: 0".
static void read_limits(struct sim_field *field, const char *text)
{
    static const struct {
        const char *phrase;
        bool is_min;
    } PHRASES[] = {
        {"at least", true},
        {"min", true},
        {"greater than or equal to", true},
        {"from", true},
        {"between", true},
        {"at most", false},
        {"less than or equal to", false},
        {"max", false},
        {" to ", false},
        {" and ", false},
    };
    for (size_t i = 0; i < sizeof PHRASES / sizeof *PHRASES; i++) {
        bool is_min = PHRASES[i].is_min;
        const char *at = strstr(text, PHRASES[i].phrase);
        double value = 0;
        if (at == NULL || (is_min ? field->has_min : field->has_max) ||
            !read_number(at + strlen(PHRASES[i].phrase), &value))
            continue;
        *(is_min ? &field->has_min : &field->has_max) = true;
        *(is_min ? &field->min : &field->max) = value;
    }
    const char *to = strstr(text, " to ");
    while (to != NULL && to > text &&
           (isdigit((unsigned char)to[-1]) || to[-1] == '.' || to[-1] == '-'))
        to--;
    if (!field->has_min && to != NULL && field->has_max &&
        read_number(to, &field->min))
        field->has_min = true;
}

// Reads the kind from the type's first word; anything unknown is text.
static void read_kind(struct sim_field *field)
{
    static const struct {
        const char *word;
        enum sim_kind kind;
    } KINDS[] = {
        {"list", SIM_LIST},      {"array", SIM_LIST},
        {"dict", SIM_OBJECT},    {"object", SIM_OBJECT},
        {"integer", SIM_INT},    {"int", SIM_INT},
        {"float", SIM_FLOAT},    {"number", SIM_FLOAT},
        {"boolean", SIM_BOOL},   {"bool", SIM_BOOL},
        {"yes or no", SIM_BOOL}, {"true or false", SIM_BOOL},
    };
    const char *type = field->type;
    if (strncmp(type, "Optional[", 9) == 0 ||
        strncmp(type, "optional ", 9) == 0)
        type += 9;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strncmp(type, KINDS[i].word, strlen(KINDS[i].word)) != 0)
            continue;
        field->kind = KINDS[i].kind;
        break;
    }
}

void sim_field_type(struct arena *arena, struct sim_field *field)
{
    const char *null = strstr(field->type, ", or null");
    struct sim_span type = {field->type, null == NULL
                                             ? strlen(field->type)
                                             : (size_t)(null - field->type)};
    struct sim_span desc = {field->desc, strlen(field->desc)};
    read_kind(field);
    if (field->kind == SIM_TEXT) {
        sim_field_labels(arena, field, type);
        if (field->n_labels == 0)
            sim_field_labels(arena, field, desc);
        if (field->n_labels > 0)
            field->kind = SIM_LABEL;
    }
    if (field->kind == SIM_LIST)
        sim_field_labels(arena, field, type);
    if (field->kind == SIM_INT || field->kind == SIM_FLOAT) {
        read_limits(field, field->type);
        read_limits(field, field->desc);
    }
}

// Returns the index of the parenthesis that closes the one at text.at[0].
static size_t closing(struct sim_span text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '(')
            depth++;
        else if (text.at[i] == ')' && --depth == 0)
            return i;
    }
    return text.len;
}

bool sim_field_line(struct arena *arena, struct sim_span line,
                    struct sim_field *fields, size_t *n)
{
    line = sim_span_trim(line);
    while (line.len > 0 && line.at[0] != '`' &&
           (isdigit((unsigned char)line.at[0]) ||
            strchr(".-*) ", line.at[0]) != NULL)) {
        line.at++;
        line.len--;
    }
    const char *end = line.len > 2 && line.at[0] == '`'
                          ? memchr(line.at + 1, '`', line.len - 1)
                          : NULL;
    if (end == NULL)
        return false;
    struct sim_span name = {line.at + 1, (size_t)(end - line.at - 1)};
    struct sim_field *field = sim_field_add(arena, fields, n, name);
    struct sim_span rest =
        sim_span_trim((struct sim_span){end + 1, line.len - name.len - 2});
    if (field == NULL)
        return true;
    if (rest.len > 0 && rest.at[0] == '(') {
        size_t close = closing(rest);
        field->type = arena_strndup(arena, rest.at + 1, close - 1);
        size_t used = close < rest.len ? close + 1 : close;
        rest =
            sim_span_trim((struct sim_span){rest.at + used, rest.len - used});
    }
    while (rest.len > 0 && strchr(":- ", rest.at[0]) != NULL) {
        rest.at++;
        rest.len--;
    }
    field->desc = arena_strndup(arena, rest.at, rest.len);
    if (field->type == NULL)
        field->type = "";
    if (field->desc == NULL)
        field->desc = "";
    return true;
}

enum sim_kind sim_field_schema_kind(const json_t *schema)
{
    static const struct {
        const char *type;
        enum sim_kind kind;
    } TYPES[] = {
        {"integer", SIM_INT}, {"number", SIM_FLOAT},  {"boolean", SIM_BOOL},
        {"array", SIM_LIST},  {"object", SIM_OBJECT},
    };
    const json_t *type = json_object_get(schema, "type");
    if (json_is_array(type))
        type = json_array_get(type, 0);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (json_is_string(type) &&
            strcmp(json_string_value(type), TYPES[i].type) == 0)
            return TYPES[i].kind;
    return SIM_TEXT;
}

void sim_field_schema(struct arena *arena, struct sim_field *field,
                      const json_t *schema)
{
    field->schema = schema;
    const json_t *values = json_object_get(schema, "enum");
    field->kind = sim_field_schema_kind(schema);
    field->n_labels = 0;
    size_t i = 0;
    const json_t *value = NULL;
    json_array_foreach(values, i, value) {
        const char *text = json_string_value(value);
        if (text != NULL)
            add_label(arena, field, (struct sim_span){text, strlen(text)});
    }
    if (field->n_labels > 0)
        field->kind = SIM_LABEL;
    if (json_is_number(json_object_get(schema, "minimum"))) {
        field->has_min = true;
        field->min = json_number_value(json_object_get(schema, "minimum"));
    }
    if (json_is_number(json_object_get(schema, "maximum"))) {
        field->has_max = true;
        field->max = json_number_value(json_object_get(schema, "maximum"));
    }
    const char *desc = json_get_text(schema, "description", NULL);
    if (desc != NULL && field->desc[0] == '\0') {
        const char *copy = arena_strdup(arena, desc);
        field->desc = copy != NULL ? copy : "";
    }
}

double sim_field_limit(const struct sim_field *field, double value)
{
    if (field->has_min && value < field->min)
        value = field->min;
    if (field->has_max && value > field->max)
        value = field->max;
    return value;
}
