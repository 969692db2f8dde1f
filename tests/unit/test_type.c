#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"
#include "program/graph/type.h"
#include "program/graph/type_check.h"
#include "program/graph/type_form.h"
#include "program/source/yaml.h"

static struct arena arena;
static struct diags *diags;
static struct field field;
static struct buf out;
static struct err err;

static void open_type(void)
{
    err = ERR_CLEAR;
    arena = ARENA_INIT(16 << 20);
    out = BUF_INIT(1 << 16);
    field = (struct field){.name = ""};
    diags = diags_new(&err);
    cr_assert_not_null(diags, "%s", err.text);
}

static void close_type(void)
{
    field_release(&field);
    diags_free(diags);
    arena_release(&arena);
    buf_release(&out);
}

TestSuite(type, .init = open_type, .fini = close_type);

static void parse(const char *text)
{
    const struct node *node =
        yaml_parse(&arena, "f", text, strlen(text), diags);

    field_release(&field);
    cr_assert_not_null(node);
    cr_assert(field_parse(&arena, "x", node, &field, diags), "%s",
              diags->n > 0 ? diags->items[0].text : "no finding");
}

// Returns "" when the value fits, otherwise the reason why it does not.
static const char *check(const char *type, const char *value)
{
    parse(type);
    json_t *json = json_parse(value, strlen(value), 1 << 16, &err);
    cr_assert_not_null(json, "%s", err.text);
    bool ok = type_check(&field.type, "x", json, &err);
    json_decref(json);
    return ok ? "" : err.text;
}

#define EXPECT_CHECK(type, value, want)                                        \
    do {                                                                       \
        const char *got = check(type, value);                                  \
        cr_expect_str_eq(got, want, "%s", got);                                \
    } while (0)

Test(type, defaults_to_str)
{
    EXPECT_CHECK("", "\"a\"", "");
    EXPECT_CHECK("", "1", "`x` is 1, not a text");
    EXPECT_CHECK("", "null", "`x` is null, not a text");
}

Test(type, optional_takes_null)
{
    EXPECT_CHECK("{type: int, optional: true}", "null", "");
}

Test(type, numbers_keep_their_limits)
{
    EXPECT_CHECK("{type: float, min: 0, max: 1}", "1", "");
    EXPECT_CHECK("{type: float, min: 0, max: 1}", "5",
                 "`x` is 5, above its maximum 1");
    EXPECT_CHECK("{type: float, min: 0, max: 1}", "-0.5",
                 "`x` is -0.5, below its minimum 0");
    EXPECT_CHECK("int", "1.5", "`x` is 1.5, not a whole number");
    EXPECT_CHECK("bool", "1", "`x` is 1, not true or false");
}

Test(type, lengths_count_characters_not_bytes)
{
    EXPECT_CHECK("{max_length: 3}", "\"\xc3\xa9t\xc3\xa9\"", "");
    EXPECT_CHECK("{max_length: 2}", "\"abc\"",
                 "`x` is \"abc\", with 3 characters longer than its maximum 2");
    EXPECT_CHECK("{list: int, min_length: 2}", "[1]",
                 "`x` is [1], with 1 items shorter than its minimum 2");
}

Test(type, patterns_are_enforced)
{
    EXPECT_CHECK("{pattern: '^[A-Z]\\d+$'}", "\"A12\"", "");
    EXPECT_CHECK("{pattern: '^[A-Z]\\d+$'}", "\"a12\"",
                 "`x` is \"a12\", which does not match the pattern "
                 "^[A-Z]\\d+$");
}

Test(type, labels_are_suggested)
{
    EXPECT_CHECK("{enum: [refund, cancel]}", "\"cancel\"", "");
    EXPECT_CHECK("{enum: [refund, cancel]}", "\"cancl\"",
                 "`x` is \"cancl\", not one of its labels, did you mean "
                 "`cancel`?");
}

Test(type, names_the_part_of_a_value_that_is_wrong)
{
    EXPECT_CHECK("{list: {object: {n: int, note: {optional: true}}}}",
                 "[{\"n\": 1}, {\"n\": \"b\"}]",
                 "`x[1].n` is \"b\", not a whole number");
    EXPECT_CHECK("{object: {n: int}}", "{}", "`x.n` is missing");
    EXPECT_CHECK("{object: {n: int}}", "{\"n\": 1, \"m\": 2}",
                 "`x` has a member `m` that it should not");
}

Test(type, cuts_a_long_value_between_characters)
{
    EXPECT_CHECK(
        "int",
        "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"",
        "`x` is \"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
        "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
        "\xc3\xa9\xc3\xa9\xc3\xa9..., not a whole number");
}

static void expect_words(const char *type, const char *words)
{
    parse(type);
    buf_clear(&out);
    type_describe(&field.type, &out);
    cr_expect_str_eq(out.len > 0 ? out.data : "", words);
}

Test(type, is_described_for_prompts)
{
    expect_words("", "");
    expect_words("{enum: [a, b c]}", "one of: a; b c");
    expect_words("{type: float, min: 0, max: 1}", "float, 0 to 1");
    expect_words("{type: int, min: 3}", "int, at least 3");
    expect_words("{list: str, max_length: 5}", "list of str, at most 5 items");
    expect_words("{list: {enum: [\"it's\"]}}", "list of (one of: it's)");
    expect_words("{optional: true}", "str or null");
    expect_words("{object: {a: , n: int}}", "object with a: str, n: int");
}

Test(type, gives_a_json_schema_with_its_limits)
{
    parse("{object: {a: {desc: An a, max_length: 4, optional: true}, "
          "l: {list: {type: int, min: 1.0}, min_length: 2}}}");
    json_t *schema = type_schema(&field.type);
    json_put_sorted(&out, schema);
    json_decref(schema);
    cr_expect_str_eq(
        out.data,
        "{\"additionalProperties\":false,\"properties\":{\"a\":{\"anyOf\":[{"
        "\"maxLength\":4,\"type\":\"string\"},{\"type\":\"null\"}],"
        "\"description\":\"An a\"},\"l\":{\"items\":{\"minimum\":1,\"type\":"
        "\"integer\"},\"minItems\":2,\"type\":\"array\"}},\"required\":[\"a\","
        "\"l\"],\"type\":\"object\"}",
        "%s", out.data);
}

Test(type, a_field_reads_back_from_its_json_and_from_a_copy)
{
    struct field copy = {0};

    parse("{desc: ' A list ', list: {object: {k: {enum: [a, b]}, v: {pattern: "
          "x, optional: true}}}, max_length: 3, default: []}");
    cr_assert(field_copy(&arena, &field, &copy, &err), "%s", err.text);
    json_t *json = field_json(&field);
    json_t *of_copy = field_json(&copy);
    cr_expect(json_equal(json, of_copy));
    field_release(&copy);

    char *text = json_text(json);
    parse(text);
    json_t *again = field_json(&field);
    cr_expect(json_equal(json, again), "%s", text);
    cr_expect_str_eq(field.desc, "A list");
    free(text);
    json_decref(json);
    json_decref(of_copy);
    json_decref(again);
}

Test(type, default_of_a_str_is_always_a_text)
{
    parse("{default: 5}");
    cr_assert_not_null(field.default_value);
    cr_expect_str_eq(json_string_value(field.default_value), "5");
}

Test(type, values_appear_in_prompts_as_text_or_json)
{
    json_t *text = json_string("a \"b\"");
    json_t *list = json_pack("[i, s]", 1, "x");

    value_put(text, &out);
    value_put(list, &out);
    cr_expect_str_eq(out.data, "a \"b\"[1,\"x\"]");
    json_decref(text);
    json_decref(list);
}
