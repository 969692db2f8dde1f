#include "program/prompt/json_mend.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/rng.h"

struct row {
    const char *text;
    const char *json; // NULL: none
};

static void expect_rows(const struct row *rows, size_t n, bool words)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_CLEAR;
        size_t used = 0;
        json_t *value =
            json_mend(rows[i].text, strlen(rows[i].text), words, &used, &err);
        char *text = value == NULL ? NULL : json_text(value);

        cr_expect_eq(err.code, ERR_NONE);
        if (rows[i].json == NULL)
            cr_expect_null(text, "%s is %s", rows[i].text, text);
        else if (text == NULL)
            cr_expect_fail("%s is none", rows[i].text);
        else
            cr_expect_str_eq(text, rows[i].json, "%s is %s", rows[i].text,
                             text);
        free(text);
        json_decref(value);
    }
}

#define EXPECT_ROWS(rows, words)                                               \
    expect_rows(rows, sizeof(rows) / sizeof(rows)[0], words)

Test(json_mend, reads_json_that_a_person_would_understand)
{
    static const struct row rows[] = {
        {"{\"a\": 1}", "{\"a\":1}"},
        {"{'a': 'b'}", "{\"a\":\"b\"}"},
        {"{'say': 'it's fine', 'n': 1}", "{\"say\":\"it's fine\",\"n\":1}"},
        {"{\"say\": \"he said \"hi\" to me\"}",
         "{\"say\":\"he said \\\"hi\\\" to me\"}"},
        {"{a: 1, b_c: true}", "{\"a\":1,\"b_c\":true}"},
        {"{\"a\": True, \"b\": False, \"c\": None}",
         "{\"a\":true,\"b\":false,\"c\":null}"},
        {"{\"a\": 1,}", "{\"a\":1}"},
        {"[1, 2,]", "[1,2]"},
        {"{\"a\": 1", "{\"a\":1}"},
        {"{\"a\": [1, 2", "{\"a\":[1,2]}"},
        {"{\"a\": 1, // why\n \"b\": 2}", "{\"a\":1,\"b\":2}"},
        {"{\"a\": 1, # why\n \"b\": 2}", "{\"a\":1,\"b\":2}"},
        {"{/* x */\"a\": 1}", "{\"a\":1}"},
        {"{\"a\": 03, \"b\": +1, \"c\": .5, \"d\": 5.}",
         "{\"a\":3,\"b\":1,\"c\":0.5,\"d\":5.0}"},
        {"{\"a\": \"two\nlines\"}", "{\"a\":\"two\\nlines\"}"},
        {"[\"a\"\n\"b\"]", "[\"a\",\"b\"]"},
        {"{\"a\": 1\n\"b\": 2}", "{\"a\":1,\"b\":2}"},
        {"{\xE2\x80\x9C"
         "a\xE2\x80\x9D: \xE2\x80\x9C"
         "b\xE2\x80\x9D}",
         "{\"a\":\"b\"}"},
        {"{\"a\"\xEF\xBC\x9A 1\xEF\xBC\x8C \"b\": 2}", "{\"a\":1,\"b\":2}"},
        {"{\"a\": \"\\(x\\)\"}", "{\"a\":\"\\\\(x\\\\)\"}"},
        {"{\"a\": \"\\u00e9\\ud83d\\ude42\"}",
         "{\"a\":\"\xC3\xA9\xF0\x9F\x99\x82\"}"},
        {"{\"a\": 1, \"a\": 1}", "{\"a\":1}"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"{\"a\": {'b': [1, {c: 2}]}}", "{\"a\":{\"b\":[1,{\"c\":2}]}}"},
        {"{\"url\": 'http://x/y'}", "{\"url\":\"http://x/y\"}"},
        {"{\"a\": \"\"\"b \"c\"\nd\"\"\", 'e': '''f'''}",
         "{\"a\":\"b \\\"c\\\"\\nd\",\"e\":\"f\"}"},
        {"{\"a\": \"\", \"b\": ''}", "{\"a\":\"\",\"b\":\"\"}"},
        {"{\"a\": \"a 5\" board\"}", "{\"a\":\"a 5\\\" board\"}"},
        {"{\"a\": \"5\"\"}", "{\"a\":\"5\\\"\"}"},
        {"[\"a\" \"b\"]", "[\"a\",\"b\"]"},
    };

    EXPECT_ROWS(rows, false);
}

Test(json_mend, refuses_ambiguous_text)
{
    static const struct row rows[] = {
        {"", NULL},
        {"{", NULL},
        {"{\"a\": [", NULL},
        {"{\"a\": [1,", NULL},
        {"{\"a\": 1,", NULL},
        // An extra quote, or a missing one.
        {"{\"a\": \"\"b\"}", NULL},
        {"{\"a\": \"b\"\"}", NULL},
        {"{\"a\": \"b,\" \"c\": \"d\"}", NULL},
        {"{\"a\": 1, \"\"b\": 2}", NULL},
        {"[{\"a\": \"b\", \"c: 1}, {\"a\": \"d\", \"c\": 2}]", NULL},
        {"[\"a\"\"b\"]", NULL},
        {"[]\"a\": 1}", "[]"},
        {"{x}", NULL},
        {"{it is}", NULL},
        {"[see above]", NULL},
        {"{\"a\": \"cut in the mi", NULL},
        {"{\"a\":", NULL},
        {"{\"a\": 1, \"a\": 2}", NULL},
        {"{\"n\": 1,000}", NULL},
        {"{\"n\": 1.234,50}", NULL},
        {"{\"a\": NaN}", NULL},
        {"{\"a\": undefined}", NULL},
        {"{\"a\": b c}", NULL},
        {"{\"a\": \"x\" y}", NULL},
        {"{\"a\": \"\\ud83d\"}", NULL},
        {"{\"a\": \"\\u0000\"}", NULL},
        {"{\"a\": \"he said \"hi\", and left\"}", NULL},
        {"{\"a\": 12345678901234567890}", NULL},
        {"{\"a\": \"b\" + \"c\"}", NULL},
        {"['b'; 'c']", NULL},
        {"[\"b\" and \"c\"]", NULL},
        {"{\"a\": \"he said \"hi\"", NULL},
        {"[1,000, 2,000]", NULL},
        {"\"a\"", NULL},
    };

    EXPECT_ROWS(rows, false);
}

Test(json_mend, reads_unquoted_words_where_allowed)
{
    static const struct row rows[] = {
        {"[apple, pear]", "[\"apple\",\"pear\"]"},
        {"[red apple, 3, yes]", "[\"red apple\",3,\"yes\"]"},
        {"{label: B, score: 3}", "{\"label\":\"B\",\"score\":3}"},
        {"{a: b: c}", NULL},
        {"[a \"b\" c]", NULL},
        {"[Ann', 'Bob']", NULL},
        {"[A\"nn\", \"Bob\"]", NULL},
        {"[#red, #blue]", "[\"#red\",\"#blue\"]"},
    };

    EXPECT_ROWS(rows, true);
}

Test(json_mend, gives_up_on_endless_nesting, .timeout = 300)
{
    struct buf text = BUF_INIT(8 << 20);
    struct err err = ERR_CLEAR;
    size_t used = 0;

    for (int i = 0; i < 1 << 20; i++)
        buf_puts(&text, "{a:[");
    cr_expect_null(json_mend(text.data, text.len, true, &used, &err));
    buf_clear(&text);
    buf_putc(&text, '[');
    for (int i = 0; i < 1 << 16; i++)
        buf_puts(&text, "'  ");
    json_decref(json_mend(text.data, text.len, true, &used, &err));
    cr_expect_eq(err.code, ERR_NONE);
    buf_release(&text);
}

Test(json_mend, any_bytes_give_valid_json_or_nothing)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        ",",
        ":",
        "a",
        "1",
        ".5",
        "-",
        "\\",
        "\\u00e9",
        "\n",
        " ",
        "//",
        "/*",
        "*/",
        "#",
        "true",
        "None",
        "\xE2\x80\x9C",
        "\xE2\x80\x9D",
        "\xEF\xBC\x8C",
        "\xC3\xA9",
        "e",
    };
    struct buf text = BUF_INIT(1 << 16);
    struct rng rng;

    rng_init(&rng, 11, "mending", 0);
    for (int i = 0; i < 30000; i++) {
        struct err err = ERR_CLEAR;
        size_t used = 0;
        size_t n = rng_below(&rng, 30);

        buf_clear(&text);
        buf_putc(&text, rng_below(&rng, 2) == 0 ? '{' : '[');
        for (size_t k = 0; k < n; k++)
            buf_puts(&text,
                     pieces[rng_below(&rng, sizeof pieces / sizeof pieces[0])]);
        json_t *value = json_mend(text.data, text.len, rng_below(&rng, 2) == 0,
                                  &used, &err);
        cr_assert_leq(used, text.len);
        cr_assert_eq(err.code, ERR_NONE);
        if (value != NULL) {
            char *json = json_text(value);
            json_t *again = json_parse(json, strlen(json), 1 << 20, &err);
            cr_assert(again != NULL, "%s: %s", json, err.text);
            json_decref(again);
            free(json);
        }
        json_decref(value);
    }
    buf_release(&text);
}
