#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "program/job/rows_state.h"

static enum rows_step bad_row(struct err *err, const char *text)
{
    err_set(err, ERR_INPUT, "%s", text);
    return ROWS_BAD;
}

// Returns the offset of jansson's line and column in the row.
static size_t offset_of(const struct rows *rows, const json_error_t *where)
{
    size_t at = 0;

    for (int line = 1; line < where->line; line++) {
        const char *end = memchr(rows->row + at, '\n', rows->row_len - at);
        if (end == NULL)
            break;
        at = (size_t)(end - rows->row) + 1;
    }
    size_t column = where->column > 0 ? (size_t)where->column - 1 : 0;
    for (; column > 0 && at < rows->row_len; column--) {
        at++;
        while (at < rows->row_len &&
               ((unsigned char)rows->row[at] & 0xc0) == 0x80)
            at++;
    }
    return at < rows->row_len || rows->row_len == 0 ? at : rows->row_len - 1;
}

// Parses the row again, with what JSON cannot express (NaN, ...) replaced.
// Returns NULL if it contains nothing of the kind.
static json_t *parse_mended(struct rows *rows, json_error_t *where,
                            struct err *err)
{
    struct buf mended = BUF_INIT(2 * (size_t)ROWS_MAX_ROW_BYTES);
    json_t *value = NULL;

    if (!scan_mend(rows->row, rows->row_len, &mended, &rows->odds))
        rows->odds.n = 0;
    if (mended.no_memory)
        err_nomem(err, "a row");
    else if (rows->odds.n > 0 && !mended.failed)
        value = json_parse_at(mended.data, mended.len,
                              2 * (size_t)ROWS_MAX_ROW_BYTES, where, err);
    buf_release(&mended);
    return value;
}

// Returns true for a first line of words and separators without any bracket.
static bool is_head_line(const struct rows *rows)
{
    bool parted = false;

    if (rows->row_line != 1 || rows->form != FORM_LINES)
        return false;
    for (size_t i = 0; i < rows->row_len; i++) {
        if (strchr("{}[]:", rows->row[i]) != NULL)
            return false;
        parted = parted || strchr(",;\t|", rows->row[i]) != NULL;
    }
    return parted;
}

// The fault is at the quote that ends the second name, unless the row was
// mended.
static enum rows_step repeats_name(const struct rows *rows, struct err *err)
{
    const char *end = rows->row + rows->fault_at;
    const char *name = end;

    while (name > rows->row && name[-1] != '"')
        name--;
    if (*end != '"' || name == end)
        return bad_row(err,
                       "the row has a name twice: remove one, or rename it");
    err_set(err, ERR_INPUT,
            "the row has the name `%.*s` twice: remove one, or rename it",
            (int)(end - name < 60 ? end - name : 60), name);
    return ROWS_BAD;
}

static enum rows_step refuse_json(struct rows *rows, const json_error_t *where,
                                  struct err *err)
{
    const char *row = rows->row;
    size_t len = rows->row_len;
    char reason[JSON_ERROR_TEXT_LENGTH];

    rows->fault_at = offset_of(rows, where);
    if (len > 1 && row[0] == '{' && row[1] == '\'')
        return bad_row(
            err,
            "this is not JSON but a Python dict: write rows with json.dumps");
    if (memchr(row, '\r', len) != NULL)
        return bad_row(err,
                       "the lines end in CR only, as on old Macs: save the "
                       "file with LF or CRLF (`tr '\\r' '\\n' < OLD > NEW`)");
    if (json_error_code(where) == json_error_end_of_input_expected)
        return bad_row(err, "there is more after the end of the row: write one "
                            "object per line");
    if (json_error_code(where) == json_error_duplicate_key)
        return repeats_name(rows, err);
    if (json_error_code(where) == json_error_null_character)
        return bad_row(
            err, "a text contains \\u0000, which no field can hold: remove it");
    (void)snprintf(reason, sizeof reason, "%s", where->text);
    for (char *c = reason; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    err_set(err, ERR_INPUT, "this is not JSON: %s%s", reason,
            is_head_line(rows) ? "; is this a table? Its name must not end in "
                                 ".json, .jsonl or .ndjson"
                               : "");
    return ROWS_BAD;
}

// Reads the object in row[0..row_len).
static enum rows_step take_json(struct rows *rows, struct err *err)
{
    struct err why = ERR_CLEAR;
    json_error_t where;

    if (rows->row_len > ROWS_MAX_ROW_BYTES) {
        err_set(err, ERR_INPUT,
                "the row is longer than %d MiB: shorten it, or leave it out",
                ROWS_MAX_ROW_BYTES >> 20);
        return ROWS_BAD;
    }
    rows->fields = json_parse_at(rows->row, rows->row_len, ROWS_MAX_ROW_BYTES,
                                 &where, &why);
    if (rows->fields == NULL && why.code != ERR_NOMEM &&
        !text_is_utf8(rows->row, rows->row_len))
        return bad_row(err,
                       memchr(rows->row, '\0', rows->row_len) != NULL
                           ? "the row contains a NUL byte: remove it (`tr -d "
                             "'\\0' < OLD > NEW`)"
                           : "the row is not UTF-8 text: " ROWS_LATIN_REMEDY);
    if (rows->fields == NULL && why.code != ERR_NOMEM && rows->row[0] == '{') {
        struct err again = ERR_CLEAR;
        json_error_t there = where;
        rows->fields = parse_mended(rows, &there, &again);
        if (rows->odds.n > 0)
            where = there;
        if (again.code == ERR_NOMEM)
            why = again;
    }
    if (json_is_object(rows->fields))
        return ROWS_ROW;
    if (rows->fields != NULL)
        return bad_row(err, rows->form == FORM_LINES
                                ? "a row must be a JSON object, {...}, on a "
                                  "line of its own"
                                : "a row must be a JSON object, {...}");
    if (why.code != ERR_NOMEM)
        return refuse_json(rows, &where, err);
    *err = why;
    return ROWS_FAILED;
}

static void set_row(struct rows *rows, size_t at, size_t len)
{
    rows->row = rows->text.data + at;
    rows->row_len = len;
    rows->row_line = rows->at_line;
}

// Makes sure that the text from `at` on contains a whole line, or ends.
static bool have_line(struct rows *rows, struct err *err)
{
    if (rows->text.ended || (rows->at < rows->text.len &&
                             memchr(rows->text.data + rows->at, '\n',
                                    rows->text.len - rows->at) != NULL))
        return true;
    rows_text_drop(&rows->text, rows->at);
    rows->at = 0;
    return rows_text_line(&rows->text, err);
}

enum rows_step rows_next_line(struct rows *rows, struct err *err)
{
    if (!have_line(rows, err))
        return ROWS_FAILED;
    if (rows->at >= rows->text.len)
        return ROWS_END;
    const char *line = rows->text.data + rows->at;
    const char *end = memchr(line, '\n', rows->text.len - rows->at);
    size_t len = end == NULL ? rows->text.len - rows->at : (size_t)(end - line);
    size_t used = 0;
    const char *row = text_trim(line, len, &used);
    for (; used >= 3 && memcmp(row, "\xEF\xBB\xBF", 3) == 0; used -= 3)
        row += 3; // concatenated files may have marks in between
    if (used > 1 && row[0] == '{' && row[used - 1] == ',')
        (void)text_trim(row, used - 1, &used);
    set_row(rows, (size_t)(row - rows->text.data), used);
    rows->at += len + (end != NULL);
    rows->at_line++;
    return used == 0 ? ROWS_BLANK : take_json(rows, err);
}

// Moves to `to` and counts the lines on the way.
static void move_to(struct rows *rows, size_t to)
{
    for (; rows->at < to; rows->at++)
        rows->at_line += rows->text.data[rows->at] == '\n';
}

static enum rows_step end_values(struct rows *rows, struct err *err)
{
    bool wanted = rows->closing != '\0';
    bool closed = rows->at < rows->text.len && wanted;
    size_t next = scan_space(rows->text.data, rows->text.len,
                             rows->at + (closed ? 1 : 0));

    set_row(rows, rows->at, rows->at < rows->text.len ? 1 : 0);
    rows->at = rows->text.len;
    rows->closing = '\0';
    if (wanted && !closed)
        return bad_row(err, "the file ends inside its list: a `]` is missing");
    return closed && rows->alone && next < rows->text.len
               ? bad_row(err, "there is more text after the end of the list: "
                              "write one list, or one object per line")
               : ROWS_END;
}

enum rows_step rows_next_value(struct rows *rows, struct err *err)
{
    size_t next = scan_space(rows->text.data, rows->text.len, rows->at);
    size_t end = 0;

    if (rows->closing != '\0' && next < rows->text.len &&
        rows->text.data[next] == ',')
        next = scan_space(rows->text.data, rows->text.len, next + 1);
    move_to(rows, next);
    if (next == rows->text.len && rows->closing == '\0')
        return ROWS_END;
    if (next == rows->text.len || rows->text.data[next] == rows->closing)
        return end_values(rows, err);
    if (scan_value(rows->text.data, rows->text.len, next, &end)) {
        set_row(rows, next, end - next);
        move_to(rows, end);
        return take_json(rows, err);
    }
    // The rest of the file is one broken example.
    const char *stop =
        memchr(rows->text.data + next, '\n', rows->text.len - next);
    set_row(rows, next,
            stop == NULL ? rows->text.len - next
                         : (size_t)(stop - rows->text.data) - next);
    rows->at = rows->text.len;
    rows->closing = '\0';
    return bad_row(err, "the file ends inside this row: a bracket or a quote "
                        "is missing");
}
