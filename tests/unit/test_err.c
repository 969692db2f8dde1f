#include "common/err.h"

#include <string.h>

#include <criterion/criterion.h>

#include "common/text.h"

static struct err err;

Test(err, holds_a_code_and_a_sentence)
{
    err_set(&err, ERR_BUSY, "trial %d is held by %s", 7, "w1");

    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_str_eq(err.text, "trial 7 is held by w1");
}

Test(err, accepts_null)
{
    err_set(NULL, ERR_IO, "unheard");
    err_nomem(NULL, "unheard");
}

Test(err, can_quote_its_own_text)
{
    err_set(&err, ERR_INPUT, "no such file");
    err_set(&err, ERR_INPUT, "job.yaml: %s", err.text);

    cr_expect_str_eq(err.text, "job.yaml: no such file");
}

Test(err, a_text_of_239_bytes_stays_whole)
{
    char long_text[300];

    memset(long_text, 'a', sizeof long_text);
    long_text[239] = '\0';
    err_set(&err, ERR_INPUT, "%s", long_text);

    cr_expect_str_eq(err.text, long_text);
}

Test(err, a_long_text_is_cut_between_characters)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC",
                                             "\xF0\x9F\x99\x82"};

    for (size_t kind = 0; kind < 4; kind++) {
        for (size_t lead = 0; lead < 4; lead++) {
            char text[400] = "";
            for (size_t i = 0; i < lead; i++)
                strcat(text, "x");
            while (strlen(text) < 300)
                strcat(text, characters[kind]);
            err_set(&err, ERR_INPUT, "%s", text);
            cr_expect_gt(strlen(err.text), 235);
            cr_expect_lt(strlen(err.text), 240);
            cr_expect(text_is_utf8(err.text, strlen(err.text)));
            cr_expect_eq(strncmp(text, err.text, strlen(err.text)), 0);
        }
    }
}

Test(err, no_memory_names_what_it_was_for)
{
    err_nomem(&err, "a trial");

    cr_expect_eq(err.code, ERR_NOMEM);
    cr_expect_str_eq(err.text, "no memory for a trial");
}

Test(err, every_code_has_a_distinct_name)
{
    for (int a = ERR_NONE; a <= ERR_DIFFERS; a++) {
        cr_assert_str_neq(err_code_name((enum err_code)a), "unknown");
        for (int b = ERR_NONE; b < a; b++)
            cr_expect_str_neq(err_code_name((enum err_code)a),
                              err_code_name((enum err_code)b));
    }
    cr_expect_str_eq(err_code_name((enum err_code)999), "unknown");
}
