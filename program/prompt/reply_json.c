#include "program/prompt/reply_json.h"

#include <string.h>

#include "common/json.h"
#include "program/prompt/json_mend.h"
#include "program/prompt/reply.h"

enum {
    STARTS_MAX = 16, // places in a text where JSON may begin
    UNWRAP_MAX = 4,
    MEND_MAX = 1 << 18, // longest text in which JSON is mended
};

// Text that is not JSON is not an error; running out of memory is.
static json_t *parse(struct span text, struct err *problem)
{
    struct err why = ERR_CLEAR;
    json_t *value = json_parse(text.at, text.len, REPLY_MAX_JSON, &why);

    if (value == NULL && why.code == ERR_NOMEM)
        err_set(problem, why.code, "%s", why.text);
    return value;
}

json_t *reply_whole_json(struct span text, struct err *problem)
{
    return text.len == 0 ? NULL : parse(text, problem);
}

// Returns the length of the bracketed piece that text begins with, skipping
// strings; 0 if it does not end.
static size_t balanced(struct span text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']') && --depth == 0)
            return i + 1;
    }
    return 0;
}

static json_t *read_strict(struct span text, size_t *used, struct err *problem)
{
    *used = balanced(text);
    return *used == 0 ? NULL : parse(span_to(text, *used), problem);
}

static json_t *read_mended(struct span text, size_t *used, struct err *problem)
{
    return json_mend(text.at, text.len, false, used, problem);
}

typedef json_t *read_fn(struct span text, size_t *used, struct err *problem);

// Keeps a value that fits; returns false if it differs from the one kept
// before.
static bool keep(const struct reply_wanted *wanted, json_t **found,
                 json_t *value, bool *fits)
{
    *fits = value != NULL && wanted->fits(wanted, value);
    bool same = !*fits || *found == NULL || json_equal(*found, value);

    if (*fits && *found == NULL)
        *found = json_incref(value);
    json_decref(value);
    return same;
}

// Returns true if what text begins with is damaged and never ends. Everything
// after it may be part of it, and so is not what was meant.
static bool is_open_end(struct span text, const json_t *value)
{
    return value == NULL && balanced(text) == 0;
}

// Makes at most STARTS_MAX attempts, so that hostile text costs linear time.
// What is inside a value that fits is part of that value.
static json_t *find_wanted(const struct reply_wanted *wanted, struct span text,
                           read_fn *read, bool *doubt, struct err *problem)
{
    json_t *found = NULL;
    bool ended = true;

    for (int i = 0; i < STARTS_MAX && ended && !*doubt; i++) {
        size_t used = 0;
        bool fits = false;
        const char *at =
            text.len == 0 ? NULL : memchr(text.at, wanted->open, text.len);

        if (at == NULL)
            break;
        text = span_from(text, (size_t)(at - text.at));
        json_t *value = read(text, &used, problem);
        ended = !is_open_end(text, value);
        *doubt = !keep(wanted, &found, value, &fits);
        text = span_from(text, fits && used > 0 ? used : 1);
    }
    if (*doubt) {
        json_decref(found);
        found = NULL;
    }
    return found;
}

struct span reply_strip_fence(struct span text)
{
    if (!span_starts(text, "```"))
        return text;
    (void)span_line(&text);
    text = span_trim(text);
    if (span_ends(text, "```"))
        text = span_to(text, text.len - 3);
    return span_trim(text);
}

// Returns what is meant inside {"response": {...}} or [{...}]; borrowed.
static const json_t *unwrap(const struct reply_wanted *wanted,
                            const json_t *value)
{
    for (int i = 0; i < UNWRAP_MAX && value != NULL; i++) {
        if (wanted->fits(wanted, value))
            return value;
        if (json_is_object(value) && json_object_size(value) == 1)
            value = json_object_iter_value(json_object_iter((json_t *)value));
        else
            value =
                json_array_size(value) == 1 ? json_array_get(value, 0) : NULL;
    }
    return NULL;
}

// Returns the mended value if it is the whole text.
static json_t *mend_whole(const struct reply_wanted *wanted, struct span text,
                          struct err *problem)
{
    size_t used = 0;
    json_t *value = json_mend(text.at, text.len, wanted->words, &used, problem);
    struct span rest = value == NULL ? text : span_trim(span_from(text, used));
    const json_t *inner = rest.len == 0 ? unwrap(wanted, value) : NULL;

    json_t *found = json_incref((json_t *)inner);
    json_decref(value);
    return found;
}

json_t *reply_find_json(const struct reply_wanted *wanted, struct span text,
                        unsigned *lenient, struct err *problem)
{
    struct span bare = reply_strip_fence(span_trim(text));
    bool doubt = false;
    json_t *found = find_wanted(wanted, text, read_strict, &doubt, problem);

    if (found != NULL)
        *lenient |= LENIENT_FENCE;
    if (found != NULL || doubt || text.len > MEND_MAX)
        return found;
    found = mend_whole(wanted, bare, problem);
    if (found == NULL)
        found = find_wanted(wanted, text, read_mended, &doubt, problem);
    if (found != NULL)
        *lenient |= LENIENT_MENDED | (bare.len < text.len ? LENIENT_FENCE : 0);
    return found;
}
