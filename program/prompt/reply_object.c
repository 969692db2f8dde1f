#include "program/prompt/reply_object.h"

#include <string.h>

#include "common/buf.h"
#include "program/prompt/marker.h"
#include "program/prompt/reply.h"
#include "program/prompt/reply_json.h"

enum { CALL_DEPTH = 4 };

// Returns the value of an output: under its name, or under one that differs
// only in case and gaps and is not another output's. If two such keys have
// different values, either could be meant, and *twice is set.
static const json_t *find_key(const struct signature *signature,
                              const json_t *object, size_t output,
                              unsigned *lenient, bool *twice)
{
    const char *name = signature->outputs[output].name;
    const json_t *value = json_object_get(object, name);
    json_t *all = (json_t *)object; // iterators need it non-const

    for (void *at = json_object_iter(all); at != NULL;
         at = json_object_iter_next(all, at)) {
        const char *key = json_object_iter_key(at);
        const json_t *other = json_object_iter_value(at);
        if (marker_field(signature, (struct span){key, strlen(key)}) !=
            (int)output)
            continue;
        *twice = *twice || (value != NULL && !json_equal(value, other));
        if (strcmp(key, name) != 0)
            *lenient |= LENIENT_MARKER;
        value = value == NULL ? other : value;
    }
    return value;
}

static bool has_output(const struct reply_wanted *wanted, const json_t *value)
{
    const struct signature *signature = wanted->user;
    unsigned ignored = 0;
    bool twice = false;

    for (size_t i = 0; json_is_object(value) && i < signature->n_outputs; i++) {
        if (find_key(signature, value, i, &ignored, &twice) != NULL)
            return true;
    }
    return false;
}

// Opens "{\"title\": ...}", an object that was encoded as JSON twice.
static void open_string(struct reading *reading, struct err *why)
{
    struct span text = {json_string_value(reading->object),
                        json_string_length(reading->object)};
    json_t *inner = reply_whole_json(text, why);

    if (!json_is_object(inner)) {
        json_decref(inner);
        return;
    }
    json_decref(reading->object);
    reading->object = inner;
    reading->lenient |= LENIENT_FORM;
}

// Parses text as JSON with `open` before it and `close` after it; NULL if it is
// not JSON even so.
static json_t *parse_between(const char *open, struct span text,
                             const char *close, struct err *why)
{
    struct buf whole = BUF_INIT(REPLY_MAX_JSON);
    json_t *value = NULL;

    buf_puts(&whole, open);
    buf_append(&whole, text.at, text.len);
    buf_puts(&whole, close);
    if (buf_ok(&whole, "a reply", why))
        value = reply_whole_json((struct span){whole.data, whole.len}, why);
    buf_release(&whole);
    return value;
}

// Parses {\"title\": \"x\"}, which is an object as it appears inside a string,
// and "title": "x" on one line without the braces around it.
static void add_frame(struct reading *reading, struct err *why)
{
    struct span bare = reply_strip_fence(reading->reply);

    if (span_starts(bare, "{\\\""))
        reading->object = parse_between("\"", bare, "\"", why);
    else if (span_starts(bare, "\"") && !span_ends(bare, "}") &&
             span_find(bare, 0, "\n") == bare.len)
        reading->object = parse_between("{", bare, "}", why);
    if (reading->object != NULL)
        reading->lenient |= LENIENT_MENDED;
}

// Finds the arguments of a function call, which are JSON in a string: {"name":
// "answer", "arguments": "{\"title\": ...}"}. Returns a new reference to the
// first object of that kind that has an output; *n counts them.
static json_t *find_arguments(const struct reply_wanted *wanted,
                              const json_t *value, int depth, int *n,
                              struct err *why)
{
    struct span text = {json_string_value(value), json_string_length(value)};
    json_t *found = NULL;
    const char *key;
    json_t *member;

    if (json_is_string(value) && span_starts(text, "{"))
        found = reply_whole_json(text, why);
    if (found != NULL && !has_output(wanted, found)) {
        json_decref(found);
        found = NULL;
    }
    *n += found != NULL;
    json_object_foreach((json_t *)(depth > 0 ? value : NULL), key, member) {
        json_t *inner = find_arguments(wanted, member, depth - 1, n, why);
        json_decref(found == NULL ? NULL : inner);
        found = found == NULL ? inner : found;
    }
    return found;
}

static void open_call(struct reading *reading,
                      const struct reply_wanted *wanted, struct err *why)
{
    int n = 0;
    json_t *found =
        find_arguments(wanted, reading->object, CALL_DEPTH, &n, why);

    if (n == 1) {
        json_decref(reading->object);
        reading->object = json_incref(found);
        reading->lenient |= LENIENT_FORM;
    }
    json_decref(found);
}

// Finds the object that the reply is, or else one that it means. An object
// without any output is kept as well, because the reply is then not a text.
static void find_value(struct reading *reading)
{
    const struct reply_wanted wanted = {.open = '{',
                                        .words = true,
                                        .fits = has_output,
                                        .user = reading->signature};
    struct err why = ERR_CLEAR;

    if (reading->object == NULL)
        reading->object = reply_whole_json(reading->reply, &why);
    if (reading->object == NULL)
        add_frame(reading, &why);
    if (json_is_string(reading->object))
        open_string(reading, &why);
    if (json_is_object(reading->object) &&
        !has_output(&wanted, reading->object))
        open_call(reading, &wanted, &why);
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

bool reply_object_find(struct reading *reading)
{
    bool any = false;

    find_value(reading);
    for (size_t i = 0; i < reading->signature->n_outputs; i++) {
        const json_t *value =
            find_key(reading->signature, reading->object, i, &reading->lenient,
                     &reading->outputs[i].twice);
        reading->outputs[i].json = value;
        any = any || value != NULL;
    }
    return any;
}

size_t reply_object_locate(struct span text, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at < text.len; at++) {
        at = span_find(text, at, name);
        char quote = at == 0 ? '\0' : text.at[at - 1];

        if (at == text.len || (quote != '"' && quote != '\'') ||
            span_char(text, at + len) != quote)
            continue;
        struct span rest = span_trim(span_from(text, at + len + 1));
        if (span_char(rest, 0) != ':')
            continue;
        rest = span_trim(span_from(rest, 1));
        return (size_t)(rest.at - text.at) + (span_char(rest, 0) == quote);
    }
    return text.len;
}

bool reply_object_begins(struct span text)
{
    json_t *object =
        text.len == 0 || text.at[0] != '{'
            ? NULL
            : json_loadb(text.at, text.len, JSON_DISABLE_EOF_CHECK, NULL);
    bool whole = object != NULL;

    json_decref(object);
    return whole;
}
