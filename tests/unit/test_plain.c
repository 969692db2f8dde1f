#include "common/plain.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "common/buf.h"

static void expect_line(const char *text, const char *shown)
{
    struct buf out = BUF_INIT(4096);

    plain_put_line(&out, text, strlen(text));
    cr_expect_str_eq(out.data, shown);
    buf_release(&out);
}

static void expect_text(const char *text, const char *shown)
{
    struct buf out = BUF_INIT(4096);

    plain_put_text(&out, text, strlen(text));
    cr_expect_str_eq(out.data, shown);
    buf_release(&out);
}

Test(plain, letters_of_all_scripts_and_emoji_pass)
{
    expect_line("Größe 投诉 שלום 👩‍🔧 naïve",
                "Größe 投诉 שלום 👩‍🔧 naïve");
}

Test(plain, an_escape_sequence_becomes_visible)
{
    expect_line("a\x1b[2Jb", "a\\x1b[2Jb");
    expect_line("\x1b]0;title\x07", "\\x1b]0;title\\x07");
    expect_line("\x7f\b", "\\x7f\\x08");
}

Test(plain, c1_controls_become_visible)
{
    expect_line("\xc2\x9b"
                "31m",
                "\\u009b31m");
    expect_line("\xc2\x85", "\\u0085");
}

Test(plain, bidirectional_controls_become_visible)
{
    expect_line("\xe2\x80\xae", "\\u202e");
    expect_line("\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069");
    expect_line("\xd8\x9c\xe2\x80\x8f", "\\u061c\\u200f");
    expect_line("\xf3\xa0\x80\xa1", "\\U000e0021");
}

Test(plain, invalid_utf8_becomes_visible)
{
    expect_line("caf\xe9!", "caf\\xe9!");
    expect_line("\xc0\xaf", "\\xc0\\xaf");
}

Test(plain, a_line_stays_one_line)
{
    expect_line("one\ntwo\tthree\rfour", "one two three four");
}

Test(plain, a_text_keeps_its_lines_but_cannot_write_over_them)
{
    expect_text("one\r\ntwo\n\tthree", "one\ntwo\n\tthree");
    expect_text("100 %\r0 %", "100 %\\x0d0 %");
}

Test(plain, json_keeps_its_meaning)
{
    json_t *value = json_pack(
        "{s:s}", "text", "\x1b[2J \xc2\x9b \xe2\x80\xae \xf3\xa0\x80\xa1 ü");
    char *dumped = json_dumps(value, JSON_INDENT(1));
    struct buf out = BUF_INIT(4096);
    json_t *back;

    plain_put_json(&out, dumped, strlen(dumped));
    cr_expect_null(strstr(out.data, "\xc2\x9b"));
    cr_expect_null(strstr(out.data, "\xe2\x80\xae"));
    cr_expect_not_null(strstr(out.data, "\\u202e \\udb40\\udc21 ü"));
    back = json_loads(out.data, 0, NULL);
    cr_expect(json_equal(value, back));
    json_decref(value);
    json_decref(back);
    free(dumped);
    buf_release(&out);
}

Test(plain, line_is_collapsed_in_place)
{
    char line[] = "a\x1b[1m\xc2\x9b\xe2\x80\xae\nb\xff";
    size_t len = plain_flatten(line, strlen(line));

    line[len] = '\0';
    cr_expect_str_eq(line, "a?[1m?? b?");
}
