#include "program/prompt/marker.h"

#include <string.h>

static char plain_char(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == ' ' || c == '-' ? '_' : c;
}

bool marker_same_name(struct span span, const char *name)
{
    if (strlen(name) != span.len)
        return false;
    for (size_t i = 0; i < span.len; i++) {
        if (plain_char(span.at[i]) != plain_char(name[i]))
            return false;
    }
    return true;
}

typedef bool same_fn(struct span name, const char *other);

// Returns the output's index, FIELD_OTHER for an input, FIELD_END, or
// FIELD_NONE, which also means that several outputs match.
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

// Prefers an exact match, because two names may differ only in case.
int marker_field(const struct signature *signature, struct span name)
{
    name = span_trim(name);
    int found = find_same(signature, name, span_is);

    return found == FIELD_NONE ? find_same(signature, name, marker_same_name)
                               : found;
}

// Returns the length of emphasis and quotes that were opened before a name and
// close here. Those of the value belong to the value: Name: **value**.
static size_t emphasis_len(struct span open, struct span text)
{
    size_t n = span_run(text, "*_`\"");

    for (size_t i = 0; i < n; i++) {
        if (span_count(span_to(text, n), text.at[i]) >
            span_count(open, text.at[i]))
            return 0;
    }
    return n;
}

// Returns the length of what ends a name: brackets, emphasis and a colon, as in
// **Name**: or in **Name:**.
static size_t close_len(struct span open, struct span tail, const char *set,
                        bool *colon)
{
    size_t n = span_run(tail, set);
    size_t emphasis = emphasis_len(open, span_from(tail, n));

    n += emphasis;
    n += span_run(span_from(tail, n), set);
    *colon = span_char(tail, n) == ':';
    n += *colon;
    return *colon && emphasis == 0 ? n + emphasis_len(open, span_from(tail, n))
                                   : n;
}

size_t marker_name_len(struct span text)
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
    return span_count(text, bracket) >= 1 || span_count(text, '#') >= 2;
}

bool marker_read_exact(const struct signature *signature, struct span text,
                       struct marker *out)
{
    size_t open = sizeof MARKER_OPEN - 1;
    size_t close = sizeof MARKER_CLOSE - 1;

    if (text.len < open || memcmp(text.at, MARKER_OPEN, open) != 0)
        return false;
    struct span name = span_from(text, open);
    name = span_to(name, marker_name_len(name));
    struct span rest = span_from(text, open + name.len);
    if (name.len == 0 || rest.len < close ||
        memcmp(rest.at, MARKER_CLOSE, close) != 0)
        return false;
    out->field = marker_field(signature, name);
    if (out->field == FIELD_NONE)
        out->field = FIELD_OTHER;
    out->rest = span_from(rest, close);
    if (span_char(out->rest, 0) == ':')
        out->rest = span_from(out->rest, 1);
    out->at = text.at;
    return true;
}

bool marker_read(const struct signature *signature, struct span line,
                 struct marker *out)
{
    if (marker_read_exact(signature, line, out)) {
        out->strict = span_trim(out->rest).len == 0;
        return true;
    }
    struct span open = {line.at, span_run(line, " \t*`>[#")};
    struct span after = span_from(line, open.len);
    bool colon = false;

    if (!brackets(open, '[')) // nearly all lines that are not markers
        return false;
    struct span name = {after.at, marker_name_len(after)};
    struct span tail = span_from(after, name.len);
    size_t len = close_len(open, tail, " \t`]#", &colon);

    if (name.len == 0 || !brackets(span_to(tail, len), ']'))
        return false;
    out->field = marker_field(signature, name);
    out->rest = span_from(tail, len);
    out->strict = false;
    out->at = line.at;
    return out->field != FIELD_NONE;
}

// Returns the length of the "1. " or "2) " that a line begins with, or 0.
static size_t numbering(struct span line)
{
    size_t blanks = span_run(line, " \t");
    size_t digits = span_run(span_from(line, blanks), "0123456789");
    struct span tail = span_from(line, blanks + digits);
    bool point = span_char(tail, 0) == '.' || span_char(tail, 0) == ')';

    return digits > 0 && point && span_char(tail, 1) == ' '
               ? blanks + digits + 2
               : 0;
}

bool marker_read_label(const struct signature *signature, struct span line,
                       struct marker *out)
{
    struct span item = span_from(line, numbering(line));
    struct span open = {item.at, span_run(item, " \t*`>#-\"")};
    struct span after = span_from(item, open.len);
    bool colon = false;
    size_t len = 0;

    while (len < after.len && strchr(":*`#\"", after.at[len]) == NULL)
        len++;
    struct span tail = span_from(after, len);
    size_t close = close_len(open, tail, " \t#", &colon);
    bool heading = (span_count(open, '#') > 0 || span_count(open, '*') > 1) &&
                   close == tail.len;
    if (!colon && !heading)
        return false;
    out->field =
        marker_field(signature, span_trim((struct span){after.at, len}));
    out->rest = span_from(tail, close);
    out->quoted = span_count(open, '"') > 0;
    out->strict = false;
    out->at = line.at;
    return out->field >= 0;
}
