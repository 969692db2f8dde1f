#include "wire/request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct err err;

static void set_up(void)
{
    err = ERR_CLEAR;
}

TestSuite(request, .init = set_up);

static void expect_refused(const char *action, const char *options,
                           const char *words)
{
    struct err why = ERR_CLEAR;

    cr_expect_null(request_read(action, options, &why), "%s", options);
    cr_expect_eq(why.code, ERR_PROTOCOL, "%s: %s", options, why.text);
    cr_expect_not_null(strstr(why.text, words), "%s: %s", options, why.text);
}

Test(request, written_request_reads_back)
{
    const char *set[] = {"seed=3", "name=a \"quoted\" one"};
    struct request request = {.action = REQUEST_EVAL,
                              .overrides = set,
                              .n_overrides = 2,
                              .simulated = true,
                              .compiled = "best.json",
                              .data = "more.jsonl",
                              .all_steps = true,
                              .priority = 30,
                              .max_workers = 4};
    struct buf text = BUF_INIT(1 << 16);
    struct request *back;

    cr_assert(request_write(&request, &text, &err), "%s", err.text);
    back = request_read("eval", text.data, &err);
    cr_assert_not_null(back, "%s", err.text);
    cr_expect_eq(back->action, REQUEST_EVAL);
    cr_expect(back->simulated && back->all_steps);
    cr_expect_eq(back->priority, 30);
    cr_expect_eq(back->max_workers, 4);
    cr_expect_str_eq(back->compiled, "best.json");
    cr_expect_str_eq(back->data, "more.jsonl");
    cr_assert_eq(back->n_overrides, 2);
    cr_expect_str_eq(back->overrides[1], set[1]);
    request_free(back);
    buf_release(&text);
}

Test(request, missing_value_has_its_default)
{
    struct request *request = request_read("run", "{}", &err);

    cr_assert_not_null(request, "%s", err.text);
    cr_expect_eq(request->action, REQUEST_RUN);
    cr_expect_eq(request->n_overrides, 0);
    cr_expect_not(request->simulated || request->all_steps);
    cr_expect_null(request->compiled);
    cr_expect_null(request->data);
    request_free(request);
}

Test(request, path_that_json_cannot_express_is_reported)
{
    struct request request = {.action = REQUEST_RUN,
                              .out = "/tmp/caf\xe9/compiled.json"};
    struct buf text = BUF_INIT(4096);

    cr_expect_not(request_write(&request, &text, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "not UTF-8 text"), "%s", err.text);
    buf_release(&text);
}

Test(request, unknown_keys_are_ignored)
{
    struct request *request =
        request_read("run", "{\"colour\": 3, \"simulated\": true}", &err);

    cr_assert_not_null(request, "%s", err.text);
    cr_expect(request->simulated);
    request_free(request);
}

Test(request, value_of_the_wrong_type_is_refused_with_its_name)
{
    expect_refused("run", "{\"simulated\": \"yes\"}", "`simulated`");
    expect_refused("run", "{\"all_steps\": 1}", "`all_steps`");
    expect_refused("run", "{\"priority\": 0}", "`priority`");
    expect_refused("run", "{\"priority\": \"high\"}", "`priority`");
    expect_refused("run", "{\"max_workers\": 0}", "`max_workers`");
    expect_refused("run", "{\"max_workers\": 10001}", "`max_workers`");
    expect_refused("run", "{\"compiled\": 1}", "`compiled`");
    expect_refused("run", "{\"data\": []}", "`data`");
    expect_refused("run", "{\"set\": \"a=b\"}", "`set`");
    expect_refused("run", "{\"set\": [\"a=b\", 2]}", "not text");
    expect_refused("run", "[]", "JSON object");
}

Test(request, unknown_action_is_refused)
{
    expect_refused("destroy", "{}", "`destroy`");
}

Test(request, invalid_json_is_refused)
{
    struct err why = ERR_CLEAR;

    cr_expect_null(request_read("run", "{", &why));
    cr_expect_neq(why.code, ERR_NONE);
}

Test(request, too_many_values_are_refused)
{
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"set\": [\"a=b\"");

    for (int i = 0; i < REQUEST_MAX_OVERRIDES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", \"a=b\"");
    snprintf(text + len, sizeof text - len, "]}");
    expect_refused("run", text, "256");
}
