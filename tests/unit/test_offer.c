
#include "dispatch_fixture.h"

TestSuite(offer, .init = open_dispatch, .fini = close_dispatch);

// --- order ---

Test(offer, job_with_the_fewest_calls_in_progress_goes_first)
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

Test(offer, more_jobs_than_places_take_turns)
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

// Answers the oldest call of the only worker, n times, each after call_ms of
// its job; counts the calls of each job (id / 1000).
static void answer_in_turn(int n, const int64_t call_ms[], int served[])
{
    static int next; // starts at 0, since each test is a process

    for (int i = 0; i < n; i++, next++) {
        int64_t job = actions[next].call / 1000;

        served[job]++;
        now += call_ms[job];
        answer(actions[next].call);
    }
}

// Queues n calls for each of jobs 1 to 3, which have the priorities 10, 20 and
// 40.
static void queue_three_jobs(int64_t n)
{
    for (int32_t job = 1; job <= 3; job++)
        for (int64_t i = 0; i < n; i++)
            queue_call((struct dispatch_call){.id = job * 1000 + i,
                                              .job = job,
                                              .group = job,
                                              .priority = 5 << job});
}

Test(offer, a_single_slot_is_shared_by_priority)
{
    const int64_t call_ms[] = {0, 100, 100, 100};
    int served[4] = {0};

    join(1, 1);
    queue_three_jobs(120);
    settle();
    answer_in_turn(140, call_ms, served);

    cr_expect(served[1] >= 17 && served[1] <= 23, "%d of 20", served[1]);
    cr_expect(served[2] >= 36 && served[2] <= 44, "%d of 40", served[2]);
    cr_expect(served[3] >= 75 && served[3] <= 85, "%d of 80", served[3]);
}

Test(offer, shares_are_of_time_not_of_calls)
{
    const int64_t call_ms[] = {0, 300, 100};
    int served[4] = {0};

    join(1, 1);
    for (int32_t job = 1; job <= 2; job++)
        for (int64_t i = 0; i < 90; i++)
            queue_call((struct dispatch_call){
                .id = job * 1000 + i, .job = job, .group = job});
    settle();
    answer_in_turn(80, call_ms, served);

    cr_expect(served[2] >= 55 && served[2] <= 65, "%d of 60", served[2]);
}

Test(offer, later_job_is_not_compensated_for_the_past)
{
    const int64_t call_ms[] = {0, 100, 100};
    int served[4] = {0};

    join(1, 1);
    for (int64_t i = 0; i < 150; i++)
        queue_call(
            (struct dispatch_call){.id = 1000 + i, .job = 1, .group = 1});
    settle();
    answer_in_turn(100, call_ms, served);
    for (int64_t i = 0; i < 60; i++)
        queue_call(
            (struct dispatch_call){.id = 2000 + i, .job = 2, .group = 2});
    answer_in_turn(40, call_ms, served);

    cr_expect(served[2] >= 17 && served[2] <= 22, "%d of 20", served[2]);
}

Test(offer, job_without_calls_in_progress_goes_before_the_slots_own_job)
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

Test(offer, the_oldest_trial_goes_first)
{
    join(1, 1);
    queue_call((struct dispatch_call){.id = 1, .trial = 8, .group = 8});
    queue_call((struct dispatch_call){.id = 2, .trial = 3, .group = 3});
    queue_call((struct dispatch_call){.id = 3, .trial = 5, .group = 5});

    settle();

    cr_expect_eq(actions[0].call, 2);
    cr_expect_eq(actions[1].call, 3);
}

Test(offer, a_slot_stays_with_its_group)
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

Test(offer, a_slot_leaves_its_group_for_a_trial_half_a_window_older)
{
    join(1, 1);
    queue_group(1, 6, 7, 70);
    settle();
    queue_group(11, 6, 5, 50);

    answer(1);

    cr_expect_eq(times_sent(3), 0);
    cr_expect_eq(times_sent(11), 1);
}

Test(offer, half_a_window_is_derived_from_the_jobs_window)
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

// Adds eight workers, and two jobs of forty calls each, with ids from 100 and
// from 200 on.
static void queue_two_jobs(int32_t priority_of_second)
{
    join_many(8);
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

Test(offer, a_job_has_slots_by_its_priority)
{
    int of_second = 0;

    queue_two_jobs(30);
    settle();
    for (int64_t id = 200; id < 240; id++)
        of_second += times_sent(id);

    // 8 slots and the places beyond them, shared as a quarter and three
    // quarters.
    cr_expect_eq(of_second, 12, "the second job has %d", of_second);
}

Test(offer, a_new_priority_counts_for_calls_that_wait_already)
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

// Returns how many of the next n actions send a call below this one.
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

Test(offer, slots_go_to_the_group_that_would_finish_last)
{
    join_many(4);
    queue_group(100, 11, 1, 10);
    queue_group(200, 30, 2, 20);

    cr_expect_eq(count_below(200, 4), 1);
}

Test(offer, the_oldest_of_equal_trials_gets_the_most_slots)
{
    join_many(10);
    queue_group(100, 30, 1, 10);
    queue_group(200, 30, 2, 20);

    // It is due first, so the slots serve the two groups one after the other.
    cr_expect_eq(count_below(200, 10), 6);
}

Test(offer, a_single_call_of_a_new_trial_goes_before_long_queues)
{
    join(1, 1);
    join(2, 1);
    queue_group(100, 30, 1, 10);
    queue_group(200, 30, 2, 20);
    settle();
    queue_group(300, 1, 3, 30);

    join(3, 1);
    settle();

    cr_expect_eq(sent(300)->worker, 3);
}

// Worker 1 answers a call in 10 ms, worker 2 in 2 s.
Test(offer, slot_goes_to_the_group_that_lacks_speed)
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

    // The second group has fewer calls waiting, but they would take longer.
    join(3, 1);
    settle();

    cr_expect_eq(sent(202)->worker, 3);
}

Test(offer, worker_with_long_calls_gets_none_beyond_its_slots)
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

Test(offer, slot_stays_with_its_group_while_its_calls_wait)
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

Test(offer, slot_stays_free_rather_than_read_a_prompt_in_vain)
{
    join_many(3);
    teach_reading(3);
    queue_group(100, 2, 1, 10);
    settle();
    cr_expect_eq(times_sent(100), 1);
    cr_expect_eq(times_sent(101), 0);

    pass(READ_MS + 1000);
    answer(100);

    cr_expect_eq(sent(101)->worker, sent(100)->worker);
}

// A worker that also reads the prompt takes no second call before that is done.
Test(offer, slot_reads_a_prompt_while_other_slots_read_it)
{
    join_many(3);
    teach_reading(3);
    queue_group(100, 14, 1, 10);

    cr_expect_eq(settle(), 3);
}

// The others take the remaining five calls in three seconds.
Test(offer, slot_reads_no_prompt_that_other_slots_have_read)
{
    join_many(3);
    teach_reading(3);
    queue_group(300, 1, 1, 30);
    queue_group(100, 9, 2, 10);
    settle();
    now += READ_MS + 1000;
    answer(100);
    answer(101);

    answer(300);

    for (int64_t id = 104; id < 109; id++)
        cr_expect_eq(times_sent(id), 0);
}

// READ_MS was measured for a prompt of unknown size, which counts as one byte.
Test(offer, prompt_reading_time_depends_on_its_size)
{
    join_many(2);
    teach_reading(2);
    queue_call((struct dispatch_call){
        .id = 100, .trial = 1, .group = 10, .prefix_size = 2});
    queue_call((struct dispatch_call){
        .id = 101, .trial = 1, .group = 10, .prefix_size = 2});
    settle();

    cr_expect_eq(dispatch_deadline(dispatch), now + 6 * READ_MS);
}

// A letter from the teacher takes much longer than a label.
Test(offer, calls_of_another_kind_have_no_known_pace)
{
    join_many(4);
    teach_reading(4);
    for (int64_t id = 100; id < 104; id++)
        queue_call((struct dispatch_call){
            .id = id, .trial = 1, .group = 10, .kind = 7});

    cr_expect_eq(settle(), 4);
}

// The second group has one more call. If it were due after the first, the first
// would get the third slot.
Test(offer, trials_of_one_batch_have_no_order_among_themselves)
{
    join_many(3);
    for (int64_t id = 100; id < 104; id++) {
        queue_call((struct dispatch_call){
            .id = id, .trial = 1, .group = 10, .batch = 5});
        queue_call((struct dispatch_call){
            .id = id + 100, .trial = 2, .group = 20, .batch = 5});
    }
    queue_call(
        (struct dispatch_call){.id = 204, .trial = 2, .group = 20, .batch = 5});
    settle();

    cr_expect_eq(sent(200)->worker, 2);
    cr_expect_eq(sent(201)->worker, 3);
}

Test(offer, slot_stays_free_up_to_three_times_the_reading_time)
{
    join_many(3);
    teach_reading(3);
    queue_group(100, 2, 1, 10);
    settle();

    cr_expect_eq(dispatch_deadline(dispatch), now + 3 * READ_MS);
    pass(3 * READ_MS - 1);
    cr_expect_eq(times_sent(101), 0);
    pass(1);

    cr_expect_eq(times_sent(101), 1);
}

// It would get two of the four calls that would be left.
Test(offer, slot_stays_free_half_the_reading_time_for_few_calls)
{
    join_many(2);
    teach_reading(2);
    queue_group(100, 5, 1, 10);
    settle();

    cr_expect_eq(times_sent(101), 0);
    cr_expect_eq(dispatch_deadline(dispatch), now + READ_MS / 2);
    pass(READ_MS / 2);

    cr_expect_eq(times_sent(101), 1);
}

Test(offer, slot_does_not_wait_for_a_trial_of_the_same_batch)
{
    join_many(2);
    teach_reading(2);
    for (int64_t id = 100; id < 105; id++)
        queue_call((struct dispatch_call){
            .id = id, .trial = 1, .group = 10, .batch = 5});

    cr_expect_eq(settle(), 2);
}

Test(offer, free_slot_begins_the_next_trial)
{
    join_many(3);
    teach_reading(3);
    queue_group(100, 2, 1, 10);
    settle();
    cr_assert_eq(times_sent(101), 0);

    queue_group(200, 1, 2, 20);
    settle();

    cr_expect_eq(times_sent(200), 1);
    cr_expect_eq(times_sent(101), 0);
}

Test(offer, slot_reads_a_prompt_that_has_enough_calls)
{
    join_many(3);
    teach_reading(3);

    queue_group(100, 40, 1, 10);

    cr_expect_eq(settle(), 3);
}

Test(offer, no_slot_is_left_free_while_two_jobs_wait)
{
    join_many(4);
    teach_reading(4);
    for (int64_t id = 100; id < 104; id++) {
        queue_call((struct dispatch_call){
            .id = id, .job = 1, .trial = 1, .group = 10});
        queue_call((struct dispatch_call){
            .id = id + 100, .job = 2, .trial = 1, .group = 20});
    }

    cr_expect_eq(settle(), 4);
}

Test(offer, no_slot_stays_idle_while_its_reading_time_is_unknown)
{
    join_many(4);
    queue_group(100, 4, 1, 10);

    settle();

    for (int64_t id = 100; id < 103; id++)
        cr_expect_neq(sent(id)->worker, sent(id + 1)->worker);
}

Test(offer, idle_slot_gets_calls_of_its_previous_group)
{
    join_many(3);
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

Test(offer, a_worker_keeps_its_model_while_calls_for_it_wait)
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

Test(offer, worker_changes_its_model_for_calls_that_waited_a_minute)
{
    join(1, 1);
    cr_assert(dispatch_serves(dispatch, 1, 2, &err));
    queue_group(1, 9, 1, 1);
    settle();
    queue_call((struct dispatch_call){
        .id = 50, .job = 2, .model = 2, .trial = 9}); // another job's

    now += DISPATCH_MODEL_WAIT_MS - 1;
    answer(1);
    cr_expect_eq(times_sent(50), 0);

    now += 1;
    answer(2);
    cr_expect_eq(times_sent(50), 1);
}

Test(offer, one_of_three_workers_changes_its_model_for_the_same_job)
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
        answer(id); // the calls in flight and the next ones, of each worker
    cr_expect_eq(times_sent(50), 1);
    cr_expect_eq(times_sent(7), 1);
    cr_expect_eq(times_sent(8), 1);
}

// Changing the model would only make the calls that are asked now wait.
Test(offer, single_worker_finishes_the_loaded_model_first_for_one_job)
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

Test(offer, two_long_queues_do_not_change_the_model_with_each_call)
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

Test(offer, a_call_prefers_a_worker_that_has_its_model_loaded)
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
