#include <criterion/criterion.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/grid.h"

static const struct grid_column columns[] = {
    {"JOB", "job", GRID_TEXT, false},
    {"SCORE", "score", GRID_PERCENT, false},
    {"CALLS", "calls", GRID_COUNT, false},
    {"DEMOS", "demos", GRID_CHOICES, true},
    {"UPDATED", "updated", GRID_TIME, false},
    {"REASON", "reason", GRID_TEXT, true},
};
enum { N = sizeof columns / sizeof *columns };

static struct buf out;
static json_t *rows;

static void open_rows(void)
{
    out = BUF_INIT(1 << 16);
    rows = json_pack(
        "[{s:s, s:f, s:i, s:{s:i, s:i, s:i}, s:s, s:s}, {s:s, s:n}]", "job",
        "customer-care-3f2a1b90c4de", "score", 0.84, "calls", 1812, "demos",
        "classify", 3, "respond", 0, "sort", 1, "updated",
        "2026-11-22T23:06:01.123Z", "reason",
        "no model server answered for 5 minutes", "job", "x", "score");
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
    cr_expect(shows("  classify 3, sort 1  2026"), "%s", out.data);
    cr_expect(shows("2026-11-22 23:06:01  no model"), "%s", out.data);
}

Test(grid, a_program_without_choices_is_as_written)
{
    const struct grid_column demos = {"DEMOS", "demos", GRID_CHOICES, true};
    json_t *written = json_pack("[{s:{s:i, s:i}}]", "demos", "a", 0, "b", 0);

    grid_put(&(struct terminal){.width = 80}, &demos, 1, written, &out);
    cr_expect_str_eq(out.data, "DEMOS\nas written\n");
    json_decref(written);
}

Test(grid, a_missing_value_is_a_dash)
{
    grid_put(&(struct terminal){.width = 80}, columns, N, rows, &out);
    cr_expect(shows("x                                -      -  -"), "%s",
              out.data);
    cr_expect_null(strstr(out.data, " \n"), "%s", out.data);
}

Test(grid, on_a_terminal_the_table_fits_and_nothing_is_cut)
{
    for (int width = 40; width < 160; width += 7) {
        buf_clear(&out);
        grid_put(&(struct terminal){.width = width, .live = true}, columns, N,
                 rows, &out);
        cr_expect_leq(widest_line(), (size_t)width, "%s", out.data);
        cr_expect(shows("customer-care-3f2a1b90c4de"), "%s", out.data);
        for (const char *word = "no\0model\0server\0answered\0minutes\0";
             *word != '\0'; word += strlen(word) + 1)
            cr_expect(shows(word), "%s in %s", word, out.data);
        for (const char *value = "84.0 %\0001,812\0002026-11-22 23:06:01\0";
             *value != '\0'; value += strlen(value) + 1)
            cr_expect(shows(value), "%s in %s", value, out.data);
    }
}

Test(grid, other_columns_that_do_not_fit_move_below_their_row)
{
    grid_put(&(struct terminal){.width = 40, .live = true}, columns, N, rows,
             &out);
    cr_expect(shows("JOB                          SCORE\n"
                    "customer-care-3f2a1b90c4de  84.0 %\n"
                    "    calls: 1,812\n"
                    "    demos: classify 3, sort 1\n"
                    "    updated: 2026-11-22 23:06:01\n"
                    "    reason: no model server answered for\n"
                    "      5 minutes\n"),
              "%s", out.data);
}

Test(grid, an_id_that_is_wider_than_the_terminal_stays_whole)
{
    const char *id = "a-very-long-name-that-somebody-gave-to-a-job-3f2a1b90";

    json_object_set_new(json_array_get(rows, 0), "job", json_string(id));
    grid_put(&(struct terminal){.width = 40, .live = true}, columns, N, rows,
             &out);
    cr_expect(shows(id), "%s", out.data);
    cr_expect(shows("    score: 84.0 %  calls: 1,812\n"), "%s", out.data);
}

Test(grid, text_that_does_not_fit_moves_below_its_row)
{
    grid_put(&(struct terminal){.width = 72, .live = true}, columns, N, rows,
             &out);
    cr_expect(shows("\n    reason: no model server answered for 5 minutes\n"),
              "%s", out.data);
}

Test(grid, texts_wrap_beside_the_other_columns)
{
    grid_put(&(struct terminal){.width = 107, .live = true}, columns, N, rows,
             &out);
    cr_expect(shows("no model server\n"), "%s", out.data);
}

static json_t *names_of(const char *a, const char *b)
{
    return json_pack("[s, s]", a, b);
}

Test(grid, row_too_wide_for_a_table_is_shown_one_value_per_line)
{
    json_t *names = names_of("job", "reason");
    struct buf long_text = BUF_INIT(1 << 12);

    for (int i = 0; i < 60; i++)
        buf_puts(&long_text, "many words ");
    json_object_set_new(json_array_get(rows, 0), "reason",
                        json_string(long_text.data));
    grid_put_any(&(struct terminal){.width = 80, .live = true}, names, rows,
                 &out);
    cr_expect(shows("--- 1 ---\njob     customer-care-3f2a1b90c4de\n"
                    "reason  many words"),
              "%s", out.data);
    cr_expect_leq(widest_line(), 80, "%s", out.data);
    json_decref(names);
    buf_release(&long_text);
}

Test(grid, a_value_of_several_lines_keeps_them_in_the_vertical_form)
{
    json_t *names = names_of("job", "reason");

    json_object_set_new(json_array_get(rows, 0), "reason",
                        json_string("one\ntwo\x1b[2J"));
    grid_put_vertical(&(struct terminal){.width = 80}, names, rows, &out);
    cr_expect(shows("reason  one\n        two\\x1b[2J\n"), "%s", out.data);
    json_decref(names);
}

Test(grid, csv_is_quoted_where_it_must_be)
{
    json_t *names = names_of("job", "score");

    json_object_set_new(json_array_get(rows, 0), "job",
                        json_string("a \"b\", c\nd"));
    csv_put(names, rows, &out);
    cr_expect_str_eq(out.data, "job,score\n\"a \"\"b\"\", c\nd\",0.84\nx,\n");
    json_decref(names);
}

Test(grid, nothing_is_cut_in_a_file)
{
    grid_put(&(struct terminal){.width = 40}, columns, N, rows, &out);
    cr_expect(shows("customer-care-3f2a1b90c4de"), "%s", out.data);
    cr_expect(shows("  classify 3, sort 1  2026"), "%s", out.data);
}

Test(grid, untrusted_text_cannot_control_the_terminal)
{
    json_object_set_new(json_array_get(rows, 0), "job",
                        json_string("evil\x1b[2J\nline"));
    grid_put(&(struct terminal){.width = 80}, columns, N, rows, &out);
    cr_expect_null(strchr(out.data, '\x1b'));
    cr_expect(shows("evil\\x1b[2J line"), "%s", out.data);
}
