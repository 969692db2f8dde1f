#include "dispatch/hedge.h"

#include "dispatch_fixture.h"

TestSuite(hedge, .init = open_dispatch, .fini = close_dispatch);

// Two workers; the usual time is 1 s, and call 5 is out.
static void send_with_spare_worker(void)
{
    open_with(0, true);
    join(1, 1);
    teach_usual(1000);
    join(2, 1);
    queue(5);
    settle();
}

Test(hedge, idle_slot_takes_a_second_copy_of_a_long_running_call)
{
    send_with_spare_worker();
    int32_t first = sent(5)->worker;

    cr_expect_eq(dispatch_deadline(dispatch), now + 2000);
    pass(1999);
    cr_expect_eq(times_sent(5), 1);
    pass(1);

    cr_expect_eq(times_sent(5), 2);
    cr_expect(sent(5)->hedge);
    cr_expect_neq(sent(5)->worker, first);
    cr_expect_eq(counts().hedged, 1);
    cr_expect_eq(counts().leased, 1);
}

Test(hedge, longest_running_call_is_copied)
{
    open_with(0, true);
    join(1, 4);
    teach_usual(1000);
    for (int64_t id = 1; id <= 3; id++) {
        queue(id);
        settle();
        pass(100);
    }
    join(2, 1);

    pass(5000);

    cr_expect_eq(times_sent(1), 2);
    cr_expect_eq(times_sent(2), 1);
}

Test(hedge, the_first_answer_of_two_counts_and_the_other_is_cancelled)
{
    send_with_spare_worker();
    struct action first = *sent(5);
    int64_t call = 0;
    pass(2000);
    struct action second = *sent(5);

    cr_expect(dispatch_done(dispatch, first.worker, first.lease, now, &call));
    settle();

    cr_assert_not_null(last(ACTION_CANCEL, 5));
    cr_expect_eq(last(ACTION_CANCEL, 5)->lease, second.lease);
    cr_expect_eq(last(ACTION_CANCEL, 5)->worker, second.worker);
    cr_expect_not(done(5));
    queue_group(10, 3, 1, 1);
    cr_expect_eq(settle(), 2, "the place of the cancelled copy is not free");
}

Test(hedge, a_queued_call_goes_before_a_second_copy)
{
    send_with_spare_worker();
    queue_group(10, 3, 1, 1);

    pass(2000);

    cr_expect_eq(counts().hedged, 0);
}

Test(hedge, a_single_worker_is_never_given_a_second_copy)
{
    open_with(0, true);
    join(1, 4);
    teach_usual(1000);
    queue(5);
    settle();

    pass(30000);

    cr_expect_eq(times_sent(5), 1);
    cr_expect_eq(dispatch_deadline(dispatch),
                 now + TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS - 30000);
}

Test(hedge, quick_calls_are_not_copied_within_half_a_second)
{
    open_with(0, true);
    join(1, 1);
    teach_usual(0);
    join(2, 1);
    queue(5);
    settle();

    pass(DISPATCH_HEDGE_MIN_MS - 1);
    cr_expect_eq(times_sent(5), 1);
    pass(1);
    cr_expect_eq(times_sent(5), 2);
}

// The first worker may be one that takes calls and never answers.
Test(hedge, call_is_copied_even_before_any_call_was_answered)
{
    open_with(0, true);
    join(1, 1);
    queue(5);
    settle();
    join(2, 1);

    pass(DISPATCH_HEDGE_BLIND_MS - 1);
    cr_expect_eq(times_sent(5), 1);
    pass(1);
    cr_expect_eq(times_sent(5), 2);
    cr_expect_eq(sent(5)->worker, 2);
}

// Two machines freeze at the same time, and a third has a slot.
Test(hedge, a_third_copy_is_sent_where_two_workers_answer_nothing)
{
    int64_t call = 0;

    open_with(0, true);
    join(1, 1);
    teach_usual(1000);
    pass(1);
    join(2, 1);
    queue(5);
    settle();
    pass(2000);
    cr_expect_eq(times_sent(5), 2);
    join(3, 1);
    pass(1999);
    cr_expect_eq(times_sent(5), 2);
    pass(1);
    cr_expect_eq(times_sent(5), 3);
    cr_expect_eq(sent(5)->worker, 3);
    join(4, 1);
    pass(10000);
    cr_expect_eq(times_sent(5), 3, "three are enough");

    cr_expect(dispatch_done(dispatch, 3, sent(5)->lease, now, &call));
    settle();
    cr_expect_eq(call, 5);
    cr_expect_eq(counts().leased, 0);
}

Test(hedge, a_slow_worker_that_answers_other_calls_is_given_no_third_copy)
{
    int64_t call = 0;

    open_with(0, true);
    join(1, 2);
    teach_usual(1000);
    queue(5);
    queue(6);
    settle();
    join(2, 1);
    pass(2000);
    cr_assert_eq(times_sent(5), 2);
    cr_expect(dispatch_done(dispatch, 1, sent(6)->lease, now, &call));
    dispatch_credit(dispatch, 1, sent(6)->lease, now);
    join(3, 1);
    pass(10000);
    cr_expect_eq(times_sent(5), 2);
}

Test(hedge, copied_call_continues_when_one_of_its_two_workers_fails)
{
    send_with_spare_worker();
    struct action first = *sent(5);
    pass(2000);

    dispatch_fault(dispatch, first.worker, first.lease, FAULT_SERVER, now);
    settle();

    cr_expect_eq(times_sent(5), 2);
    cr_expect_eq(counts().leased, 1);
    cr_expect(done(5));
}

Test(hedge, worker_that_must_read_the_prompt_gets_a_copy_later)
{
    open_with(0, true);
    join_many(2);
    teach_reading(2);
    queue_group(5, 1, 1, 10);
    settle();

    // Added to twice the usual time, since its first worker reads it as well.
    cr_expect_eq(dispatch_deadline(dispatch), now + 2000 + 2 * READ_MS);
    pass(2000 + 2 * READ_MS);

    cr_expect_eq(times_sent(5), 2);
}

// A letter from the teacher is not late because labels are quick.
Test(hedge, usual_time_of_one_kind_does_not_apply_to_another)
{
    open_with(0, true);
    join(1, 1);
    teach_usual(1000);
    join(2, 1);
    queue_call((struct dispatch_call){.id = 5, .group = 7, .kind = 7});
    settle();

    cr_expect_eq(dispatch_deadline(dispatch), now + DISPATCH_HEDGE_BLIND_MS);
}

Test(hedge, worker_that_has_read_the_prompt_gets_the_copy)
{
    open_with(0, true);
    join_many(3);
    teach_reading(3);
    for (int64_t id = 1; id <= 2; id++) { // two of them get another prompt
        queue_group(id, 1, 1, 1);
        cr_assert(dispatch_send_to(dispatch, id, (int32_t)id + 1, now,
                                   &actions[n_actions++]));
    }
    now += 1000 + READ_MS;
    answer(1);
    answer(2);
    queue_group(5, 1, 3, 1);
    settle();
    int32_t first = sent(5)->worker;

    cr_expect_eq(dispatch_deadline(dispatch), now + 2000);
    pass(2000);

    cr_expect_eq(times_sent(5), 2);
    cr_expect_eq(first + sent(5)->worker, 2 + 3);
}

// Worker 1 takes 3 s for a call, worker 2 takes 200 ms, and both have the
// prompt. Worker 1 is given call 3, worker 2 call 4.
static void send_to_slow_and_quick(void)
{
    open_with(0, true);
    join_many(2);
    queue(1);
    queue(2);
    settle();
    cr_assert_eq(sent(1)->worker, 1);
    pass(200);
    answer(2);
    pass(2800);
    answer(1);
    queue(3);
    queue(4);
    settle();
    cr_assert_eq(sent(3)->worker, 1);
    cr_assert_eq(sent(4)->worker, 2);
}

Test(hedge, a_quick_worker_takes_a_copy_that_it_would_answer_sooner)
{
    send_to_slow_and_quick();
    pass(200);

    answer(4);

    cr_expect_eq(times_sent(3), 2);
    cr_expect_eq(sent(3)->worker, 2);
    cr_expect(sent(3)->hedge);
}

Test(hedge, a_call_that_is_nearly_answered_is_not_copied)
{
    send_to_slow_and_quick();
    pass(2600);

    answer(4);

    cr_expect_eq(times_sent(3), 1);
}

// The usual time is that of the quick worker, which does not have the prompt.
Test(hedge, call_on_a_slow_worker_is_late_by_that_workers_usual_time)
{
    open_with(0, true);
    join(1, 1);
    queue(1);
    settle();
    pass(3000);
    answer(1);
    queue(2);
    settle();
    join(2, 1);
    for (int64_t id = 10; id < 16; id++) {
        queue_group(id, 1, 2, 20);
        settle();
        pass(100);
        answer(id);
    }

    pass(6000 - 600 - 1);
    cr_expect_eq(times_sent(2), 1);
    pass(1);
    cr_expect_eq(times_sent(2), 2);
}
