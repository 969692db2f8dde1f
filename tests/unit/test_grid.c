#include <criterion/criterion.h>
#include <string.h>

#include "cli/grid.h"

static const struct grid_column columns[] = {
    {"JOB", "job", GRID_TEXT, true},
    {"SCORE", "score", GRID_PERCENT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"DEMOS", "demos", GRID_PARTS, true},
    {"UPDATED", "updated", GRID_TIME, true},
};
enum { N = sizeof columns / sizeof *columns };

static struct buf out;
static json_t *rows;

static void open_rows(void)
{
    out = BUF_INIT(1 << 16);
    rows = json_pack("[{s:s, s:f, s:i, s:{s:i, s:i}, s:s}, {s:s, s:n}]", "job",
                     "customer-care-3f2a1b90c4de", "score", 0.84, "calls", 1812,
                     "demos", "classify", 3, "respond", 0, "updated",
                     "2026-11-22T23:06:01.123Z", "job", "x", "score");
    cr_assert_not_null(rows);
}

static void close_rows(void)
{
    json_decref(rows);
    buf_release(&out);
}

static bool shows(const char *text)
{
    return strstr(out.data, text) != NULL;
}

static size_t widest_line(void)
{
    size_t widest = 0;

    for (const char *line = out.data; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t width = terminal_columns(line, len);

        widest = width > widest ? width : widest;
        line += len + (line[len] == '\n');
    }
    return widest;
}

TestSuite(grid, .init = open_rows, .fini = close_rows);

Test(grid, values_are_written_for_people)
{
    grid_put(&(struct terminal){.width = 80}, columns, N, rows, &out);
    cr_expect(shows("84.0 %"), "%s", out.data);
    cr_expect(shows("1,812"), "%s", out.data);
    cr_expect(shows("classify 3, respond 0"), "%s", out.data);
    cr_expect(shows("2026-11-22 23:06:01\n"), "%s", out.data);
}

Test(grid, a_missing_value_is_a_dash)
{
    grid_put(&(struct terminal){.width = 80}, columns, N, rows, &out);
    cr_expect(shows("x                                -      -  -"), "%s",
              out.data);
}

Test(grid, on_a_terminal_the_table_fits)
{
    for (int width = 48; width < 120; width += 7) {
        buf_clear(&out);
        grid_put(&(struct terminal){.width = width, .live = true}, columns, N,
                 rows, &out);
        cr_expect_leq(widest_line(), (size_t)width, "%s", out.data);
    }
}

Test(grid, in_a_file_nothing_is_cut)
{
    grid_put(&(struct terminal){.width = 40}, columns, N, rows, &out);
    cr_expect(shows("customer-care-3f2a1b90c4de"), "%s", out.data);
    cr_expect(shows("classify 3, respond 0"), "%s", out.data);
}

Test(grid, text_from_outside_cannot_steer_the_terminal)
{
    json_object_set_new(json_array_get(rows, 0), "job",
                        json_string("evil\x1b[2J\nline"));
    grid_put(&(struct terminal){.width = 80}, columns, N, rows, &out);
    cr_expect_null(strchr(out.data, '\x1b'));
    cr_expect(shows("evil\\x1b[2J line"), "%s", out.data);
}
