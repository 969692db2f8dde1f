#include "program/job/packed.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"

static struct packed_names names;
static struct buf bytes;
static struct err err;

static void set_up(void)
{
    names = (struct packed_names){0};
    bytes = BUF_INIT(1 << 22);
}

static void tear_down(void)
{
    packed_release(&names);
    buf_release(&bytes);
}

TestSuite(packed, .init = set_up, .fini = tear_down);

static json_t *parse(const char *text)
{
    json_t *value = json_parse(text, strlen(text), 1 << 20, &err);

    cr_assert_not_null(value, "%s", err.text);
    return value;
}

// Checks that a value comes back with the same text.
static void expect_same(const char *text)
{
    json_t *value = parse(text);
    char *before = json_text(value);
    json_t *back;
    char *written;

    buf_clear(&bytes);
    packed_put(&names, value, &bytes);
    cr_assert_not(bytes.failed);
    back = packed_get(&names, bytes.data);
    cr_assert_not_null(back);
    written = json_text(back);
    cr_expect_str_eq(written, before);
    cr_expect(json_equal(back, value));
    free(written);
    free(before);
    json_decref(back);
    json_decref(value);
}

Test(packed, every_kind_of_value_round_trips)
{
    expect_same("null");
    expect_same("[true,false,null]");
    expect_same("[0,1,-1,63,64,-64,-65,1000000]");
    expect_same("[9223372036854775807,-9223372036854775808]");
    expect_same("[0.1,-0.0,1e300,5e-324]");
    expect_same("{\"a\":\"\",\"b\":\"\\u00e4 \\n \\\"\",\"c\":[],\"d\":{}}");
    expect_same("{\"z\":1,\"a\":{\"z\":[{\"a\":2}]},\"m\":\"x\"}");
}

Test(packed, texts_of_all_lengths_round_trip)
{
    static const size_t lengths[] = {126, 127, 128, 129, 16383, 16384, 70000};
    char *text = malloc(70003);

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];

        memset(text, 'x', n + 2);
        text[0] = text[n + 1] = '"';
        text[n + 2] = '\0';
        expect_same(text);
    }
    free(text);
}

Test(packed, names_are_stored_once_for_all_objects)
{
    json_t *value = parse("{\"a_long_name_of_a_member\":1,\"another\":2}");

    packed_put(&names, value, &bytes);
    cr_expect_eq(names.n, 2);
    cr_expect_lt(bytes.len, 12);
    packed_put(&names, value, &bytes);
    cr_expect_eq(names.n, 2);
    json_decref(value);
}

Test(packed, names_beyond_the_list_round_trip_too)
{
    struct buf text = BUF_INIT(1 << 20);

    buf_puts(&text, "{");
    for (int i = 0; i < PACKED_MAX_NAMES + 50; i++)
        buf_printf(&text, "%s\"name%d\":%d", i == 0 ? "" : ",", i, i);
    buf_puts(&text, "}");
    expect_same(text.data);
    expect_same(text.data);
    expect_same("{\"name300\":{\"name2\":0},\"name1\":[]}");
    cr_expect_eq(names.n, PACKED_MAX_NAMES);
    buf_release(&text);
}

Test(packed, a_shared_value_is_not_copied)
{
    json_t *shared = parse("\"a default that is long enough to be seen\"");
    json_t *object = json_pack("{s:O, s:i}", "a", shared, "b", 1);
    json_t *back;

    packed_share(&names, shared);
    packed_put(&names, object, &bytes);
    cr_expect_lt(bytes.len, 12);
    back = packed_get(&names, bytes.data);
    cr_expect_eq(json_object_get(back, "a"), shared);
    json_decref(back);
    json_decref(object);
    json_decref(shared);
}
