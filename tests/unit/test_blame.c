#include "dispatch/blame.h"

#include "dispatch_fixture.h"

TestSuite(blame, .init = open_dispatch, .fini = close_dispatch);

// --- faults ---

Test(blame, a_fault_sends_the_call_elsewhere_after_a_back_off)
{
    join(1, 4);
    join(2, 4);
    queue(5);
    settle();
    int32_t first = sent(5)->worker;

    fail(5, FAULT_SERVER);
    cr_expect_eq(times_sent(5), 1);
    cr_expect_eq(dispatch_deadline(dispatch), now + DISPATCH_BACKOFF_MS);
    pass(DISPATCH_BACKOFF_MS - 1);
    cr_expect_eq(times_sent(5), 1);
    pass(1);

    cr_expect_eq(times_sent(5), 2);
    cr_expect_neq(sent(5)->worker, first);
}

Test(blame, the_back_off_doubles_with_each_fault)
{
    join_many(3);
    queue(5);
    settle();
    fail(5, FAULT_SERVER);
    pass(DISPATCH_BACKOFF_MS);
    fail(5, FAULT_SERVER);

    pass(2 * DISPATCH_BACKOFF_MS - 1);
    cr_expect_eq(times_sent(5), 2);
    pass(1);
    cr_expect_eq(times_sent(5), 3);
}

Test(blame, a_call_waits_for_a_worker_that_has_not_failed_it)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    int32_t first = sent(5)->worker;
    queue_call((struct dispatch_call){.id = 6, .trial = -1});
    queue_call((struct dispatch_call){.id = 7, .trial = -1});
    queue_call((struct dispatch_call){.id = 8, .trial = -1});
    settle();

    fail(5, FAULT_SERVER);
    pass(DISPATCH_BACKOFF_MS);

    cr_expect_eq(times_sent(5), 1);
    for (int64_t id = 6; id <= 8; id++)
        if (sent(id)->worker != first)
            answer(id);
    cr_expect_eq(times_sent(5), 2);
    cr_expect_neq(sent(5)->worker, first);
}

// Fails the call n times; each time waits out the pauses of the call and its
// worker.
static void fail_often(int64_t call, enum call_fault fault, int n)
{
    for (int i = 0; i < n; i++) {
        fail(call, fault);
        pass(DISPATCH_BACKOFF_MAX_MS + DISPATCH_QUARANTINE_MAX_MS);
    }
}

Test(blame, a_round_of_faults_on_three_workers_is_tried_again)
{
    join_many(4);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, 3);

    cr_expect_null(last(ACTION_PARK, 5));
    cr_expect_eq(times_sent(5), 4);
}

// Lets each of these workers answer a call, so that dispatch trusts it.
static void prove_workers(int n)
{
    for (int32_t worker = 1; worker <= n; worker++) {
        join(worker, 1);
        queue(8000 + worker);
        settle();
    }
    for (int32_t worker = 1; worker <= n; worker++)
        answer(8000 + worker);
}

Test(blame, many_faults_on_three_good_workers_park_a_call)
{
    prove_workers(4);
    queue(5);
    settle();
    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES - 1);
    cr_expect_null(last(ACTION_PARK, 5));

    fail(5, FAULT_GARBAGE);

    cr_assert_not_null(last(ACTION_PARK, 5));
    cr_expect_eq(last(ACTION_PARK, 5)->fault, FAULT_GARBAGE);
    pass(100000);
    cr_expect_eq(times_sent(5), DISPATCH_STRIKES);
    cr_expect_eq(counts().parked, 1);
}

// The first three workers have the model loaded, and would always be asked
// first.
Test(blame, call_that_three_good_workers_failed_goes_to_a_later_worker)
{
    prove_workers(3);
    queue(5);
    settle();
    fail(5, FAULT_SERVER);
    pass(DISPATCH_BACKOFF_MAX_MS);
    join(4, 1);
    fail_often(5, FAULT_SERVER, 2);

    cr_expect_eq(sent(5)->worker, 4);
    answer(5);
    cr_expect_null(last(ACTION_PARK, 5));
}

Test(blame, worker_that_never_answers_is_not_tried_forever)
{
    prove_workers(3);
    join(4, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES + 3);

    cr_expect_not_null(last(ACTION_PARK, 5));
    cr_expect_leq(times_sent(5), DISPATCH_STRIKES + 3);
}

Test(blame, before_any_answer_every_worker_gets_three_tries)
{
    join_many(4);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, 3 * 4 - 1);
    cr_expect_null(last(ACTION_PARK, 5));

    fail(5, FAULT_SERVER);
    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(blame, three_bad_workers_do_not_park_a_call_a_good_one_can_answer)
{
    prove_workers(1);
    for (int32_t worker = 2; worker <= 4; worker++)
        join(worker, 1);
    queue(4); // keeps the good worker busy
    settle();
    cr_assert_eq(sent(4)->worker, 1);
    queue(5);
    queue(6);
    settle();

    for (int i = 0; i < 30 && sent(5)->worker != 1; i++) {
        fail(5, i % 2 == 0 ? FAULT_REQUEST : FAULT_MODEL);
        pass(100);
        cr_assert_null(last(ACTION_PARK, 5));
        if (i == 2)
            answer(4);
    }

    answer(5);
}

Test(blame, three_bad_workers_at_the_start_leave_the_call_to_the_fourth)
{
    join_many(3);
    queue(5);
    settle();
    join(4, 1);

    for (int i = 0; i < 3; i++) {
        fail(5, FAULT_REQUEST);
        pass(DISPATCH_BACKOFF_MAX_MS);
    }

    cr_expect_null(last(ACTION_PARK, 5));
    cr_expect_eq(sent(5)->worker, 4);
    answer(5);
}

Test(blame, a_call_that_a_bad_worker_failed_goes_to_a_good_one_at_once)
{
    prove_workers(1);
    queue(4);
    settle();
    join(2, 1);
    queue(5);
    settle();
    cr_assert_eq(sent(5)->worker, 2);
    answer(4);

    fail(5, FAULT_SERVER);

    cr_expect_eq(sent(5)->worker, 1, "no back-off");
}

Test(blame, faults_during_an_outage_do_not_count_against_calls)
{
    join(1, 2);
    queue(1);
    settle();
    answer(1);
    queue_group(10, 12, 0, 1);
    settle();

    for (int i = 0; i < 100; i++) { // all calls fail, for two minutes
        for (int64_t id = 10; id < 22; id++)
            if (last(ACTION_SEND, id) != NULL &&
                last(ACTION_SEND, id)->lease == actions[n_actions - 1].lease)
                fail(id, FAULT_SERVER);
        pass(1000);
        n_actions = n_actions > 400 ? 400 : n_actions;
    }

    cr_expect_eq(counts().parked, 0);
}

Test(blame, with_fewer_workers_many_faults_on_all_park_a_call)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES + 1);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(blame, many_faults_park_a_call_on_a_single_worker)
{
    join(1, 1);
    queue(5);
    settle();
    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES - 1);
    cr_expect_null(last(ACTION_PARK, 5));

    fail(5, FAULT_SERVER);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(blame, a_request_that_no_server_accepts_is_parked_after_three)
{
    join(1, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_REQUEST, 3);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(blame, a_busy_server_delays_and_does_not_count)
{
    join(1, 1);
    queue(5);
    settle();
    for (int i = 0; i < 8; i++) {
        fail(5, FAULT_BUSY);
        cr_expect_eq(times_sent(5), i + 1);
        pass(DISPATCH_BACKOFF_MAX_MS);
    }

    cr_expect_eq(times_sent(5), 9);
    cr_expect_null(last(ACTION_PARK, 5));
}

Test(blame, a_refused_connection_delays_and_does_not_count)
{
    join(1, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_REFUSED, 2 * DISPATCH_STRIKES);

    cr_expect_null(last(ACTION_PARK, 5));
    cr_expect_eq(times_sent(5), 2 * DISPATCH_STRIKES + 1);
}

Test(blame, a_worker_without_the_model_is_not_asked_for_it_again)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    int32_t without = sent(5)->worker;

    fail(5, FAULT_MODEL);
    pass(1000);
    queue_group(10, 4, 1, 1);
    settle();

    for (int i = 1; i < n_actions; i++)
        cr_expect_neq(actions[i].worker, without);
    cr_assert(dispatch_serves(dispatch, without, MODEL, &err));
    cr_expect_geq(settle(), 1, "it has the model again");
}

Test(blame, call_is_parked_when_no_worker_has_its_model_any_more)
{
    join(1, 1);
    queue(5);
    settle();

    fail(5, FAULT_MODEL);

    cr_assert_not_null(last(ACTION_PARK, 5));
    cr_expect_eq(last(ACTION_PARK, 5)->fault, FAULT_MODEL);
    cr_expect_not(dispatch_can_serve(dispatch, MODEL));
}

// --- quarantine ---

// Fails three calls on the only worker.
static void quarantine(void)
{
    join(1, 4);
    queue_group(1, 3, 1, 1);
    settle();
    for (int64_t id = 1; id <= 3; id++)
        fail(id, FAULT_SERVER);
}

Test(blame, a_worker_with_faults_in_a_row_is_left_alone_for_a_while)
{
    quarantine();
    queue(50);

    pass(DISPATCH_QUARANTINE_MS - 1);
    cr_expect_eq(times_sent(50) + times_sent(1), 1);
    pass(1);
    cr_expect_eq(counts().leased, 1);
}

// Without a pause, the worker would be sent the same calls again at once,
// forever, and keep them from a worker that answers.
Test(blame, a_worker_that_hands_back_all_calls_is_left_alone_as_well)
{
    static const int64_t handed_back[] = {1, 2, 3, 1, 2};

    join(1, 4);
    queue_group(1, 3, 1, 1);
    settle();
    for (size_t i = 0; i < 5; i++)
        fail(handed_back[i], FAULT_LOST);
    queue(50);

    pass(DISPATCH_QUARANTINE_MS - 1);
    cr_expect_eq(counts().leased, 0);
    cr_expect_eq(times_sent(50), 0);
    pass(DISPATCH_QUARANTINE_MAX_MS);
    cr_expect_eq(counts().leased, 1);
}

Test(blame, suspect_worker_is_tried_with_one_call)
{
    quarantine();
    queue_group(50, 5, 1, 1);

    pass(DISPATCH_QUARANTINE_MS);

    cr_expect_eq(counts().leased, 1);
}

Test(blame, a_quarantine_grows_with_further_faults)
{
    quarantine();
    queue_group(50, 5, 0, 1);
    pass(DISPATCH_QUARANTINE_MS);
    fail(actions[n_actions - 1].call, FAULT_SERVER);

    pass(2 * DISPATCH_QUARANTINE_MS - 1);
    cr_expect_eq(counts().leased, 0);
    pass(1);
    cr_expect_eq(counts().leased, 1);
}

Test(blame, a_success_ends_a_quarantine)
{
    quarantine();
    queue_group(50, 10, 0, 1);
    pass(DISPATCH_QUARANTINE_MS);

    answer(actions[n_actions - 1].call);

    cr_expect_eq(counts().leased, 5);
}

Test(blame, live_worker_that_never_answers_is_quarantined)
{
    struct dispatch_worker_view view = {0};

    open_with(0, true);
    join(1, 4);
    teach_usual(100);
    join(2, 4);
    for (int64_t first = 100; first < 200; first += 5) {
        queue_group(first, 5, 0, 1);
        settle();
        pass(100);
        for (int64_t id = first; id < first + 5; id++)
            if (sent(id)->worker == 1)
                answer(id);
        pass(1000);
        for (int64_t id = first; id < first + 5; id++)
            if (sent(id)->hedge)
                answer(id);
    }

    cr_assert(dispatch_worker_look(dispatch, 2, &view));
    cr_expect_eq(view.state, DISPATCH_WORKER_RESTING);
    cr_expect_geq(view.n_faults, DISPATCH_QUARANTINE_FAULTS);
    cr_expect_leq(view.n_calls, 1);
}

Test(blame, one_call_that_always_fails_does_not_quarantine_its_worker)
{
    struct dispatch_worker_view view = {0};

    prove_workers(1);
    queue(5);
    settle();
    fail_often(5, FAULT_SERVER, 5);

    cr_assert(dispatch_worker_look(dispatch, 1, &view));
    cr_expect_eq(view.state, DISPATCH_WORKER_SERVING);
}
