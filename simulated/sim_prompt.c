#include "simulated/sim_prompt.h"

#include <string.h>

#include "simulated/sim_sections.h"
#include "simulated/sim_text.h"

static struct sim_span first_marker(const struct sim_message *message)
{
    struct sim_span rest = {message->content, message->len};
    struct sim_span line;
    struct sim_span name = {NULL, 0};
    struct sim_span after;
    while (sim_span_line(&rest, &line))
        if (sim_span_marker(line, &name, &after))
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

// ---- the system message

// The three parts of a system message: the lists, the structure, the
// instruction.
struct parts {
    struct sim_span lists;
    struct sim_span structure;
    struct sim_span instruction;
};

static bool is_template_line(struct sim_span line)
{
    struct sim_span name;
    struct sim_span rest;
    return sim_span_marker(line, &name, &rest) ||
           sim_span_is(sim_span_trim(line), "{");
}

static bool ends_structure(struct sim_span line)
{
    struct sim_span name;
    struct sim_span rest;
    return (sim_span_marker(line, &name, &rest) &&
            sim_span_is(name, "completed")) ||
           sim_span_is(line, "}");
}

static struct sim_span between(const char *start, const char *end)
{
    return (struct sim_span){start, (size_t)(end - start)};
}

// Skips a line after the template that still mentions markers: it is about the
// form of the answer too, and not part of the instruction.
static struct sim_span after_form(struct sim_span rest)
{
    struct sim_span after = rest;
    struct sim_span line;
    while (sim_span_line(&after, &line)) {
        if (sim_span_find(line, SIM_MARKER_OPEN) != NULL)
            return after;
        if (sim_span_trim(line).len > 0)
            break;
    }
    return rest;
}

// Drops lines at the end of the instruction that list the values of fields,
// "`name` is one of: a; b": they are not part of it either.
static struct sim_span without_choices(struct sim_span text)
{
    text = sim_span_trim(text);
    for (;;) {
        size_t start = text.len;
        while (start > 0 && text.at[start - 1] != '\n')
            start--;
        struct sim_span line = {text.at + start, text.len - start};
        if (start == 0 || line.at[0] != '`' ||
            sim_span_find(line, "` is one of: ") == NULL)
            return text;
        text = sim_span_trim((struct sim_span){text.at, start});
    }
}

// The structure runs from the first template line to the end marker or the
// closing brace. A structure that the instruction shows later is not part of
// it.
static struct parts split_system(struct sim_span text)
{
    struct sim_span rest = text;
    struct sim_span line;
    const char *end = text.at + text.len;
    const char *start = NULL;
    while (sim_span_line(&rest, &line)) {
        if (start == NULL && is_template_line(line))
            start = line.at;
        if (start != NULL && ends_structure(line))
            return (struct parts){between(text.at, start),
                                  between(start, rest.at),
                                  after_form(between(rest.at, end))};
    }
    // If there is no structure, read_lists determines where the lists end.
    return (struct parts){text, {end, 0}, {end, 0}};
}

// Returns true for "Input fields:", "Your output fields are:" and the like.
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

// Returns true for a line that says only "Your input fields are:" or the like:
// an instruction may mention fields too.
static bool is_bare_heading(struct sim_span line)
{
    const char *at = line.at;
    struct sim_word word;
    size_t n = 0;
    line = sim_span_trim(line);
    while (sim_word_next(&at, line.at + line.len, &word))
        n++;
    return n <= 4 && line.len > 0 && line.at[line.len - 1] == ':' &&
           (is_heading(line, "input") || is_heading(line, "output"));
}

// Returns what comes before the first list: an instruction may come first.
static struct sim_span before_lists(struct sim_span text)
{
    struct sim_span rest = text;
    struct sim_span line;
    while (sim_span_line(&rest, &line)) {
        if (is_bare_heading(line))
            return sim_span_trim(between(text.at, line.at));
    }
    return (struct sim_span){text.at, 0};
}

// Reads the lists and returns what follows the last field. `open` is true if
// only the text itself shows where the lists end.
static struct sim_span read_lists(struct sim_prompt *prompt,
                                  struct arena *arena, struct sim_span all,
                                  bool open)
{
    bool outputs = false;
    bool listing = false;
    struct sim_span rest = all;
    struct sim_span line;
    while (sim_span_line(&all, &line)) {
        bool to_inputs = is_heading(line, "input");
        bool to_outputs = is_heading(line, "output");
        if (listing &&
            sim_field_line(arena, line,
                           outputs ? prompt->outputs : prompt->inputs,
                           outputs ? &prompt->n_outputs : &prompt->n_inputs))
            rest = all;
        else if ((to_inputs || to_outputs) && prompt->n_outputs == 0) {
            listing = true;
            outputs = to_outputs;
            rest = all;
        } else if (open && prompt->n_outputs > 0 && sim_span_trim(line).len > 0)
            listing = false;
    }
    return rest;
}

// Reads labels from remarks next to the placeholders, in case the list did not
// name them.
static void read_structure(struct sim_prompt *prompt, struct arena *arena,
                           struct sim_span all)
{
    struct sim_field *field = NULL;
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (sim_span_line(&all, &line)) {
        if (sim_span_marker(line, &name, &after))
            field = sim_field_find(prompt->outputs, prompt->n_outputs, name);
        else if (field != NULL && field->kind == SIM_TEXT &&
                 sim_span_find(line, "# note") != NULL) {
            sim_field_labels(arena, field, line);
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
    while (sim_span_line(&structure, &line))
        if (sim_span_marker(line, &name, &after) &&
            sim_field_index(prompt->outputs, prompt->n_outputs, name) <
                prompt->n_outputs)
            return true;
    return false;
}

static bool read_system(struct sim_prompt *prompt, struct arena *arena,
                        const struct sim_message *message, struct err *err)
{
    struct sim_span all = {message->content, message->len};
    struct sim_span first = before_lists(all);
    struct parts parts =
        split_system(between(first.at + first.len, all.at + all.len));
    struct sim_span rest =
        read_lists(prompt, arena, parts.lists, parts.structure.len == 0);
    if (parts.structure.len == 0)
        parts.instruction = rest;
    for (size_t i = 0; i < prompt->n_outputs; i++)
        sim_field_type(arena, &prompt->outputs[i]);
    read_structure(prompt, arena, parts.structure);
    if (prompt->n_outputs > 0 && sim_span_find(all, "JSON") != NULL &&
        !shows_markers(prompt, parts.structure))
        prompt->as_json = true;
    parts.instruction = without_choices(parts.instruction);
    if (parts.instruction.len == 0)
        parts.instruction = first;
    prompt->instruction =
        arena_strndup(arena, parts.instruction.at, parts.instruction.len);
    if (prompt->instruction != NULL)
        return true;
    err_nomem(err, "an instruction");
    return false;
}

// ---- the schema

// The schema has the last word on which outputs exist.
static void read_schema(struct sim_prompt *prompt, struct arena *arena,
                        const json_t *schema)
{
    const json_t *members = json_object_get(schema, "properties");
    if (!json_is_object(members)) {
        prompt->bare = sim_field_schema_kind(schema) != SIM_OBJECT;
        if (prompt->n_outputs == 0 && prompt->bare)
            sim_field_add(arena, prompt->outputs, &prompt->n_outputs,
                          (struct sim_span){"answer", 6});
        if (prompt->bare && prompt->n_outputs > 0) {
            prompt->n_outputs = 1;
            sim_field_schema(arena, &prompt->outputs[0], schema);
        }
        return;
    }
    struct sim_field listed[SIM_FIELDS_MAX];
    size_t n_listed = prompt->n_outputs;
    memcpy(listed, prompt->outputs, sizeof listed);
    prompt->n_outputs = 0;
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)members, key, member) {
        struct sim_span name = {key, strlen(key)};
        struct sim_field *known = sim_field_find(listed, n_listed, name);
        struct sim_field *field =
            sim_field_add(arena, prompt->outputs, &prompt->n_outputs, name);
        if (field == NULL)
            break;
        if (known != NULL)
            *field = *known;
        sim_field_schema(arena, field, member);
    }
}

// ---- turns

// Returns the length of a question without its last paragraph, if that
// describes the form of the answer.
static size_t without_reminder(const struct sim_prompt *prompt,
                               const char *content, size_t len)
{
    struct sim_span all = sim_span_trim((struct sim_span){content, len});
    size_t start = all.len;
    while (start > 1 &&
           !(all.at[start - 1] == '\n' && all.at[start - 2] == '\n'))
        start--;
    if (start <= 1)
        return len;
    struct sim_span last = {all.at + start, all.len - start};
    struct sim_span name;
    struct sim_span rest;
    if (sim_span_marker(last, &name, &rest))
        return len;
    bool form = sim_span_find(last, SIM_MARKER_OPEN) != NULL ||
                sim_span_find(last, "JSON") != NULL;
    for (size_t i = 0; i < prompt->n_outputs && !form; i++) {
        const char *found = sim_span_find(last, prompt->outputs[i].name);
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
    if (!sim_sections_read(arena, text, prompt->inputs, prompt->n_inputs,
                           turn->values))
        turn->joined = sim_span_copy(arena, text);
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
    return prompt->n_outputs > 0 && sim_span_find(all, "JSON object") != NULL &&
           sim_span_find(all, SIM_MARKER_OPEN) == NULL;
}

// ---- the prefix

// If there is no list of inputs, the markers in the user turns name them.
static void add_marked_fields(struct arena *arena,
                              const struct sim_message *message,
                              struct sim_field *fields, size_t *n)
{
    struct sim_span rest = {message->content, message->len};
    struct sim_span line;
    struct sim_span name;
    struct sim_span after;
    while (sim_span_line(&rest, &line))
        if (sim_span_marker(line, &name, &after) &&
            !sim_span_is(name, "completed"))
            sim_field_add(arena, fields, n, name);
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
    if (!sim_sections_read(arena, text, prompt->outputs, prompt->n_outputs,
                           demo->values) &&
        !sim_sections_object(arena, text, prompt->outputs, prompt->n_outputs,
                             demo->values) &&
        prompt->n_outputs > 0)
        demo->values[0] = sim_span_copy(arena, text);
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
