#include "program/prompt/reply.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/prompt/reply_value.h"

struct span {
    const char *at;
    size_t len;
};

// What stands for each output: a text, a JSON value, or neither.
struct found {
    struct span text; // at is NULL where there is none
    const json_t *json;
};

struct reading {
    const struct signature *signature;
    enum adapter adapter;
    uint64_t reads;
    struct span reply;
    struct found outputs[PROGRAM_MAX_FIELDS];
    json_t *object;       // owned: what the json pointers point into
    struct err no_memory; // met while looking for the outputs
    unsigned lenient;
};

static const char *const leniency_names[LENIENCY_COUNT] = {
    "fence", "marker", "end", "label", "number", "form", "bare", "unread",
};

const char *reply_leniency_name(enum reply_leniency one)
{
    for (int i = 0; i < LENIENCY_COUNT; i++) {
        if ((unsigned)one == 1u << i)
            return leniency_names[i];
    }
    return "unknown";
}

static struct span trimmed(struct span span)
{
    struct span inner = {0};

    inner.at = text_trim(span.at, span.len, &inner.len);
    return inner;
}

static bool is_read(const struct reading *reading, size_t output)
{
    return (reading->reads >> output & 1) != 0;
}

// ---- names and markers

static char plain_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

// Equal but for case, and for spaces and dashes in place of underscores.
static bool same_name(struct span span, const char *name)
{
    if (strlen(name) != span.len)
        return false;
    for (size_t i = 0; i < span.len; i++) {
        if (plain_char(span.at[i]) != plain_char(name[i]))
            return false;
    }
    return true;
}

enum { FIELD_NONE = -1, FIELD_OTHER = -2, FIELD_END = -3, FIELD_LEAD = -4 };

// The output's index, FIELD_OTHER for an input, FIELD_END, or FIELD_NONE.
static int find_field(const struct signature *signature, struct span name)
{
    for (size_t i = 0; i < signature->n_outputs; i++) {
        if (same_name(name, signature->outputs[i].name))
            return (int)i;
    }
    for (size_t i = 0; i < signature->n_inputs; i++) {
        if (same_name(name, signature->inputs[i].name))
            return FIELD_OTHER;
    }
    return same_name(name, "completed") ? FIELD_END : FIELD_NONE;
}

// A line that names a field, taken apart: OPEN name CLOSE rest.
struct marker {
    int field;
    struct span rest;
    bool strict;
};

// How many of text's first bytes are among set.
static size_t run_of(struct span text, const char *set)
{
    size_t n = 0;

    while (n < text.len && text.at[n] != '\0' &&
           strchr(set, text.at[n]) != NULL)
        n++;
    return n;
}

static size_t count_of(struct span text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == c;
    return n;
}

static struct span behind(struct span text, size_t n)
{
    return (struct span){text.at + n, text.len - n};
}

static size_t name_len(struct span text)
{
    size_t n = 0;

    while (n < text.len && (text.at[n] == '_' || text.at[n] == '-' ||
                            (text.at[n] >= '0' && text.at[n] <= '9') ||
                            (text.at[n] >= 'A' && text.at[n] <= 'Z') ||
                            (text.at[n] >= 'a' && text.at[n] <= 'z')))
        n++;
    return n;
}

static bool brackets(struct span text, char bracket)
{
    return count_of(text, bracket) >= 1 || count_of(text, '#') >= 2;
}

// [[ ## name ## ]], with any spaces, case, emphasis or part of the brackets.
static bool read_marker(const struct signature *signature, struct span line,
                        struct marker *out)
{
    struct span open = {line.at, run_of(line, " \t*`>[#")};
    struct span after = behind(line, open.len);
    struct span name = {after.at, name_len(after)};
    struct span tail = behind(after, name.len);
    struct span close = {tail.at, run_of(tail, " \t*`]#:")};

    if (name.len == 0 || !brackets(open, '[') || !brackets(close, ']'))
        return false;
    out->field = find_field(signature, name);
    out->rest = trimmed(behind(tail, close.len));
    out->strict = open.len == 6 && memcmp(open.at, "[[ ## ", 6) == 0 &&
                  close.len >= 6 && memcmp(close.at, " ## ]]", 6) == 0 &&
                  trimmed(behind(close, 6)).len == 0 && out->rest.len == 0;
    return out->field != FIELD_NONE;
}

// "Name: value", "**Name**: value", "### Name": where no marker is used.
static bool read_label(const struct signature *signature, struct span line,
                       struct marker *out)
{
    struct span open = {line.at, run_of(line, " \t*`>#-\"")};
    struct span after = behind(line, open.len);
    size_t len = 0;

    while (len < after.len && strchr(":*`#\"", after.at[len]) == NULL)
        len++;
    struct span tail = behind(after, len);
    struct span close = {tail.at, run_of(tail, " \t*`#\":")};
    bool heading = count_of(open, '#') > 0 && close.len == tail.len;
    if (count_of(close, ':') == 0 && !heading)
        return false;
    out->field = find_field(signature, trimmed((struct span){after.at, len}));
    out->rest = trimmed(behind(tail, close.len));
    out->strict = false;
    return out->field >= 0;
}

// ---- sections

typedef bool read_line_fn(const struct signature *signature, struct span line,
                          struct marker *out);

struct sections {
    int open; // the section at hand
    const char *start;
    struct span lead; // text before the first marker
    bool any;
    bool ended;
};

// The first section of a field counts.
static void close_section(struct reading *reading, struct sections *sections,
                          const char *end)
{
    struct span text = trimmed(
        (struct span){sections->start, (size_t)(end - sections->start)});

    if (sections->open == FIELD_LEAD)
        sections->lead = text;
    else if (sections->open < 0)
        return;
    else if (reading->outputs[sections->open].text.at != NULL)
        reading->lenient |= LENIENT_MARKER;
    else
        reading->outputs[sections->open].text = text;
}

static void open_section(struct reading *reading, struct sections *sections,
                         const struct marker *marker)
{
    sections->open = marker->field;
    sections->start = marker->rest.at;
    sections->any = sections->any || marker->field >= 0;
    sections->ended = marker->field == FIELD_END;
    if (!marker->strict || marker->field == FIELD_OTHER)
        reading->lenient |= LENIENT_MARKER;
}

static struct span take_line(struct span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    struct span line = *rest;

    if (end != NULL)
        line.len = (size_t)(end - rest->at);
    *rest = behind(*rest, line.len + (end != NULL));
    return line;
}

// Reads up to the end marker; what is behind it is counted, not read.
static void scan_sections(struct reading *reading, read_line_fn *read_line,
                          struct sections *sections)
{
    struct span rest = reading->reply;

    *sections = (struct sections){.open = FIELD_LEAD, .start = rest.at};
    while (rest.len > 0 && !sections->ended) {
        struct span line = take_line(&rest);
        struct marker marker = {0};

        if (!read_line(reading->signature, line, &marker))
            continue;
        close_section(reading, sections, line.at);
        open_section(reading, sections, &marker);
    }
    if (!sections->ended)
        close_section(reading, sections, rest.at);
    if (!sections->ended || trimmed(rest).len > 0)
        reading->lenient |= LENIENT_END;
}

// Text before the first marker is the first output where that has no section.
static void use_lead(struct reading *reading, const struct sections *sections)
{
    if (sections->lead.len == 0)
        return;
    if (reading->outputs[0].text.at == NULL) {
        reading->outputs[0].text = sections->lead;
        reading->lenient |= LENIENT_BARE;
    } else {
        reading->lenient |= LENIENT_MARKER;
    }
}

// ---- the forms of a reply

static bool find_sections(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, read_marker, &sections);
    if (sections.any)
        use_lead(reading, &sections);
    return sections.any;
}

static bool find_labels(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, read_label, &sections);
    return sections.any;
}

static const json_t *find_key(struct reading *reading, const char *name)
{
    const json_t *value = json_object_get(reading->object, name);

    for (void *at = json_object_iter(reading->object);
         value == NULL && at != NULL;
         at = json_object_iter_next(reading->object, at)) {
        const char *key = json_object_iter_key(at);
        if (!same_name((struct span){key, strlen(key)}, name))
            continue;
        value = json_object_iter_value(at);
        reading->lenient |= LENIENT_MARKER;
    }
    return value;
}

static bool find_object(struct reading *reading)
{
    struct span reply = reading->reply;
    bool any = false;

    struct err why = ERR_CLEAR;
    reading->object = json_parse(reply.at, reply.len, REPLY_MAX_JSON, &why);
    if (!json_is_object(reading->object)) {
        json_decref(reading->object);
        reading->object = reply_find_json(reply.at, reply.len, '{', &why);
        reading->lenient |= LENIENT_FENCE;
    }
    if (why.code == ERR_NOMEM)
        reading->no_memory = why;
    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        const char *name = reading->signature->outputs[i].name;
        reading->outputs[i].json = find_key(reading, name);
        any = any || reading->outputs[i].json != NULL;
    }
    return any;
}

// The one output that matters, or -1.
static int only_output(const struct reading *reading)
{
    int only = -1;

    if (reading->signature->n_outputs == 1)
        return 0;
    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        if (is_read(reading, i) && only >= 0)
            return -1;
        if (is_read(reading, i))
            only = (int)i;
    }
    return only;
}

// All of the reply is the value of the only output. An object with other keys
// is no text.
static bool find_bare(struct reading *reading)
{
    int only = only_output(reading);

    if (only < 0)
        return false;
    bool object = reading->adapter == ADAPTER_JSON && reading->object != NULL;
    if (object && reading->signature->outputs[only].type.kind != TYPE_OBJECT)
        return false;
    reading->outputs[only].text = reading->reply;
    reading->lenient |= LENIENT_BARE;
    return true;
}

struct form {
    bool (*find)(struct reading *reading);
    unsigned lenient; // for using it at all
};

enum { FORM_COUNT = 4 };

// In the order in which they are tried.
static const struct form forms[][FORM_COUNT] = {
    [ADAPTER_CHAT] = {{find_sections, 0},
                      {find_object, LENIENT_FORM},
                      {find_labels, 0},
                      {find_bare, 0}},
    [ADAPTER_JSON] = {{find_object, 0},
                      {find_sections, LENIENT_FORM},
                      {find_labels, LENIENT_FORM},
                      {find_bare, 0}},
};

// A form that does not fit leaves no trace but the object.
static void find_outputs(struct reading *reading)
{
    unsigned before = reading->lenient;

    for (size_t i = 0; i < FORM_COUNT; i++) {
        memset(reading->outputs, 0, sizeof reading->outputs);
        reading->lenient = before | forms[reading->adapter][i].lenient;
        if (forms[reading->adapter][i].find(reading))
            return;
    }
    memset(reading->outputs, 0, sizeof reading->outputs);
    reading->lenient = before;
}

// ---- the whole

// A model that thinks aloud does so first, between these tags.
static struct span skip_thinking(struct span reply, unsigned *lenient)
{
    static const char open[] = "<think>";
    static const char close[] = "</think>";
    size_t len = sizeof close - 1;

    reply = trimmed(reply);
    if (reply.len < sizeof open - 1 ||
        memcmp(reply.at, open, sizeof open - 1) != 0)
        return reply;
    for (size_t i = 0; i + len <= reply.len; i++) {
        if (reply.at[i] == '<' && memcmp(reply.at + i, close, len) == 0) {
            *lenient |= LENIENT_FENCE;
            return trimmed(behind(reply, i + len));
        }
    }
    return reply;
}

static json_t *read_output(struct reading *reading, size_t i,
                           struct err *problem)
{
    const struct field *field = &reading->signature->outputs[i];
    const struct found *found = &reading->outputs[i];

    if (found->json != NULL)
        return reply_value_json(field, found->json, &reading->lenient, problem);
    if (found->text.at != NULL)
        return reply_value_text(field, found->text.at, found->text.len,
                                &reading->lenient, problem);
    if (reading->adapter == ADAPTER_JSON)
        err_set(problem, ERR_INPUT, "the key \"%s\" is missing", field->name);
    else
        err_set(problem, ERR_INPUT, "the section [[ ## %s ## ]] is missing",
                field->name);
    return NULL;
}

static bool add_output(struct reading *reading, size_t i, json_t *outputs,
                       struct err *problem)
{
    struct err why = ERR_CLEAR;
    json_t *value = read_output(reading, i, &why);

    if (value == NULL && (is_read(reading, i) || why.code == ERR_NOMEM)) {
        err_set(problem, why.code, "%s", why.text);
        return false;
    }
    if (value == NULL) {
        value = json_null();
        reading->lenient |= LENIENT_UNREAD;
    }
    if (json_object_set_new(outputs, reading->signature->outputs[i].name,
                            value) == 0)
        return true;
    err_nomem(problem, "the outputs of a reply");
    return false;
}

static bool read_outputs(struct reading *reading, json_t *outputs,
                         struct err *problem)
{
    find_outputs(reading);
    bool ok = reading->no_memory.code == ERR_NONE;
    if (!ok)
        err_set(problem, ERR_NOMEM, "%s", reading->no_memory.text);
    for (size_t i = 0; ok && i < reading->signature->n_outputs; i++)
        ok = add_output(reading, i, outputs, problem);
    json_decref(reading->object);
    return ok;
}

bool reply_parse(const struct step *step, enum adapter adapter, uint64_t reads,
                 const char *text, size_t len, json_t **outputs,
                 unsigned *lenient, struct err *problem)
{
    struct reading reading = {
        .signature = &step->signature, .adapter = adapter, .reads = reads};

    if (!text_is_utf8(text, len)) {
        err_set(problem, ERR_INPUT, "the answer is not valid UTF-8 text");
        return false;
    }
    reading.reply = skip_thinking((struct span){text, len}, &reading.lenient);
    if (reading.reply.len == 0) {
        err_set(problem, ERR_INPUT, "the answer is empty");
        return false;
    }
    json_t *object = json_object();
    if (object == NULL) {
        err_nomem(problem, "the outputs of a reply");
        return false;
    }
    if (!read_outputs(&reading, object, problem)) {
        json_decref(object);
        return false;
    }
    *outputs = object;
    *lenient = reading.lenient;
    return true;
}

// A whole object at the beginning, whatever is behind it.
static bool begins_with_object(struct span text)
{
    json_t *object =
        text.len == 0 || text.at[0] != '{'
            ? NULL
            : json_loadb(text.at, text.len, JSON_DISABLE_EOF_CHECK, NULL);
    bool whole = object != NULL;

    json_decref(object);
    return whole;
}

bool reply_is_closed(const struct step *step, enum adapter adapter,
                     const char *text, size_t len)
{
    struct reading reading = {.signature = &step->signature,
                              .adapter = adapter};
    struct sections sections;

    reading.reply = skip_thinking((struct span){text, len}, &reading.lenient);
    if (adapter == ADAPTER_JSON && begins_with_object(reading.reply))
        return true;
    scan_sections(&reading, read_marker, &sections);
    return sections.ended;
}
