#include "common/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "common/rng.h"

static struct buf buf;
static struct err err;

static void open_buf(void)
{
    buf = BUF_INIT(1 << 20);
    err = ERR_CLEAR;
}

static void close_buf(void)
{
    buf_release(&buf);
}

TestSuite(buf, .init = open_buf, .fini = close_buf);

static void expect_json(const char *text, size_t len, const char *json)
{
    buf_clear(&buf);
    buf_put_json(&buf, text, len);
    cr_assert(buf_ok(&buf, "the text", &err), "%s", err.text);
    cr_expect_str_eq(buf.data, json);
}

Test(buf, appends_bytes_text_and_numbers)
{
    buf_append(&buf, "ab", 2);
    buf_putc(&buf, '-');
    buf_puts(&buf, "cd");
    buf_printf(&buf, "-%d-%s", 42, "end");

    cr_assert(buf_ok(&buf, "it", &err), "%s", err.text);
    cr_expect_str_eq(buf.data, "ab-cd-42-end");
    cr_expect_eq(buf.len, strlen(buf.data));
}

Test(buf, stays_terminated_while_it_grows)
{
    for (size_t i = 0; i < 5000; i++) {
        buf_putc(&buf, 'x');
        cr_assert_eq(buf.len, i + 1);
        cr_assert_eq(buf.data[buf.len], '\0');
    }
}

Test(buf, buf_expect_reserves_in_one_step)
{
    struct buf room = BUF_INIT(5000);

    buf_puts(&room, "first");
    buf_expect(&room, 4000);
    const char *data = room.data;
    for (int i = 0; i < 4000; i++)
        buf_putc(&room, 'x');
    cr_expect_eq(room.data, data);
    cr_expect_eq(room.len, 4005);
    buf_expect(&room, 4000); // beyond the maximum: grows as far as allowed
    cr_expect_eq(room.cap, 5001);
    cr_expect_not(room.failed);
    buf_release(&room);
}

Test(buf, takes_exactly_its_maximum)
{
    buf = BUF_INIT(100);
    for (int i = 0; i < 100; i++)
        buf_putc(&buf, 'x');
    cr_expect(buf_ok(&buf, "it", &err), "%s", err.text);

    buf_putc(&buf, 'y');
    cr_expect_not(buf_ok(&buf, "the reply", &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_str_eq(err.text, "the reply is too long (over 100 bytes)");
}

Test(buf, a_failed_buffer_keeps_what_it_had_and_ignores_the_rest)
{
    buf = BUF_INIT(8);
    buf_puts(&buf, "12345");
    buf_puts(&buf, "6789");
    buf_puts(&buf, "6");
    buf_printf(&buf, "%d", 7);

    cr_expect(buf.failed);
    cr_expect_str_eq(buf.data, "12345");
}

Test(buf, format_that_exceeds_the_maximum_appends_nothing)
{
    buf = BUF_INIT(8);
    buf_puts(&buf, "1234");
    buf_printf(&buf, "%s", "56789");

    cr_expect(buf.failed);
    cr_expect_str_eq(buf.data, "1234");
    cr_expect_eq(buf.len, 4);
}

Test(buf, maximum_of_size_max_does_not_overflow)
{
    volatile size_t endless = SIZE_MAX - 1; // hidden from the compiler

    buf = BUF_INIT(SIZE_MAX);
    buf_puts(&buf, "a");
    cr_expect_not(buf.failed);

    buf_append(&buf, "", endless);
    cr_expect(buf.failed);
}

Test(buf, clearing_keeps_the_allocation)
{
    buf = BUF_INIT(8);
    buf_puts(&buf, "123456789");
    buf_puts(&buf, "1");
    buf_clear(&buf);
    buf_puts(&buf, "ab");

    cr_expect(buf_ok(&buf, "it", &err), "%s", err.text);
    cr_expect_str_eq(buf.data, "ab");
}

Test(buf, taking_hands_the_bytes_over)
{
    buf_puts(&buf, "mine");
    char *text = buf_take(&buf);

    cr_expect_str_eq(text, "mine");
    cr_expect_null(buf.data);
    cr_expect_eq(buf.max, 1 << 20);
    free(text);
}

Test(buf, taking_from_an_empty_buffer_gives_an_empty_text)
{
    char *text = buf_take(&buf);

    cr_expect_str_eq(text, "");
    free(text);
}

Test(buf, taking_from_a_failed_buffer_gives_nothing)
{
    buf = BUF_INIT(3);
    buf_puts(&buf, "12");
    buf_puts(&buf, "34");

    cr_expect_null(buf_take(&buf));
    cr_expect_not(buf.failed);
}

Test(buf, json_escapes_only_what_json_requires)
{
    expect_json("plain /text/ \x7F", 14, "\"plain /text/ \x7F\"");
    expect_json("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    expect_json("\0\x01\x0B\x1F", 4, "\"\\u0000\\u0001\\u000b\\u001f\"");
    expect_json("", 0, "\"\"");
    expect_json(NULL, 0, "\"\"");
}

Test(buf, json_escapes_a_byte_at_any_offset)
{
    for (int byte = 0; byte < 128; byte++)
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            char same[23] = "\"";
            bool plain = byte >= ' ' && byte != '"' && byte != '\\';

            memset(text, 'a', sizeof text);
            text[at] = (char)byte;
            memcpy(same + 1, text, sizeof text);
            same[21] = '"';
            buf_clear(&buf);
            buf_put_json(&buf, text, sizeof text);
            cr_expect_eq(buf.len == 22 && memcmp(buf.data, same, 22) == 0,
                         plain, "byte %d at %zu: %s", byte, at, buf.data);
        }
}

Test(buf, json_writes_non_latin_scripts_unescaped)
{
    const char *text = "na\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC "
                       "\xF0\x9F\x99\x82 \xF4\x8F\xBF\xBF";
    char quoted[64];

    snprintf(quoted, sizeof quoted, "\"%s\"", text);
    expect_json(text, strlen(text), quoted);
}

#define BAD "\xEF\xBF\xBD"

Test(buf, json_replaces_invalid_utf8)
{
    expect_json("a\xFFz", 3, "\"a" BAD "z\"");             // no such lead byte
    expect_json("\x80", 1, "\"" BAD "\"");                 // no lead byte
    expect_json("\xC0\xAF", 2, "\"" BAD BAD "\"");         // overlong
    expect_json("\xED\xA0\x80", 3, "\"" BAD BAD BAD "\""); // surrogate
    expect_json("\xF4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\""); // too high
    expect_json("\xE2\x82", 2, "\"" BAD BAD "\"");                 // cut off
    expect_json("\xE2\x82z", 3, "\"" BAD BAD "z\"");               // broken off
}

Test(buf, jansson_reads_json_made_of_any_bytes)
{
    struct rng rng;

    rng_init(&rng, 1, "bytes", 0);
    for (int round = 0; round < 300; round++) {
        char text[64];
        size_t len = rng_below(&rng, sizeof text);
        for (size_t i = 0; i < len; i++)
            text[i] = (char)rng_below(&rng, 256);
        buf_clear(&buf);
        buf_put_json(&buf, text, len);
        json_t *value = json_loadb(buf.data, buf.len,
                                   JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        cr_assert(json_is_string(value), "%s", buf.data);
        json_decref(value);
    }
}

Test(buf, json_that_passes_the_maximum_fails)
{
    buf = BUF_INIT(6);
    buf_put_json(&buf, "12345", 5);

    cr_expect_not(buf_ok(&buf, "the text", &err));
    cr_expect_eq(err.code, ERR_LIMIT);
}
