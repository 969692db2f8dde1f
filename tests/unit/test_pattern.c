#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "program/source/pattern.h"

static bool found(const char *pattern, const char *text)
{
    struct err err = ERR_CLEAR;
    bool matches = false;
    struct pattern *made = pattern_new(pattern, &err);

    cr_assert_not_null(made, "%s", err.text);
    cr_assert(pattern_matches(made, text, strlen(text), &matches, &err), "%s",
              err.text);
    pattern_free(made);
    return matches;
}

Test(pattern, is_found_anywhere_unless_anchored)
{
    cr_expect(found("b+", "abbc"));
    cr_expect_not(found("^b+", "abbc"));
    cr_expect(found("^\\w+$", "été"));
}

Test(pattern, is_reported_with_the_place_of_its_mistake)
{
    struct err err = ERR_CLEAR;

    cr_assert_null(pattern_new("ab(c", &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_str_eq(err.text, "the pattern is not valid at character 5: "
                               "missing closing parenthesis");
}

Test(pattern, with_exponential_backtracking_is_stopped)
{
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    struct err err = ERR_CLEAR;
    bool matches = false;
    struct pattern *made = pattern_new("^((a|a)*)*b?$", &err);

    cr_assert_not_null(made, "%s", err.text);
    cr_expect_not(pattern_matches(made, text, sizeof text - 1, &matches, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    pattern_free(made);
}

Test(pattern, is_refused_beyond_the_length_limit)
{
    char text[PATTERN_MAX_BYTES + 2];
    struct err err = ERR_CLEAR;

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_null(pattern_new(text, &err));
    cr_expect_eq(err.code, ERR_INPUT);
}

// Matches a text on which the pattern backtracks for long before it succeeds.
static bool match_costly(const struct pattern *pattern, struct err *err)
{
    static const char text[] = "aaaaaaaaaaa!";
    bool matches = false;

    return pattern_matches(pattern, text, sizeof text - 1, &matches, err);
}

Test(pattern, has_a_budget_for_a_whole_file)
{
    struct err err = ERR_CLEAR;
    struct pattern *made = pattern_new("^(a|a)*$", &err);
    int n = 0;

    cr_assert_not_null(made, "%s", err.text);
    pattern_budget_start();
    while (n < 10000 && match_costly(made, &err))
        n++;
    cr_expect_eq(n, PATTERN_BUDGET);
    cr_expect(pattern_budget_spent());
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_not_null(strstr(err.text, "match in only one way"), "%s",
                       err.text);
    pattern_budget_end();
    err = ERR_CLEAR;
    cr_expect(match_costly(made, &err), "%s", err.text);
    pattern_free(made);
}

Test(pattern, with_few_steps_per_byte_is_never_too_costly)
{
    enum { LEN = 20000 };
    struct err err = ERR_CLEAR;
    struct pattern *made = pattern_new("^([a-z]+ )*[a-z]+$", &err);
    char *text = malloc(LEN);
    bool matches = false;

    cr_assert_not_null(made, "%s", err.text);
    for (size_t i = 0; i < LEN; i++)
        text[i] = i % 7 == 6 ? ' ' : 'x';
    text[LEN - 1] = 'x';
    pattern_budget_start();
    for (int i = 0; i < 20; i++)
        cr_assert(pattern_matches(made, text, LEN, &matches, &err), "%s",
                  err.text);
    cr_expect(matches);
    pattern_budget_end();
    pattern_free(made);
    free(text);
}
