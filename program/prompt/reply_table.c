#include "program/prompt/reply_table.h"

#include "program/prompt/dress.h"
#include "program/prompt/marker.h"

enum { CELLS_MAX = PROGRAM_MAX_FIELDS + 1, ROWS_MAX = PROGRAM_MAX_FIELDS + 2 };

struct table_row {
    struct span cells[CELLS_MAX];
    size_t n;
};

struct table {
    struct table_row rows[ROWS_MAX];
    size_t n;
};

// Reads "| a | b |", with both ends drawn. Returns false for a line that is not
// a row, or that has more cells than there could be.
static bool read_row(struct span line, struct table_row *row)
{
    *row = (struct table_row){.n = 0};
    if (line.len < 3 || line.at[0] != '|' || line.at[line.len - 1] != '|')
        return false;
    line = span_from(line, 1);
    while (line.len > 0 && row->n < CELLS_MAX) {
        size_t end = span_find(line, 0, "|");

        row->cells[row->n++] = span_trim(span_to(line, end));
        line = span_from(line, end + 1);
    }
    return line.len == 0;
}

// Returns true for "|---|:--:|", which separates the head from the rows.
static bool is_rule(const struct table_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        if (row->cells[i].len == 0 ||
            span_run(row->cells[i], "-: ") < row->cells[i].len)
            return false;
    return true;
}

// Reads the rows of the only table, without its rule. Returns false if there is
// no table, a second one, or one whose rows differ in length.
static bool read_table(struct span text, struct table *table)
{
    bool ended = false;
    struct table_row row;

    table->n = 0;
    while (text.len > 0) {
        struct span line = span_trim(span_line(&text));

        if (!read_row(line, &row)) {
            ended = table->n > 0;
            continue;
        }
        if (ended || table->n == ROWS_MAX ||
            (table->n > 0 && row.n != table->rows[0].n))
            return false;
        if (!is_rule(&row))
            table->rows[table->n++] = row;
    }
    return table->n > 0;
}

// Looks up a name as written in a cell: `title`, **title**.
static int field_of(const struct reading *reading, struct span cell)
{
    while (cell.len > 0 && dress_unwrap(&cell))
        cell = span_trim(cell);
    return marker_field(reading->signature, cell);
}

// Returns true if the first row has the names, all of them fields, above one
// row of values.
static bool has_names_in_row(const struct reading *reading,
                             const struct table *table)
{
    bool all = table->n == 2;

    for (size_t i = 0; all && i < table->rows[0].n; i++) {
        int field = field_of(reading, table->rows[0].cells[i]);
        all = field >= 0 || field == FIELD_OTHER;
    }
    return all;
}

// Returns true if the first of two columns has the names, ignoring a heading
// above them.
static bool has_names_in_column(const struct reading *reading,
                                const struct table *table)
{
    size_t from = field_of(reading, table->rows[0].cells[0]) < 0;
    bool all = table->rows[0].n == 2 && from < table->n;

    for (size_t i = from; all && i < table->n; i++)
        all = field_of(reading, table->rows[i].cells[0]) >= 0;
    return all;
}

static void put_value(struct reading *reading, struct span name,
                      struct span value, bool *any)
{
    int field = field_of(reading, name);

    if (field < 0)
        return;
    *any = true;
    reading->outputs[field].twice = reading->outputs[field].text.at != NULL;
    reading->outputs[field].text = value;
}

bool reply_table_find(struct reading *reading)
{
    struct table table;
    bool any = false;

    if (!read_table(reading->reply, &table))
        return false;
    const struct table_row *first = &table.rows[0];
    bool above = has_names_in_row(reading, &table);
    if (above == has_names_in_column(reading, &table))
        return false;
    for (size_t i = 0; above && i < first->n; i++)
        put_value(reading, first->cells[i], table.rows[1].cells[i], &any);
    for (size_t i = 0; !above && i < table.n; i++)
        put_value(reading, table.rows[i].cells[0], table.rows[i].cells[1],
                  &any);
    return any;
}
