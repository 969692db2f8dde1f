#include "cli/estimate.h"

#include <criterion/criterion.h>

static struct rehearsal rehearsal;
static struct call_sums measured[ROLE_COUNT];
static struct estimate estimate;

// A call of the student has 4 bytes a token; its reply takes 30 tokens, three
// times as many as the stand-in's, and 0.5 s.
static void measure_student(void)
{
    rehearsal.run[ROLE_STUDENT] =
        (struct call_sums){.calls = 100, .bytes = 400000, .generated = 1000};
    rehearsal.eval[ROLE_STUDENT] =
        (struct call_sums){.calls = 10, .generated = 100};
    measured[ROLE_STUDENT] = (struct call_sums){.calls = 10,
                                                .bytes = 40000,
                                                .prompt = 10000,
                                                .generated = 300,
                                                .prompt_us = 1e6,
                                                .generate_us = 3e6,
                                                .total_us = 5e6};
}

Test(estimate, calls_of_a_run_take_what_they_took_when_measured)
{
    measure_student();
    estimate_run(&rehearsal, measured, &estimate);

    cr_expect_float_eq(estimate.calls[ROLE_STUDENT], 100, 1e-9);
    cr_expect_float_eq(estimate.prompt, 100000, 1e-6);
    cr_expect_float_eq(estimate.generated, 3000, 1e-6);
    cr_expect_float_eq(estimate.seconds, 50, 1e-6);
    cr_expect_float_eq(estimate.call_s, 0.5, 1e-9);
    cr_expect_float_eq(estimate.measured, 10, 1e-9);
}

Test(estimate, role_that_was_not_measured_is_as_fast_as_the_student)
{
    measure_student();
    rehearsal.run[ROLE_STUDENT] = (struct call_sums){0};
    rehearsal.run[ROLE_TEACHER] =
        (struct call_sums){.calls = 10, .bytes = 4000, .generated = 50};
    estimate_run(&rehearsal, measured, &estimate);

    cr_expect_float_eq(estimate.prompt, 1000, 1e-6);
    cr_expect_float_eq(estimate.generated, 50, 1e-6);
    cr_expect_float_eq(estimate.seconds, 0.1 + 0.5 + 1, 1e-6);
}

Test(estimate, without_a_measurement_there_are_tokens_but_no_time)
{
    rehearsal.run[ROLE_STUDENT] =
        (struct call_sums){.calls = 2, .bytes = 400, .generated = 7};
    estimate_run(&rehearsal, measured, &estimate);

    cr_expect_float_eq(estimate.prompt, 100, 1e-6);
    cr_expect_float_eq(estimate.generated, 7, 1e-6);
    cr_expect_float_eq(estimate.seconds, 0, 1e-9);
}
