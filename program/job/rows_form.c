#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/job/rows_state.h"

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t n = strlen(ending);

    return len >= n && fold_same(name + len - n, ending);
}

bool rows_name_ends(const char *name, const char *const *endings)
{
    for (; *endings != NULL; endings++)
        if (ends_with(name, *endings))
            return true;
    return false;
}

// Returns true if the key of a member, or something inside it, is wanted.
static bool is_wanted(const struct rows *rows, const char *text,
                      const struct scan_span *key)
{
    for (size_t i = 0; i < rows->input.n_wanted; i++) {
        const char *wanted = rows->input.wanted[i];
        const char *dot = strchr(wanted, '.');
        char root[256];
        if (scan_key_is(text, key, wanted))
            return true;
        if (dot == NULL || (size_t)(dot - wanted) >= sizeof root)
            continue;
        memcpy(root, wanted, (size_t)(dot - wanted));
        root[dot - wanted] = '\0';
        if (scan_key_is(text, key, root))
            return true;
    }
    return false;
}

// Returns true if the object at `at` has a wanted member.
static bool has_wanted(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);)
        if (is_wanted(rows, rows->text.data, &member.key))
            return true;
    return false;
}

// Returns the offset of the first object of a list of objects; 0 if it is not
// such a list.
static size_t first_object(const struct rows *rows,
                           const struct scan_span *value)
{
    if (rows->text.data[value->at] != '[')
        return 0;
    size_t at = scan_space(rows->text.data, rows->text.len, value->at + 1);
    return at < rows->text.len && rows->text.data[at] == '{' ? at : 0;
}

// Returns true for an object of columns, which pandas writes by default.
static bool is_by_columns(const struct rows *rows, size_t at)
{
    struct scan_member member;
    struct scan_member cell;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);) {
        size_t inside = member.value.at + 1;
        if (rows->text.data[member.value.at] == '{' &&
            scan_member(rows->text.data, rows->text.len, &inside, &cell) &&
            scan_key_is(rows->text.data, &cell.key, "0") &&
            is_wanted(rows, rows->text.data, &member.key))
            return true;
    }
    return false;
}

// Returns true for the same by rows: an object of objects that each have a
// wanted key.
static bool is_by_index(const struct rows *rows, size_t at)
{
    struct scan_member member;
    size_t n = 0;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member); n++)
        if (rows->text.data[member.value.at] != '{' ||
            !has_wanted(rows, member.value.at))
            return false;
    return n > 1;
}

static bool refuse_index(struct err *err)
{
    err_set(err, ERR_INPUT,
            "each row is under a key of its own: write one object per row (`jq "
            "-c '.[]' OLD > NEW.jsonl`), in pandas with to_json(NAME, "
            "orient='records', lines=True)");
    return false;
}

static bool refuse_columns(struct err *err)
{
    err_set(err, ERR_INPUT,
            "this is a table stored by columns: write one object per row, in "
            "pandas with to_json(NAME, orient='records', lines=True)");
    return false;
}

// Returns true for {"columns": [...], "index": [...], "data": [[...], ...]},
// another form that pandas writes.
static bool is_split(const struct rows *rows, size_t at)
{
    struct scan_member member;
    int n = 0;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);)
        n += rows->text.data[member.value.at] == '[' &&
             (scan_key_is(rows->text.data, &member.key, "columns") ||
              scan_key_is(rows->text.data, &member.key, "data"));
    return n == 2;
}

// Returns true if the object at `at` contains a list of objects.
static bool has_list(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);)
        if (first_object(rows, &member.value) > 0)
            return true;
    return false;
}

// Returns true if one of its members contains one: {"data": {"train":
// [{...}]}}.
static bool has_deep_list(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);)
        if (rows->text.data[member.value.at] == '{' &&
            has_list(rows, member.value.at))
            return true;
    return false;
}

static bool refuse_deep(struct err *err)
{
    err_set(err, ERR_INPUT,
            "the rows are two objects deep: write them to a separate file (`jq "
            "-c '.NAME.NAME[]' OLD > NEW.jsonl`)");
    return false;
}

// Finds the rows in a list of objects inside the object at `at`: the list whose
// objects have a wanted key, or else the only one.
static bool open_wrapper(struct rows *rows, size_t at, struct err *err)
{
    const size_t start = at;
    struct scan_member member;
    size_t found = 0;
    size_t n = 0;
    bool good = false;

    for (at++; scan_member(rows->text.data, rows->text.len, &at, &member);) {
        size_t first = first_object(rows, &member.value);
        bool better = first > 0 && has_wanted(rows, first);
        if (first == 0 || (good && !better))
            continue;
        n = better && !good ? 1 : n + 1;
        good = good || better;
        found = member.value.at + 1;
    }
    if (n > 1) {
        err_set(
            err, ERR_INPUT,
            "this contains several lists of rows: write the one you mean to "
            "a separate file (`jq -c '.NAME[]' OLD > NEW.jsonl`)");
        return false;
    }
    rows->form = FORM_VALUES;
    if (n == 0)
        return is_split(rows, start)        ? refuse_columns(err)
               : is_by_index(rows, start)   ? refuse_index(err)
               : has_deep_list(rows, start) ? refuse_deep(err)
                                            : true; // the object is a row
    rows->at = found;
    rows->closing = ']';
    return true;
}

// Returns true if there is nothing after the object at `at`.
static bool is_alone(const struct rows *rows, size_t at)
{
    const char *text = rows->text.data;
    size_t end = 0;

    return rows->text.ended && scan_value(text, rows->text.len, at, &end) &&
           scan_space(text, rows->text.len, end) == rows->text.len;
}

// Returns true if the object at `at` is a row, however it looks: its reader
// wants no keys in particular, and other rows follow.
static bool is_one_of_many(const struct rows *rows, size_t at)
{
    return rows->input.n_wanted == 0 && !is_alone(rows, at);
}

// Returns true if a line ends where JSON must continue.
static bool continues(const struct rows *rows, size_t at, size_t line_len)
{
    size_t len = 0;
    const char *line = text_trim(rows->text.data + at, line_len, &len);

    return len > 0 && strchr("[{,:", line[len - 1]) != NULL;
}

// Handles an object at `at` that continues after its first line. It is either a
// broken line, if the next one begins with a bracket, or a row or a wrapper
// over several lines.
static bool choose_long_object(struct rows *rows, size_t at, size_t line_len,
                               struct err *err)
{
    size_t next = scan_space(rows->text.data, rows->text.len, at + line_len);

    while (!rows->text.ended && next == rows->text.len) {
        if (!rows_text_line(&rows->text, err))
            return false;
        next = scan_space(rows->text.data, rows->text.len, at + line_len);
    }
    if (next == rows->text.len ||
        (rows->text.data[next] == '{' && !continues(rows, at, line_len)))
        return true;
    if (!rows_text_whole(&rows->text, err))
        return false;
    size_t end = 0;
    if (rows->text.data[next] == '{' &&
        !scan_value(rows->text.data, rows->text.len, at, &end))
        return true; // it never ends: the first line is a broken row
    rows->form = FORM_VALUES;
    if (!has_wanted(rows, at))
        return is_one_of_many(rows, at) || open_wrapper(rows, at, err);
    return !is_by_columns(rows, at) || refuse_columns(err);
}

// Chooses the form for a file that begins with an object. A first line that is
// a whole object is a row, unless it has no wanted key but contains a list of
// objects.
static bool choose_object(struct rows *rows, size_t at, struct err *err)
{
    const char *line = rows->text.data + at;
    const char *line_end = memchr(line, '\n', rows->text.len - at);
    size_t len =
        line_end == NULL ? rows->text.len - at : (size_t)(line_end - line);
    size_t end = 0;

    rows->form = FORM_LINES;
    if (!scan_value(line, len, 0, &end))
        return choose_long_object(rows, at, len, err);
    if (has_wanted(rows, at))
        return !is_by_columns(rows, at) || refuse_columns(err);
    if (is_one_of_many(rows, at))
        return true;
    if (is_split(rows, at))
        return refuse_columns(err);
    if (is_by_index(rows, at))
        return refuse_index(err);
    if (has_list(rows, at))
        return rows_text_whole(&rows->text, err) && open_wrapper(rows, at, err);
    return !has_deep_list(rows, at) || refuse_deep(err);
}

bool rows_choose_form(struct rows *rows, struct err *err)
{
    static const char *const json[] = {".json", ".jsonl", ".ndjson", NULL};
    static const char *const others[] = {".yaml", ".yml", ".toml", NULL};
    size_t at = scan_space(rows->text.data, rows->text.len, rows->at);

    if (at == rows->text.len) {
        rows->form = FORM_LINES; // there are no rows, only empty lines
        rows->at = at;
        return true;
    }
    if (rows->text.data[at] == '{')
        return choose_object(rows, at, err);
    if (rows->text.data[at] == '[') {
        rows->form = FORM_VALUES;
        rows->closing = ']';
        rows->alone = true;
        if (!rows_text_whole(&rows->text, err))
            return false;
        rows->at = at + 1;
        return true;
    }
    if (rows_name_ends(rows->input.name, others)) {
        err_set(err, ERR_INPUT,
                "rows are read from JSON lines, JSON or a table, not from YAML "
                "or TOML: write one JSON object per line");
        return false;
    }
    rows->form =
        rows_name_ends(rows->input.name, json) ? FORM_LINES : FORM_TABLE;
    return rows->form == FORM_LINES ||
           rows_text_fill(&rows->text, ROWS_WINDOW_BYTES, err);
}
