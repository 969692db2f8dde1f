#include "common/json.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/rng.h"

static struct err err;
static struct buf out;

static void open_json(void)
{
    out = BUF_INIT(1 << 20);
    err = ERR_CLEAR;
}

static void close_json(void)
{
    buf_release(&out);
}

TestSuite(json, .init = open_json, .fini = close_json);

static json_t *parse(const char *text)
{
    return json_parse(text, strlen(text), 1 << 20, &err);
}

// Parses text and writes it again; expects the result to be `expected`.
static void expect_put(const char *text, bool sorted, const char *expected)
{
    json_t *value = parse(text);

    cr_assert_not_null(value, "%s", err.text);
    buf_clear(&out);
    (sorted ? json_put_sorted : json_put)(&out, value);
    cr_assert(buf_ok(&out, "the value", &err), "%s", err.text);
    cr_expect_str_eq(out.data, expected);
    json_decref(value);
}

static void expect_refused(const char *text, enum err_code code,
                           const char *part)
{
    err = ERR_CLEAR;
    cr_assert_null(parse(text));
    cr_expect_eq(err.code, code, "%s", err.text);
    cr_expect_not_null(strstr(err.text, part), "%s", err.text);
}

Test(json, may_begin_with_a_byte_order_mark)
{
    static const char text[] = "\xEF\xBB\xBF{\"a\": 1}";
    struct err why = ERR_CLEAR;
    json_t *value = json_parse(text, sizeof text - 1, 100, &why);

    cr_assert_not_null(value, "%s", why.text);
    cr_expect_eq(json_object_size(value), 1);
    json_decref(value);
    cr_expect_null(json_parse(text, 3, 100, &why));
}

Test(json, any_value_can_be_the_whole_document)
{
    expect_put("true", false, "true");
    expect_put(" 7 ", false, "7");
    expect_put("\"a\"", false, "\"a\"");
    expect_put("null", false, "null");
}

Test(json, syntax_error_is_reported_with_line_and_column)
{
    expect_refused("{\"a\": 1,\n  oops}", ERR_INPUT, "line 2, column ");
    expect_refused("", ERR_INPUT, "there is nothing where JSON");
    expect_refused("[1, 2", ERR_INPUT, "line 1");
    expect_refused("[1] x", ERR_INPUT, "line 1");
}

Test(json, duplicate_key_is_refused)
{
    expect_refused("{\"a\": 1, \"a\": 2}", ERR_INPUT,
                   "two members of an object have the same name");
}

Test(json, a_nul_in_a_text_is_refused)
{
    expect_refused("\"a\\u0000b\"", ERR_INPUT,
                   "\\u0000 is not allowed in a text");
}

Test(json, invalid_utf8_is_refused)
{
    expect_refused("\"\xFF\"", ERR_INPUT, "line 1");
}

Test(json, a_message_stays_on_one_line)
{
    expect_refused("{\"a\n\": 1}", ERR_INPUT, "line 1");
    cr_expect_null(strchr(err.text, '\n'));
}

Test(json, a_text_over_the_cap_is_not_parsed)
{
    cr_expect_null(json_parse("[1,2,3]", 7, 6, &err));
    cr_expect_eq(err.code, ERR_LIMIT);

    json_t *value = json_parse("[1,2,3]", 7, 7, &err);
    cr_expect_not_null(value, "%s", err.text);
    json_decref(value);
}

Test(json, endless_nesting_is_refused)
{
    char text[5000];

    memset(text, '[', sizeof text);
    cr_expect_null(json_parse(text, sizeof text, sizeof text, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}

Test(json, values_are_written_on_one_line_in_their_order)
{
    expect_put("{ \"b\" : [ 1, -2, {} ], \"a\" : { \"x\" : null },\n"
               "  \"c\" : [], \"d\": [true, false] }",
               false,
               "{\"b\":[1,-2,{}],\"a\":{\"x\":null},\"c\":[],"
               "\"d\":[true,false]}");
}

Test(json, sorted_keys_come_in_byte_order_at_every_depth)
{
    expect_put("{\"b\": {\"z\": 1, \"y\": 2}, \"a\": 3, \"B\": 4, "
               "\"\xC3\xA4\": 5, \"\": [{\"d\": 1, \"c\": 2}]}",
               true,
               "{\"\":[{\"c\":2,\"d\":1}],\"B\":4,\"a\":3,"
               "\"b\":{\"y\":2,\"z\":1},\"\xC3\xA4\":5}");
}

Test(json, keys_and_texts_are_escaped)
{
    expect_put("{\"a\\\"\\n\": \"\\u00e9\\u0001\\/\"}", false,
               "{\"a\\\"\\n\":\"\xC3\xA9\\u0001/\"}");
}

Test(json, extreme_integers_are_written_exactly)
{
    expect_put("[0, 9223372036854775807, -9223372036854775808]", false,
               "[0,9223372036854775807,-9223372036854775808]");
}

Test(json, reals_are_short_and_stay_reals)
{
    expect_put("[0.1, 1.0, -0.0, 1e300, 0.30000000000000004, 2.5e-7]", false,
               "[0.1,1.0,-0.0,1e+300,0.30000000000000004,2.5e-07]");
}

static void expect_same_real(double value)
{
    json_t *real = json_real(value);

    buf_clear(&out);
    json_put(&out, real);
    json_t *back = parse(out.data);
    cr_assert(json_is_real(back), "%s", out.data);
    cr_expect_eq(json_real_value(back), value, "%s", out.data);
    json_decref(back);
    json_decref(real);
}

Test(json, every_real_reads_back_as_the_same_double)
{
    struct rng rng;

    rng_init(&rng, 3, "reals", 0);
    expect_same_real(DBL_MAX);
    expect_same_real(DBL_MIN);
    expect_same_real(-DBL_MIN / 3);
    expect_same_real(1.0 / 3.0);
    for (int i = 0; i < 2000; i++) {
        double scale = i % 2 == 0 ? 1e-20 : 1e18;
        expect_same_real((rng_double(&rng) - 0.5) * scale);
    }
}

static json_t *nested(int depth)
{
    json_t *value = json_array();

    for (int i = 1; i < depth; i++)
        value = json_pack("[o]", value);
    return value;
}

Test(json, nesting_too_deep_fails_without_overflowing_the_stack)
{
    json_t *deep = nested(2048);
    json_t *deeper = nested(2049);

    json_put(&out, deep);
    cr_expect(buf_ok(&out, "the value", &err), "%s", err.text);
    buf_clear(&out);
    json_put(&out, deeper);
    cr_expect(out.failed);
    json_decref(deep);
    json_decref(deeper);
}

Test(json, many_sibling_values_do_not_count_as_deep)
{
    json_t *wide = json_array();

    for (int i = 0; i < 5000; i++)
        json_array_append_new(wide, json_object());
    json_put(&out, wide);
    cr_expect(buf_ok(&out, "the value", &err), "%s", err.text);
    json_decref(wide);
}

Test(json, a_value_over_the_maximum_fails)
{
    json_t *value = parse("[\"1234567890\"]");

    out = BUF_INIT(10);
    json_put_sorted(&out, value);
    cr_expect_not(buf_ok(&out, "the value", &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    json_decref(value);
}

Test(json, value_that_failed_to_build_reports_out_of_memory)
{
    json_put(&out, NULL);

    cr_expect_not(buf_ok(&out, "the value", &err));
    cr_expect_eq(err.code, ERR_NOMEM);
    cr_expect_null(json_text(NULL));
}

Test(json, value_is_converted_to_a_separate_text)
{
    json_t *value = parse("{\"b\": 1, \"a\": [2]}");
    char *text = json_text(value);

    cr_expect_str_eq(text, "{\"b\":1,\"a\":[2]}");
    free(text);
    json_decref(value);
}

Test(json, members_are_got_by_key_and_type)
{
    json_t *value = parse("{\"t\": \"x\", \"i\": 5, \"r\": 2.5, \"b\": true}");

    cr_expect_str_eq(json_get_text(value, "t", "none"), "x");
    cr_expect_eq(json_get_int(value, "i", -1), 5);
    cr_expect_eq(json_get_number(value, "r", -1), 2.5);
    cr_expect_eq(json_get_number(value, "i", -1), 5.0);
    cr_expect(json_get_bool(value, "b", false));
    json_decref(value);
}

Test(json, a_missing_member_or_another_type_gives_the_default)
{
    json_t *value = parse("{\"t\": \"x\", \"i\": 5, \"r\": 2.5}");

    cr_expect_str_eq(json_get_text(value, "i", "none"), "none");
    cr_expect_null(json_get_text(value, "absent", NULL));
    cr_expect_eq(json_get_int(value, "r", -1), -1);
    cr_expect_eq(json_get_number(value, "t", -1), -1);
    cr_expect(json_get_bool(value, "i", true));
    cr_expect_eq(json_get_int(NULL, "i", -1), -1);
    json_decref(value);
}
