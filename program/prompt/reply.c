#include "program/prompt/reply.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "program/prompt/reply_clean.h"
#include "program/prompt/reply_json.h"
#include "program/prompt/reply_value.h"
#include "program/prompt/span.h"

enum { MARKS_MAX = 256, WRAPPER_MAX = 48 };

// What stands for each output: a text, a JSON value, or neither.
struct found {
    struct span text; // at is NULL where there is none
    bool twice;       // and another text stands for it as well
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
    "fence", "marker", "end",    "label",  "number",
    "form",  "bare",   "unread", "mended",
};

const char *reply_leniency_name(enum reply_leniency one)
{
    for (int i = 0; i < LENIENCY_COUNT; i++) {
        if ((unsigned)one == 1u << i)
            return leniency_names[i];
    }
    return "unknown";
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

// Equal apart from case, and from spaces and dashes for underscores.
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

enum { FIELD_NONE = -1, FIELD_OTHER = -2, FIELD_END = -3 };

typedef bool same_fn(struct span name, const char *other);

// The output's index, FIELD_OTHER for an input, FIELD_END, or FIELD_NONE, also
// where several names are the same.
static int find_same(const struct signature *signature, struct span name,
                     same_fn *same)
{
    int found = FIELD_NONE;

    for (size_t i = 0; i < signature->n_outputs; i++) {
        if (!same(name, signature->outputs[i].name))
            continue;
        if (found != FIELD_NONE)
            return FIELD_NONE;
        found = (int)i;
    }
    for (size_t i = 0; found == FIELD_NONE && i < signature->n_inputs; i++) {
        if (same(name, signature->inputs[i].name))
            found = FIELD_OTHER;
    }
    if (found == FIELD_NONE && same(name, "completed"))
        found = FIELD_END;
    return found;
}

// Two names may differ in nothing but their case.
static int find_field(const struct signature *signature, struct span name)
{
    name = span_trim(name);
    int found = find_same(signature, name, span_is);

    return found == FIELD_NONE ? find_same(signature, name, same_name) : found;
}

// A field's name and brackets in the text: [[ ## name ## ]].
struct marker {
    int field;
    struct span rest; // of its line
    bool strict;
    bool inside; // of a line, behind other text
    bool quoted; // "name": what follows is written as in JSON
    const char *at;
};

static const char marker_open[] = "[[ ## ";
static const char marker_close[] = " ## ]]";

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

// Emphasis and quotes that were opened in front of a name and end here. Those
// of a value are its own: Name: **value**.
static size_t emphasis_len(struct span open, struct span text)
{
    size_t n = run_of(text, "*_`\"");

    for (size_t i = 0; i < n; i++) {
        if (count_of(span_to(text, n), text.at[i]) > count_of(open, text.at[i]))
            return 0;
    }
    return n;
}

// What ends a name: brackets, emphasis and a colon, as in **Name**: or in
// **Name:**.
static size_t close_len(struct span open, struct span tail, const char *set,
                        bool *colon)
{
    size_t n = run_of(tail, set);
    size_t emphasis = emphasis_len(open, span_from(tail, n));

    n += emphasis;
    n += run_of(span_from(tail, n), set);
    *colon = span_char(tail, n) == ':';
    n += *colon;
    return *colon && emphasis == 0 ? n + emphasis_len(open, span_from(tail, n))
                                   : n;
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

// The exact form that was asked for, whatever is behind it. A name that is no
// field's is one of another section all the same.
static bool read_exact(const struct signature *signature, struct span text,
                       struct marker *out)
{
    size_t open = sizeof marker_open - 1;
    size_t close = sizeof marker_close - 1;

    if (text.len < open || memcmp(text.at, marker_open, open) != 0)
        return false;
    struct span name = span_from(text, open);
    name = span_to(name, name_len(name));
    struct span rest = span_from(text, open + name.len);
    if (name.len == 0 || rest.len < close ||
        memcmp(rest.at, marker_close, close) != 0)
        return false;
    out->field = find_field(signature, name);
    if (out->field == FIELD_NONE)
        out->field = FIELD_OTHER;
    out->rest = span_from(rest, close);
    if (span_char(out->rest, 0) == ':')
        out->rest = span_from(out->rest, 1);
    out->at = text.at;
    return true;
}

// A line that begins with a marker, with any spaces, case, emphasis or part of
// the brackets.
static bool read_marker(const struct signature *signature, struct span line,
                        struct marker *out)
{
    if (read_exact(signature, line, out)) {
        out->strict = span_trim(out->rest).len == 0;
        return true;
    }
    struct span open = {line.at, run_of(line, " \t*`>[#")};
    struct span after = span_from(line, open.len);
    bool colon = false;

    if (!brackets(open, '[')) // nearly all lines that are no marker
        return false;
    struct span name = {after.at, name_len(after)};
    struct span tail = span_from(after, name.len);
    size_t len = close_len(open, tail, " \t`]#", &colon);

    if (name.len == 0 || !brackets(span_to(tail, len), ']'))
        return false;
    out->field = find_field(signature, name);
    out->rest = span_from(tail, len);
    out->strict = false;
    out->at = line.at;
    return out->field != FIELD_NONE;
}

// The bytes of "1. " or "2) " that a line begins with, or 0.
static size_t numbering(struct span line)
{
    size_t blanks = run_of(line, " \t");
    size_t digits = run_of(span_from(line, blanks), "0123456789");
    struct span tail = span_from(line, blanks + digits);
    bool point = span_char(tail, 0) == '.' || span_char(tail, 0) == ')';

    return digits > 0 && point && span_char(tail, 1) == ' '
               ? blanks + digits + 2
               : 0;
}

// "Name: value", "1. **Name**: value", and "### Name" or "**Name**" on a line
// of its own: where no marker is used.
static bool read_label(const struct signature *signature, struct span line,
                       struct marker *out)
{
    struct span item = span_from(line, numbering(line));
    struct span open = {item.at, run_of(item, " \t*`>#-\"")};
    struct span after = span_from(item, open.len);
    bool colon = false;
    size_t len = 0;

    while (len < after.len && strchr(":*`#\"", after.at[len]) == NULL)
        len++;
    struct span tail = span_from(after, len);
    size_t close = close_len(open, tail, " \t#", &colon);
    bool heading = (count_of(open, '#') > 0 || count_of(open, '*') > 1) &&
                   close == tail.len;
    if (!colon && !heading)
        return false;
    out->field = find_field(signature, span_trim((struct span){after.at, len}));
    out->rest = span_from(tail, close);
    out->quoted = count_of(open, '"') > 0;
    out->strict = false;
    out->at = line.at;
    return out->field >= 0;
}

// ---- sections

typedef bool read_line_fn(const struct signature *signature, struct span line,
                          struct marker *out);

struct sections {
    struct marker markers[MARKS_MAX];
    size_t n;
    bool lines[PROGRAM_MAX_FIELDS]; // outputs that have a line of their own
    bool line_end;                  // and the end marker
    bool last;                      // or an end marker that ends its line
    struct span lead;               // text before the first marker
    struct span whole;              // the reply up to what closes a wrapper
    const char *wrapper;            // the line that opens one, or NULL
    size_t end;                     // among markers: the end marker that counts
    bool any;
    bool other; // one that was not asked for, behind one that was
    bool ended;
};

// Of end markers the first counts that is on a line of its own or ends its
// line, else the last.
static void note_end(struct sections *sections, const struct marker *marker)
{
    bool last = span_trim(marker->rest).len == 0;

    if (!sections->last)
        sections->end = sections->n;
    sections->last = sections->last || last || !marker->inside;
    sections->line_end = sections->line_end || !marker->inside;
}

static void note_marker(struct sections *sections, const struct marker *marker)
{
    if (marker->field >= 0 && !marker->inside)
        sections->lines[marker->field] = true;
    if (marker->field == FIELD_END)
        note_end(sections, marker);
    sections->markers[sections->n++] = *marker;
}

// "Assistant: [[ ## title ## ]]": words in front of a marker that ends its
// line.
static bool is_led(struct span text, const struct marker *marker)
{
    struct span lead = span_trim(span_to(text, (size_t)(marker->at - text.at)));
    char last = lead.len == 0 ? '\0' : lead.at[lead.len - 1];

    return span_trim(marker->rest).len == 0 &&
           (last == ':' || last == '.' ||
            name_len((struct span){&last, 1}) > 0);
}

// Markers of the exact form behind other text of a line. Before the first line
// of a field they are only spoken of, unless one ends its line.
static void note_inside(struct reading *reading, struct sections *sections,
                        struct span text)
{
    size_t at = span_find(text, 0, marker_open);

    for (; sections->n < MARKS_MAX && at < text.len;
         at = span_find(text, at + 1, marker_open)) {
        struct marker marker = {.inside = true};

        if (read_exact(reading->signature, span_from(text, at), &marker) &&
            marker.field != FIELD_OTHER &&
            (sections->n > 0 || is_led(text, &marker)))
            note_marker(sections, &marker);
    }
}

// ---- what sections are wrapped in

// A line that is one of these marks alone closes what it opened, and so does a
// fence's line without the name of a language.
static const char *const wrappers[] = {"```", "~~~", "\"\"\"", "---"};

// What a line opens, such as ```yaml or <output>: the line that closes it.
static struct span wrapper_close(struct span line, char room[WRAPPER_MAX])
{
    size_t mark = line.len == 0 ? 0 : run_of(line, (char[]){line.at[0], '\0'});
    struct span name = span_from(span_to(line, line.len - (line.len > 0)), 1);

    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        if (span_starts(line, wrappers[i]) &&
            name_len(span_from(line, mark)) == line.len - mark)
            return span_to(line, mark);
    }
    if (!span_starts(line, "<") || !span_ends(line, ">") || name.len == 0 ||
        name_len(name) != name.len || name.len + 4 > WRAPPER_MAX)
        return span_to(line, 0);
    (void)snprintf(room, WRAPPER_MAX, "</%.*s>", (int)name.len, name.at);
    return (struct span){room, name.len + 3};
}

// Sections in a fence or in tags end where these do, on the last line that may
// close them: a value may have fences of its own. before is the line in front
// of the first marker. With an end marker they end there.
static void open_wrapper(struct reading *reading, struct sections *sections,
                         struct span before)
{
    char room[WRAPPER_MAX];
    struct span close = wrapper_close(span_trim(before), room);
    const char *end = NULL;

    if (close.len == 0 || sections->n == 0)
        return;
    struct span lines = span_from(
        sections->whole, (size_t)(sections->markers[sections->n - 1].rest.at -
                                  sections->whole.at));
    while (lines.len > 0 && !sections->last) {
        struct span line = span_line(&lines);
        // A rule may part a text as well: it closes only as the last line.
        if (span_equal(span_trim(line), close) &&
            (!span_starts(close, "-") || span_trim(lines).len == 0))
            end = line.at;
    }
    if (end == NULL && !sections->last)
        return;
    reading->lenient |= LENIENT_FENCE;
    sections->wrapper = before.at;
    if (end != NULL)
        sections->whole.len = (size_t)(end - sections->whole.at);
}

// Finds the markers up to the end marker; what is behind it is not read.
static struct span find_markers(struct reading *reading,
                                read_line_fn *read_line,
                                struct sections *sections)
{
    struct span rest = reading->reply;
    struct span before = span_to(rest, 0);
    struct span last = before;

    sections->n = 0;
    sections->whole = rest;
    sections->wrapper = NULL;
    sections->line_end = sections->last = false;
    sections->any = sections->ended = false;
    memset(sections->lines, 0, sizeof sections->lines);
    while (rest.len > 0 && !sections->line_end && sections->n < MARKS_MAX) {
        struct span line = span_line(&rest);
        struct marker marker = {.field = FIELD_NONE};

        if (sections->n == 0 && span_trim(last).len > 0)
            before = last;
        last = line;
        if (read_line(reading->signature, line, &marker)) {
            note_marker(sections, &marker);
            line = marker.rest;
        }
        if (read_line == read_marker && !sections->line_end)
            note_inside(reading, sections, line);
    }
    open_wrapper(reading, sections, before);
    return rest;
}

// A marker amid text stands for itself where its field has no line of its own,
// and comes in the order that was asked for.
static bool counts(const struct sections *sections, size_t i, int open)
{
    const struct marker *marker = &sections->markers[i];

    if (marker->field == FIELD_END)
        return i == sections->end;
    return !marker->inside ||
           (!sections->lines[marker->field] && marker->field > open);
}

// "value", as in JSON, without its quotes.
static struct span strip_quotes(struct span text)
{
    if (span_ends(text, ","))
        text = span_trim(span_to(text, text.len - 1));
    return text.len >= 2 && span_starts(text, "\"") && span_ends(text, "\"")
               ? span_from(span_to(text, text.len - 1), 1)
               : text;
}

// Without the marker with a slash, [[ ## /title ## ]], that some put behind a
// value.
static struct span cut_close(struct reading *reading, int field,
                             struct span text)
{
    const char *name = reading->signature->outputs[field].name;
    size_t len = strlen(name);
    size_t whole = sizeof marker_open + len + sizeof marker_close - 1;
    struct span mark =
        span_from(text, text.len - (text.len < whole ? 0 : whole));

    if (mark.len < whole || memcmp(mark.at, marker_open, 6) != 0 ||
        mark.at[6] != '/' ||
        !same_name(span_to(span_from(mark, 7), len), name) ||
        !span_ends(mark, marker_close))
        return text;
    reading->lenient |= LENIENT_MARKER;
    return span_trim(span_to(text, text.len - whole));
}

// A field that has a section more than once means the one that is not empty.
// Behind a section that was not asked for, another exchange has begun.
static void close_section(struct reading *reading,
                          const struct sections *sections,
                          const struct marker *open, const char *end)
{
    if (open == NULL || open->field < 0)
        return;
    const char *start = open->rest.at;
    struct span text = span_trim((struct span){start, (size_t)(end - start)});
    struct found *found = &reading->outputs[open->field];

    text = cut_close(reading, open->field, text);
    if (open->quoted)
        text = strip_quotes(text);
    if (found->text.at == NULL) {
        found->text = text;
        return;
    }
    reading->lenient |= LENIENT_MARKER;
    if (sections->other)
        return;
    found->twice =
        found->text.len == 0
            ? text.len == 0
            : found->twice || (text.len > 0 && !span_equal(found->text, text));
    if (found->text.len == 0)
        found->text = text;
}

// Where a text ends in front of an end marker that was not written to its end.
static const char *cut_end(struct reading *reading, const char *start,
                           const char *end)
{
    static const char whole[] = "[[ ## completed ## ]]";
    struct span text = span_trim((struct span){start, (size_t)(end - start)});

    for (size_t len = sizeof whole - 1; len >= sizeof marker_open - 2; len--) {
        if (text.len < len || memcmp(text.at + text.len - len, whole, len) != 0)
            continue;
        reading->lenient |= LENIENT_MARKER;
        return text.at + text.len - len;
    }
    return end;
}

static void scan_sections(struct reading *reading, read_line_fn *read_line,
                          struct sections *sections)
{
    struct span tail = find_markers(reading, read_line, sections);
    const char *end = sections->whole.at + sections->whole.len;
    const struct marker *open = NULL;

    sections->lead = sections->whole;
    sections->other = false;
    for (size_t i = 0; i < sections->n && !sections->ended; i++) {
        const struct marker *marker = &sections->markers[i];

        if (!counts(sections, i, open == NULL ? FIELD_NONE : open->field))
            continue;
        if (open == NULL)
            sections->lead.len =
                (size_t)((sections->wrapper != NULL ? sections->wrapper
                                                    : marker->at) -
                         reading->reply.at);
        close_section(reading, sections, open, marker->at);
        open = marker;
        sections->any = sections->any || open->field >= 0;
        sections->other =
            sections->other || (sections->any && open->field == FIELD_OTHER);
        sections->ended = open->field == FIELD_END;
        if (!marker->strict || open->field == FIELD_OTHER)
            reading->lenient |= LENIENT_MARKER;
        if (sections->ended)
            tail = (struct span){open->rest.at, (size_t)(end - open->rest.at)};
    }
    if (!sections->ended)
        end = cut_end(reading, open == NULL ? reading->reply.at : open->rest.at,
                      end);
    close_section(reading, sections, open, end);
    if (!sections->ended || span_trim(tail).len > 0)
        reading->lenient |= LENIENT_END;
}

// Text before the first marker is what a model thought, where that is asked for
// and has no section; else it is a courtesy, and no value.
static void use_lead(struct reading *reading, const struct sections *sections)
{
    struct span lead = span_trim(sections->lead);
    bool thought =
        strcmp(reading->signature->outputs[0].name, "reasoning") == 0 &&
        reading->outputs[0].text.at == NULL;

    if (lead.len == 0)
        return;
    reading->lenient |= thought ? LENIENT_BARE : LENIENT_MARKER;
    if (thought)
        reading->outputs[0].text = lead;
}

// ---- the forms of a reply

// An end marker alone ends a bare answer.
static bool find_sections(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, read_marker, &sections);
    if (sections.any)
        use_lead(reading, &sections);
    else if (sections.ended && sections.n == 1 &&
             span_trim(sections.lead).len > 0)
        reading->reply = span_trim(sections.lead);
    return sections.any;
}

static bool find_labels(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, read_label, &sections);
    return sections.any;
}

// ---- tags

// The names of a tag's two ends.
struct tag {
    char open[WRAPPER_MAX];
    char close[WRAPPER_MAX];
    size_t len; // of open; close has one byte more
};

static bool tag_of(const char *name, struct tag *tag)
{
    size_t len = strlen(name);

    if (len + sizeof "</>" > WRAPPER_MAX)
        return false;
    (void)snprintf(tag->open, sizeof tag->open, "<%s>", name);
    (void)snprintf(tag->close, sizeof tag->close, "</%s>", name);
    tag->len = len + 2;
    return true;
}

// True where nothing stands between at and the beginning of its line, or the
// end of another tag.
static bool begins_part(struct span text, size_t at)
{
    while (at > 0 && (text.at[at - 1] == ' ' || text.at[at - 1] == '\t'))
        at--;
    return at == 0 || text.at[at - 1] == '\n' || text.at[at - 1] == '>';
}

static bool ends_part(struct span rest)
{
    struct span line = span_trim(span_line(&rest));

    return line.len == 0 || line.at[0] == '<';
}

// <title>Weather</title>, on a line of its own or next to another tag. *text
// becomes what is behind it.
static struct span take_tag(const struct tag *tag, struct span *text)
{
    size_t at = span_find(*text, 0, tag->open);
    size_t end = span_find(*text, at, tag->close);
    struct span value = {NULL, 0};

    if (end == text->len)
        return value;
    struct span rest = span_from(*text, end + tag->len + 1);
    if (begins_part(*text, at) && ends_part(rest))
        value = span_trim(
            span_to(span_from(*text, at + tag->len), end - at - tag->len));
    *text = rest;
    return value;
}

static bool find_tags(struct reading *reading)
{
    bool any = false;

    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        struct found *found = &reading->outputs[i];
        struct span rest = reading->reply;
        struct tag tag;

        if (!tag_of(reading->signature->outputs[i].name, &tag))
            continue;
        found->text = take_tag(&tag, &rest);
        found->twice =
            found->text.at != NULL && take_tag(&tag, &rest).at != NULL;
        any = any || found->text.at != NULL;
    }
    return any;
}

// ---- objects

// The value of an output: under its name, or under one that is the same but for
// case and is no other output's.
static const json_t *find_key(const struct signature *signature,
                              const json_t *object, size_t output,
                              unsigned *lenient)
{
    const char *name = signature->outputs[output].name;
    const json_t *value = json_object_get(object, name);
    json_t *all = (json_t *)object; // iterators want one that may be changed

    for (void *at = json_object_iter(all); value == NULL && at != NULL;
         at = json_object_iter_next(all, at)) {
        const char *key = json_object_iter_key(at);
        if (find_field(signature, (struct span){key, strlen(key)}) !=
            (int)output)
            continue;
        value = json_object_iter_value(at);
        *lenient |= LENIENT_MARKER;
    }
    return value;
}

static bool has_output(const struct reply_wanted *wanted, const json_t *value)
{
    const struct signature *signature = wanted->user;
    unsigned ignored = 0;

    for (size_t i = 0; json_is_object(value) && i < signature->n_outputs; i++) {
        if (find_key(signature, value, i, &ignored) != NULL)
            return true;
    }
    return false;
}

// The object that the reply is, or else one that it means. An object without
// any output is kept: it is no text.
static void find_value(struct reading *reading)
{
    const struct reply_wanted wanted = {.open = '{',
                                        .words = true,
                                        .fits = has_output,
                                        .user = reading->signature};
    struct err why = ERR_CLEAR;

    if (reading->object == NULL)
        reading->object = reply_whole_json(reading->reply, &why);
    if (!has_output(&wanted, reading->object)) {
        json_t *meant =
            reply_find_json(&wanted, reading->reply, &reading->lenient, &why);
        if (meant != NULL || !json_is_object(reading->object)) {
            json_decref(reading->object);
            reading->object = meant;
        }
    }
    if (why.code == ERR_NOMEM)
        reading->no_memory = why;
}

static bool find_object(struct reading *reading)
{
    bool any = false;

    find_value(reading);
    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        const json_t *value =
            find_key(reading->signature, reading->object, i, &reading->lenient);
        reading->outputs[i].json = value;
        any = any || value != NULL;
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

// Where the value of a key stands in JSON text, its quote skipped; text.len
// when it is nowhere.
static size_t locate_key(struct span text, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at < text.len; at++) {
        at = span_find(text, at, name);
        if (at == 0 || at == text.len || text.at[at - 1] != '"' ||
            span_char(text, at + len) != '"')
            continue;
        struct span rest = span_trim(span_from(text, at + len + 1));
        if (span_char(rest, 0) != ':')
            continue;
        rest = span_trim(span_from(rest, 1));
        return (size_t)(rest.at - text.at) + (span_char(rest, 0) == '"');
    }
    return text.len;
}

// Several objects that have the output, or one that could not be read.
static bool names_key(const struct reading *reading, int output)
{
    const char *name = reading->signature->outputs[output].name;

    return (span_starts(reading->reply, "{") ||
            span_starts(reading->reply, "```")) &&
           locate_key(reading->reply, name) < reading->reply.len;
}

// All of the reply is the value of the only output. What was meant as an object
// is no text, and a text with markers in it was meant to have parts.
static bool find_bare(struct reading *reading)
{
    int only = only_output(reading);

    if (only < 0 || span_find(reading->reply, 0, "[[ ##") < reading->reply.len)
        return false;
    bool object =
        (reading->adapter == ADAPTER_JSON &&
         (reading->object != NULL || span_starts(reading->reply, "{"))) ||
        names_key(reading, only);
    if (object && reading->signature->outputs[only].type.kind != TYPE_OBJECT)
        return false;
    reading->outputs[only].text = reading->reply;
    reading->lenient |= LENIENT_BARE;
    return true;
}

struct reply_form {
    bool (*find)(struct reading *reading);
    unsigned lenient; // for using it at all
};

enum { FORM_COUNT = 5 };

// In the order in which they are tried.
static const struct reply_form forms[][FORM_COUNT] = {
    [ADAPTER_CHAT] = {{find_sections, 0},
                      {find_object, LENIENT_FORM},
                      {find_tags, LENIENT_FORM},
                      {find_labels, 0},
                      {find_bare, 0}},
    [ADAPTER_JSON] = {{find_object, 0},
                      {find_sections, LENIENT_FORM},
                      {find_tags, LENIENT_FORM},
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

static json_t *read_output(struct reading *reading, size_t i,
                           struct err *problem)
{
    const struct field *field = &reading->signature->outputs[i];
    const struct found *found = &reading->outputs[i];

    if (found->twice) {
        err_set(problem, ERR_INPUT,
                "there is more than one section [[ ## %s ## ]]", field->name);
        return NULL;
    }
    if (found->json != NULL)
        return reply_value_json(field, found->json, &reading->lenient, problem);
    if (found->text.at != NULL)
        return reply_value_text(field, found->text, &reading->lenient, problem);
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
    if (json_object_set_new_nocheck(
            outputs, reading->signature->outputs[i].name, value) == 0)
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

static struct reading begin_reading(const struct reply_asked *asked,
                                    struct span text)
{
    struct reading reading = {.signature = &asked->step->signature,
                              .adapter = asked->adapter,
                              .reads = asked->reads};

    reading.reply = reply_clean(text, &reading.lenient);
    return reading;
}

bool reply_parse(const struct reply_asked *asked, struct span text,
                 json_t **outputs, unsigned *lenient, struct err *problem)
{
    struct reading reading;

    if (!text_is_utf8(text.at, text.len)) {
        err_set(problem, ERR_INPUT, "the answer is not valid UTF-8 text");
        return false;
    }
    reading = begin_reading(asked, text);
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

bool reply_locate(const struct reply_asked *asked, struct span text,
                  size_t output, size_t *at)
{
    struct reading reading = begin_reading(asked, text);

    find_outputs(&reading);
    const struct found *found = &reading.outputs[output];
    *at = text.len;
    if (found->text.at != NULL)
        *at = (size_t)(found->text.at - text.at);
    else if (found->json != NULL)
        *at =
            (size_t)(reading.reply.at - text.at) +
            locate_key(reading.reply, reading.signature->outputs[output].name);
    json_decref(reading.object);
    return *at < text.len;
}

bool reply_is_empty(struct span text)
{
    unsigned ignored = 0;

    return reply_clean(text, &ignored).len == 0;
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

bool reply_is_closed(const struct reply_asked *asked, struct span text)
{
    struct reading reading = begin_reading(asked, text);
    struct sections sections;

    if (asked->adapter == ADAPTER_JSON && begins_with_object(reading.reply))
        return true;
    scan_sections(&reading, read_marker, &sections);
    return sections.ended;
}
