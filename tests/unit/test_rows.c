#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "program/job/rows.h"

static const char *const wanted[] = {"text", "label"};

static struct rows *rows;
static struct err err;

static void close_rows(void)
{
    rows_close(rows);
}

TestSuite(rows, .fini = close_rows);

static void open_bytes(const char *name, const char *data, size_t len)
{
    struct rows_input input = {.name = name,
                               .data = data,
                               .len = len,
                               .wanted = wanted,
                               .n_wanted = 2};

    err = ERR_CLEAR;
    rows = rows_open(&input, &err);
}

static void open_text(const char *name, const char *text)
{
    open_bytes(name, text, strlen(text));
    cr_assert_not_null(rows, "%s", err.text);
}

static void expect_row(const char *fields, int line)
{
    cr_assert_eq(rows_next(rows, &err), ROWS_ROW, "%s", err.text);
    char *text = json_text(rows_fields(rows));
    cr_expect_str_eq(text, fields);
    cr_expect_eq(rows_line(rows), line);
    free(text);
}

static void expect_end(void)
{
    cr_expect_eq(rows_next(rows, &err), ROWS_END);
    cr_expect_eq(rows_next(rows, &err), ROWS_END);
}

Test(rows, json_lines_keep_empty_lines_in_their_place)
{
    open_text("r.jsonl", "\n{\"text\": 1}\n \n{\"text\": 2}");
    cr_expect_eq(rows_next(rows, &err), ROWS_BLANK);
    expect_row("{\"text\":1}", 2);
    cr_expect_eq(rows_next(rows, &err), ROWS_BLANK);
    expect_row("{\"text\":2}", 4);
    expect_end();
}

Test(rows, a_list_gives_its_objects_with_their_lines)
{
    open_text("r.json", "[\n  {\n    \"text\": 1\n  },\n  {\"text\": 2}\n]\n");
    expect_row("{\"text\":1}", 2);
    expect_row("{\"text\":2}", 5);
    expect_end();
}

Test(rows, object_with_a_wanted_key_is_a_row_not_a_wrapper)
{
    open_text("r.jsonl", "{\"text\": \"a\", \"x\": [{\"text\": \"b\"}]}\n");
    expect_row("{\"text\":\"a\",\"x\":[{\"text\":\"b\"}]}", 1);
    expect_end();
}

Test(rows, a_separator_is_chosen_by_the_columns_that_are_wanted)
{
    open_text("r.csv", "a,b,c,d;text;label\n1;2;3\n");
    expect_row("{\"a,b,c,d\":\"1\",\"text\":\"2\",\"label\":\"3\"}", 2);
    expect_end();
}

Test(rows, an_empty_cell_is_null_and_a_quoted_one_a_text)
{
    open_text("r.csv", "text,label\n,\"\"\n");
    expect_row("{\"text\":null,\"label\":\"\"}", 2);
    expect_end();
}

Test(rows, a_cell_of_blanks_is_null)
{
    open_text("r.csv", "text,label\n  ,b\n");
    expect_row("{\"text\":null,\"label\":\"b\"}", 2);
    expect_end();
}

Test(rows, excel_text_formulas_are_unwrapped)
{
    open_text("r.csv", "text,label\n=\"007\",\"=\"\"1e5\"\"\"\n"
                       "\"=\"\"a\"\"&\"\"b\"\"\",=SUM(A1)\n");
    expect_row("{\"text\":\"007\",\"label\":\"1e5\"}", 2);
    expect_row("{\"text\":\"=\\\"a\\\"&\\\"b\\\"\",\"label\":\"=SUM(A1)\"}", 3);
    expect_end();
}

Test(rows, quoted_tsv_cell_may_span_lines_if_its_row_lacks_cells)
{
    open_text("r.tsv", "text\tlabel\n\"one\ntwo\"\tgood\n"
                       "5\" or \"so\tbad\n\"so\tbad\nand \"so\"\tgood\n");
    expect_row("{\"text\":\"one\\ntwo\",\"label\":\"good\"}", 2);
    expect_row("{\"text\":\"5\\\" or \\\"so\",\"label\":\"bad\"}", 4);
    expect_row("{\"text\":\"\\\"so\",\"label\":\"bad\"}", 5);
    expect_row("{\"text\":\"and \\\"so\\\"\",\"label\":\"good\"}", 6);
    expect_end();
}

Test(rows, only_the_line_below_the_head_line_is_a_rule)
{
    open_text("r.md", "text|label\n---|:-:\nwarm|good\n-|-\n");
    cr_expect_eq(rows_next(rows, &err), ROWS_BLANK);
    expect_row("{\"text\":\"warm\",\"label\":\"good\"}", 3);
    expect_row("{\"text\":\"-\",\"label\":\"-\"}", 4);
    expect_end();
}

Test(rows, value_that_json_cannot_hold_is_reported_by_its_key)
{
    const char *token = NULL;

    open_text("r.jsonl", "{\"text\": [1, NaN], \"id\": 99999999999999999999, "
                         "\"label\": \"NaN\"}\n");
    expect_row("{\"text\":[1,null],\"id\":\"99999999999999999999\","
               "\"label\":\"NaN\"}",
               1);
    cr_expect_eq(rows_raw_token(rows, "text", &token), 3);
    cr_expect_eq(rows_raw_token(rows, "id", &token), 20);
    cr_expect_eq(rows_raw_token(rows, "label", &token), 0);
    cr_expect_eq(rows_raw_token(rows, "none", &token), 0);
}

Test(rows, a_place_is_counted_in_characters)
{
    struct place place = {0};
    const char *line = NULL;
    size_t len = 0;

    open_text("r.csv", "text,label\n\"ä\nö\",ü\n");
    expect_row("{\"text\":\"ä\\nö\",\"label\":\"ü\"}", 2);
    rows_place(rows, "label", &place, &line, &len);
    cr_expect_eq(place.line, 3);
    cr_expect_eq(place.column, 4);
    cr_expect_eq(place.width, 1);
    cr_expect_eq(len, strlen("ö\",ü"));
    rows_place(rows, "text", &place, &line, &len);
    cr_expect_eq(place.line, 2);
    cr_expect_eq(place.width, 2);
}

Test(rows, stream_of_lines_is_read_incrementally)
{
    int ends[2];
    struct rows_input input = {.name = "-", .wanted = wanted, .n_wanted = 2};

    cr_assert_eq(pipe(ends), 0);
    FILE *in = fdopen(ends[0], "r");
    FILE *out = fdopen(ends[1], "w");
    cr_assert(in != NULL && out != NULL);
    fputs("{\"text\": 1}\n", out);
    fflush(out);
    input.stream = in;
    rows = rows_open(&input, &err);
    cr_assert_not_null(rows, "%s", err.text);
    expect_row("{\"text\":1}", 1);
    cr_expect(rows_would_block(rows), "nobody has written the next");
    fputs("{\"text\": 2}\n{\"text\": 3}\n", out);
    fflush(out);
    cr_expect_not(rows_would_block(rows));
    expect_row("{\"text\":2}", 2);
    cr_expect_not(rows_would_block(rows), "it was read along");
    expect_row("{\"text\":3}", 3);
    cr_expect(rows_would_block(rows));
    fclose(out);
    expect_end();
    fclose(in);
}

// A table too large to keep in memory: 36 MiB, with a line of 12 MiB in its
// middle. Every third cell is quoted and contains a line end.
enum {
    LONG_ROWS = 500,
    LONG_CELL = 50000,
    LONG_LINE = 12 << 20,
    LONG_AT = 251
};

static size_t put_long_row(int i, char *out)
{
    size_t len = i == LONG_AT ? LONG_LINE : LONG_CELL;
    size_t at = (size_t)sprintf(out, "%d,%s", i, i % 3 == 0 ? "\"" : "");

    memset(out + at, 'a' + i % 26, len);
    if (i % 3 == 0)
        out[at + len / 2] = '\n';
    at += len;
    return at + (size_t)sprintf(out + at, "%s\n", i % 3 == 0 ? "\"" : "");
}

static FILE *long_table(size_t *first_part)
{
    FILE *stream = tmpfile();
    char *row = malloc(LONG_LINE + 100);

    cr_assert(stream != NULL && row != NULL);
    fputs("label,text\n", stream);
    for (int i = 0; i < LONG_ROWS; i++) {
        (void)fwrite(row, 1, put_long_row(i, row), stream);
        if (i == LONG_ROWS / 2 - 1)
            *first_part = (size_t)ftell(stream);
    }
    free(row);
    rewind(stream);
    return stream;
}

static void expect_long_row(int i, int line)
{
    enum rows_step step = rows_next(rows, &err);

    cr_assert_eq(rows_line(rows), line, "row %d", i);
    if (i == LONG_AT) {
        cr_assert_eq(step, ROWS_BAD);
        return;
    }
    cr_assert_eq(step, ROWS_ROW, "row %d: %s", i, err.text);
    const char *text = json_get_text(rows_fields(rows), "text", "");
    cr_assert_eq(atoi(json_get_text(rows_fields(rows), "label", "")), i);
    cr_assert_eq(strlen(text), LONG_CELL);
    cr_assert_eq(text[LONG_CELL - 1], 'a' + i % 26);
}

Test(rows, long_table_is_read_incrementally)
{
    size_t half = 0;
    FILE *stream = long_table(&half);
    struct rows_input input = {
        .name = "-", .wanted = wanted, .n_wanted = 2, .stream = stream};
    int line = 2;

    rows = rows_open(&input, &err);
    cr_assert_not_null(rows, "%s", err.text);
    for (int i = 0; i < LONG_ROWS; i++) {
        expect_long_row(i, line);
        line += i % 3 == 0 ? 2 : 1;
        if (i == 0) // what comes later is not read yet
            cr_expect_lt((size_t)lseek(fileno(stream), 0, SEEK_CUR),
                         half + (8 << 20));
    }
    expect_end();
    fclose(stream);
}

// Checks that a stream gives the same rows as its bytes in memory.
static void expect_same(const char *name, const char *data, size_t len)
{
    struct rows_input input = {.name = name, .wanted = wanted, .n_wanted = 2};
    struct err other = ERR_CLEAR;
    FILE *stream = tmpfile();

    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(data, 1, len, stream), len);
    cr_assert_eq(fflush(stream), 0);
    rewind(stream);
    open_bytes(name, data, len);
    input.stream = stream;
    struct rows *second = rows_open(&input, &other);
    cr_assert_eq(rows == NULL, second == NULL, "%s|%s", err.text, other.text);
    for (int i = 0; rows != NULL && i < 100; i++) {
        enum rows_step step = rows_next(rows, &err);
        cr_assert_eq(step, rows_next(second, &other), "%s: %.*s|%d: %s|%s",
                     name, (int)len, data, i, err.text, other.text);
        cr_assert_eq(rows_line(rows), rows_line(second));
        if (step == ROWS_END)
            break;
        if (step == ROWS_ROW)
            cr_assert(json_equal(rows_fields(rows), rows_fields(second)));
    }
    rows_close(second);
    rows_close(rows);
    rows = NULL;
    fclose(stream);
}

// Whatever the bytes of an input are, the worst result is a mistake that is
// reported.
Test(rows, truncated_or_corrupted_bytes_give_rows_or_mistakes)
{
    static const struct {
        const char *name;
        const char *text;
    } files[] = {
        {"r.jsonl", "{\"text\": \"a\\\"b\", \"label\": NaN}\n\n[1]\n{}\n"},
        {"r.json", "[{\"text\": {\"x\": [1, -2e999]}}, {\"label\": \"b\"}]\n"},
        {"r.json", "{\"n\": 1,\n \"rows\": [{\"text\": \"a\"}],\n\"z\": 2}\n"},
        {"r.json", "{\"text\": \"a\",\n\"label\": 1}\n{\"text\":\n\"b\"}\n"},
        {"r.tsv", "text\tlabel\n\"a\tb\"\tc\n\"d\te\n\r\nf\t\n"},
        {"r.csv", "sep=;\ntext;label;;x;x\n\"a;\nb\";c;1;2;3\n"},
    };
    char bytes[128];

    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        size_t all = strlen(files[f].text);
        for (size_t len = 1; len <= all; len++) {
            memcpy(bytes, files[f].text, all);
            expect_same(files[f].name, bytes, len);
            bytes[len - 1] = (char)(bytes[len - 1] ^ 0x22);
            expect_same(files[f].name, bytes, all);
            bytes[len - 1] = (char)0xff;
            expect_same(files[f].name, bytes, all);
            bytes[len - 1] = 0;
            expect_same(files[f].name, bytes, all);
        }
    }
}
