#include "dispatch/seat.h"

#include "dispatch_fixture.h"

TestSuite(seat, .init = open_dispatch, .fini = close_dispatch);

static void limit(int32_t job, int32_t max_workers)
{
    cr_assert(dispatch_set_limit(dispatch, job, max_workers, &err), "%s",
              err.text);
    prove();
}

static void queue_job(int32_t job, int64_t first, int n)
{
    for (int i = 0; i < n; i++)
        queue_call((struct dispatch_call){
            .id = first + i, .job = job, .trial = first, .group = first});
}

// Returns a set with bit w if worker w was ever sent one of these calls.
static unsigned workers_of(int64_t first, int n)
{
    unsigned set = 0;

    for (int i = 0; i < n_actions; i++)
        if (actions[i].kind == ACTION_SEND && actions[i].call >= first &&
            actions[i].call < first + n)
            set |= 1U << actions[i].worker;
    return set;
}

static void answer_all(int64_t first, int n)
{
    for (int64_t id = first; id < first + n; id++)
        answer(id);
}

Test(seat, job_uses_no_more_workers_than_its_limit)
{
    join_many(4);
    limit(7, 2);
    queue_job(7, 100, 12);
    settle();
    answer_all(100, 12);

    cr_expect_eq(workers_of(100, 12), 1U << 1 | 1U << 2);
}

Test(seat, a_job_with_a_limit_keeps_its_workers_while_it_has_no_calls)
{
    join_many(4);
    limit(7, 2);
    queue_job(7, 100, 4);
    settle();
    unsigned first = workers_of(100, 4);
    answer_all(100, 4);
    queue_job(8, 200, 2); // the other job comes first now
    settle();
    answer_all(200, 2);
    queue_job(7, 300, 6);
    settle();
    answer_all(300, 6);

    cr_expect_eq(workers_of(300, 6), first);
}

Test(seat, the_place_of_a_worker_that_left_is_given_to_another)
{
    join_many(3);
    limit(7, 1);
    queue_job(7, 100, 3);
    settle();
    int32_t gone = sent(100)->worker;
    dispatch_leave(dispatch, gone, now);
    settle();
    answer_all(100, 3);

    cr_expect_eq(times_sent(100), 2);
    cr_expect_neq(sent(100)->worker, gone);
    cr_expect_eq(sent(101)->worker, sent(100)->worker);
    cr_expect_eq(sent(102)->worker, sent(100)->worker);
}

Test(seat, the_place_of_a_silent_worker_is_given_to_another)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 2);
    settle();
    int32_t silent = sent(100)->worker;
    dispatch_set_silence(dispatch, 3 - silent, 10 * LIVENESS_MS);
    pass(LIVENESS_MS);

    cr_expect_eq(sent(100)->worker, 3 - silent);
}

Test(seat, a_draining_worker_keeps_its_place_until_its_call_is_done)
{
    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 3); // one in flight, one beyond the slot
    settle();
    int32_t first = sent(100)->worker;
    dispatch_drain(dispatch, first);
    settle();
    answer(100);
    cr_expect_eq(times_sent(102), 0, "it would have two workers");
    answer(101);
    cr_expect_eq(sent(102)->worker, 3 - first);
}

Test(seat, two_jobs_with_limits_take_different_workers)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 2);
    limit(7, 2);
    limit(8, 2);
    queue_job(7, 100, 4);
    settle();
    answer_all(100, 4); // the job has its workers, but no calls
    queue_job(8, 200, 4);
    settle();
    answer_all(200, 4);

    cr_expect_eq(workers_of(100, 4) & workers_of(200, 4), 0U);
}

Test(seat, a_job_whose_workers_are_busy_moves_to_idle_ones)
{
    join(1, 1);
    limit(7, 1);
    queue_job(7, 100, 1);
    settle();
    answer(100);
    queue_job(8, 200, 2);
    settle();
    queue_job(7, 300, 1);
    settle();
    cr_expect_eq(times_sent(300), 0, "its worker is busy with another job");
    join(2, 1);
    settle();

    cr_expect_eq(sent(300)->worker, 2);
}

// The students are on two workers, and the teacher is on the third.
Test(seat, a_limit_does_not_keep_a_model_from_being_asked)
{
    join(1, 1);
    join(2, 1);
    cr_assert(dispatch_join(dispatch, 3, 1, now, &err));
    cr_assert(dispatch_serves(dispatch, 3, 2, &err));
    limit(7, 2);
    queue_job(7, 100, 2);
    settle();
    queue_call(
        (struct dispatch_call){.id = 150, .job = 7, .model = 2, .trial = 150});
    queue_job(7, 200, 8);
    settle();
    cr_expect_eq(times_sent(150), 0);

    answer(100);
    cr_expect_eq(sent(150)->worker, 3);
    answer(101);
    answer(150);
    answer_all(200, 8);
    for (int64_t id = 200; id < 208; id++)
        cr_expect_eq(times_sent(id), 1);
}

Test(seat, call_that_failed_within_the_limit_goes_to_another_worker)
{
    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 1);
    settle();
    int32_t first = sent(100)->worker;
    fail(100, FAULT_SERVER);
    pass(DISPATCH_BACKOFF_MAX_MS);

    cr_expect_eq(sent(100)->worker, 3 - first);
}

Test(seat, a_second_copy_stays_within_the_limit)
{
    open_with(0, true);
    join_many(3);
    limit(7, 1);
    queue_job(7, 100, 8);
    settle();
    now += 100;
    answer_all(100, 8); // now the usual time of a call is known
    queue_job(7, 200, 1);
    settle();
    pass(10 * DISPATCH_HEDGE_MIN_MS);
    cr_expect_eq(times_sent(200), 1);

    limit(7, 2);
    settle();
    cr_expect_eq(times_sent(200), 2);
}

Test(seat, existing_answer_of_a_worker_beyond_the_limit_is_accepted)
{
    struct action action;

    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 1);
    settle();
    int32_t first = sent(100)->worker;
    queue_job(7, 200, 3);

    cr_assert(dispatch_send_to(dispatch, 200, 3 - first, now, &action));
    prove();
    settle();
    cr_expect_eq(sent(201)->worker, first);
    cr_expect_eq(times_sent(202), 0);
    answer(100);
    cr_expect_eq(sent(202)->worker, first);
}

Test(seat, removed_limit_no_longer_applies)
{
    join_many(3);
    limit(7, 1);
    queue_job(7, 100, 6);
    settle();
    cr_expect_eq(times_sent(102), 0);
    limit(7, 0);
    settle();

    cr_expect_eq(times_sent(102), 1);
    cr_expect_eq(times_sent(105), 1);
}
