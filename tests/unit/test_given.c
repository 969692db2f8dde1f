#include <criterion/criterion.h>

#include "cli/given.h"

static struct field fields[] = {
    {.name = "message", .desc = "", .type = {.kind = TYPE_STR}},
    {.name = "amount", .desc = "", .type = {.kind = TYPE_INT}},
    {.name = "tags", .desc = "", .type = {.kind = TYPE_LIST}},
};

static struct err err;
static json_t *values;

static void forget(void)
{
    err = ERR_CLEAR;
    values = NULL;
}

static void release(void)
{
    json_decref(values);
}

#define GIVE(...)                                                              \
    (values = given_values(                                                    \
         fields, sizeof fields / sizeof *fields,                               \
         (const char *const[]){__VA_ARGS__},                                   \
         sizeof(const char *[]){__VA_ARGS__} / sizeof(char *), &err))

TestSuite(given, .init = forget, .fini = release);

Test(given, text_is_taken_verbatim_including_equals_signs)
{
    cr_assert(GIVE("message=a=b \"c\" 12"), "%s", err.text);
    cr_expect_str_eq(json_string_value(json_object_get(values, "message")),
                     "a=b \"c\" 12");
}

Test(given, a_text_of_digits_stays_a_text)
{
    cr_assert(GIVE("message=12"), "%s", err.text);
    cr_expect(json_is_string(json_object_get(values, "message")));
}

Test(given, other_types_are_read_as_json)
{
    cr_assert(GIVE("amount=12", "tags=[\"a\", \"b\"]"), "%s", err.text);
    cr_expect_eq(json_integer_value(json_object_get(values, "amount")), 12);
    cr_expect_eq(json_array_size(json_object_get(values, "tags")), 2);
}

Test(given, invalid_json_is_left_to_the_type_check)
{
    cr_assert(GIVE("amount=many"), "%s", err.text);
    cr_expect(json_is_string(json_object_get(values, "amount")));
}

Test(given, a_misspelt_input_gets_the_nearest_right_name)
{
    cr_expect_null(GIVE("mesage=x"));
    cr_expect_str_eq(err.text,
                     "there is no input `mesage`, did you mean `message`?");
}

Test(given, a_word_without_an_equals_sign_is_refused)
{
    cr_expect_null(GIVE("hello"));
    cr_expect_str_eq(err.text, "`hello` is not an input: write FIELD=VALUE");
}

Test(given, invalid_utf8_is_refused)
{
    cr_expect_null(GIVE("message=\xff"));
    cr_expect_str_eq(err.text, "`message` is not UTF-8");
}
