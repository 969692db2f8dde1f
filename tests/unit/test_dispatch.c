#include "dispatch/dispatch.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "dispatch/dispatch_check.h"

// A dispatch, the clock, and all actions that it gave out so far. Every step
// ends with a proof that dispatch is sound.
enum { MAX_ACTIONS = 1024 };
static struct dispatch *dispatch;
static struct err err;
static int64_t now;
static struct action actions[MAX_ACTIONS];
static int n_actions;

enum { MODEL = 1, TIMEOUT_MS = 60000, LIVENESS_MS = 3000 };

static void open_with(int64_t liveness_ms, bool hedge)
{
    struct dispatch_config config = {.liveness_ms = liveness_ms,
                                     .hedge = hedge};

    dispatch_free(dispatch);
    dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(dispatch, "%s", err.text);
}

static void open_dispatch(void)
{
    now = 1000;
    n_actions = 0;
    open_with(0, false);
}

static void close_dispatch(void)
{
    dispatch_free(dispatch);
    dispatch = NULL;
}

static void prove(void)
{
    const char *wrong = dispatch_check(dispatch);

    cr_assert_null(wrong, "%s", wrong);
}

// Takes all actions that are pending; returns how many.
static int settle(void)
{
    int before = n_actions;

    prove();
    while (dispatch_next(dispatch, now, &actions[n_actions])) {
        n_actions++;
        cr_assert_lt(n_actions, MAX_ACTIONS);
        prove();
    }
    prove();
    return n_actions - before;
}

static void join(int32_t worker, int slots)
{
    cr_assert(dispatch_join(dispatch, worker, slots, now, &err), "%s",
              err.text);
    cr_assert(dispatch_serves(dispatch, worker, MODEL, &err), "%s", err.text);
    prove();
}

static void queue_call(struct dispatch_call call)
{
    if (call.model == 0)
        call.model = MODEL;
    if (call.timeout_ms == 0)
        call.timeout_ms = TIMEOUT_MS;
    cr_assert(dispatch_queue(dispatch, &call, now, &err), "%s", err.text);
    prove();
}

static void queue(int64_t id)
{
    queue_call((struct dispatch_call){.id = id});
}

// n calls of one trial and group, with ids from first on.
static void queue_group(int64_t first, int n, int64_t trial, int64_t group)
{
    for (int i = 0; i < n; i++)
        queue_call((struct dispatch_call){
            .id = first + i, .trial = trial, .group = group});
}

static void pass(int64_t ms)
{
    now += ms;
    dispatch_tick(dispatch, now);
    settle();
}

// The last action of this kind about the call, or NULL.
static const struct action *last(enum action_kind kind, int64_t call)
{
    for (int i = n_actions - 1; i >= 0; i--) {
        if (actions[i].kind == kind && actions[i].call == call)
            return &actions[i];
    }
    return NULL;
}

static const struct action *sent(int64_t call)
{
    const struct action *action = last(ACTION_SEND, call);

    cr_assert_not_null(action, "call %d was not sent", (int)call);
    return action;
}

static int times_sent(int64_t call)
{
    int times = 0;

    for (int i = 0; i < n_actions; i++)
        times += actions[i].kind == ACTION_SEND && actions[i].call == call;
    return times;
}

static bool done(int64_t call)
{
    struct action action = *sent(call);
    int64_t got = -1;
    bool first =
        dispatch_done(dispatch, action.worker, action.lease, now, &got);

    cr_assert(!first || got == call);
    prove();
    return first;
}

static void credit(int64_t call)
{
    struct action action = *sent(call);

    dispatch_credit(dispatch, action.worker, action.lease, now);
    settle();
}

static void answer(int64_t call)
{
    cr_assert(done(call), "the answer to call %d does not count", (int)call);
    credit(call);
}

static void fail(int64_t call, enum call_fault fault)
{
    struct action action = *sent(call);

    dispatch_fault(dispatch, action.worker, action.lease, fault, now);
    settle();
}

static struct dispatch_counts counts(void)
{
    struct dispatch_counts out;

    dispatch_count(dispatch, &out);
    return out;
}

// Teaches the model's usual time on worker 1, which is all that there is yet.
static void teach_usual(int64_t ms)
{
    for (int64_t id = 9000; id < 9006; id++) {
        queue(id);
        settle();
        now += ms;
        answer(id);
    }
}

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

Test(dispatch, a_call_waits_while_nobody_serves_its_model)
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

Test(dispatch, the_place_of_an_answer_is_free_only_when_it_is_durable)
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

Test(dispatch, a_fault_frees_the_place_at_once)
{
    join(1, 1);
    queue_group(1, 3, 1, 1);
    settle();

    fail(1, FAULT_SERVER);

    cr_expect_eq(times_sent(3), 1);
}

Test(dispatch, idle_slots_are_filled_before_the_places_beyond_them)
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
    cr_expect_str_eq(err.text, "worker 1 offers 0 slots; 1 to 1024 are "
                               "possible");
    cr_expect_not(dispatch_join(dispatch, 1, 1025, now, &err));
}

Test(dispatch, a_call_cannot_be_queued_twice)
{
    struct dispatch_call call = {.id = 5, .model = MODEL};

    queue(5);

    cr_expect_not(dispatch_queue(dispatch, &call, now, &err));
    cr_expect_str_eq(err.text, "call 5 was queued already");
    cr_expect_eq(counts().queued, 1);
}

// --- order ---

Test(dispatch, the_job_with_the_fewest_calls_in_work_goes_first)
{
    join(1, 5);
    for (int64_t id = 1; id <= 6; id++)
        queue_call((struct dispatch_call){.id = id, .job = 1, .trial = 1});
    for (int64_t id = 11; id <= 16; id++)
        queue_call((struct dispatch_call){.id = id, .job = 2, .trial = 9});

    settle();

    int of_first = 0;
    for (int64_t id = 1; id <= 6; id++)
        of_first += times_sent(id);
    cr_expect_eq(of_first, 3, "job 1 got %d of 6 places", of_first);
}

Test(dispatch, more_jobs_than_places_take_turns)
{
    int served[4] = {0};

    join(1, 1);
    for (int32_t job = 1; job <= 3; job++) {
        for (int64_t i = 0; i < 20; i++)
            queue_call((struct dispatch_call){
                .id = job * 100 + i, .job = job, .group = job});
    }
    settle();
    for (int i = 0; i < 30; i++) {
        served[actions[i].call / 100]++;
        answer(actions[i].call);
    }

    for (int job = 1; job <= 3; job++)
        cr_expect(served[job] >= 8, "job %d was served %d times of 30", job,
                  served[job]);
}

Test(dispatch, a_job_with_nothing_in_work_goes_before_the_slot_s_own)
{
    join(1, 1);
    for (int64_t id = 1; id <= 4; id++)
        queue_call((struct dispatch_call){.id = id, .job = 1, .group = 1});
    settle();
    for (int64_t id = 11; id <= 14; id++)
        queue_call((struct dispatch_call){.id = id, .job = 2, .group = 2});

    cr_expect(done(1));
    cr_expect(done(2));
    credit(1);

    cr_expect_eq(times_sent(11), 1);
    cr_expect_eq(times_sent(3), 0);
}

Test(dispatch, the_oldest_trial_goes_first)
{
    join(1, 1);
    queue_call((struct dispatch_call){.id = 1, .trial = 8, .group = 8});
    queue_call((struct dispatch_call){.id = 2, .trial = 3, .group = 3});
    queue_call((struct dispatch_call){.id = 3, .trial = 5, .group = 5});

    settle();

    cr_expect_eq(actions[0].call, 2);
    cr_expect_eq(actions[1].call, 3);
}

Test(dispatch, a_slot_stays_with_its_group)
{
    join(1, 1);
    queue_group(1, 6, 7, 70);
    settle();
    queue_group(11, 6, 6, 60); // older, by less than half a window

    for (int64_t id = 1; id <= 4; id++)
        answer(id);

    cr_expect_eq(times_sent(6), 1);
    cr_expect_eq(times_sent(11), 0);
}

Test(dispatch, a_slot_leaves_its_group_for_a_trial_half_a_window_older)
{
    join(1, 1);
    queue_group(1, 6, 7, 70);
    settle();
    queue_group(11, 6, 5, 50);

    answer(1);

    cr_expect_eq(times_sent(3), 0);
    cr_expect_eq(times_sent(11), 1);
}

Test(dispatch, half_a_window_follows_the_window_of_the_job)
{
    join(1, 1);
    for (int64_t id = 1; id <= 6; id++)
        queue_call((struct dispatch_call){
            .id = id, .trial = 7, .group = 70, .window = 10});
    settle();
    queue_group(11, 6, 3, 30);

    answer(1);

    cr_expect_eq(times_sent(3), 1);
}

// Eight workers, and two jobs of forty calls each, from 100 and from 200 on.
static void queue_two_jobs(int32_t priority_of_second)
{
    for (int32_t worker = 1; worker <= 8; worker++)
        join(worker, 1);
    for (int64_t id = 100; id < 140; id++)
        queue_call((struct dispatch_call){
            .id = id, .job = 1, .trial = 1, .group = 10});
    for (int64_t id = 200; id < 240; id++)
        queue_call((struct dispatch_call){.id = id,
                                          .job = 2,
                                          .trial = 1,
                                          .group = 20,
                                          .priority = priority_of_second});
}

Test(dispatch, a_job_has_slots_by_its_priority)
{
    int of_second = 0;

    queue_two_jobs(30);
    settle();
    for (int64_t id = 200; id < 240; id++)
        of_second += times_sent(id);

    // 8 slots and the places beyond them, a quarter and three quarters.
    cr_expect_eq(of_second, 12, "the second job has %d", of_second);
}

Test(dispatch, a_new_priority_counts_for_calls_that_wait_already)
{
    int of_second = 0;

    queue_two_jobs(0);
    queue_call((struct dispatch_call){
        .id = 240, .job = 2, .trial = 1, .group = 20, .priority = 30});
    settle();
    for (int64_t id = 200; id <= 240; id++)
        of_second += times_sent(id);

    cr_expect_eq(of_second, 12, "the second job has %d", of_second);
}

// How many of so many actions send a call below this one.
static int count_below(int64_t call, int n)
{
    int below = 0;

    for (int i = 0; i < n; i++) {
        struct action action;
        cr_assert(dispatch_next(dispatch, now, &action));
        below += action.call < call;
    }
    return below;
}

Test(dispatch, slots_go_to_the_group_that_would_be_done_last)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    queue_group(100, 11, 1, 10);
    queue_group(200, 30, 2, 20);

    cr_expect_eq(count_below(200, 4), 1);
}

Test(dispatch, the_oldest_of_equal_trials_gets_the_most_slots)
{
    for (int32_t worker = 1; worker <= 10; worker++)
        join(worker, 1);
    queue_group(100, 30, 1, 10);
    queue_group(200, 30, 2, 20);

    // It is due first: so their slots will look for work one after another.
    cr_expect_eq(count_below(200, 10), 6);
}

// Worker 1 does a call in 10 ms, worker 2 in 2 s.
Test(dispatch, a_slot_goes_where_speed_is_missing)
{
    join(1, 1);
    join(2, 1);
    queue_group(100, 14, 1, 10);
    queue_group(200, 8, 2, 20);
    settle();
    cr_assert_eq(sent(100)->worker, 1);
    cr_assert_eq(sent(200)->worker, 2);
    for (int64_t id = 100; id < 105; id++) {
        now += 10;
        answer(id);
    }
    now += 2000;
    answer(200);

    // Fewer calls of the second group wait, but they would take longer.
    join(3, 1);
    settle();

    cr_expect_eq(sent(202)->worker, 3);
}

Test(dispatch, a_worker_of_long_calls_gets_none_beyond_its_slots)
{
    join(1, 1);
    queue_group(100, 6, 1, 10);
    settle();
    cr_expect_eq(times_sent(101), 1, "nothing is known of it yet");
    now += 2000;
    answer(100);

    cr_expect_eq(times_sent(102), 0);

    now += 2000;
    answer(101);
    cr_expect_eq(times_sent(102), 1);
    cr_expect_eq(times_sent(103), 0);
}

Test(dispatch, a_slot_stays_with_its_group_while_calls_of_it_wait)
{
    join(1, 1);
    queue_group(100, 8, 1, 10);
    settle();
    join(2, 1);
    join(3, 1);
    queue_group(200, 12, 2, 20);
    settle();
    for (int64_t id = 200; id < 204; id++)
        cr_assert_neq(sent(id)->worker, 1);

    answer(200);

    cr_expect_eq(times_sent(204), 1);
    cr_expect_eq(times_sent(102), 0);
}

Test(dispatch, no_slot_is_left_idle_for_the_sake_of_affinity)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    queue_group(100, 4, 1, 10);

    settle();

    for (int64_t id = 100; id < 103; id++)
        cr_expect_neq(sent(id)->worker, sent(id + 1)->worker);
}

Test(dispatch, an_idle_slot_gets_calls_of_the_group_that_it_had)
{
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
    for (int64_t id = 1; id <= 3; id++)
        queue_call((struct dispatch_call){.id = id, .group = id});
    settle();
    for (int64_t id = 1; id <= 3; id++)
        answer(id);

    for (int64_t id = 3; id >= 1; id--) {
        queue_call((struct dispatch_call){.id = id + 10, .group = id});
        settle();
    }

    for (int64_t id = 1; id <= 3; id++)
        cr_expect_eq(sent(id + 10)->worker, sent(id)->worker);
}

// --- models ---

Test(dispatch, a_worker_keeps_its_model_while_calls_for_it_wait)
{
    join(1, 1);
    cr_assert(dispatch_serves(dispatch, 1, 2, &err));
    queue_group(1, 4, 9, 9);
    settle();
    queue_call((struct dispatch_call){.id = 50, .model = 2, .trial = 1});

    answer(1);
    cr_expect_eq(times_sent(50), 0);
    answer(2);
    cr_expect_eq(times_sent(4), 1);

    answer(3);
    cr_expect_eq(times_sent(50), 1);
}

Test(dispatch, a_worker_changes_its_model_for_calls_left_waiting_a_minute)
{
    join(1, 1);
    cr_assert(dispatch_serves(dispatch, 1, 2, &err));
    queue_group(1, 9, 1, 1);
    settle();
    queue_call((struct dispatch_call){
        .id = 50, .job = 2, .model = 2, .trial = 9}); // of another job

    now += DISPATCH_MODEL_WAIT_MS - 1;
    answer(1);
    cr_expect_eq(times_sent(50), 0);

    now += 1;
    answer(2);
    cr_expect_eq(times_sent(50), 1);
}

Test(dispatch, one_of_three_workers_changes_its_model_for_the_same_job)
{
    for (int32_t worker = 1; worker <= 3; worker++) {
        join(worker, 1);
        cr_assert(dispatch_serves(dispatch, worker, 2, &err));
    }
    queue_group(1, 12, 1, 1);
    settle();
    queue_call((struct dispatch_call){.id = 50, .model = 2, .trial = 9});

    now += DISPATCH_MODEL_WAIT_MS;
    for (int64_t id = 1; id <= 6; id++)
        answer(id); // a call at work and the next one, of each
    cr_expect_eq(times_sent(50), 1);
    cr_expect_eq(times_sent(7), 1);
    cr_expect_eq(times_sent(8), 1);
}

// It would only keep waiting what is asked now.
Test(dispatch, a_single_worker_does_what_is_loaded_first_for_the_same_job)
{
    join(1, 1);
    cr_assert(dispatch_serves(dispatch, 1, 2, &err));
    queue_group(1, 9, 1, 1);
    settle();
    queue_call((struct dispatch_call){.id = 50, .model = 2, .trial = 9});

    now += DISPATCH_FEW_WAIT_MS - 1;
    answer(1);
    cr_expect_eq(times_sent(50), 0);

    now += 1;
    answer(2);
    cr_expect_eq(times_sent(50), 1, "but not for ever");
}

Test(dispatch, two_long_queues_do_not_change_the_model_with_each_call)
{
    int changes = 0;
    int32_t model = 0;

    join(1, 1);
    cr_assert(dispatch_serves(dispatch, 1, 2, &err));
    for (int64_t id = 1; id <= 100; id++) {
        queue_call((struct dispatch_call){.id = id, .job = 1, .model = MODEL});
        queue_call(
            (struct dispatch_call){.id = id + 1000, .job = 2, .model = 2});
    }
    settle();
    for (int i = 0; i < 120; i++) {
        int32_t next = actions[i].call > 1000 ? 2 : MODEL;
        changes += next != model;
        model = next;
        now += 10000;
        answer(actions[i].call);
    }

    cr_expect_leq(changes, 120 / 5 + 1, "the model was changed %d times",
                  changes);
    cr_expect_geq(changes, 10);
}

Test(dispatch, a_call_prefers_a_worker_that_has_its_model_loaded)
{
    for (int32_t worker = 1; worker <= 2; worker++) {
        join(worker, 2);
        cr_assert(dispatch_serves(dispatch, worker, 2, &err));
    }
    queue_call((struct dispatch_call){.id = 1, .model = MODEL});
    settle();
    queue_call((struct dispatch_call){.id = 2, .model = 2});
    settle();
    cr_expect_neq(sent(1)->worker, sent(2)->worker);

    queue_call((struct dispatch_call){.id = 3, .model = 2});
    queue_call((struct dispatch_call){.id = 4, .model = MODEL});
    settle();

    cr_expect_eq(sent(3)->worker, sent(2)->worker);
    cr_expect_eq(sent(4)->worker, sent(1)->worker);
}

// --- faults ---

Test(dispatch, a_fault_sends_the_call_elsewhere_after_a_back_off)
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

Test(dispatch, the_back_off_doubles_with_each_fault)
{
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
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

Test(dispatch, a_call_waits_for_a_worker_that_has_not_failed_it)
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

// The call fails, and it and its worker wait out their pauses, n times.
static void fail_often(int64_t call, enum call_fault fault, int n)
{
    for (int i = 0; i < n; i++) {
        fail(call, fault);
        pass(DISPATCH_BACKOFF_MAX_MS + DISPATCH_QUARANTINE_MAX_MS);
    }
}

Test(dispatch, a_round_of_faults_on_three_workers_is_tried_again)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, 3);

    cr_expect_null(last(ACTION_PARK, 5));
    cr_expect_eq(times_sent(5), 4);
}

// Each of these workers has answered a call, so that it is believed.
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

Test(dispatch, many_faults_on_three_good_workers_park_a_call)
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

// Those three have the model loaded and would always be asked first.
Test(dispatch, what_three_good_workers_failed_goes_to_one_that_joins_later)
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

Test(dispatch, one_that_has_answered_nothing_is_not_asked_for_ever)
{
    prove_workers(3);
    join(4, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES + 3);

    cr_expect_not_null(last(ACTION_PARK, 5));
    cr_expect_leq(times_sent(5), DISPATCH_STRIKES + 3);
}

Test(dispatch, where_nobody_has_answered_yet_all_have_three_tries)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, 3 * 4 - 1);
    cr_expect_null(last(ACTION_PARK, 5));

    fail(5, FAULT_SERVER);
    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(dispatch, three_odd_workers_do_not_park_what_a_good_one_can_answer)
{
    prove_workers(1);
    for (int32_t worker = 2; worker <= 4; worker++)
        join(worker, 1);
    queue(4); // keeps the good one busy
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

Test(dispatch, three_odd_workers_at_the_start_leave_the_call_to_the_fourth)
{
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
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

Test(dispatch, a_call_that_a_bad_worker_failed_goes_to_a_good_one_at_once)
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

Test(dispatch, faults_in_an_outage_are_held_against_no_call)
{
    join(1, 2);
    queue(1);
    settle();
    answer(1);
    queue_group(10, 12, 0, 1);
    settle();

    for (int i = 0; i < 100; i++) { // all fail, for two minutes
        for (int64_t id = 10; id < 22; id++)
            if (last(ACTION_SEND, id) != NULL &&
                last(ACTION_SEND, id)->lease == actions[n_actions - 1].lease)
                fail(id, FAULT_SERVER);
        pass(1000);
        n_actions = n_actions > 400 ? 400 : n_actions;
    }

    cr_expect_eq(counts().parked, 0);
}

Test(dispatch, many_faults_on_all_workers_park_a_call_where_there_are_fewer)
{
    join(1, 1);
    join(2, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES + 1);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(dispatch, many_faults_park_a_call_on_a_single_worker)
{
    join(1, 1);
    queue(5);
    settle();
    fail_often(5, FAULT_SERVER, DISPATCH_STRIKES - 1);
    cr_expect_null(last(ACTION_PARK, 5));

    fail(5, FAULT_SERVER);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(dispatch, a_request_that_no_server_accepts_is_parked_after_three)
{
    join(1, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_REQUEST, 3);

    cr_expect_not_null(last(ACTION_PARK, 5));
}

Test(dispatch, a_busy_server_delays_and_does_not_count)
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

Test(dispatch, a_refused_connection_delays_and_does_not_count)
{
    join(1, 1);
    queue(5);
    settle();

    fail_often(5, FAULT_REFUSED, 2 * DISPATCH_STRIKES);

    cr_expect_null(last(ACTION_PARK, 5));
    cr_expect_eq(times_sent(5), 2 * DISPATCH_STRIKES + 1);
}

Test(dispatch, a_worker_without_the_model_is_not_asked_for_it_again)
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

Test(dispatch, a_call_is_parked_when_nobody_has_its_model_any_more)
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

// Three calls fail on the only worker.
static void quarantine(void)
{
    join(1, 4);
    queue_group(1, 3, 1, 1);
    settle();
    for (int64_t id = 1; id <= 3; id++)
        fail(id, FAULT_SERVER);
}

Test(dispatch, a_worker_with_faults_in_a_row_is_left_alone_for_a_while)
{
    quarantine();
    queue(50);

    pass(DISPATCH_QUARANTINE_MS - 1);
    cr_expect_eq(times_sent(50) + times_sent(1), 1);
    pass(1);
    cr_expect_eq(counts().leased, 1);
}

// Without a pause it would be sent the same calls again at once, for ever, and
// keep them from a worker that answers.
Test(dispatch, a_worker_that_hands_back_all_calls_is_left_alone_as_well)
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

Test(dispatch, a_worker_in_doubt_is_tried_with_one_call)
{
    quarantine();
    queue_group(50, 5, 1, 1);

    pass(DISPATCH_QUARANTINE_MS);

    cr_expect_eq(counts().leased, 1);
}

Test(dispatch, a_quarantine_grows_with_further_faults)
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

Test(dispatch, a_success_ends_a_quarantine)
{
    quarantine();
    queue_group(50, 10, 0, 1);
    pass(DISPATCH_QUARANTINE_MS);

    answer(actions[n_actions - 1].call);

    cr_expect_eq(counts().leased, 5);
}

// --- workers come and go ---

Test(dispatch, the_calls_of_a_silent_worker_go_elsewhere_and_do_not_count_it)
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
    dispatch_rhythm(dispatch, 1, 10 * LIVENESS_MS);
    pass(10 * LIVENESS_MS - 1);
    cr_expect_eq(counts().workers, 1);
    pass(1);
    cr_expect_eq(counts().workers, 0);
    dispatch_heard(dispatch, 1, now);
    cr_expect_eq(counts().workers, 1);
}

Test(dispatch, a_seldom_heard_worker_that_is_sent_a_call_has_to_speak_soon)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    dispatch_rhythm(dispatch, 1, 10 * LIVENESS_MS);
    pass(5 * LIVENESS_MS);
    queue(5);
    settle();
    cr_assert_eq(sent(5)->worker, 1);
    join(2, 1);
    dispatch_rhythm(dispatch, 2, 10 * LIVENESS_MS);
    pass(LIVENESS_MS - 1);
    cr_expect_eq(times_sent(5), 1);
    pass(1);
    cr_expect_eq(sent(5)->worker, 2);
}

Test(dispatch, a_silent_worker_that_is_heard_again_goes_on)
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

Test(dispatch, what_a_silent_worker_answers_after_all_counts)
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

Test(dispatch, nobody_is_silent_while_the_caller_is_behind)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    dispatch_behind(dispatch, true);
    pass(10 * LIVENESS_MS);
    cr_expect_eq(counts().workers, 1);

    dispatch_behind(dispatch, false);
    pass(0);
    cr_expect_eq(counts().workers, 0);
}

Test(dispatch, a_worker_that_lives_and_never_answers_is_put_to_rest)
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

Test(dispatch, one_call_that_always_fails_does_not_put_its_worker_to_rest)
{
    struct dispatch_worker_view view = {0};

    prove_workers(1);
    queue(5);
    settle();
    fail_often(5, FAULT_SERVER, 5);

    cr_assert(dispatch_worker_look(dispatch, 1, &view));
    cr_expect_eq(view.state, DISPATCH_WORKER_SERVING);
}

Test(dispatch, a_model_that_nobody_asks_is_forgotten)
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
        // It is looked at when it could have been silent for so long, not at
        // each word.
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

Test(dispatch, a_worker_that_joins_again_has_lost_what_it_held)
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

Test(dispatch, a_late_answer_ends_the_waiting_of_a_call)
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

Test(dispatch, a_cancelled_call_is_taken_from_its_worker)
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

// --- hedging ---

// Two workers, the usual time is 1 s, and call 5 is out.
static void send_with_spare_worker(void)
{
    open_with(0, true);
    join(1, 1);
    teach_usual(1000);
    join(2, 1);
    queue(5);
    settle();
}

Test(dispatch, an_idle_slot_takes_a_second_copy_of_a_call_that_is_out_long)
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

Test(dispatch, the_call_that_is_out_longest_is_copied)
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

Test(dispatch, the_first_answer_of_two_counts_and_the_other_is_cancelled)
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
    cr_expect_eq(settle(), 3, "the place of the cancelled copy is not free");
}

Test(dispatch, a_queued_call_goes_before_a_second_copy)
{
    send_with_spare_worker();
    queue_group(10, 3, 1, 1);

    pass(2000);

    cr_expect_eq(counts().hedged, 0);
}

Test(dispatch, a_single_worker_is_never_given_a_second_copy)
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

Test(dispatch, quick_calls_are_not_copied_within_half_a_second)
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
Test(dispatch, a_call_is_copied_although_no_call_was_ever_answered)
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

// Two machines froze at the same time, and a third has a slot.
Test(dispatch, a_third_copy_is_sent_where_two_workers_answer_nothing)
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

Test(dispatch, a_slow_worker_that_answers_other_calls_is_given_no_third_copy)
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

Test(dispatch, a_copied_call_goes_on_when_one_of_its_two_workers_fails)
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

// Its worker names what it has; how often each call is sent again.
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

Test(dispatch, the_time_of_a_call_that_was_lost_runs_from_its_second_sending)
{
    join(1, 1);
    queue(5);
    settle();
    pass(DISPATCH_ACK_MS);
    cr_expect_eq(beat(1, NULL, 0), 1);
    cr_expect_eq(dispatch_deadline(dispatch),
                 now + TIMEOUT_MS + DISPATCH_LEASE_MARGIN_MS);
}

Test(dispatch, a_lease_that_nobody_waits_for_is_told)
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

    cr_assert(dispatch_give(dispatch, 5, 2, now, &action));
    prove();
    cr_expect_eq(action.kind, ACTION_SEND);
    cr_expect_eq(action.worker, 2);
    cr_expect_eq(action.call, 5);
    cr_expect_eq(settle(), 0);
}

Test(dispatch, a_call_is_given_only_from_the_queue_and_to_a_free_place)
{
    struct action action;

    join(1, 1);
    cr_expect_not(dispatch_give(dispatch, 5, 1, now, &action), "no such call");
    queue_group(5, 3, 1, 1);
    settle();
    cr_expect_not(dispatch_give(dispatch, 5, 1, now, &action), "it is out");
    cr_expect_not(dispatch_give(dispatch, 7, 1, now, &action), "it is full");
    cr_expect_not(dispatch_give(dispatch, 7, 9, now, &action), "nobody");
    cr_assert(dispatch_join(dispatch, 2, 4, now, &err));
    cr_expect_not(dispatch_give(dispatch, 7, 2, now, &action), "no such model");
    prove();
}

// --- limits ---

static void limit(int32_t job, int32_t max_workers)
{
    cr_assert(dispatch_limit(dispatch, job, max_workers, &err), "%s", err.text);
    prove();
}

static void queue_job(int32_t job, int64_t first, int n)
{
    for (int i = 0; i < n; i++)
        queue_call((struct dispatch_call){
            .id = first + i, .job = job, .trial = first, .group = first});
}

// Bit w: worker w was ever sent one of these calls.
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

Test(dispatch, a_job_with_a_limit_has_no_more_workers_than_that)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    limit(7, 2);
    queue_job(7, 100, 12);
    settle();
    answer_all(100, 12);

    cr_expect_eq(workers_of(100, 12), 1U << 1 | 1U << 2);
}

Test(dispatch, a_job_with_a_limit_keeps_its_workers_while_it_has_no_calls)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 1);
    limit(7, 2);
    queue_job(7, 100, 4);
    settle();
    unsigned first = workers_of(100, 4);
    answer_all(100, 4);
    queue_job(8, 200, 2); // somebody else comes first meanwhile
    settle();
    answer_all(200, 2);
    queue_job(7, 300, 6);
    settle();
    answer_all(300, 6);

    cr_expect_eq(workers_of(300, 6), first);
}

Test(dispatch, the_place_of_a_worker_that_left_is_given_to_another)
{
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
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

Test(dispatch, the_place_of_a_silent_worker_is_given_to_another)
{
    open_with(LIVENESS_MS, false);
    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 2);
    settle();
    int32_t silent = sent(100)->worker;
    dispatch_rhythm(dispatch, 3 - silent, 10 * LIVENESS_MS);
    pass(LIVENESS_MS);

    cr_expect_eq(sent(100)->worker, 3 - silent);
}

Test(dispatch, a_draining_worker_keeps_its_place_until_its_call_is_done)
{
    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 3); // one at work, one beyond the slot
    settle();
    int32_t first = sent(100)->worker;
    dispatch_drain(dispatch, first);
    settle();
    answer(100);
    cr_expect_eq(times_sent(102), 0, "it would have two workers");
    answer(101);
    cr_expect_eq(sent(102)->worker, 3 - first);
}

Test(dispatch, two_jobs_with_limits_take_different_workers)
{
    for (int32_t worker = 1; worker <= 4; worker++)
        join(worker, 2);
    limit(7, 2);
    limit(8, 2);
    queue_job(7, 100, 4);
    settle();
    answer_all(100, 4); // it has its workers, and no calls
    queue_job(8, 200, 4);
    settle();
    answer_all(200, 4);

    cr_expect_eq(workers_of(100, 4) & workers_of(200, 4), 0U);
}

Test(dispatch, a_job_whose_workers_are_busy_moves_to_idle_ones)
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

// Two students on two workers, and the teacher is on the third.
Test(dispatch, a_limit_does_not_keep_a_model_from_being_asked)
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

Test(dispatch, a_call_that_failed_where_it_may_be_goes_elsewhere)
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

Test(dispatch, a_second_copy_stays_within_the_limit)
{
    open_with(0, true);
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
    limit(7, 1);
    queue_job(7, 100, 8);
    settle();
    now += 100;
    answer_all(100, 8); // how long a call usually takes is known now
    queue_job(7, 200, 1);
    settle();
    pass(10 * DISPATCH_HEDGE_MIN_MS);
    cr_expect_eq(times_sent(200), 1);

    limit(7, 2);
    settle();
    cr_expect_eq(times_sent(200), 2);
}

Test(dispatch, an_answer_that_is_there_already_is_taken_beyond_the_limit)
{
    struct action action;

    join(1, 1);
    join(2, 1);
    limit(7, 1);
    queue_job(7, 100, 1);
    settle();
    int32_t first = sent(100)->worker;
    queue_job(7, 200, 3);

    cr_assert(dispatch_give(dispatch, 200, 3 - first, now, &action));
    prove();
    settle();
    cr_expect_eq(sent(201)->worker, first);
    cr_expect_eq(times_sent(202), 0);
    answer(100);
    cr_expect_eq(sent(202)->worker, first);
}

Test(dispatch, a_limit_that_is_lifted_holds_no_longer)
{
    for (int32_t worker = 1; worker <= 3; worker++)
        join(worker, 1);
    limit(7, 1);
    queue_job(7, 100, 6);
    settle();
    cr_expect_eq(times_sent(102), 0);
    limit(7, 0);
    settle();

    cr_expect_eq(times_sent(102), 1);
    cr_expect_eq(times_sent(105), 1);
}
