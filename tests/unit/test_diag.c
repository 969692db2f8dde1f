#include <criterion/criterion.h>

#include "program/source/diag.h"

static struct diags *diags;
static struct buf out;
static struct err err;

static void open_list(void)
{
    err = ERR_CLEAR;
    out = BUF_INIT(1 << 20);
    diags = diags_new(&err);
    cr_assert_not_null(diags, "%s", err.text);
}

static void close_list(void)
{
    diags_free(diags);
    buf_release(&out);
}

TestSuite(diag, .init = open_list, .fini = close_list);

static void add(const char *file, int line, int column, const char *text)
{
    struct place place = {file, line, column, 2};

    diag_add(diags, DIAG_ERROR, "test", &place, "%s", text);
}

Test(diag, shows_the_line_and_a_mark_under_the_place)
{
    static const char text[] = "one: 1\n\tt\xc3\xa9 two\n";

    diag_source(diags, "job.yaml", text, sizeof text - 1);
    add("job.yaml", 2, 5, "wrong");
    diag_remedy(diags, "write %d", 2);
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "job.yaml:2:5: error: wrong\n"
                               "     2 |  t\xc3\xa9 two\n"
                               "       |     ^^\n"
                               "       = write 2\n");
}

Test(diag, places_the_mark_correctly_under_wide_characters)
{
    static const char text[] = "\xe5\x90\x8d: \xe9\x80\x80\xe6\xac\xbe";

    diag_source(diags, "f", text, sizeof text - 1);
    add("f", 1, 4, "wrong");
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "f:1:4: error: wrong\n     1 | "
                               "\xe5\x90\x8d: \xe9\x80\x80\xe6\xac\xbe\n"
                               "       |     ^^^^\n");
}

Test(diag, keeps_the_mark_within_the_line)
{
    diag_source(diags, "f", "ab", 2);
    add("f", 1, 3, "ends");
    add("f", 1, 9, "beyond");
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "f:1:3: error: ends\n     1 | ab\n"
                               "       |   ^\n"
                               "f:1:9: error: beyond\n     1 | ab\n");
}

Test(diag, prints_sorted_by_file_and_line)
{
    add("b", 9, 1, "third");
    add("a", 1, 1, "fourth");
    add("b", 2, 7, "second");
    add("b", 2, 3, "first");
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "b:2:3: error: first\nb:2:7: error: second\n"
                               "b:9:1: error: third\na:1:1: error: fourth\n");
}

Test(diag, disarms_control_characters)
{
    add("f", 0, 0, "esc \x1b[2J");
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "f: error: esc .[2J\n");
}

Test(diag, counts_the_findings_it_drops)
{
    for (int i = 0; i < DIAG_MAX + 3; i++)
        add("f", i + 1, 1, "x");
    diag_remedy(diags, "for a finding that was dropped");
    cr_expect_eq(diags->n, DIAG_MAX);
    cr_expect_eq(diags->dropped, 3);
    cr_expect_eq(diags->errors, DIAG_MAX + 3);
    cr_expect_null(diags->items[DIAG_MAX - 1].remedy);
}

Test(diag, is_ok_with_warnings_alone)
{
    struct place place = {"f", 1, 1, 1};

    diag_add(diags, DIAG_WARNING, "test", &place, "careful");
    cr_expect(diags_ok(diags, &err));
    add("f", 7, 2, "later");
    add("f", 3, 2, "sooner");
    cr_expect_not(diags_ok(diags, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_str_eq(err.text, "f:3:2: sooner");
}

Test(diag, keeps_its_own_copy_of_file_names)
{
    char name[] = "name";

    add(name, 1, 1, "x");
    name[0] = 'g';
    diags_print(diags, &out);
    cr_expect_str_eq(out.data, "name:1:1: error: x\n");
}

Test(diag, gives_valid_json_for_any_bytes)
{
    add("f\xff", 4, 2, "text");
    diag_remedy(diags, "do it");
    json_t *json = diags_json(diags);
    json_t *want = json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "level", "error",
                             "code", "test", "text", "text", "remedy", "do it",
                             "place", "f\xef\xbf\xbd:4:2");

    cr_assert_not_null(json);
    cr_assert_not_null(want);
    cr_expect(json_equal(json, want));
    json_decref(json);
    json_decref(want);
}
