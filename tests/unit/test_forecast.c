#include "search/session/forecast.h"

#include <criterion/criterion.h>

static struct forecast forecast;
static int64_t examples, trials;

static const struct use no_limit = {0};
static const struct use nothing = {0};

static void set_up(void)
{
    forecast = FORECAST_INIT;
}

TestSuite(forecast, .init = set_up);

Test(forecast, nothing_is_forecast_without_an_expectation_or_a_limit)
{
    forecast_submitted(&forecast, 50);
    cr_expect_not(
        forecast_news(&forecast, no_limit, nothing, 1, &examples, &trials));
}

Test(forecast, expectation_of_the_search_is_reported_once)
{
    forecast_submitted(&forecast, 50);
    forecast_expect_after(&forecast, 20);
    forecast_expect(&forecast, 100, 4);
    cr_assert(
        forecast_news(&forecast, no_limit, nothing, 1, &examples, &trials));
    cr_expect_eq(examples, 170);
    cr_expect_eq(trials, 4);
    cr_expect_not(
        forecast_news(&forecast, no_limit, nothing, 1, &examples, &trials));
}

Test(forecast, search_that_runs_longer_than_expected_is_reported_too)
{
    forecast_expect(&forecast, 10, 2);
    forecast_submitted(&forecast, 30);
    cr_assert(
        forecast_news(&forecast, no_limit, nothing, 5, &examples, &trials));
    cr_expect_eq(examples, 30);
    cr_expect_eq(trials, 5);
}

Test(forecast, budget_may_end_the_search_before_its_expectation)
{
    const struct use most = {.calls = 100}, used = {.calls = 40};

    forecast_submitted(&forecast, 25);
    forecast_settled(&forecast, 20); // at 2 calls per example
    forecast_expect(&forecast, 1000, 0);
    cr_assert(forecast_news(&forecast, most, used, 1, &examples, &trials));
    cr_expect_eq(examples, 50, "30 more, of which 5 are under way");
}
