#include <criterion/criterion.h>

#include "coordinator/course.h"

enum { SLOTS = 4, SECOND = 1000 };

// Finishes `n` examples, one every `ms`, and looks at the course as a loop
// does. Returns the time.
static int64_t run(struct course *course, int64_t now, int64_t *done, int n,
                   int64_t ms)
{
    for (int i = 0; i < n; i++) {
        now += ms;
        ++*done;
        if (course_is_due(course, now))
            course_look(course, now, *done);
    }
    return now;
}

Test(course, nothing_is_known_before_anything_is_expected)
{
    struct course course = {0};

    cr_expect_lt(course_share(&course, 0), 0);
    cr_expect_lt(course_share(&course, 30), 0);
    course_look(&course, 0, 0);
    cr_expect_eq(course_left(&course, 9000, 30, SLOTS), -1);
}

Test(course, share_is_done_divided_by_expected)
{
    struct course course = {0};

    course_expect(&course, 200, 0);
    cr_expect_float_eq(course_share(&course, 0), 0, 1e-9);
    cr_expect_float_eq(course_share(&course, 50), 0.25, 1e-9);
    cr_expect_float_eq(course_share(&course, 150), 0.75, 1e-9);
}

Test(course, running_job_never_shows_100_percent)
{
    struct course course = {0};

    course_expect(&course, 200, 0);
    cr_expect_lt(course_share(&course, 200), 1);
    cr_expect_lt(course_share(&course, 900), 1);
    course_expect(&course, 100, 300);
    cr_expect_lt(course_share(&course, 300), 1);
}

Test(course, share_is_kept_when_the_expectation_changes)
{
    struct course course = {0};

    course_expect(&course, 200, 0);
    course_expect(&course, 1100, 100); // half way, and 1,000 to come
    cr_expect_float_eq(course_share(&course, 100), 0.5, 1e-9);
    cr_expect_float_eq(course_share(&course, 600), 0.75, 1e-9);
    course_expect(&course, 700, 600);
    cr_expect_float_eq(course_share(&course, 600), 0.75, 1e-9);
    cr_expect_float_eq(course_share(&course, 650), 0.875, 1e-9);
}

Test(course, time_left_is_the_remaining_work_at_the_current_pace)
{
    struct course course = {0};
    int64_t done = 0, now;

    course_expect(&course, 100, 0);
    course_look(&course, 0, 0);
    now = run(&course, 0, &done, 20, 500);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 80 * 500);
}

// Works as a loop does: ten turns a second, and an example a second.
static int64_t turn(struct course *course, int64_t now, int64_t *done,
                    int seconds, bool could_work)
{
    for (int i = 1; i <= seconds * 10; i++) {
        now += SECOND / 10;
        cr_expect(course_turn_is_due(course, now));
        course_turn(course, now, could_work);
        if (!could_work || i % 10 != 0)
            continue;
        ++*done;
        if (course_is_due(course, now))
            course_look(course, now, *done);
    }
    return now;
}

Test(course, time_without_workers_does_not_count_toward_the_pace)
{
    struct course course = {0};
    int64_t done = 0, now = 7000;

    course_expect(&course, 1000, 0);
    course_turn(&course, now, true);
    course_look(&course, now, 0);
    now = turn(&course, now, &done, 20, true);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 980 * SECOND);
    now = turn(&course, now, &done, 600, false); // no worker
    cr_expect_eq(course_left(&course, now, done, SLOTS), 980 * SECOND);
    now += 8 * 3600 * SECOND; // the machine slept
    course_turn(&course, now, true);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 980 * SECOND);
    now = turn(&course, now, &done, 20, true);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 960 * SECOND);
    cr_expect_not(course_turn_is_due(&course, now + 50));
}

Test(course, stored_answers_of_a_resumed_job_do_not_count_toward_the_pace)
{
    struct course course = {0};
    int64_t done = 900, now;

    // 900 were done at once; the pace counts from the first new example on.
    course_expect(&course, 1000, 0);
    course_look(&course, 5000, done);
    cr_expect_float_eq(course_share(&course, done), 0.9, 1e-9);
    cr_expect_eq(course_left(&course, 5000, done, SLOTS), -1);
    now = run(&course, 5000, &done, 10, SECOND);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 90 * SECOND);
}

Test(course, no_time_left_is_shown_until_each_slot_has_answered)
{
    struct course course = {0};

    course_expect(&course, 1000, 0);
    course_look(&course, 0, 0);
    cr_expect_eq(course_left(&course, 9000, 15, 16), -1);
    cr_expect_neq(course_left(&course, 9000, 16, 16), -1);
}

Test(course, a_worker_that_joins_shows_within_a_hundred_examples)
{
    struct course course = {0};
    int64_t done = 0, now;

    course_expect(&course, 10000, 0);
    course_look(&course, 0, 0);
    now = run(&course, 0, &done, 1000, 10 * SECOND);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 90000 * SECOND);
    now = run(&course, now, &done, 100, SECOND);
    cr_expect_eq(course_left(&course, now, done, SLOTS), 8900 * SECOND);
}

Test(course, time_left_grows_while_no_answers_arrive)
{
    struct course course = {0};
    int64_t done = 0, now, left;

    course_expect(&course, 100, 0);
    course_look(&course, 0, 0);
    now = run(&course, 0, &done, 20, SECOND);
    left = course_left(&course, now, done, SLOTS);
    cr_expect_gt(course_left(&course, now + 60 * SECOND, done, SLOTS), left);
}

Test(course, time_left_is_unknown_beyond_the_expected_work)
{
    struct course course = {0};
    int64_t done = 0, now;

    course_expect(&course, 10, 0);
    course_look(&course, 0, 0);
    now = run(&course, 0, &done, 20, SECOND);
    cr_expect_eq(course_left(&course, now, done, SLOTS), -1);
}
