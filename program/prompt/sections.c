#include "program/prompt/sections.h"

#include <stdio.h>
#include <string.h>

#include "program/prompt/marker.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_json.h"

enum { MARKS_MAX = 256, WRAPPER_MAX = 48 };

struct sections {
    struct marker markers[MARKS_MAX];
    size_t n;
    bool lines[PROGRAM_MAX_FIELDS]; // outputs whose marker begins a line
    bool line_end;                  // the end marker begins a line
    bool last;                      // an end marker begins or ends a line
    struct span lead;               // text before the first marker
    struct span whole;              // the reply, up to where a wrapper closes
    const char *wrapper;            // the line that opens one, or NULL
    size_t end; // index in markers of the end marker that counts
    bool any;
    bool other; // a section not asked for came after one that was
    bool ended;
};

// The end marker that counts is the first that begins or ends a line, or else
// the last one.
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

// Returns true for words before a marker that ends its line, as in "Assistant:
// [[ ## title ## ]]".
static bool is_led(struct span text, const struct marker *marker)
{
    struct span lead = span_trim(span_to(text, (size_t)(marker->at - text.at)));
    char last = lead.len == 0 ? '\0' : lead.at[lead.len - 1];

    return span_trim(marker->rest).len == 0 &&
           (last == ':' || last == '.' ||
            marker_name_len((struct span){&last, 1}) > 0);
}

// Takes emphasis that surrounds a marker as part of it: **[[ ## title ## ]]**.
static void take_emphasis(struct span text, struct marker *marker)
{
    size_t n = span_run(marker->rest, "*_`");

    if (n == 0 || (size_t)(marker->at - text.at) < n ||
        memcmp(marker->at - n, marker->rest.at, n) != 0)
        return;
    marker->at -= n;
    marker->rest = span_from(marker->rest, n);
}

// Notes exact markers that come after other text on a line. Before the first
// marker that begins a line they are only being talked about, unless one ends
// its line.
static void note_inside(struct reading *reading, struct sections *sections,
                        struct span text)
{
    size_t at = span_find(text, 0, MARKER_OPEN);

    for (; sections->n < MARKS_MAX && at < text.len;
         at = span_find(text, at + 1, MARKER_OPEN)) {
        struct marker marker = {.inside = true};

        if (marker_read_exact(reading->signature, span_from(text, at),
                              &marker) &&
            marker.field != FIELD_OTHER &&
            (sections->n > 0 || is_led(text, &marker))) {
            take_emphasis(text, &marker);
            note_marker(sections, &marker);
        }
    }
}

// ---- what sections are wrapped in

// A line that consists of one of these marks closes what such a line opened.
// For a fence, this is the line without a language name.
static const char *const wrappers[] = {"```", "~~~", "\"\"\"", "---"};

// Returns the line that closes what `line` opens, such as ```yaml or <output>.
static struct span wrapper_close(struct span line, char room[WRAPPER_MAX])
{
    size_t mark =
        line.len == 0 ? 0 : span_run(line, (char[]){line.at[0], '\0'});
    struct span name = span_from(span_to(line, line.len - (line.len > 0)), 1);

    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        if (span_starts(line, wrappers[i]) &&
            marker_name_len(span_from(line, mark)) == line.len - mark)
            return span_to(line, mark);
    }
    if (!span_starts(line, "<") || !span_ends(line, ">") || name.len == 0 ||
        marker_name_len(name) != name.len || name.len + 4 > WRAPPER_MAX)
        return span_to(line, 0);
    (void)snprintf(room, WRAPPER_MAX, "</%.*s>", (int)name.len, name.at);
    return (struct span){room, name.len + 3};
}

// Sections wrapped in a fence or in tags end where the wrapper closes. That is
// the last line that may close it, because a value may contain fences. `before`
// is the line before the first marker. If there is an end marker, the sections
// end there instead.
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
        // A rule may also divide a text, so it closes only as the last line.
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

// Finds the markers up to the end marker; what follows that is not read.
static struct span find_markers(struct reading *reading,
                                marker_read_fn *read_line,
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
        if (read_line == marker_read && !sections->line_end)
            note_inside(reading, sections, line);
    }
    open_wrapper(reading, sections, before);
    return rest;
}

// A marker in the middle of a line counts if its field has none that begins a
// line, and if it comes in the order that was asked for.
static bool counts(const struct sections *sections, size_t i, int open)
{
    const struct marker *marker = &sections->markers[i];

    if (marker->field == FIELD_END)
        return i == sections->end;
    return !marker->inside ||
           (!sections->lines[marker->field] && marker->field > open);
}

static bool is_json(struct reading *reading, struct span text)
{
    json_t *value = reply_whole_json(text, &reading->no_memory);
    bool whole = value != NULL;

    json_decref(value);
    return whole;
}

// Returns the value after a quoted name, which is JSON: "value", 3, [1, 2].
// Removes what ends its line, and its quotes. `at` is NULL if it is not one
// complete value, or has escapes.
static struct span json_value(struct reading *reading, struct span text)
{
    for (int i = 0; i < 2 && !is_json(reading, text); i++) {
        if (span_ends(text, ",") || span_ends(text, "}"))
            text = span_trim(span_to(text, text.len - 1));
    }
    bool quoted = text.len >= 2 && text.at[0] == '"';
    if (!is_json(reading, text) ||
        (quoted && memchr(text.at, '\\', text.len) != NULL))
        return (struct span){NULL, 0};
    return quoted ? span_from(span_to(text, text.len - 1), 1) : text;
}

// Removes the marker with a slash, [[ ## /title ## ]], that some models put
// after a value.
static struct span cut_close(struct reading *reading, int field,
                             struct span text)
{
    const char *name = reading->signature->outputs[field].name;
    size_t len = strlen(name);
    size_t whole = sizeof MARKER_OPEN + len + sizeof MARKER_CLOSE - 1;
    struct span mark =
        span_from(text, text.len - (text.len < whole ? 0 : whole));

    if (mark.len < whole || memcmp(mark.at, MARKER_OPEN, 6) != 0 ||
        mark.at[6] != '/' ||
        !marker_same_name(span_to(span_from(mark, 7), len), name) ||
        !span_ends(mark, MARKER_CLOSE))
        return text;
    reading->lenient |= LENIENT_MARKER;
    return span_trim(span_to(text, text.len - whole));
}

// Returns true for a text in quotes in a fence of YAML, where the quotes and
// what is doubled or escaped within them are not part of it.
static bool is_yaml_string(const struct reading *reading,
                           const struct sections *sections, int field,
                           struct span text)
{
    if (sections->wrapper == NULL ||
        reading->signature->outputs[field].type.kind != TYPE_STR)
        return false;
    struct span rest = span_from(
        sections->whole, (size_t)(sections->wrapper - sections->whole.at));
    struct span line = span_trim(span_line(&rest));
    return (span_same(line, "```yaml") || span_same(line, "```yml")) &&
           (span_starts(text, "'") || span_starts(text, "\""));
}

// If a field has several sections, the one that is not empty is meant. After a
// section that was not asked for, another exchange has begun.
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
    if (is_yaml_string(reading, sections, open->field, text)) {
        found->broken = true;
        return;
    }
    if (open->quoted)
        text = json_value(reading, text);
    if (text.at == NULL) {
        found->broken = true;
        return;
    }
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

// Returns where an end marker that ends the text begins if it is spelt in
// another way, as in "Weather [[completed]]"; NULL if there is none.
static const char *other_end(struct reading *reading, struct span text)
{
    struct marker marker;
    size_t at = text.len;

    while (at > 0 && text.at[at - 1] != '\n' &&
           !span_starts(span_from(text, at), "[["))
        at--;
    while (at > 0 && strchr("*_`", text.at[at - 1]) != NULL)
        at--;
    bool ended =
        marker_read(reading->signature, span_from(text, at), &marker) &&
        marker.field == FIELD_END && span_trim(marker.rest).len == 0;
    return ended ? text.at + at : NULL;
}

// Returns where a text ends if an end marker follows it that is incomplete or
// spelt in another way.
static const char *cut_end(struct reading *reading, const char *start,
                           const char *end)
{
    static const char whole[] = "[[ ## completed ## ]]";
    struct span text = span_trim((struct span){start, (size_t)(end - start)});
    const char *other = other_end(reading, text);

    if (other != NULL) {
        reading->lenient |= LENIENT_MARKER;
        return other;
    }

    for (size_t len = sizeof whole - 1; len >= sizeof MARKER_OPEN - 2; len--) {
        if (text.len < len || memcmp(text.at + text.len - len, whole, len) != 0)
            continue;
        reading->lenient |= LENIENT_MARKER;
        return text.at + text.len - len;
    }
    return end;
}

static void scan_sections(struct reading *reading, marker_read_fn *read_line,
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

// Text before the first marker is reasoning, if that is asked for and has no
// section. Otherwise it is a courtesy, and not a value.
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

// ---- the whole

bool sections_find(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, marker_read, &sections);
    if (sections.any)
        use_lead(reading, &sections);
    else if (sections.ended && sections.n == 1 &&
             span_trim(sections.lead).len > 0)
        reading->reply = span_trim(sections.lead);
    return sections.any;
}

bool sections_find_labels(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, marker_read_label, &sections);
    return sections.any;
}

bool sections_are_ended(struct reading *reading)
{
    struct sections sections;

    scan_sections(reading, marker_read, &sections);
    return sections.ended;
}
