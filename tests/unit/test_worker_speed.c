#include <criterion/criterion.h>

#include "worker/worker_speed.h"

enum { MOST_MS = 600000 };

// 1,200 tokens of prompt as worker_speed counts them, 100 of reply.
static const struct call_request request = {
    .prefix_len = 3000,
    .tail_len = 600,
    .options = {.num_predict = 100},
};

static struct call_answer make_answer(int64_t prompt_ms, int64_t generate_ms,
                                      int64_t total_ms)
{
    return (struct call_answer){
        .prompt_tokens = 1000,
        .cached_tokens = -1,
        .generated_tokens = 10,
        .prompt_us = prompt_ms * 1000,
        .generate_us = generate_ms * 1000,
        .total_us = total_ms * 1000,
    };
}

Test(worker_speed, calls_own_time_limit_applies_before_any_measurement)
{
    struct worker_speed speed = {0};

    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, 77000), 77000);
}

Test(worker_speed, deadline_is_four_times_the_expected_time)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(10000, 1000, 12000);

    worker_speed_add(&speed, &answer);
    // 1,200 tokens at 10 ms, 100 at 100 ms, and another 1,000 ms.
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS),
                 4 * (12000 + 10000 + 1000));
}

Test(worker_speed, no_deadline_is_under_30_seconds)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(10, 1, 12);

    worker_speed_add(&speed, &answer);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), 30000);
}

Test(worker_speed, cached_prompt_does_not_hide_the_cost_of_a_full_one)
{
    struct worker_speed speed = {0};
    struct call_answer whole = make_answer(57000, 1000, 58000);
    struct call_answer cached = make_answer(2000, 1000, 3000);

    worker_speed_add(&speed, &whole);
    for (int i = 0; i < 10; i++)
        worker_speed_add(&speed, &cached);
    cr_expect_gt(worker_speed_timeout_ms(&speed, &request, MOST_MS), 58000);
}

Test(worker_speed, tokens_that_a_server_says_were_cached_do_not_count_as_read)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(1000, 1000, 2000);

    answer.cached_tokens = 900;
    worker_speed_add(&speed, &answer);
    cr_expect_float_eq(speed.prompt_ms, 10, 1e-9);
}

Test(worker_speed, without_server_timings_all_the_time_counts_as_writing)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(0, 0, 5000);

    worker_speed_add(&speed, &answer);
    cr_expect_float_eq(speed.generate_ms, 500, 1e-9);
}

Test(worker_speed, each_missed_deadline_doubles_the_next_until_an_answer)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(10, 1, 12);

    worker_speed_add(&speed, &answer);
    worker_speed_miss(&speed, 0, 30000);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), 60000);
    worker_speed_miss(&speed, 30000, 90000);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), 120000);
    worker_speed_add(&speed, &answer);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), 30000);
}

Test(worker_speed, deadlines_missed_at_the_same_time_count_as_one_outage)
{
    struct worker_speed speed = {0};
    struct call_answer answer = make_answer(10, 1, 12);

    worker_speed_add(&speed, &answer);
    worker_speed_miss(&speed, 1000, 31000);
    worker_speed_miss(&speed, 1001, 31001);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), 60000);
}

Test(worker_speed, deadline_never_exceeds_the_calls_own)
{
    struct worker_speed speed = {.generate_ms = 1e9};

    for (int i = 0; i < 100; i++)
        worker_speed_miss(&speed, i, i);
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, MOST_MS), MOST_MS);
    speed.generate_ms = 1;
    cr_expect_eq(worker_speed_timeout_ms(&speed, &request, 1000), 1000);
}
