#include "dispatch/dispatch.h"

#include "dispatch_fixture.h"

TestSuite(dispatch, .init = open_dispatch, .fini = close_dispatch);

// --- places ---

Test(dispatch, a_queued_call_goes_to_a_worker_that_serves_its_model)
{
    cr_assert(dispatch_join(dispatch, 1, 4, now, &err));
    cr_assert(dispatch_serves(dispatch, 1, 77, &err));
    join(2, 4);
    queue(5);

    settle();

    cr_expect_eq(sent(5)->worker, 2);
    cr_expect_not(sent(5)->hedge);
}

Test(dispatch, call_waits_while_no_worker_serves_its_model)
{
    queue(5);
    cr_expect_eq(settle(), 0);
    cr_expect_not(dispatch_can_serve(dispatch, MODEL));

    join(1, 1);

    cr_expect(dispatch_can_serve(dispatch, MODEL));
    cr_expect_eq(settle(), 1);
}

Test(dispatch, a_worker_holds_at_most_one_call_more_than_its_slots)
{
    join(1, 3);
    queue_group(1, 10, 1, 1);

    cr_expect_eq(settle(), 4);
    cr_expect_eq(counts().leased, 4);
    cr_expect_eq(counts().queued, 6);
}

Test(dispatch, a_slot_is_freed_only_when_its_answer_is_durable)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    cr_expect(done(1));
    cr_expect_eq(settle(), 0);

    credit(1);
    cr_expect_eq(times_sent(3), 1);
}

Test(dispatch, credit_for_a_call_that_was_not_answered_frees_nothing)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    credit(1);

    cr_expect_eq(times_sent(3), 0);
    cr_expect(done(1));
}

Test(dispatch, fault_frees_the_slot_at_once)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    fail(1, FAULT_SERVER);

    cr_expect_eq(times_sent(3), 1);
}

Test(dispatch, idle_slots_are_filled_before_calls_are_queued_ahead)
{
    join(1, 1);
    join(2, 1);
    queue_group(1, 2, 1, 1);
    settle();
    cr_expect_neq(sent(1)->worker, sent(2)->worker);

    queue_group(3, 2, 1, 1);
    cr_expect_eq(settle(), 2);
}

Test(dispatch, slots_out_of_range_are_refused)
{
    cr_expect_not(dispatch_join(dispatch, 1, 0, now, &err));
    cr_expect_eq(err.code, ERR_INPUT);
    cr_expect_str_eq(err.text, "worker 1 offers 0 slots; it must be 1 to 1024");
    cr_expect_not(dispatch_join(dispatch, 1, 1025, now, &err));
}

Test(dispatch, a_call_cannot_be_queued_twice)
{
    struct dispatch_call call = {.id = 5, .model = MODEL};

    queue(5);

    cr_expect_not(dispatch_queue(dispatch, &call, now, &err));
    cr_expect_str_eq(err.text, "call 5 is already queued");
    cr_expect_eq(counts().queued, 1);
}

// --- workers come and go ---

Test(dispatch, calls_of_a_silent_worker_go_elsewhere_without_a_fault)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    queue(5);
    settle();
    for (int32_t lost = 1; lost <= 4; lost++) {
        cr_assert_eq(sent(5)->worker, lost);
        join(lost + 1, 1);
        dispatch_heard(dispatch, lost + 1, now + LIVENESS_MS - 1);
        pass(LIVENESS_MS);
        cr_expect_eq(sent(5)->worker, lost + 1);
    }

    cr_expect_eq(counts().workers, 1);
    cr_expect_eq(counts().slots, 1);
    cr_expect_eq(counts().parked, 0);
    cr_expect_eq(counts().faults, 0);
}

Test(dispatch, a_worker_that_stays_silent_is_dropped)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    pass(LIVENESS_MS * DISPATCH_FORGET - 1);
    cr_expect_null(last(ACTION_DROP, 0));

    pass(1);

    cr_assert_not_null(last(ACTION_DROP, 0));
    cr_expect_eq(last(ACTION_DROP, 0)->worker, 1);
}

Test(dispatch, a_worker_without_calls_may_keep_its_own_rhythm)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    dispatch_set_silence(dispatch, 1, 10 * LIVENESS_MS);
    pass(10 * LIVENESS_MS - 1);
    cr_expect_eq(counts().workers, 1);
    cr_expect_eq(dispatch_silences(dispatch), 0);
    pass(1);
    cr_expect_eq(counts().workers, 0);
    dispatch_heard(dispatch, 1, now);
    cr_expect_eq(counts().workers, 1);
    cr_expect_eq(dispatch_silences(dispatch), 1);
}

Test(dispatch, worker_with_slow_heartbeats_must_beat_soon_after_a_call)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    dispatch_set_silence(dispatch, 1, 10 * LIVENESS_MS);
    pass(5 * LIVENESS_MS);
    queue(5);
    settle();
    cr_assert_eq(sent(5)->worker, 1);
    join(2, 1);
    dispatch_set_silence(dispatch, 2, 10 * LIVENESS_MS);
    pass(LIVENESS_MS - 1);
    cr_expect_eq(times_sent(5), 1);
    pass(1);
    cr_expect_eq(sent(5)->worker, 2);
}

Test(dispatch, silent_worker_that_is_heard_again_continues)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    queue(5);
    settle();
    pass(LIVENESS_MS);
    cr_expect_eq(counts().workers, 0);
    cr_expect_not(dispatch_can_serve(dispatch, MODEL));

    dispatch_heard(dispatch, 1, now);
    settle();

    cr_expect_eq(counts().workers, 1);
    cr_expect_eq(times_sent(5), 2);
}

Test(dispatch, late_answer_of_a_silent_worker_counts)
{
    int64_t call = 0;

    open_with(LIVENESS_MS, false);
    join(1, 1);
    queue(5);
    settle();
    struct action first = *sent(5);
    pass(LIVENESS_MS);
    join(2, 1);
    settle();
    cr_assert_eq(sent(5)->worker, 2);

    cr_expect(dispatch_done(dispatch, 1, first.lease, now, &call));
    settle();

    cr_expect_eq(call, 5);
    cr_expect_not_null(last(ACTION_CANCEL, 5));
}

Test(dispatch, no_worker_counts_as_silent_while_the_caller_lags)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    dispatch_set_behind(dispatch, true);
    pass(10 * LIVENESS_MS);
    cr_expect_eq(counts().workers, 1);

    dispatch_set_behind(dispatch, false);
    pass(0);
    cr_expect_eq(counts().workers, 0);
}

Test(dispatch, unused_model_can_be_forgotten)
{
    join(1, 1);
    queue(5);
    settle();
    cr_expect_not(dispatch_forget_model(dispatch, MODEL), "a call is out");
    answer(5);

    cr_expect(dispatch_forget_model(dispatch, MODEL));
    cr_expect(dispatch_forget_model(dispatch, MODEL), "again");
    cr_expect_not(dispatch_can_serve(dispatch, MODEL));
    prove();
}

Test(dispatch, a_worker_that_is_heard_is_not_lost)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    for (int i = 0; i < 10; i++) {
        // Dispatch checks the worker when it could have been silent this long,
        // not each time it is heard.
        cr_expect_gt(dispatch_deadline(dispatch), now);
        cr_expect_leq(dispatch_deadline(dispatch), now + LIVENESS_MS);
        pass(LIVENESS_MS - 1);
        dispatch_heard(dispatch, 1, now);
    }

    cr_expect_eq(counts().workers, 1);
}

Test(dispatch, a_leaving_worker_gives_its_calls_back_at_once)
{
    join(1, 2);
    queue_group(1, 3, 1, 1);
    settle();
    join(2, 4);

    dispatch_leave(dispatch, 1, now);
    settle();

    for (int64_t id = 1; id <= 3; id++)
        cr_expect_eq(sent(id)->worker, 2);
    cr_expect_eq(counts().faults, 0);
}

Test(dispatch, a_call_that_a_worker_hands_back_goes_out_again_at_once)
{
    join(1, 1);
    queue(5);
    settle();

    for (int i = 0; i < 5; i++)
        fail(5, FAULT_LOST);

    cr_expect_eq(times_sent(5), 6);
}

Test(dispatch, a_draining_worker_takes_no_more_and_may_answer)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    dispatch_drain(dispatch, 1);
    answer(1);
    answer(2);

    cr_expect_eq(times_sent(3), 0);
    cr_expect_eq(counts().slots, 0);
    cr_expect_not(dispatch_can_serve(dispatch, MODEL));
}

Test(dispatch, worker_that_rejoins_has_lost_its_calls)
{
    join(1, 1);
    queue(5);
    settle();
    int64_t old = sent(5)->lease;
    int64_t call = 0;

    join(1, 1);
    settle();

    cr_expect_eq(times_sent(5), 2);
    cr_expect_not(dispatch_done(dispatch, 1, old, now, &call));
    cr_expect(done(5));
}

// --- leases ---

Test(dispatch, a_lease_that_ends_sends_the_call_elsewhere)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    int32_t first = sent(5)->worker;

    cr_expect_eq(dispatch_deadline(dispatch),
                 now + TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
    pass(TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
    cr_expect_eq(counts().faults, 1);
    pass(DISPATCH_BACKOFF_MS);

    cr_expect_eq(times_sent(5), 2);
    cr_expect_neq(sent(5)->worker, first);
}

Test(dispatch, a_late_answer_counts_when_it_is_the_first)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    struct action old = *sent(5);
    int64_t call = 0;
    pass(TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
    pass(DISPATCH_BACKOFF_MS);

    cr_expect(dispatch_done(dispatch, old.worker, old.lease, now, &call));
    cr_expect_eq(call, 5);
    settle();

    cr_assert_not_null(last(ACTION_CANCEL, 5));
    cr_expect_eq(last(ACTION_CANCEL, 5)->lease, sent(5)->lease);
    cr_expect_not(done(5), "the second answer counts as well");
    cr_expect_eq(counts().leased, 0);
}

Test(dispatch, late_answer_removes_its_call_from_the_queue)
{
    join(1, 1);
    queue(5);
    settle();
    pass(TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
    cr_expect_eq(counts().waiting, 1);

    cr_expect(done(5));

    cr_expect_eq(counts().waiting, 0);
    pass(60000);
    cr_expect_eq(times_sent(5), 1);
}

Test(dispatch, a_late_answer_does_not_count_after_another)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    struct action old = *sent(5);
    int64_t call = 0;
    pass(TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
    pass(DISPATCH_BACKOFF_MS);
    answer(5);

    cr_expect_not(dispatch_done(dispatch, old.worker, old.lease, now, &call));
    cr_expect_eq(last(ACTION_CANCEL, 5)->lease, old.lease);
}

Test(dispatch, an_answer_of_a_worker_that_does_not_hold_the_lease_is_ignored)
{
    int64_t call = 0;

    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    int32_t other = sent(5)->worker == 1 ? 2 : 1;

    cr_expect_not(dispatch_done(dispatch, other, sent(5)->lease, now, &call));
    dispatch_fault(dispatch, other, sent(5)->lease, FAULT_SERVER, now);
    cr_expect_eq(counts().leased, 1);
    cr_expect(done(5));
}

Test(dispatch, leases_are_not_reused_by_a_later_coordinator)
{
    const struct dispatch_config config = {.leases_from = (int64_t)1 << 60};

    dispatch_free(dispatch);
    dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(dispatch, "%s", err.text);
    join(1, 1);
    queue(5);
    settle();
    cr_expect_gt(sent(5)->lease, config.leases_from);
    cr_expect(done(5));
}

Test(dispatch, a_lease_runs_from_the_moment_its_call_gets_a_slot)
{
    join(1, 1);
    queue_group(1, 2, 1, 1);
    settle();

    pass(TIMEOUT_MS);
    answer(1);
    pass(TIMEOUT_MS);

    cr_expect_eq(counts().faults, 0);
    cr_expect_eq(dispatch_deadline(dispatch), now + DISPATCH_LEASE_MARGIN_MS);
}

Test(dispatch, cancelled_call_is_cancelled_at_its_worker)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    dispatch_cancel(dispatch, 1, now);
    dispatch_cancel(dispatch, 3, now);
    settle();

    cr_assert_not_null(last(ACTION_CANCEL, 1));
    cr_expect_eq(last(ACTION_CANCEL, 1)->lease, sent(1)->lease);
    cr_expect_null(last(ACTION_CANCEL, 3), "it was with nobody");
    cr_expect_not(done(1));
    queue(4);
    cr_expect_eq(settle(), 1, "its place is not free");
}

Test(dispatch, a_call_is_never_sent_again_once_it_was_answered)
{
    join(1, 1);
    queue(5);
    settle();
    answer(5);

    fail(5, FAULT_SERVER);
    dispatch_leave(dispatch, 1, now);
    join(2, 1);
    pass(100000);

    cr_expect_eq(times_sent(5), 1);
    cr_expect_not(done(5));
}

// --- the rest ---

Test(dispatch, the_counts_add_up)
{
    join(1, 1);
    queue_group(1, 5, 1, 1);
    settle();
    fail(1, FAULT_BUSY);

    cr_expect_eq(counts().workers, 1);
    cr_expect_eq(counts().slots, 1);
    cr_expect_eq(counts().queued, 3);
    cr_expect_eq(counts().waiting, 1);
    cr_expect_eq(counts().leased, 1);
    cr_expect_eq(counts().sent, 2);
    cr_expect_eq(counts().faults, 1);
}

Test(dispatch, nothing_is_planned_for_an_empty_dispatch)
{
    cr_expect_eq(dispatch_deadline(dispatch), -1);
    cr_expect_eq(settle(), 0);
}

Test(dispatch, unknown_names_are_ignored)
{
    int64_t call = 0;

    dispatch_heard(dispatch, 9, now);
    dispatch_drain(dispatch, 9);
    dispatch_leave(dispatch, 9, now);
    dispatch_cancel(dispatch, 9, now);
    dispatch_credit(dispatch, 9, 9, now);
    dispatch_fault(dispatch, 9, 9, FAULT_SERVER, now);

    cr_expect_not(dispatch_done(dispatch, 9, 9, now, &call));
    cr_expect_not(dispatch_serves(dispatch, 9, MODEL, &err));
    cr_expect_str_eq(err.text, "worker 9 has not joined");
    cr_expect_eq(settle(), 0);
}

// The worker names its leases; returns how many calls are sent to it again.
static int beat(int32_t worker, const int64_t *leases, size_t n)
{
    struct action action;
    int again = 0;

    dispatch_heard(dispatch, worker, now);
    for (size_t i = 0; i < n; i++)
        cr_expect(dispatch_confirm(dispatch, worker, leases[i], now));
    while (dispatch_unconfirmed(dispatch, worker, now, &action)) {
        cr_expect_eq(action.kind, ACTION_SEND);
        cr_expect_eq(action.worker, worker);
        cr_expect_eq(action.lease, sent(action.call)->lease);
        again++;
    }
    prove();
    return again;
}

Test(dispatch, a_lease_that_its_worker_does_not_name_is_sent_to_it_again)
{
    int64_t call = 0;

    join(1, 1);
    queue_group(5, 2, 1, 1);
    settle();
    pass(DISPATCH_ACK_MS - 1);
    cr_expect_eq(beat(1, &sent(6)->lease, 1), 0, "it may be on its way still");
    pass(1);
    cr_expect_eq(beat(1, &sent(6)->lease, 1), 1);
    cr_expect_eq(beat(1, &sent(6)->lease, 1), 0, "at most every two seconds");
    pass(DISPATCH_ACK_MS);
    cr_expect_eq(beat(1, NULL, 0), 2);
    cr_assert(dispatch_done(dispatch, 1, sent(5)->lease, now, &call));
    cr_expect_eq(call, 5);
    pass(DISPATCH_ACK_MS);
    cr_expect_eq(beat(1, &sent(6)->lease, 1), 0, "what was answered is done");
}

Test(dispatch, timeout_of_a_lost_call_runs_from_when_it_is_resent)
{
    join(1, 1);
    queue(5);
    settle();
    pass(DISPATCH_ACK_MS);
    cr_expect_eq(beat(1, NULL, 0), 1);
    cr_expect_eq(dispatch_deadline(dispatch),
                 now + TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
}

Test(dispatch, lease_that_no_call_waits_for_is_reported)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();
    int64_t lease = sent(5)->lease;
    int32_t other = sent(5)->worker == 1 ? 2 : 1;

    cr_expect_not(dispatch_confirm(dispatch, other, lease, now));
    dispatch_cancel(dispatch, 5, now);
    settle();
    cr_expect_not(dispatch_confirm(dispatch, 3 - other, lease, now));
}

Test(dispatch, a_call_is_given_to_the_worker_that_kept_it)
{
    struct action action;

    join(1, 1);
    join(2, 1);
    queue(5);

    cr_assert(dispatch_send_to(dispatch, 5, 2, now, &action));
    prove();
    cr_expect_eq(action.kind, ACTION_SEND);
    cr_expect_eq(action.worker, 2);
    cr_expect_eq(action.call, 5);
    cr_expect_eq(settle(), 0);
}

Test(dispatch, call_is_assigned_only_from_the_queue_and_to_a_free_slot)
{
    struct action action;

    join(1, 1);
    cr_expect_not(dispatch_send_to(dispatch, 5, 1, now, &action),
                  "no such call");
    queue_group(5, 3, 1, 1);
    settle();
    cr_expect_not(dispatch_send_to(dispatch, 5, 1, now, &action), "it is out");
    cr_expect_not(dispatch_send_to(dispatch, 7, 1, now, &action), "it is full");
    cr_expect_not(dispatch_send_to(dispatch, 7, 9, now, &action), "nobody");
    cr_assert(dispatch_join(dispatch, 2, 4, now, &err));
    cr_expect_not(dispatch_send_to(dispatch, 7, 2, now, &action),
                  "no such model");
    prove();
}
