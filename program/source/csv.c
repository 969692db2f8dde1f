#include "program/source/csv.h"

#include <string.h>

void csv_init(struct csv *csv, const char *text, size_t len, char separator)
{
    *csv = (struct csv){.text = text,
                        .len = len,
                        .separator = separator,
                        .next_line = 1,
                        .bytes = BUF_INIT(CSV_MAX_RECORD_BYTES)};
}

void csv_release(struct csv *csv)
{
    buf_release(&csv->bytes);
}

void csv_move(struct csv *csv, const char *text, size_t len)
{
    csv->text = text;
    csv->len = len;
    csv->at = 0;
}

// Returns the length of the line end at `at`: 0, 1 or 2.
static size_t line_end(const struct csv *csv, size_t at)
{
    if (at < csv->len && csv->text[at] == '\n')
        return 1;
    return at + 1 < csv->len && memcmp(csv->text + at, "\r\n", 2) == 0 ? 2 : 0;
}

static void skip_empty_lines(struct csv *csv)
{
    for (size_t end = line_end(csv, csv->at); end > 0;
         end = line_end(csv, csv->at)) {
        csv->at += end;
        csv->next_line++;
    }
}

static void skip_line(struct csv *csv)
{
    while (csv->at < csv->len && csv->text[csv->at] != '\n')
        csv->at++;
    if (csv->at < csv->len) {
        csv->at++;
        csv->next_line++;
    }
}

static bool ends_cell(const struct csv *csv, size_t at)
{
    return at == csv->len || csv->text[at] == csv->separator ||
           line_end(csv, at) > 0;
}

// Returns the offset after the blanks at `at`.
static size_t skip_blanks(const struct csv *csv, size_t at)
{
    while (at < csv->len && csv->text[at] == ' ')
        at++;
    return at;
}

// Blanks between a separator and a quote are not part of the cell.
static void skip_to_quote(struct csv *csv)
{
    size_t at = skip_blanks(csv, csv->at);

    if (csv->separator != '\t' && at < csv->len && csv->text[at] == '"')
        csv->at = at;
}

// Finds where the quoted cell that begins at `at` ends: after the first quote
// that is not doubled, no later than `end`; 0 if there is none.
static size_t find_closing(const struct csv *csv, size_t at, size_t end)
{
    for (at++; at < end; at++) {
        if (csv->text[at] != '"')
            continue;
        if (at + 1 >= csv->len || csv->text[at + 1] != '"')
            return at + 1;
        at++;
    }
    return 0;
}

// Returns true if the current line has all cells of a record when its quotes
// are read as ordinary characters.
static bool is_full_line(const struct csv *csv, size_t line_end)
{
    size_t n = csv->n + 1;

    for (size_t at = csv->at; at < line_end; at++)
        n += csv->text[at] == csv->separator;
    return csv->columns == 0 || n >= csv->columns;
}

// Returns true if a quoted cell begins here. In a tab-separated file it must
// end on its line, unless that line lacks cells.
static bool begins_quoted(const struct csv *csv)
{
    if (csv->at == csv->len || csv->text[csv->at] != '"')
        return false;
    if (csv->separator != '\t')
        return true;
    const char *text = csv->text + csv->at;
    const char *line = memchr(text, '\n', csv->len - csv->at);
    size_t line_end = line == NULL ? csv->len : (size_t)(line - csv->text);
    size_t closing = find_closing(csv, csv->at, line_end);

    if (closing == 0 && !is_full_line(csv, line_end))
        closing = find_closing(csv, csv->at, csv->len);
    return closing > 0 && ends_cell(csv, closing);
}

// People write ="007" to keep Excel from turning the text into a number.
static void skip_equals(struct csv *csv)
{
    if (csv->at + 1 < csv->len && csv->text[csv->at] == '=' &&
        csv->text[csv->at + 1] == '"')
        csv->at++;
}

// Reads from after the opening quote to after the closing one.
static bool read_quoted(struct csv *csv, struct err *err)
{
    const size_t start = csv->at;
    const int line = csv->next_line;

    while (csv->at < csv->len) {
        char c = csv->text[csv->at++];
        if (c == '"' && (csv->at == csv->len || csv->text[csv->at] != '"'))
            return true;
        if (c == '"')
            csv->at++;
        if (c == '\n')
            csv->next_line++;
        buf_putc(&csv->bytes, c);
    }
    // The rest of the file is not the cell: reading continues with the next
    // line.
    csv->at = start;
    csv->next_line = line;
    err_set(err, ERR_INPUT,
            "a quoted cell does not end: close it, or double the quotes in it");
    return false;
}

static bool read_plain(struct csv *csv, struct err *err)
{
    const size_t start = csv->at;

    while (!ends_cell(csv, csv->at)) {
        if (csv->text[csv->at] == '"' && csv->separator != '\t') {
            err_set(err, ERR_INPUT,
                    "a quote inside a cell that does not begin with one: quote "
                    "the whole cell and double the quotes inside it");
            return false;
        }
        csv->at++;
    }
    buf_append(&csv->bytes, csv->text + start, csv->at - start);
    return true;
}

static bool read_cell(struct csv *csv, struct err *err)
{
    struct csv_cell *cell = &csv->cells[csv->n];

    if (csv->n == CSV_MAX_COLUMNS) {
        err_set(
            err, ERR_INPUT,
            "more than %d cells in a row: leave out columns that nothing reads",
            CSV_MAX_COLUMNS);
        return false;
    }
    csv->starts[csv->n] = csv->bytes.len;
    skip_to_quote(csv);
    skip_equals(csv);
    cell->quoted = begins_quoted(csv);
    cell->at = (size_t)(csv->text + csv->at - csv->first);
    csv->at += cell->quoted ? 1 : 0;
    if (!(cell->quoted ? read_quoted(csv, err) : read_plain(csv, err)))
        return false;
    cell->raw_len = (size_t)(csv->text + csv->at - csv->first) - cell->at;
    if (cell->quoted && ends_cell(csv, skip_blanks(csv, csv->at)))
        csv->at = skip_blanks(csv, csv->at);
    if (!ends_cell(csv, csv->at)) {
        err_set(err, ERR_INPUT,
                "text after the closing quote of a cell: double the quotes "
                "inside a cell, as in \"say \"\"hi\"\"\"");
        return false;
    }
    cell->len = csv->bytes.len - csv->starts[csv->n++];
    buf_putc(&csv->bytes, '\0');
    return true;
}

static bool read_record(struct csv *csv, struct err *err)
{
    if (!read_cell(csv, err))
        return false;
    while (csv->at < csv->len && csv->text[csv->at] == csv->separator) {
        csv->at++;
        if (!read_cell(csv, err))
            return false;
    }
    return buf_ok(&csv->bytes, "a row", err);
}

bool csv_next(struct csv *csv, bool *more, struct err *err)
{
    skip_empty_lines(csv);
    *more = csv->at < csv->len;
    if (!*more)
        return true;
    csv->n = 0;
    buf_clear(&csv->bytes);
    csv->line = csv->next_line;
    csv->first = csv->text + csv->at;
    const char *end = memchr(csv->first, '\n', csv->len - csv->at);
    csv->first_len =
        end != NULL ? (size_t)(end - csv->first) : csv->len - csv->at;
    bool ok = read_record(csv, err);
    csv->columns = ok && csv->columns == 0 ? csv->n : csv->columns;
    csv->raw_len = (size_t)(csv->text + csv->at - csv->first);
    if (csv->raw_len < csv->first_len)
        csv->raw_len = csv->first_len;
    skip_line(csv);
    for (size_t i = 0; ok && i < csv->n; i++)
        csv->cells[i].text = csv->bytes.data + csv->starts[i];
    return ok;
}
