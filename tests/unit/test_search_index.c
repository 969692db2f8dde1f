#include "retrieve/search_index.h"

#include <string.h>

#include <criterion/criterion.h>

#include "given_program.h"

static struct search_index *index_;
static struct err err;

static void open_index(void)
{
    json_t *documents = given_json(
        "[{\"title\": \"Warfarin\", \"text\": \"Thins the blood. Do not take "
        "with aspirin.\"},"
        " {\"title\": \"Aspirin\", \"text\": \"Eases pain.\"},"
        " {\"title\": \"Ibuprofène\", \"text\": \"Eases pain and fever; harms "
        "the stomach, pain again.\"},"
        " {\"title\": \"Aspirin\", \"text\": \"Eases pain.\", \"more\": \"7\"}"
        "]");

    err = ERR_CLEAR;
    index_ = search_index_new(documents, &err);
    json_decref(documents);
    cr_assert_not_null(index_, "%s", err.text);
}

static void close_index(void)
{
    search_index_free(index_);
}

TestSuite(search_index, .init = open_index, .fini = close_index);

static json_t *find(const char *query, const char *fields, int64_t k)
{
    json_t *list = fields == NULL ? NULL : given_json(fields);
    json_t *found = search_index_find(index_, query, list, k, &err);

    cr_assert_not_null(found, "%s", err.text);
    json_decref(list);
    return found;
}

static void expect(const char *query, const char *fields, int64_t k,
                   const char *wanted)
{
    json_t *found = find(query, fields, k);
    json_t *expected = given_json(wanted);
    char *text = json_dumps(found, 0);

    cr_expect(json_equal(found, expected), "%s gives %s", query, text);
    free(text);
    json_decref(found);
    json_decref(expected);
}

Test(search_index, best_match_comes_first_and_ties_keep_their_order)
{
    expect("What about blood? Warfarin!", NULL, 3,
           "[\"Warfarin\\nThins the blood. Do not take with aspirin.\"]");
    json_t *found = find("aspirin", NULL, 9);
    cr_expect_eq(json_array_size(found), 3);
    cr_expect_str_eq(json_string_value(json_array_get(found, 0)),
                     "Aspirin\nEases pain.");
    json_decref(found);
    expect("aspirin", NULL, 1, "[\"Aspirin\\nEases pain.\"]");
}

Test(search_index, only_the_named_fields_are_searched)
{
    json_t *found = find("ASPIRIN", "[\"title\"]", 9);

    cr_expect_eq(json_array_size(found), 2);
    json_decref(found);
    expect("aspirin", "\"text\"", 9,
           "[\"Warfarin\\nThins the blood. Do not take with aspirin.\"]");
    expect("aspirin", "[\"nowhere\"]", 9, "[]");
}

Test(search_index, words_match_without_diacritics_and_nothing_is_an_operator)
{
    json_t *found = find("ibuprofene\" OR (NEAR -text:*", NULL, 9);

    cr_expect_eq(json_array_size(found), 1);
    json_decref(found);
    expect("", NULL, 3, "[]");
    expect("?!()\"", NULL, 3, "[]");
}
