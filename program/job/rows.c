#include "program/job/rows.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/fold.h"
#include "common/json.h"
#include "common/text.h"
#include "program/source/csv.h"
#include "program/source/encoding.h"
#include "program/source/json_scan.h"

#define LATIN_REMEDY                                                           \
    "if it is Latin-1 or Windows-1252, convert the file: `iconv -f "           \
    "WINDOWS-1252 -t UTF-8 OLD > NEW`"

enum {
    // The longest record of a table fits, also where each byte is a quote that
    // is doubled. More is read than that, so that little is moved often.
    WINDOW_LEAST = 2 * CSV_MAX_RECORD_BYTES + (1 << 20),
    WINDOW_BYTES = 2 * WINDOW_LEAST,
    CHUNK_BYTES = 1 << 16,
};

enum form { FORM_LINES, FORM_VALUES, FORM_TABLE };

struct rows {
    struct rows_input input;
    enum form form;
    struct buf bytes;   // of a stream, as it came; owned
    struct buf decoded; // from another encoding; owned
    const char *text;   // where rows are read from: one of these, or input.data
    size_t len;
    size_t at;   // what comes next
    int at_line; // the line that `at` stands in
    bool ended;  // the stream has no more
    // FORM_VALUES
    char closing; // the bracket that ends the list; 0: values to the end
    bool alone;   // nothing may follow that bracket
    // FORM_TABLE
    struct csv *csv; // owned
    char *header[CSV_MAX_COLUMNS];
    size_t n_header;
    // The row at hand
    json_t *fields; // owned
    const char *row;
    size_t row_len;
    int row_line;
    size_t fault_at; // what is wrong, in bytes from row
    struct scan_odds odds;
};

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t n = strlen(ending);

    return len >= n && fold_same(name + len - n, ending);
}

static bool ends_with_any(const char *name, const char *const *endings)
{
    for (; *endings != NULL; endings++)
        if (ends_with(name, *endings))
            return true;
    return false;
}

// --- the stream ---

// Appends one line, its end included. What passes a row's limit is left out;
// the row is then one byte too long, and refused as such. False when the
// stream cannot be read.
static bool read_line(struct rows *rows, struct err *err)
{
    FILE *stream = rows->input.stream;
    size_t start = rows->bytes.len;
    int c = EOF;

    errno = 0;
    while ((c = getc_unlocked(stream)) != EOF) {
        if (c == '\n' || rows->bytes.len - start <= ROWS_MAX_ROW_BYTES)
            buf_putc(&rows->bytes, (char)c);
        if (c == '\n')
            break;
    }
    rows->ended = c == EOF;
    if (c == EOF && ferror(stream)) {
        err_set(err, ERR_INPUT, "cannot read %.150s: %s", rows->input.name,
                strerror(errno));
        return false;
    }
    return buf_ok(&rows->bytes, "a line", err);
}

// Reads until bytes hold `most` of them, or the stream has no more.
static bool read_until(struct rows *rows, size_t most, struct err *err)
{
    FILE *stream = rows->input.stream;

    errno = 0;
    while (!rows->ended && !rows->bytes.failed && rows->bytes.len < most) {
        char chunk[CHUNK_BYTES];
        size_t n = fread(chunk, 1, sizeof chunk, stream);
        buf_append(&rows->bytes, chunk, n);
        rows->ended = n < sizeof chunk;
    }
    if (ferror(stream)) {
        err_set(err, ERR_INPUT, "cannot read %.150s: %s", rows->input.name,
                strerror(errno));
        return false;
    }
    if (rows->bytes.failed && !rows->bytes.no_memory) {
        err_set(err, ERR_LIMIT,
                "%.150s is larger than %d MiB: write it as JSON lines in "
                "UTF-8, which are read line by line, or in parts",
                rows->input.name, ROWS_MAX_BYTES >> 20);
        return false;
    }
    return buf_ok(&rows->bytes, "a file", err);
}

// Reads all that is left. The whole is then in bytes.
static bool read_rest(struct rows *rows, struct err *err)
{
    return read_until(rows, SIZE_MAX, err);
}

// What was read so far is the text from here on.
static void look_at_bytes(struct rows *rows)
{
    rows->text = rows->bytes.data == NULL ? "" : rows->bytes.data;
    rows->len = rows->bytes.len;
}

static bool read_head(struct rows *rows, struct err *err)
{
    char head[ENCODING_HEAD_BYTES];
    size_t n = fread(head, 1, sizeof head, rows->input.stream);

    buf_append(&rows->bytes, head, n);
    if (n < sizeof head || encoding_is_wide(head, n))
        return read_rest(rows, err);
    return head[n - 1] == '\n' || read_line(rows, err);
}

// Sets text to what is known of the file: all of it, or of a stream its
// first line that is not blank.
static bool read_beginning(struct rows *rows, struct err *err)
{
    const char *data = rows->input.data;
    size_t len = rows->input.len;

    if (rows->input.stream != NULL) {
        if (!read_head(rows, err))
            return false;
        look_at_bytes(rows);
        data = rows->text;
        len = rows->len;
    } else {
        rows->ended = true;
    }
    if (!encoding_decode(data, len, &rows->decoded, &rows->text, &rows->len,
                         err))
        return false;
    // A mark that was skipped stays in bytes: offsets count from behind it.
    rows->at = 0;
    if (rows->input.stream != NULL && rows->text != rows->decoded.data) {
        rows->at = (size_t)(rows->text - data);
        look_at_bytes(rows);
    }
    while (!rows->ended &&
           scan_space(rows->text, rows->len, rows->at) == rows->len) {
        if (!read_line(rows, err))
            return false;
        look_at_bytes(rows);
    }
    return true;
}

// From a stream of which a beginning was read to its whole.
static bool take_whole(struct rows *rows, struct err *err)
{
    if (rows->ended)
        return true;
    if (!read_rest(rows, err))
        return false;
    look_at_bytes(rows);
    return true;
}

// The beginning of a table: its head line, and much more.
static bool take_window(struct rows *rows, struct err *err)
{
    if (rows->ended)
        return true;
    if (!read_until(rows, WINDOW_BYTES, err))
        return false;
    look_at_bytes(rows);
    return true;
}

// Drops the first n bytes.
static void drop_bytes(struct rows *rows, size_t n)
{
    size_t left = rows->bytes.len - n;

    if (n > 0) {
        memmove(rows->bytes.data, rows->bytes.data + n, left);
        rows->bytes.data[left] = '\0';
        rows->bytes.len = left;
    }
    look_at_bytes(rows);
}

// --- which form ---

// Whether somebody reads the key of a member, or something inside it.
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

// Whether the object at `at` has a member that somebody reads.
static bool has_wanted(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text, rows->len, &at, &member);)
        if (is_wanted(rows, rows->text, &member.key))
            return true;
    return false;
}

// Where the first object of a list of objects stands; 0: it is no such list.
static size_t first_object(const struct rows *rows,
                           const struct scan_span *value)
{
    if (rows->text[value->at] != '[')
        return 0;
    size_t at = scan_space(rows->text, rows->len, value->at + 1);
    return at < rows->len && rows->text[at] == '{' ? at : 0;
}

// pandas writes a table as an object of columns, if not told otherwise.
static bool is_by_columns(const struct rows *rows, size_t at)
{
    struct scan_member member;
    struct scan_member cell;

    for (at++; scan_member(rows->text, rows->len, &at, &member);) {
        size_t inside = member.value.at + 1;
        if (rows->text[member.value.at] == '{' &&
            scan_member(rows->text, rows->len, &inside, &cell) &&
            scan_key_is(rows->text, &cell.key, "0") &&
            is_wanted(rows, rows->text, &member.key))
            return true;
    }
    return false;
}

static bool refuse_columns(const struct rows *rows, struct err *err)
{
    err_set(err, ERR_INPUT,
            "%.100s is a table by columns: write one object a row, in pandas "
            "by to_json(NAME, orient='records', lines=True)",
            rows->input.name);
    return false;
}

// {"columns": [...], "index": [...], "data": [[...], ...]}, by pandas as well.
static bool is_split(const struct rows *rows, size_t at)
{
    struct scan_member member;
    int n = 0;

    for (at++; scan_member(rows->text, rows->len, &at, &member);)
        n += rows->text[member.value.at] == '[' &&
             (scan_key_is(rows->text, &member.key, "columns") ||
              scan_key_is(rows->text, &member.key, "data"));
    return n == 2;
}

// Whether the object at `at` has a list of objects in it.
static bool has_list(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text, rows->len, &at, &member);)
        if (first_object(rows, &member.value) > 0)
            return true;
    return false;
}

// The same of its members: {"data": {"train": [{...}]}}.
static bool has_deep_list(const struct rows *rows, size_t at)
{
    struct scan_member member;

    for (at++; scan_member(rows->text, rows->len, &at, &member);)
        if (rows->text[member.value.at] == '{' &&
            has_list(rows, member.value.at))
            return true;
    return false;
}

static bool refuse_deep(const struct rows *rows, struct err *err)
{
    err_set(err, ERR_INPUT,
            "%.100s holds its rows inside of another object: write them into "
            "a file of their own (`jq -c '.NAME.NAME[]' OLD > NEW.jsonl`)",
            rows->input.name);
    return false;
}

// The rows are the list of objects inside the object at `at`: the one whose
// objects have a wanted key, else the only one.
static bool open_wrapper(struct rows *rows, size_t at, struct err *err)
{
    const size_t start = at;
    struct scan_member member;
    size_t found = 0;
    size_t n = 0;
    bool good = false;

    for (at++; scan_member(rows->text, rows->len, &at, &member);) {
        size_t first = first_object(rows, &member.value);
        bool better = first > 0 && has_wanted(rows, first);
        if (first == 0 || (good && !better))
            continue;
        n = better && !good ? 1 : n + 1;
        good = good || better;
        found = member.value.at + 1;
    }
    if (n > 1) {
        err_set(err, ERR_INPUT,
                "%.100s holds several lists of rows: write the one that is "
                "meant into a file of its own (`jq -c '.NAME[]' OLD > "
                "NEW.jsonl`)",
                rows->input.name);
        return false;
    }
    rows->form = FORM_VALUES;
    if (n == 0)
        return is_split(rows, start)        ? refuse_columns(rows, err)
               : has_deep_list(rows, start) ? refuse_deep(rows, err)
                                            : true; // the object is a row
    rows->at = found;
    rows->closing = ']';
    return true;
}

// Whether a line ends where JSON must go on.
static bool goes_on(const struct rows *rows, size_t at, size_t line_len)
{
    size_t len = 0;
    const char *line = text_trim(rows->text + at, line_len, &len);

    return len > 0 && strchr("[{,:", line[len - 1]) != NULL;
}

// The object at `at` goes on behind its first line: it is broken, among other
// lines that begin with a bracket, or a row, or a wrapper over several lines.
static bool choose_long_object(struct rows *rows, size_t at, size_t line_len,
                               struct err *err)
{
    size_t next = scan_space(rows->text, rows->len, at + line_len);

    while (!rows->ended && next == rows->len) {
        if (!read_line(rows, err))
            return false;
        look_at_bytes(rows);
        next = scan_space(rows->text, rows->len, at + line_len);
    }
    if (next == rows->len ||
        (rows->text[next] == '{' && !goes_on(rows, at, line_len)))
        return true;
    if (!take_whole(rows, err))
        return false;
    size_t end = 0;
    if (rows->text[next] == '{' && !scan_value(rows->text, rows->len, at, &end))
        return true; // it never ends: the first line is a broken row
    rows->form = FORM_VALUES;
    if (!has_wanted(rows, at))
        return open_wrapper(rows, at, err);
    return !is_by_columns(rows, at) || refuse_columns(rows, err);
}

// A first line that is a whole object is a row, unless nothing of it is
// wanted and it has a list of objects in it.
static bool choose_object(struct rows *rows, size_t at, struct err *err)
{
    const char *line = rows->text + at;
    const char *line_end = memchr(line, '\n', rows->len - at);
    size_t len = line_end == NULL ? rows->len - at : (size_t)(line_end - line);
    size_t end = 0;

    rows->form = FORM_LINES;
    if (!scan_value(line, len, 0, &end))
        return choose_long_object(rows, at, len, err);
    if (has_wanted(rows, at))
        return !is_by_columns(rows, at) || refuse_columns(rows, err);
    if (is_split(rows, at))
        return refuse_columns(rows, err);
    if (has_list(rows, at))
        return take_whole(rows, err) && open_wrapper(rows, at, err);
    return !has_deep_list(rows, at) || refuse_deep(rows, err);
}

static bool choose_form(struct rows *rows, struct err *err)
{
    static const char *const json[] = {".json", ".jsonl", ".ndjson", NULL};
    size_t at = scan_space(rows->text, rows->len, rows->at);

    if (at < rows->len && rows->text[at] == '{')
        return choose_object(rows, at, err);
    if (at < rows->len && rows->text[at] == '[') {
        rows->form = FORM_VALUES;
        rows->closing = ']';
        rows->alone = true;
        if (!take_whole(rows, err))
            return false;
        rows->at = at + 1;
        return true;
    }
    rows->form =
        ends_with_any(rows->input.name, json) ? FORM_LINES : FORM_TABLE;
    return rows->form == FORM_LINES || take_window(rows, err);
}

// --- tables ---

// How many of the wanted columns the head line names with that separator; if
// that is equal, more cells are better.
static size_t rate_separator(struct rows *rows, char separator)
{
    struct csv *csv = rows->csv;
    size_t named = 0;
    bool more = false;

    csv_init(csv, rows->text + rows->at, rows->len - rows->at, separator);
    if (csv_next(csv, &more, NULL) && more) {
        for (size_t w = 0; w < rows->input.n_wanted; w++)
            for (size_t i = 0; i < csv->n; i++)
                named += fold_same(csv->cells[i].text, rows->input.wanted[w]);
        named = named * CSV_MAX_COLUMNS + csv->n;
    }
    csv_release(csv);
    return named;
}

static char choose_separator(struct rows *rows)
{
    static const char separators[] = {',', '\t', ';', '|'};
    static const char *const tabbed[] = {".tsv", ".tab", NULL};
    char best = ends_with_any(rows->input.name, tabbed) ? '\t' : ',';
    size_t most = rate_separator(rows, best);

    for (size_t i = 0; i < sizeof separators; i++) {
        size_t rate = rate_separator(rows, separators[i]);
        if (rate > most) {
            most = rate;
            best = separators[i];
        }
    }
    return best;
}

// Excel's first line, which names the separator: "sep=;".
static char read_sep_line(struct rows *rows)
{
    const char *text = rows->text + rows->at;
    size_t len = rows->len - rows->at;

    if (len < 6 || strncmp(text, "sep=", 4) != 0 ||
        (text[5] != '\r' && text[5] != '\n'))
        return '\0';
    char separator = text[4];
    rows->at += (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
    rows->at_line++;
    return separator;
}

// Whether an earlier column has the name. A wanted name stays, so
// that its reader refuses it.
static bool is_repeated(const struct rows *rows, const char *name)
{
    bool wanted = false;
    bool earlier = false;

    for (size_t i = 0; i < rows->input.n_wanted; i++)
        wanted = wanted || strcmp(rows->input.wanted[i], name) == 0;
    for (size_t i = 0; i < rows->n_header; i++)
        earlier = earlier || strcmp(rows->header[i], name) == 0;
    return earlier && !wanted;
}

static bool take_header(struct rows *rows, struct err *err)
{
    const struct csv *csv = rows->csv;

    for (size_t i = 0; i < csv->n; i++) {
        size_t len = 0;
        const char *name =
            text_trim(csv->cells[i].text, csv->cells[i].len, &len);
        if (!text_is_utf8(name, len)) {
            err_set(err, ERR_INPUT,
                    "the head line of %.60s is not UTF-8 text: " LATIN_REMEDY,
                    rows->input.name);
            return false;
        }
        char *copy = strndup(name, len);
        if (copy == NULL) {
            err_nomem(err, "a head line");
            return false;
        }
        if (is_repeated(rows, copy))
            copy[0] = '\0';
        rows->header[rows->n_header++] = copy;
    }
    return true;
}

static void take_record(struct rows *rows)
{
    rows->row = rows->csv->first;
    rows->row_len = rows->csv->raw_len;
    rows->row_line = rows->csv->line + rows->at_line - 1;
}

static bool open_table(struct rows *rows, struct err *err)
{
    struct err why = ERR_CLEAR;
    bool more = false;

    if (memchr(rows->text, '\r', rows->len) != NULL &&
        memchr(rows->text, '\n', rows->len) == NULL) {
        err_set(err, ERR_INPUT,
                "the lines of %.100s end with CR alone, as on old Macs: save "
                "it with LF or CRLF (`tr '\\r' '\\n' < OLD > NEW`)",
                rows->input.name);
        return false;
    }
    rows->csv = calloc(1, sizeof *rows->csv);
    if (rows->csv == NULL) {
        err_nomem(err, "a table");
        return false;
    }
    char separator = read_sep_line(rows);
    if (separator == '\0')
        separator = choose_separator(rows);
    csv_init(rows->csv, rows->text + rows->at, rows->len - rows->at, separator);
    if (!csv_next(rows->csv, &more, &why)) {
        err_set(err, why.code, "the head line of %.80s: %s", rows->input.name,
                why.text);
        return false;
    }
    take_record(rows);
    return !more || take_header(rows, err);
}

static enum rows_step bad_row(struct err *err, const char *text)
{
    err_set(err, ERR_INPUT, "%s", text);
    return ROWS_BAD;
}

static bool add_cell(struct rows *rows, size_t i, struct err *err)
{
    const struct csv_cell *cell = &rows->csv->cells[i];
    bool nothing = cell->len == 0 && !cell->quoted;

    if (rows->header[i][0] == '\0')
        return true;
    if (!text_is_utf8(cell->text, cell->len)) {
        rows->fault_at = cell->at;
        err_set(err, ERR_INPUT,
                memchr(cell->text, '\0', cell->len) != NULL
                    ? "the cell of `%.60s` holds a NUL byte: take it out "
                      "(`tr -d '\\0' < OLD > NEW`)"
                    : "the cell of `%.60s` is not UTF-8 text: " LATIN_REMEDY,
                rows->header[i]);
        return false;
    }
    if (json_object_set_new(rows->fields, rows->header[i],
                            nothing ? json_null()
                                    : json_stringn(cell->text, cell->len)) == 0)
        return true;
    err_nomem(err, "a row");
    return false;
}

static const char *separator_name(char separator)
{
    static const char *const names[] = {",", ";", "|"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i][0] == separator)
            return names[i];
    return "tab";
}

// What is left of a line that was too long for a row: up to its end, which the
// reader of the table then skips as an empty line.
static void skip_long_line(struct rows *rows)
{
    int c = EOF;

    if (rows->len > 0 && rows->text[rows->len - 1] == '\n')
        return;
    while ((c = getc_unlocked(rows->input.stream)) != EOF && c != '\n')
        continue;
    if (c == EOF)
        rows->ended = true;
    else
        (void)ungetc(c, rows->input.stream);
}

// Makes sure that the text has the whole of the next record, however long the
// table is.
static bool have_record(struct rows *rows, struct err *err)
{
    struct csv *csv = rows->csv;

    if (rows->ended || csv->len - csv->at >= WINDOW_LEAST)
        return true;
    if (csv->at == csv->len)
        skip_long_line(rows);
    drop_bytes(rows, (size_t)(csv->text - rows->bytes.data) + csv->at);
    if (!read_until(rows, WINDOW_BYTES, err))
        return false;
    look_at_bytes(rows);
    csv_move(csv, rows->text, rows->len);
    rows->row = rows->text;
    rows->row_len = 0;
    return true;
}

// Spreadsheets write such records below and between the others, also where only
// a cell's colour was changed.
static bool has_no_value(const struct csv *csv)
{
    size_t len = 0;

    for (size_t i = 0; i < csv->n; i++) {
        (void)text_trim(csv->cells[i].text, csv->cells[i].len, &len);
        if (len > 0 || csv->cells[i].quoted)
            return false;
    }
    return true;
}

static enum rows_step next_record(struct rows *rows, struct err *err)
{
    struct csv *csv = rows->csv;
    bool more = false;

    if (!have_record(rows, err))
        return ROWS_FAILED;
    bool ok = csv_next(csv, &more, err);
    if (ok && !more)
        return ROWS_END;
    take_record(rows);
    if (!ok)
        return err->code == ERR_NOMEM ? ROWS_FAILED : ROWS_BAD;
    if (has_no_value(csv))
        return ROWS_BLANK;
    if (csv->n != rows->n_header) {
        char cells[TEXT_COUNTED_BYTES];
        (void)text_counted(cells, (int64_t)csv->n, "cell");
        if (csv->n > rows->n_header)
            err_set(err, ERR_INPUT,
                    "the row has %s, the header %zu: a cell with a `%s` in it "
                    "needs quotes around it",
                    cells, rows->n_header, separator_name(csv->separator));
        else
            err_set(err, ERR_INPUT,
                    "the row has %s, the header %zu: a cell that is empty "
                    "needs its `%s` as well",
                    cells, rows->n_header, separator_name(csv->separator));
        return ROWS_BAD;
    }
    rows->fields = json_object();
    for (size_t i = 0; rows->fields != NULL && i < csv->n; i++)
        if (!add_cell(rows, i, err))
            return err->code == ERR_NOMEM ? ROWS_FAILED : ROWS_BAD;
    if (rows->fields != NULL)
        return ROWS_ROW;
    err_nomem(err, "a row");
    return ROWS_FAILED;
}

// --- JSON ---

// Where jansson's line and column stand in the row.
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

// Reads again, with what JSON cannot say (NaN, ...) replaced. NULL: there is
// nothing of the kind.
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

static enum rows_step refuse_json(struct rows *rows, const json_error_t *where,
                                  struct err *err)
{
    const char *row = rows->row;
    size_t len = rows->row_len;
    char reason[JSON_ERROR_TEXT_LENGTH];

    rows->fault_at = offset_of(rows, where);
    if (len > 1 && row[0] == '{' && row[1] == '\'')
        return bad_row(err, "this is not JSON but Python's way to write a "
                            "dict: write rows with json.dumps");
    if (memchr(row, '\r', len) != NULL)
        return bad_row(err, "the lines end with CR alone, as on old Macs: save "
                            "the file with LF or CRLF (`tr '\\r' '\\n' < OLD > "
                            "NEW`)");
    if (json_error_code(where) == json_error_end_of_input_expected)
        return bad_row(err, "there is more behind the row's end: write one "
                            "object a line");
    if (json_error_code(where) == json_error_null_character)
        return bad_row(err, "a text holds \\u0000, which no field can hold: "
                            "take it out");
    (void)snprintf(reason, sizeof reason, "%s", where->text);
    for (char *c = reason; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
    err_set(err, ERR_INPUT, "this is not JSON: %s", reason);
    return ROWS_BAD;
}

// Reads the object row[0..row_len).
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
        return bad_row(err, memchr(rows->row, '\0', rows->row_len) != NULL
                                ? "the row holds a NUL byte: take it out (`tr "
                                  "-d '\\0' < OLD > NEW`)"
                                : "the row is not UTF-8 text: " LATIN_REMEDY);
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
        return bad_row(err, "an example is a JSON object, {...}, on a line of "
                            "its own");
    if (why.code != ERR_NOMEM)
        return refuse_json(rows, &where, err);
    *err = why;
    return ROWS_FAILED;
}

static void set_row(struct rows *rows, size_t at, size_t len)
{
    rows->row = rows->text + at;
    rows->row_len = len;
    rows->row_line = rows->at_line;
}

// Makes sure that the text from `at` on has a whole line, or is the last.
static bool have_line(struct rows *rows, struct err *err)
{
    if (rows->ended ||
        (rows->at < rows->len &&
         memchr(rows->text + rows->at, '\n', rows->len - rows->at) != NULL))
        return true;
    drop_bytes(rows, rows->at);
    rows->at = 0;
    bool ok = read_line(rows, err);
    look_at_bytes(rows);
    return ok;
}

static enum rows_step next_line(struct rows *rows, struct err *err)
{
    if (!have_line(rows, err))
        return ROWS_FAILED;
    if (rows->at >= rows->len)
        return ROWS_END;
    const char *line = rows->text + rows->at;
    const char *end = memchr(line, '\n', rows->len - rows->at);
    size_t len = end == NULL ? rows->len - rows->at : (size_t)(end - line);
    size_t used = 0;
    const char *row = text_trim(line, len, &used);
    for (; used >= 3 && memcmp(row, "\xEF\xBB\xBF", 3) == 0; used -= 3)
        row += 3; // files that were joined may have marks in between
    if (used > 1 && row[0] == '{' && row[used - 1] == ',')
        (void)text_trim(row, used - 1, &used);
    set_row(rows, (size_t)(row - rows->text), used);
    rows->at += len + (end != NULL);
    rows->at_line++;
    return used == 0 ? ROWS_BLANK : take_json(rows, err);
}

// Moves to `to` and counts the lines on the way.
static void move_to(struct rows *rows, size_t to)
{
    for (; rows->at < to; rows->at++)
        rows->at_line += rows->text[rows->at] == '\n';
}

static enum rows_step end_values(struct rows *rows, struct err *err)
{
    bool wanted = rows->closing != '\0';
    bool closed = rows->at < rows->len && wanted;
    size_t next =
        scan_space(rows->text, rows->len, rows->at + (closed ? 1 : 0));

    set_row(rows, rows->at, rows->at < rows->len ? 1 : 0);
    rows->at = rows->len;
    rows->closing = '\0';
    if (wanted && !closed)
        return bad_row(err, "the file ends inside its list: a `]` is missing");
    return closed && rows->alone && next < rows->len
               ? bad_row(err, "there is more text behind the list's end: one "
                              "list, or one object a line")
               : ROWS_END;
}

static enum rows_step next_value(struct rows *rows, struct err *err)
{
    size_t next = scan_space(rows->text, rows->len, rows->at);
    size_t end = 0;

    if (rows->closing != '\0' && next < rows->len && rows->text[next] == ',')
        next = scan_space(rows->text, rows->len, next + 1);
    move_to(rows, next);
    if (next == rows->len && rows->closing == '\0')
        return ROWS_END;
    if (next == rows->len || rows->text[next] == rows->closing)
        return end_values(rows, err);
    if (scan_value(rows->text, rows->len, next, &end)) {
        set_row(rows, next, end - next);
        move_to(rows, end);
        return take_json(rows, err);
    }
    // The rest of the file is one broken example.
    const char *stop = memchr(rows->text + next, '\n', rows->len - next);
    set_row(rows, next,
            stop == NULL ? rows->len - next
                         : (size_t)(stop - rows->text) - next);
    rows->at = rows->len;
    rows->closing = '\0';
    return bad_row(err, "the file ends inside this example: a bracket or a "
                        "quote is missing");
}

// --- the reader ---

struct rows *rows_open(const struct rows_input *input, struct err *err)
{
    struct rows *rows = calloc(1, sizeof *rows);

    if (rows == NULL) {
        err_nomem(err, "a data file");
        return NULL;
    }
    rows->input = *input;
    rows->bytes = BUF_INIT(ROWS_MAX_BYTES);
    rows->decoded = BUF_INIT(2 * (size_t)ROWS_MAX_BYTES);
    rows->at_line = 1;
    if (read_beginning(rows, err) && choose_form(rows, err)) {
        for (size_t i = 0; rows->form == FORM_VALUES && i < rows->at; i++)
            rows->at_line += rows->text[i] == '\n';
        if (rows->form != FORM_TABLE || open_table(rows, err))
            return rows;
    }
    rows_close(rows);
    return NULL;
}

void rows_close(struct rows *rows)
{
    if (rows == NULL)
        return;
    json_decref(rows->fields);
    for (size_t i = 0; i < rows->n_header; i++)
        free(rows->header[i]);
    if (rows->csv != NULL)
        csv_release(rows->csv);
    free(rows->csv);
    buf_release(&rows->bytes);
    buf_release(&rows->decoded);
    free(rows);
}

const char *const *rows_header(const struct rows *rows, size_t *n)
{
    *n = rows->n_header;
    return rows->form == FORM_TABLE ? (const char *const *)rows->header : NULL;
}

enum rows_step rows_next(struct rows *rows, struct err *err)
{
    static enum rows_step (*const next[])(struct rows *, struct err *) = {
        [FORM_LINES] = next_line,
        [FORM_VALUES] = next_value,
        [FORM_TABLE] = next_record,
    };

    json_decref(rows->fields);
    rows->fields = NULL;
    rows->fault_at = 0;
    rows->odds.n = 0;
    return next[rows->form](rows, err);
}

json_t *rows_fields(const struct rows *rows)
{
    return rows->fields;
}

bool rows_is_table(const struct rows *rows)
{
    return rows->form == FORM_TABLE;
}

int rows_line(const struct rows *rows)
{
    return rows->row_line;
}

size_t rows_odd(const struct rows *rows, const char *key, const char **token)
{
    struct scan_member member;

    if (rows->odds.n == 0 ||
        !scan_find(rows->row, rows->row_len, 0, key, &member))
        return 0;
    for (size_t i = 0; i < rows->odds.n; i++) {
        const struct scan_span *odd = &rows->odds.items[i].token;
        if (odd->at < member.value.at ||
            odd->at >= member.value.at + member.value.len)
            continue;
        *token = rows->row + odd->at;
        return odd->len;
    }
    return 0;
}

// Where the value of key stands, from the row's beginning.
static struct scan_span find_value(const struct rows *rows, const char *key)
{
    struct scan_member member;

    for (size_t i = 0; key != NULL && rows->form == FORM_TABLE &&
                       i < rows->csv->n && i < rows->n_header;
         i++)
        if (strcmp(rows->header[i], key) == 0)
            return (struct scan_span){rows->csv->cells[i].at,
                                      rows->csv->cells[i].raw_len};
    if (key != NULL && rows->form != FORM_TABLE && rows->row_len > 0 &&
        scan_find(rows->row, rows->row_len, 0, key, &member))
        return member.value;
    return (struct scan_span){rows->fault_at, 0};
}

static int count_characters(const char *text, size_t len)
{
    int n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

void rows_place(const struct rows *rows, const char *key, struct place *out,
                const char **line, size_t *line_len)
{
    struct scan_span span = find_value(rows, key);
    const char *at = rows->row + span.at;
    const char *begin = at;

    out->line = rows->row_line;
    for (const char *c = rows->row; c < at; c++)
        out->line += *c == '\n';
    while (begin > rows->text && begin[-1] != '\n')
        begin--;
    const char *file_end = rows->text + rows->len;
    const char *end = memchr(begin, '\n', (size_t)(file_end - begin));
    end = end == NULL ? file_end : end;
    if (end > at && end[-1] == '\r')
        end--;
    size_t room = (size_t)(end - at);
    *line = begin;
    *line_len = (size_t)(end - begin);
    out->column = count_characters(begin, (size_t)(at - begin)) + 1;
    out->width = count_characters(at, span.len < room ? span.len : room);
}
