#include "simulated/sim_prompt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

enum { ARRAY_ITEMS_MAX = 64, JSON_MAX_BYTES = 1 << 20 };

static const char MARKER_OPEN[] = "[[ ## ";
static const char MARKER_CLOSE[] = " ## ]]";

// ---- lines, slices and markers

static struct sim_span trim(struct sim_span span)
{
    while (span.len > 0 && isspace((unsigned char)span.at[0])) {
        span.at++;
        span.len--;
    }
    while (span.len > 0 && isspace((unsigned char)span.at[span.len - 1]))
        span.len--;
    return span;
}

static bool next_line(struct sim_span *rest, struct sim_span *line)
{
    if (rest->len == 0)
        return false;
    const char *newline = memchr(rest->at, '\n', rest->len);
    line->at = rest->at;
    line->len = newline == NULL ? rest->len : (size_t)(newline - rest->at);
    size_t used = line->len + (newline != NULL);
    rest->at += used;
    rest->len -= used;
    return true;
}

static const char *find(struct sim_span in, const char *what)
{
    size_t len = strlen(what);
    for (size_t i = 0; i + len <= in.len; i++)
        if (in.at[i] == what[0] && memcmp(in.at + i, what, len) == 0)
            return in.at + i;
    return NULL;
}

// "Input fields:", "Your output fields are:" and the like.
static bool is_heading(struct sim_span line, const char *which)
{
    bool fields = false;
    bool direction = false;
    const char *at = line.at;
    struct sim_word word;
    while (sim_word_next(&at, line.at + line.len, &word)) {
        fields = fields || sim_has_word("field", word.stem);
        direction = direction || sim_has_word(which, word.stem);
    }
    return fields && direction;
}

// A line that starts with a marker: *name is the field, *rest what follows.
static bool read_marker(struct sim_span line, struct sim_span *name,
                        struct sim_span *rest)
{
    line = trim(line);
    size_t open = sizeof MARKER_OPEN - 1;
    if (line.len < open || memcmp(line.at, MARKER_OPEN, open) != 0)
        return false;
    struct sim_span after = {line.at + open, line.len - open};
    const char *close = find(after, MARKER_CLOSE);
    if (close == NULL)
        return false;
    *name = (struct sim_span){after.at, (size_t)(close - after.at)};
    const char *end = close + sizeof MARKER_CLOSE - 1;
    *rest = (struct sim_span){end, (size_t)(line.at + line.len - end)};
    return true;
}

static bool same(struct sim_span span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

static struct sim_span first_marker(const struct sim_message *message)
{
    struct sim_span rest = {message->content, message->len};
    struct sim_span line;
    struct sim_span name = {NULL, 0};
    struct sim_span after;
    while (next_line(&rest, &line))
        if (read_marker(line, &name, &after))
            return name;
    return (struct sim_span){NULL, 0};
}

size_t sim_prompt_question(const struct sim_message *messages, size_t n)
{
    struct sim_span wanted = {NULL, 0};
    size_t last = n;
    size_t marked = n;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(messages[i].role, "user") != 0)
            continue;
        last = i;
        struct sim_span name = first_marker(&messages[i]);
        if (wanted.at == NULL)
            wanted = name;
        if (name.len > 0 && name.len == wanted.len &&
            memcmp(name.at, wanted.at, name.len) == 0)
            marked = i;
    }
    return marked < n ? marked : last;
}

// ---- fields

static struct sim_field *find_field(struct sim_field *fields, size_t n,
                                    struct sim_span name)
{
    for (size_t i = 0; i < n; i++)
        if (same(name, fields[i].name))
            return &fields[i];
    return NULL;
}

static size_t index_of(const struct sim_field *fields, size_t n,
                       struct sim_span name)
{
    size_t i = 0;
    while (i < n && !same(name, fields[i].name))
        i++;
    return i;
}

static struct sim_field *add_field(struct arena *arena,
                                   struct sim_field *fields, size_t *n,
                                   struct sim_span name)
{
    struct sim_field *known = find_field(fields, *n, name);
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

// Adds one label without quotes and white space around it.
static void add_label(struct arena *arena, struct sim_field *field,
                      struct sim_span label)
{
    label = trim(label);
    while (label.len > 1 && strchr("'\"`", label.at[0]) != NULL &&
           label.at[label.len - 1] == label.at[0]) {
        label.at++;
        label.len -= 2;
    }
    if (label.len == 0 || label.len > 200 || field->n_labels == SIM_LABELS_MAX)
        return;
    for (size_t i = 0; i < field->n_labels; i++)
        if (same(label, field->labels[i]))
            return;
    if (field->labels == NULL)
        field->labels =
            arena_array(arena, SIM_LABELS_MAX, sizeof *field->labels);
    char *copy = arena_strndup(arena, label.at, label.len);
    if (field->labels == NULL || copy == NULL)
        return;
    field->labels[field->n_labels++] = copy;
}

// Splits at `separator` outside of quotes and adds each part.
static void add_labels(struct arena *arena, struct sim_field *field,
                       struct sim_span list, char separator)
{
    char quote = '\0';
    size_t start = 0;
    for (size_t i = 0; i <= list.len; i++) {
        char c = i < list.len ? list.at[i] : separator;
        bool opens =
            (c == '"' || c == '\'' || c == '`') &&
            trim((struct sim_span){list.at + start, i - start}).len == 0;
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

// "one of: a; b; c", "one of a, b or c", "Literal['a', 'b']".
static void read_labels(struct arena *arena, struct sim_field *field,
                        struct sim_span text)
{
    const char *literal = find(text, "Literal[");
    if (literal != NULL) {
        const char *start = literal + strlen("Literal[");
        struct sim_span rest = {start, (size_t)(text.at + text.len - start)};
        const char *end = memchr(rest.at, ']', rest.len);
        rest.len = end == NULL ? rest.len : (size_t)(end - rest.at);
        add_labels(arena, field, rest, ',');
    }
    const char *one_of = find(text, "one of");
    if (one_of == NULL || field->n_labels > 0)
        return;
    const char *start = one_of + strlen("one of");
    struct sim_span rest = {start, (size_t)(text.at + text.len - start)};
    struct sim_span line = {NULL, 0};
    if (rest.len == 0 || !next_line(&rest, &line))
        return;
    while (line.len > 0 && (line.at[0] == ':' || line.at[0] == ' ')) {
        line.at++;
        line.len--;
    }
    const char *stop = memchr(line.at, ')', line.len);
    if (stop == NULL)
        stop = find(line, ". ");
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

// "0 to 1", "at least 0", "at most 5", "greater than or equal to: 0".
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

// What a type's first word says; anything else is text.
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

void sim_prompt_type(struct arena *arena, struct sim_field *field)
{
    const char *null = strstr(field->type, ", or null");
    struct sim_span type = {field->type, null == NULL
                                             ? strlen(field->type)
                                             : (size_t)(null - field->type)};
    struct sim_span desc = {field->desc, strlen(field->desc)};
    read_kind(field);
    if (field->kind == SIM_TEXT) {
        read_labels(arena, field, type);
        if (field->n_labels == 0)
            read_labels(arena, field, desc);
        if (field->n_labels > 0)
            field->kind = SIM_LABEL;
    }
    if (field->kind == SIM_LIST)
        read_labels(arena, field, type);
    if (field->kind == SIM_INT || field->kind == SIM_FLOAT) {
        read_limits(field, field->type);
        read_limits(field, field->desc);
    }
}

// The parenthesis that closes the one at text.at[0]; its index.
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

// "1. `name` (type): description"; bullets and numbers are optional.
static bool read_field_line(struct arena *arena, struct sim_span line,
                            struct sim_field *fields, size_t *n)
{
    line = trim(line);
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
    struct sim_field *field = add_field(arena, fields, n, name);
    struct sim_span rest =
        trim((struct sim_span){end + 1, line.len - name.len - 2});
    if (field == NULL)
        return true;
    if (rest.len > 0 && rest.at[0] == '(') {
        size_t close = closing(rest);
        field->type = arena_strndup(arena, rest.at + 1, close - 1);
        size_t used = close < rest.len ? close + 1 : close;
        rest = trim((struct sim_span){rest.at + used, rest.len - used});
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

// ---- the system message

// Its three parts: the lists, the structure, the instruction.
struct parts {
    struct sim_span lists;
    struct sim_span structure;
    struct sim_span instruction;
};

static bool is_template_line(struct sim_span line)
{
    struct sim_span name;
    struct sim_span rest;
    return read_marker(line, &name, &rest) || same(trim(line), "{");
}

static bool ends_structure(struct sim_span line)
{
    struct sim_span name;
    struct sim_span rest;
    return (read_marker(line, &name, &rest) && same(name, "completed")) ||
           same(line, "}");
}

static struct sim_span between(const char *start, const char *end)
{
    return (struct sim_span){start, (size_t)(end - start)};
}

// What stands behind the template and still speaks of markers is about the form
// of an answer too, and no part of the instruction.
static struct sim_span behind_form(struct sim_span rest)
{
    struct sim_span after = rest;
    struct sim_span line;
    while (next_line(&after, &line)) {
        if (find(line, MARKER_OPEN) != NULL)
            return after;
        if (trim(line).len > 0)
            break;
    }
    return rest;
}

// What stands behind the instruction about the values of fields, "`name` is one
// of: a; b", is no part of it either.
static struct sim_span before_choices(struct sim_span text)
{
    text = trim(text);
    for (;;) {
        size_t start = text.len;
        while (start > 0 && text.at[start - 1] != '\n')
            start--;
        struct sim_span line = {text.at + start, text.len - start};
        if (start == 0 || line.at[0] != '`' ||
            find(line, "` is one of: ") == NULL)
            return text;
        text = trim((struct sim_span){text.at, start});
    }
}

// The structure runs from the first template line to the end marker or the
// closing brace. What an instruction shows after it is no part of it.
static struct parts split_system(struct sim_span text)
{
    struct sim_span rest = text;
    struct sim_span line;
    const char *end = text.at + text.len;
    const char *start = NULL;
    while (next_line(&rest, &line)) {
        if (start == NULL && is_template_line(line))
            start = line.at;
        if (start != NULL && ends_structure(line))
            return (struct parts){between(text.at, start),
                                  between(start, rest.at),
                                  behind_form(between(rest.at, end))};
    }
    // Without a structure, the lists end where they end (read_lists says).
    return (struct parts){text, {end, 0}, {end, 0}};
}

// Reads the lists; returns what stands after the last field. `open` is true
// when nothing but the text itself says where the lists end.
static struct sim_span read_lists(struct sim_prompt *prompt,
                                  struct arena *arena, struct sim_span all,
                                  bool open)
{
    bool outputs = false;
    bool listing = false;
    struct sim_span rest = all;
    struct sim_span line;
    while (next_line(&all, &line)) {
        bool to_inputs = is_heading(line, "input");
        bool to_outputs = is_heading(line, "output");
        if (listing &&
            read_field_line(arena, line,
                            outputs ? prompt->outputs : prompt->inputs,
                            outputs ? &prompt->n_outputs : &prompt->n_inputs))
            rest = all;
        else if ((to_inputs || to_outputs) && prompt->n_outputs == 0) {
            listing = true;
            outputs = to_outputs;
            rest = all;
        } else if (open && prompt->n_outputs > 0 && trim(line).len > 0)
            listing = false;
    }
    return rest;
}

// A remark beside a placeholder may say what the list did not: labels.
static void read_structure(struct sim_prompt *prompt, struct arena *arena,
                           struct sim_span all)
{
    struct sim_field *field = NULL;
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (next_line(&all, &line)) {
        if (read_marker(line, &name, &after))
            field = find_field(prompt->outputs, prompt->n_outputs, name);
        else if (field != NULL && field->kind == SIM_TEXT &&
                 find(line, "# note") != NULL) {
            read_labels(arena, field, line);
            if (field->n_labels > 0)
                field->kind = SIM_LABEL;
        }
    }
}

static bool shows_markers(const struct sim_prompt *prompt,
                          struct sim_span structure)
{
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (next_line(&structure, &line))
        if (read_marker(line, &name, &after) &&
            index_of(prompt->outputs, prompt->n_outputs, name) <
                prompt->n_outputs)
            return true;
    return false;
}

static bool read_system(struct sim_prompt *prompt, struct arena *arena,
                        const struct sim_message *message, struct err *err)
{
    struct sim_span all = {message->content, message->len};
    struct parts parts = split_system(all);
    struct sim_span rest =
        read_lists(prompt, arena, parts.lists, parts.structure.len == 0);
    if (parts.structure.len == 0)
        parts.instruction = rest;
    for (size_t i = 0; i < prompt->n_outputs; i++)
        sim_prompt_type(arena, &prompt->outputs[i]);
    read_structure(prompt, arena, parts.structure);
    if (prompt->n_outputs > 0 && find(all, "JSON") != NULL &&
        !shows_markers(prompt, parts.structure))
        prompt->as_json = true;
    parts.instruction = before_choices(parts.instruction);
    prompt->instruction =
        arena_strndup(arena, parts.instruction.at, parts.instruction.len);
    if (prompt->instruction != NULL)
        return true;
    err_nomem(err, "an instruction");
    return false;
}

// ---- the schema

static enum sim_kind schema_kind(const json_t *schema)
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

static void apply_schema(struct arena *arena, struct sim_field *field,
                         const json_t *schema)
{
    field->schema = schema;
    const json_t *values = json_object_get(schema, "enum");
    field->kind = schema_kind(schema);
    field->n_labels = 0;
    size_t i = 0;
    const json_t *value = NULL;
    json_array_foreach(values, i, value)
    {
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

// The schema has the last word on which outputs there are.
static void read_schema(struct sim_prompt *prompt, struct arena *arena,
                        const json_t *schema)
{
    const json_t *members = json_object_get(schema, "properties");
    if (!json_is_object(members)) {
        prompt->bare = schema_kind(schema) != SIM_OBJECT;
        if (prompt->n_outputs == 0 && prompt->bare)
            add_field(arena, prompt->outputs, &prompt->n_outputs,
                      (struct sim_span){"answer", 6});
        if (prompt->bare && prompt->n_outputs > 0) {
            prompt->n_outputs = 1;
            apply_schema(arena, &prompt->outputs[0], schema);
        }
        return;
    }
    struct sim_field listed[SIM_FIELDS_MAX];
    size_t n_listed = prompt->n_outputs;
    memcpy(listed, prompt->outputs, sizeof listed);
    prompt->n_outputs = 0;
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)members, key, member)
    {
        struct sim_span name = {key, strlen(key)};
        struct sim_field *known = find_field(listed, n_listed, name);
        struct sim_field *field =
            add_field(arena, prompt->outputs, &prompt->n_outputs, name);
        if (field == NULL)
            break;
        if (known != NULL)
            *field = *known;
        apply_schema(arena, field, member);
    }
}

// ---- turns

static const char *copy_span(struct arena *arena, struct sim_span span)
{
    span = trim(span);
    return arena_strndup(arena, span.at, span.len);
}

// Values under marker lines, by field; the text before the first is dropped.
static bool read_sections(struct arena *arena, struct sim_span text,
                          const struct sim_field *fields, size_t n,
                          const char **values)
{
    bool any = false;
    size_t open = n;
    const char *start = text.at;
    struct sim_span rest = text;
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (next_line(&rest, &line)) {
        if (!read_marker(line, &name, &after))
            continue;
        if (open < n && values[open] == NULL)
            values[open] = copy_span(
                arena, (struct sim_span){start, (size_t)(line.at - start)});
        open = index_of(fields, n, name);
        start = after.at;
        any = true;
    }
    const char *end = text.at + text.len;
    if (open < n && values[open] == NULL)
        values[open] =
            copy_span(arena, (struct sim_span){start, (size_t)(end - start)});
    return any;
}

static const char *value_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return arena_strdup(arena, json_string_value(value));
    char *text = json_text(value);
    const char *copy = text == NULL ? NULL : arena_strdup(arena, text);
    free(text);
    return copy;
}

static bool read_object(struct arena *arena, struct sim_span text,
                        const struct sim_field *fields, size_t n,
                        const char **values)
{
    const char *open = memchr(text.at, '{', text.len);
    if (open == NULL)
        return false;
    size_t len = (size_t)(text.at + text.len - open);
    while (len > 0 && open[len - 1] != '}')
        len--;
    json_t *object = json_parse(open, len, JSON_MAX_BYTES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (value != NULL)
            values[i] = value_text(arena, value);
    }
    json_decref(object);
    return true;
}

// The last paragraph of a question that speaks of the answer's form.
static size_t without_reminder(const struct sim_prompt *prompt,
                               const char *content, size_t len)
{
    struct sim_span all = trim((struct sim_span){content, len});
    size_t start = all.len;
    while (start > 1 &&
           !(all.at[start - 1] == '\n' && all.at[start - 2] == '\n'))
        start--;
    if (start <= 1)
        return len;
    struct sim_span last = {all.at + start, all.len - start};
    struct sim_span name;
    struct sim_span rest;
    if (read_marker(last, &name, &rest))
        return len;
    bool form = find(last, MARKER_OPEN) != NULL || find(last, "JSON") != NULL;
    for (size_t i = 0; i < prompt->n_outputs && !form; i++) {
        const char *found = find(last, prompt->outputs[i].name);
        form = found != NULL && found > all.at && found[-1] == '`';
    }
    return form ? (size_t)(all.at + start - content) : len;
}

static const char *join(struct arena *arena, const char *const *values,
                        size_t n)
{
    size_t total = 1;
    for (size_t i = 0; i < n; i++)
        total += values[i] == NULL ? 0 : strlen(values[i]) + 1;
    char *text = arena_alloc(arena, total);
    if (text == NULL)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < n; i++) {
        if (values[i] == NULL)
            continue;
        size_t len = strlen(values[i]);
        memcpy(at, values[i], len);
        at += len;
        *at++ = '\n';
    }
    *at = '\0';
    return text;
}

static bool read_turn(const struct sim_prompt *prompt, struct arena *arena,
                      struct sim_span text, struct sim_turn *turn,
                      struct err *err)
{
    *turn = (struct sim_turn){.joined = NULL};
    if (!read_sections(arena, text, prompt->inputs, prompt->n_inputs,
                       turn->values))
        turn->joined = copy_span(arena, text);
    else
        turn->joined = join(arena, turn->values, prompt->n_inputs);
    if (turn->joined == NULL) {
        err_nomem(err, "a question");
        return false;
    }
    return true;
}

bool sim_prompt_turn(const struct sim_prompt *prompt, struct arena *arena,
                     const struct sim_message *message, struct sim_turn *turn,
                     struct err *err)
{
    size_t len = without_reminder(prompt, message->content, message->len);
    return read_turn(prompt, arena, (struct sim_span){message->content, len},
                     turn, err);
}

bool sim_prompt_wants_json(const struct sim_prompt *prompt,
                           const struct sim_message *message)
{
    struct sim_span all = {message->content, message->len};
    if (prompt->as_json)
        return true;
    return prompt->n_outputs > 0 && find(all, "JSON object") != NULL &&
           find(all, MARKER_OPEN) == NULL;
}

// ---- the prefix

// Without a list of inputs, the markers of the user turns name them.
static void add_marked_fields(struct arena *arena,
                              const struct sim_message *message,
                              struct sim_field *fields, size_t *n)
{
    struct sim_span rest = {message->content, message->len};
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (next_line(&rest, &line))
        if (read_marker(line, &name, &after) && !same(name, "completed"))
            add_field(arena, fields, n, name);
}

static bool read_demo(struct sim_prompt *prompt, struct arena *arena,
                      const struct sim_message *question,
                      const struct sim_message *answer, struct err *err)
{
    if (prompt->n_demos == SIM_DEMOS_MAX)
        return true;
    struct sim_turn turn;
    struct sim_span asked = {question->content, question->len};
    if (!read_turn(prompt, arena, asked, &turn, err))
        return false;
    struct sim_demo *demo = &prompt->demos[prompt->n_demos++];
    *demo = (struct sim_demo){.input = turn.joined};
    struct sim_span text = {answer->content, answer->len};
    if (!read_sections(arena, text, prompt->outputs, prompt->n_outputs,
                       demo->values) &&
        !read_object(arena, text, prompt->outputs, prompt->n_outputs,
                     demo->values) &&
        prompt->n_outputs > 0)
        demo->values[0] = copy_span(arena, text);
    return true;
}

bool sim_prompt_read(struct sim_prompt *prompt, struct arena *arena,
                     const struct sim_message *messages, size_t n,
                     const json_t *schema, bool json, struct err *err)
{
    *prompt = (struct sim_prompt){.instruction = "", .as_json = json};
    for (size_t i = 0; i < n; i++)
        if (strcmp(messages[i].role, "system") == 0 &&
            !read_system(prompt, arena, &messages[i], err))
            return false;
    bool no_inputs = prompt->n_inputs == 0;
    bool no_outputs = prompt->n_outputs == 0;
    for (size_t i = 0; i < n; i++) {
        if (no_inputs && strcmp(messages[i].role, "user") == 0)
            add_marked_fields(arena, &messages[i], prompt->inputs,
                              &prompt->n_inputs);
        if (no_outputs && strcmp(messages[i].role, "assistant") == 0)
            add_marked_fields(arena, &messages[i], prompt->outputs,
                              &prompt->n_outputs);
    }
    if (schema != NULL)
        read_schema(prompt, arena, schema);
    for (size_t i = 0; i + 1 < n; i++)
        if (strcmp(messages[i].role, "user") == 0 &&
            strcmp(messages[i + 1].role, "assistant") == 0 &&
            !read_demo(prompt, arena, &messages[i], &messages[i + 1], err))
            return false;
    return true;
}
