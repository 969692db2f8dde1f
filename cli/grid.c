#include "cli/grid.h"

#include <string.h>

#include "cli/progress.h"
#include "common/json.h"
#include "common/plain.h"

enum { CELL_BYTES = 4096, GAP = 2, LEAST = 6 };

static void put_parts(const json_t *value, struct buf *out)
{
    const char *key;
    json_t *number;
    bool first = true;

    json_object_foreach((json_t *)value, key, number)
    {
        buf_printf(out, "%s%s ", first ? "" : ", ", key);
        json_put(out, number, false);
        first = false;
    }
}

static void put_list(const json_t *value, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));

        buf_printf(out, "%s%s", i == 0 ? "" : ", ", text == NULL ? "?" : text);
    }
}

// "2026-11-22T23:06:01.123Z" without the fraction and the letters.
static void put_time_text(const char *text, struct buf *out)
{
    for (size_t i = 0; text[i] != '\0' && text[i] != '.'; i++)
        buf_putc(out, text[i] == 'T' ? ' ' : text[i]);
}

static void put_value(enum grid_kind kind, const json_t *value, struct buf *out)
{
    const char *text = json_string_value(value);

    if (value == NULL || json_is_null(value) ||
        (text != NULL && text[0] == '\0'))
        buf_putc(out, '-');
    else if (kind == GRID_PERCENT && json_is_number(value) &&
             json_number_value(value) >= 0)
        put_percent(out, json_number_value(value));
    else if (kind == GRID_PERCENT)
        buf_putc(out, '-');
    else if (kind == GRID_COUNT && json_is_integer(value))
        put_count(out, json_integer_value(value));
    else if (kind == GRID_PARTS && json_is_object(value))
        put_parts(value, out);
    else if (kind == GRID_LIST && json_is_array(value))
        put_list(value, out);
    else if (kind == GRID_TIME && text != NULL)
        put_time_text(text, out);
    else if (text != NULL)
        buf_puts(out, text);
    else
        json_put(out, value, false);
}

// The cell's text, cleaned of what could steer a terminal.
static void put_cell(const struct grid_column *column, const json_t *row,
                     struct buf *out)
{
    struct buf raw = BUF_INIT(CELL_BYTES * 4);

    put_value(column->kind, json_object_get(row, column->key), &raw);
    if (raw.len > CELL_BYTES)
        raw.data[raw.len = CELL_BYTES] = '\0';
    if (raw.data != NULL)
        plain_put_line(out, raw.data, raw.len);
    buf_release(&raw);
}

static size_t cell_width(const struct grid_column *column, const json_t *row)
{
    struct buf cell = BUF_INIT(CELL_BYTES * 8);
    size_t width;

    put_cell(column, row, &cell);
    width = cell.len == 0 ? 0 : terminal_columns(cell.data, cell.len);
    buf_release(&cell);
    return width;
}

static void measure(const struct grid_column *columns, size_t n,
                    const json_t *rows, size_t *widths)
{
    for (size_t c = 0; c < n; c++) {
        widths[c] = strlen(columns[c].title);
        for (size_t r = 0; r < json_array_size(rows); r++) {
            size_t width = cell_width(&columns[c], json_array_get(rows, r));

            if (width > widths[c])
                widths[c] = width;
        }
    }
}

// Takes columns off the widest one that shrinks until the table fits.
static void shrink(const struct terminal *terminal,
                   const struct grid_column *columns, size_t n, size_t *widths)
{
    size_t total = (n - 1) * GAP;

    for (size_t c = 0; c < n; c++)
        total += widths[c];
    while (total > (size_t)terminal->width) {
        size_t widest = n;

        for (size_t c = 0; c < n; c++)
            if (columns[c].shrinks && widths[c] > LEAST &&
                (widest == n || widths[c] > widths[widest]))
                widest = c;
        if (widest == n)
            return;
        widths[widest]--;
        total--;
    }
}

static void put_padded(const struct terminal *terminal, const char *text,
                       size_t width, bool right, bool last, struct buf *out)
{
    size_t columns = terminal_columns(text, strlen(text));
    size_t pad = columns < width ? width - columns : 0;

    for (size_t i = 0; right && i < pad; i++)
        buf_putc(out, ' ');
    terminal_put_cut(terminal, text, width > 3 ? width : 4, out);
    for (size_t i = 0; !right && !last && i < pad; i++)
        buf_putc(out, ' ');
}

static bool is_right(enum grid_kind kind)
{
    return kind == GRID_COUNT || kind == GRID_PERCENT;
}

static void put_row(const struct terminal *terminal,
                    const struct grid_column *columns, size_t n,
                    const size_t *widths, const json_t *row, struct buf *out)
{
    for (size_t c = 0; c < n; c++) {
        struct buf cell = BUF_INIT(CELL_BYTES * 8);

        if (row == NULL)
            buf_puts(&cell, columns[c].title);
        else
            put_cell(&columns[c], row, &cell);
        if (c > 0)
            buf_puts(out, "  ");
        put_padded(terminal, cell.data == NULL ? "" : cell.data, widths[c],
                   is_right(columns[c].kind), c + 1 == n, out);
        buf_release(&cell);
    }
    buf_putc(out, '\n');
}

void grid_put(const struct terminal *terminal,
              const struct grid_column *columns, size_t n, const json_t *rows,
              struct buf *out)
{
    size_t widths[GRID_MAX_COLUMNS];

    measure(columns, n, rows, widths);
    if (terminal->live)
        shrink(terminal, columns, n, widths);
    put_row(terminal, columns, n, widths, NULL, out);
    for (size_t r = 0; r < json_array_size(rows); r++)
        put_row(terminal, columns, n, widths, json_array_get(rows, r), out);
}

void grid_put_any(const struct terminal *terminal, const json_t *columns,
                  const json_t *rows, struct buf *out)
{
    struct grid_column list[GRID_MAX_COLUMNS];
    size_t n = json_array_size(columns);

    if (n > GRID_MAX_COLUMNS)
        n = GRID_MAX_COLUMNS;
    for (size_t c = 0; c < n; c++) {
        const char *name = json_string_value(json_array_get(columns, c));

        list[c] = (struct grid_column){name, name, GRID_TEXT, true};
    }
    if (n > 0)
        grid_put(terminal, list, n, rows, out);
}
