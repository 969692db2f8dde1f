#include <stdlib.h>
#include <string.h>

#include "common/fold.h"
#include "common/text.h"
#include "program/job/rows_state.h"

enum {
    TITLE_LINES = 10, // above the head line
    TITLE_BYTES = 1 << 16,
};

// --- the head line ---

// Rates a separator by how many of the wanted columns the head line names with
// it; on a tie, more cells are better.
static size_t rate_separator(struct rows *rows, char separator)
{
    struct csv *csv = rows->csv;
    size_t named = 0;
    bool more = false;

    csv_init(csv, rows->text.data + rows->at, rows->text.len - rows->at,
             separator);
    bool ok = csv_next(csv, &more, NULL);
    if (!ok && csv->n == CSV_MAX_COLUMNS)
        named = CSV_MAX_COLUMNS; // too many cells, which is reported later
    if (ok && more) {
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
    char best = rows_name_ends(rows->input.name, tabbed) ? '\t' : ',';
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

// Reads Excel's first line that names the separator: sep=; or "sep=;".
static char read_sep_line(struct rows *rows)
{
    const char *text = rows->text.data + rows->at;
    size_t len = rows->text.len - rows->at;

    size_t quote = len > 0 && text[0] == '"';

    if (len < 6 + 2 * quote || strncmp(text + quote, "sep=", 4) != 0 ||
        (quote > 0 && text[6] != '"') ||
        (text[5 + 2 * quote] != '\r' && text[5 + 2 * quote] != '\n'))
        return '\0';
    char separator = text[4 + quote];
    rows->at += (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
    rows->at_line++;
    return separator;
}

// Returns true if an earlier column has the same name. A wanted name is kept,
// so that its reader can reject it.
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
            text_trim_wide(csv->cells[i].text, csv->cells[i].len, &len);
        if (!text_is_utf8(name, len)) {
            err_set(err, ERR_INPUT,
                    "the head line is not UTF-8 text: " ROWS_LATIN_REMEDY);
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

// Returns the line that names all wanted columns if the first line names none:
// exports often have a title above the table. Returns 0 if there is none.
static int find_head_below(struct rows *rows)
{
    const size_t start = rows->at;
    const size_t len = rows->text.len;
    int found = 0;

    if (len - start > TITLE_BYTES)
        rows->text.len = start + TITLE_BYTES;
    for (int i = 0; i < TITLE_LINES && found == 0; i++) {
        size_t rate = rate_separator(rows, choose_separator(rows));
        const char *text = rows->text.data + rows->at;
        const char *end = memchr(text, '\n', rows->text.len - rows->at);

        if (i > 0 && rate / CSV_MAX_COLUMNS >= rows->input.n_wanted)
            found = rows->at_line + i;
        if (end == NULL || (i == 0 && rate / CSV_MAX_COLUMNS > 0))
            break;
        rows->at += (size_t)(end - text) + 1;
    }
    rows->at = start;
    rows->text.len = len;
    return found;
}

static void take_record(struct rows *rows)
{
    rows->row = rows->csv->first;
    rows->row_len = rows->csv->raw_len;
    rows->row_line = rows->csv->line + rows->at_line - 1;
}

// Returns true if the head line ends with a bare CR. A quoted cell further down
// may contain other line ends.
static bool has_bare_returns(const struct rows *rows)
{
    const char *text = rows->text.data;
    const char *at = memchr(text, '\r', rows->text.len);
    const char *line = memchr(text, '\n', rows->text.len);
    const char *end = text + rows->text.len;

    return at != NULL && (line == NULL || line > at) &&
           (at + 1 == end || at[1] != '\n') &&
           !(at + 2 < end && at[1] == '\r' && at[2] == '\n');
}

bool rows_open_table(struct rows *rows, struct err *err)
{
    struct err why = ERR_CLEAR;
    bool more = false;

    if (has_bare_returns(rows)) {
        err_set(err, ERR_INPUT,
                "the lines end in CR only, as on old Macs: save the file with "
                "LF or CRLF (`tr '\\r' '\\n' < OLD > NEW`)");
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
    rows->head_below = rows->input.n_wanted > 0 ? find_head_below(rows) : 0;
    csv_init(rows->csv, rows->text.data + rows->at, rows->text.len - rows->at,
             separator);
    if (!csv_next(rows->csv, &more, &why)) {
        err_set(err, why.code, "the head line: %s", why.text);
        return false;
    }
    take_record(rows);
    return !more || take_header(rows, err);
}

// --- records ---

// Returns the text of a cell. Also unwraps "=""007""", which is used to keep
// Excel from reading a number.
static json_t *cell_text(const struct csv_cell *cell)
{
    const char *text = cell->text;
    size_t len = cell->len;

    if (len > 2 && strncmp(text, "=\"", 2) == 0 &&
        memchr(text + 2, '"', len - 2) == text + len - 1)
        return json_stringn(text + 2, len - 3);
    return json_stringn(text, len);
}

static bool add_cell(struct rows *rows, size_t i, struct err *err)
{
    const struct csv_cell *cell = &rows->csv->cells[i];
    size_t len = 0;

    (void)text_trim(cell->text, cell->len, &len);
    bool nothing = len == 0 && !cell->quoted;

    if (rows->header[i][0] == '\0')
        return true;
    if (!text_is_utf8(cell->text, cell->len)) {
        rows->fault_at = cell->at;
        err_set(
            err, ERR_INPUT,
            memchr(cell->text, '\0', cell->len) != NULL
                ? "the cell of `%.60s` contains a NUL byte: remove it (`tr -d "
                  "'\\0' < OLD > NEW`)"
                : "the cell of `%.60s` is not UTF-8 text: " ROWS_LATIN_REMEDY,
            rows->header[i]);
        return false;
    }
    if (json_object_set_new(rows->fields, rows->header[i],
                            nothing ? json_null() : cell_text(cell)) == 0)
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

// Makes sure that the text contains the whole next record, however long the
// table is.
static bool have_record(struct rows *rows, struct err *err)
{
    struct csv *csv = rows->csv;

    if (rows->text.ended || csv->len - csv->at >= ROWS_WINDOW_LEAST)
        return true;
    if (csv->at == csv->len)
        rows_text_skip_line(&rows->text);
    rows_text_drop(&rows->text,
                   (size_t)(csv->text - rows->text.bytes.data) + csv->at);
    if (!rows_text_fill(&rows->text, ROWS_WINDOW_BYTES, err))
        return false;
    csv_move(csv, rows->text.data, rows->text.len);
    rows->row = rows->text.data;
    rows->row_len = 0;
    return true;
}

// Returns true if all cells from `from` on are empty. Spreadsheets write such
// records below and between the others, even where only a cell's color was
// changed, and such cells at the end of a row.
static bool has_no_value(const struct csv *csv, size_t from)
{
    size_t len = 0;

    for (size_t i = from; i < csv->n; i++) {
        (void)text_trim(csv->cells[i].text, csv->cells[i].len, &len);
        if (len > 0 || csv->cells[i].quoted)
            return false;
    }
    return true;
}

// Returns true for the line below the head line of a Markdown table: |---|:--|.
static bool is_rule(const struct csv *csv)
{
    bool dashes = false;

    for (size_t i = 0; csv->separator == '|' && i < csv->n; i++) {
        const struct csv_cell *cell = &csv->cells[i];
        if (strspn(cell->text, "-: ") != cell->len)
            return false;
        dashes = dashes || strchr(cell->text, '-') != NULL;
    }
    return dashes;
}

enum rows_step rows_next_record(struct rows *rows, struct err *err)
{
    struct csv *csv = rows->csv;
    bool more = false;

    if (!have_record(rows, err))
        return ROWS_FAILED;
    bool ok = csv_next(csv, &more, err);
    if (ok && !more)
        return ROWS_END;
    bool first = !rows->begun;
    rows->begun = true;
    take_record(rows);
    if (!ok)
        return err->code == ERR_NOMEM ? ROWS_FAILED : ROWS_BAD;
    if (has_no_value(csv, 0) || (first && is_rule(csv)))
        return ROWS_BLANK;
    if (csv->n < rows->n_header ||
        (csv->n > rows->n_header && !has_no_value(csv, rows->n_header))) {
        char cells[TEXT_COUNTED_BYTES];
        (void)text_counted(cells, (int64_t)csv->n, "cell");
        if (csv->n > rows->n_header)
            err_set(err, ERR_INPUT,
                    "the row has %s, the header %zu: a cell that contains `%s` "
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
    for (size_t i = 0; rows->fields != NULL && i < rows->n_header; i++)
        if (!add_cell(rows, i, err))
            return err->code == ERR_NOMEM ? ROWS_FAILED : ROWS_BAD;
    if (rows->fields != NULL)
        return ROWS_ROW;
    err_nomem(err, "a row");
    return ROWS_FAILED;
}
