#include "cli/grid.h"

#include <string.h>

#include "cli/grid_value.h"
#include "cli/wrap.h"
#include "common/plain.h"

enum {
    CELL_BYTES = 64 << 20,
    GAP = 2,          // between two columns
    BELOW_INDENT = 4, // for a column under its row
    TALLEST = 6,      // lines of a row that are still easy to read
};

// --- cells ---

// Appends the cell's text on one line, without anything that could control a
// terminal. For a NULL row, appends the column's title.
static void put_cell(const struct grid_column *column, const json_t *row,
                     struct buf *out)
{
    struct buf raw = BUF_INIT(CELL_BYTES);

    if (row == NULL)
        buf_puts(&raw, column->title);
    else
        grid_value_put(column->kind, json_object_get(row, column->key), &raw);
    if (raw.data != NULL)
        plain_put_line(out, raw.data, raw.len);
    buf_puts(out, "");
    buf_release(&raw);
}

static const char *cell_text(const struct buf *cell)
{
    return cell->data == NULL ? "" : cell->data;
}

// --- how wide the columns are ---

struct layout {
    const struct grid_column *columns;
    size_t n;
    size_t natural[GRID_MAX_COLUMNS]; // of the widest cell
    size_t words[GRID_MAX_COLUMNS];   // of the widest word
    size_t widths[GRID_MAX_COLUMNS];  // as they are shown
    bool below[GRID_MAX_COLUMNS];     // shown under the row, not in the table
};

static void measure_cell(struct layout *layout, size_t c, const json_t *row)
{
    struct buf cell = BUF_INIT(CELL_BYTES);
    size_t width, word;

    put_cell(&layout->columns[c], row, &cell);
    width = terminal_columns(cell_text(&cell), cell.len);
    word = wrap_widest_word(cell_text(&cell));
    if (width > layout->natural[c])
        layout->natural[c] = width;
    if (word > layout->words[c])
        layout->words[c] = word;
    buf_release(&cell);
}

static void measure(struct layout *layout, const json_t *rows)
{
    for (size_t c = 0; c < layout->n; c++) {
        layout->natural[c] = layout->words[c] = 0;
        layout->below[c] = false;
        measure_cell(layout, c, NULL);
        for (size_t r = 0; r < json_array_size(rows); r++)
            measure_cell(layout, c, json_array_get(rows, r));
        layout->widths[c] = layout->natural[c];
    }
}

static size_t total_width(const struct layout *layout)
{
    size_t total = 0;

    for (size_t c = 0; c < layout->n; c++)
        if (!layout->below[c])
            total += layout->widths[c] + (total > 0 ? GAP : 0);
    return total;
}

// Returns the widest column that can become one column narrower, or n if none
// can.
static size_t find_shrinkable(const struct layout *layout)
{
    size_t found = layout->n;

    for (size_t c = 0; c < layout->n; c++) {
        size_t least =
            layout->words[c] > WRAP_LEAST ? layout->words[c] : WRAP_LEAST;

        if (layout->columns[c].wraps && !layout->below[c] &&
            layout->widths[c] > least &&
            (found == layout->n || layout->widths[c] > layout->widths[found]))
            found = c;
    }
    return found;
}

// Returns the last column that is still in the table: of those that wrap if
// there are any, else of all; n if none is left. The first column stays,
// because it says what the row is.
static size_t find_last(const struct layout *layout)
{
    size_t found = layout->n;

    for (size_t c = layout->n; c-- > 1;) {
        if (layout->below[c])
            continue;
        if (layout->columns[c].wraps)
            return c;
        if (found == layout->n)
            found = c;
    }
    return found;
}

// Narrows the text columns, at most down to their widest word. If that is not
// enough, moves columns below their row, which leaves more room for the others.
static void fit(struct layout *layout, size_t width)
{
    while (total_width(layout) > width) {
        size_t shrinkable = find_shrinkable(layout);
        size_t last = find_last(layout);

        if (shrinkable < layout->n) {
            layout->widths[shrinkable]--;
        } else if (last < layout->n) {
            layout->below[last] = true;
            memcpy(layout->widths, layout->natural,
                   layout->n * sizeof *layout->widths);
        } else {
            return;
        }
    }
}

// --- rows ---

static bool is_right_aligned(enum grid_kind kind)
{
    return kind == GRID_NUMBER || kind == GRID_COUNT || kind == GRID_PERCENT;
}

static void put_blanks(struct buf *out, size_t n)
{
    buf_printf(out, "%*s", (int)n, "");
}

// Appends one column's part of one line. `owed` counts the blanks before it,
// which are written only if something follows, so that no line ends in blanks.
static void put_piece(const struct layout *layout, size_t c, const char *text,
                      size_t len, size_t *owed, struct buf *out)
{
    size_t used = terminal_columns(text, len);
    size_t pad = used < layout->widths[c] ? layout->widths[c] - used : 0;

    if (is_right_aligned(layout->columns[c].kind)) {
        *owed += pad;
        pad = 0;
    }
    if (len > 0) {
        put_blanks(out, *owed);
        buf_append(out, text, len);
        *owed = 0;
    } else {
        pad += used;
    }
    *owed += pad + GAP;
}

// Appends the cells of a row side by side, in as many lines as the tallest
// needs.
static void put_lines(const struct layout *layout, const struct buf *cells,
                      struct buf *out)
{
    const char *rest[GRID_MAX_COLUMNS];
    bool more = true;

    for (size_t c = 0; c < layout->n; c++)
        rest[c] = cell_text(&cells[c]);
    while (more) {
        size_t owed = 0;

        more = false;
        for (size_t c = 0; c < layout->n; c++) {
            const char *next = rest[c] + strlen(rest[c]);
            size_t len = strlen(rest[c]);

            if (layout->below[c])
                continue;
            if (layout->columns[c].wraps)
                len = wrap_line(rest[c], layout->widths[c], &next);
            put_piece(layout, c, rest[c], len, &owed, out);
            rest[c] = next;
            more = more || *next != '\0';
        }
        buf_putc(out, '\n');
    }
}

// Appends a title such as "reason: " and returns how many columns it takes.
static size_t put_title(const char *title, struct buf *out)
{
    for (const char *at = title; *at != '\0'; at++)
        buf_putc(out, (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at));
    buf_puts(out, ": ");
    return strlen(title) + 2;
}

// Appends what is shown under the row: as many values on a line as fit,
// "    state: done  score: 81.0 %", and each text on a line of its own,
// "    reason: all trials done".
static void put_below(const struct layout *layout, size_t width,
                      const struct buf *cells, struct buf *out)
{
    size_t used = 0; // columns used in the current line; 0: no line begun

    for (size_t c = 0; c < layout->n; c++) {
        const struct grid_column *column = &layout->columns[c];
        const char *text = cell_text(&cells[c]);
        size_t more =
            strlen(column->title) + 2 + terminal_columns(text, strlen(text));

        if (!layout->below[c] || strcmp(text, "-") == 0)
            continue;
        if (used > 0 && (column->wraps || used + GAP + more > width)) {
            buf_putc(out, '\n');
            used = 0;
        }
        put_blanks(out, used > 0 ? (size_t)GAP : (size_t)BELOW_INDENT);
        used += used > 0 ? (size_t)GAP : (size_t)BELOW_INDENT;
        used += put_title(column->title, out);
        wrap_text(width, used, BELOW_INDENT + 2, text, out);
        used += terminal_columns(text, strlen(text));
        if (column->wraps) {
            buf_putc(out, '\n');
            used = 0;
        }
    }
    if (used > 0)
        buf_putc(out, '\n');
}

static void put_row(const struct layout *layout, size_t width,
                    const json_t *row, struct buf *out)
{
    struct buf cells[GRID_MAX_COLUMNS];

    for (size_t c = 0; c < layout->n; c++) {
        cells[c] = BUF_INIT(CELL_BYTES);
        put_cell(&layout->columns[c], row, &cells[c]);
    }
    put_lines(layout, cells, out);
    if (row != NULL)
        put_below(layout, width, cells, out);
    for (size_t c = 0; c < layout->n; c++)
        buf_release(&cells[c]);
}

static void put_table(const struct layout *layout,
                      const struct terminal *terminal, const json_t *rows,
                      struct buf *out)
{
    put_row(layout, (size_t)terminal->width, NULL, out);
    for (size_t r = 0; r < json_array_size(rows); r++)
        put_row(layout, (size_t)terminal->width, json_array_get(rows, r), out);
}

// Returns true if the column has anything to show.
static bool is_shown(const struct grid_column *column, const json_t *rows)
{
    bool any = column->kind != GRID_VALUES;

    for (size_t i = 0; !any && i < json_array_size(rows); i++)
        any = json_object_size(
                  json_object_get(json_array_get(rows, i), column->key)) > 0;
    return any;
}

void grid_put(const struct terminal *terminal,
              const struct grid_column *columns, size_t n, const json_t *rows,
              struct buf *out)
{
    struct grid_column shown[GRID_MAX_COLUMNS];
    struct layout layout = {.columns = shown};

    for (size_t i = 0; i < n; i++)
        if (is_shown(&columns[i], rows))
            shown[layout.n++] = columns[i];

    measure(&layout, rows);
    if (terminal->live)
        fit(&layout, (size_t)terminal->width);
    put_table(&layout, terminal, rows, out);
}

// --- the rows of any query ---

// Returns true if the columns fit side by side and no row needs many lines.
static bool is_easy_to_read(struct layout *layout, size_t width)
{
    fit(layout, width);
    for (size_t c = 0; c < layout->n; c++)
        if (layout->below[c] ||
            layout->natural[c] > TALLEST * layout->widths[c])
            return false;
    return total_width(layout) <= width;
}

static bool are_numbers(const json_t *rows, const char *name)
{
    bool any = false;

    for (size_t r = 0; r < json_array_size(rows); r++) {
        const json_t *value = json_object_get(json_array_get(rows, r), name);

        if (!json_is_number(value) && !json_is_null(value))
            return false;
        any = any || json_is_number(value);
    }
    return any;
}

static size_t name_columns(const json_t *names, const json_t *rows,
                           struct grid_column *list)
{
    size_t n = json_array_size(names);

    if (n > GRID_MAX_COLUMNS)
        n = GRID_MAX_COLUMNS;
    for (size_t c = 0; c < n; c++) {
        const char *name = json_string_value(json_array_get(names, c));

        list[c] = are_numbers(rows, name)
                      ? (struct grid_column){name, name, GRID_NUMBER, false}
                      : (struct grid_column){name, name, GRID_TEXT, true};
    }
    return n;
}

void grid_put_any(const struct terminal *terminal, const json_t *names,
                  const json_t *rows, struct buf *out)
{
    struct grid_column list[GRID_MAX_COLUMNS];
    struct layout layout = {.columns = list,
                            .n = name_columns(names, rows, list)};

    measure(&layout, rows);
    if (terminal->live && !is_easy_to_read(&layout, (size_t)terminal->width))
        grid_put_vertical(terminal, names, rows, out);
    else if (layout.n > 0)
        put_table(&layout, terminal, rows, out);
}

// Appends a value with its line ends; each line begins at the column of the
// values.
static void put_text(const struct terminal *terminal, const char *text,
                     size_t indent, struct buf *out)
{
    for (bool first = true; first || *text != '\0'; first = false) {
        size_t len = strcspn(text, "\n");
        struct buf line = BUF_INIT(CELL_BYTES);

        if (!first)
            put_blanks(out, indent);
        plain_put_line(&line, text, len);
        if (terminal->live)
            wrap_text((size_t)terminal->width, indent, indent, cell_text(&line),
                      out);
        else
            buf_puts(out, cell_text(&line));
        buf_putc(out, '\n');
        buf_release(&line);
        text += len;
        text += *text == '\n';
    }
}

static void put_record(const struct terminal *terminal,
                       const struct layout *layout, const json_t *row,
                       size_t indent, struct buf *out)
{
    for (size_t c = 0; c < layout->n; c++) {
        const struct grid_column *column = &layout->columns[c];
        struct buf value = BUF_INIT(CELL_BYTES);
        size_t used = out->len;

        grid_value_put(column->kind, json_object_get(row, column->key), &value);
        plain_put_line(out, column->title, strlen(column->title));
        used = out->len - used;
        put_blanks(out, indent > used ? indent - used : 1);
        put_text(terminal, cell_text(&value), indent, out);
        buf_release(&value);
    }
}

void grid_put_vertical(const struct terminal *terminal, const json_t *names,
                       const json_t *rows, struct buf *out)
{
    struct grid_column list[GRID_MAX_COLUMNS];
    struct layout layout = {.columns = list,
                            .n = name_columns(names, rows, list)};
    size_t indent = 0;

    for (size_t c = 0; c < layout.n; c++) {
        size_t columns = terminal_columns(list[c].title, strlen(list[c].title));

        indent = columns + GAP > indent ? columns + GAP : indent;
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        buf_printf(out, "%s--- %zu ---\n", r == 0 ? "" : "\n", r + 1);
        put_record(terminal, &layout, json_array_get(rows, r), indent, out);
    }
}
