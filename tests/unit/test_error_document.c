#include "common/error_document.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/json.h"

static void expect_document(const char *sentence, const char *place)
{
    struct err err = ERR_CLEAR;
    json_error_t where;

    err_set(&err, ERR_INPUT, "%s", sentence);
    char *text = error_document(&err);
    cr_assert_not_null(text);
    json_t *document = json_loads(text, 0, &where);
    json_t *error = json_object_get(document, "error");
    cr_assert_not_null(error, "%s", text);
    cr_expect_str_eq(json_get_text(error, "code", ""), "input");
    cr_expect(json_get_text(error, "text", "")[0] != '\0');
    if (place == NULL)
        cr_expect(json_is_null(json_object_get(error, "place")), "%s", text);
    else
        cr_expect_str_eq(json_get_text(error, "place", ""), place);
    json_decref(document);
    free(text);
}

Test(error_document, names_line_and_column_of_the_faulty_file)
{
    expect_document("no job of that name", NULL);
    expect_document("http: no server", NULL);
    expect_document("job.yaml:3: what is that", "job.yaml:3");
    expect_document("jobs/a b.yaml:3:14: what is that", "jobs/a b.yaml:3:14");
}

Test(error_document, is_written_whatever_bytes_the_sentence_has)
{
    expect_document("a\x1b[31m \"quoted\" \xff\xe2\x82", NULL);
    expect_document("\xff.yaml:7:1: a path of another time", "?.yaml:7:1");
}

Test(error_document, is_written_for_the_longest_sentence)
{
    struct err err = {.code = ERR_INPUT};

    memset(err.text, 1, sizeof err.text - 1);
    char *text = error_document(&err);
    cr_assert_not_null(text);
    cr_expect_not_null(strstr(text, "\\u0001"), "%s", text);
    free(text);
}
