#include "coordinator/paused_jobs.h"

#include <criterion/criterion.h>

// In virtual time: nothing here really waits.

enum { SECOND = 1000, REPAIRED_MS = 10 * SECOND };

static struct engine engine;
static struct paused_jobs paused;
static struct err err;
static int64_t now;

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 3000};

    engine = (struct engine){.workers = WORKERS_INIT};
    paused = (struct paused_jobs){0};
    err = ERR_CLEAR;
    now = 1000000;
    engine.dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(engine.dispatch, "%s", err.text);
}

static void tear_down(void)
{
    paused_jobs_release(&paused);
    workers_release(&engine.workers);
    dispatch_free(engine.dispatch);
}

TestSuite(paused_jobs, .init = set_up, .fini = tear_down);

static int32_t join(void)
{
    struct hello hello = {
        .name = "w", .backend = "ollama", .server = "1.2", .slots = 1};
    struct worker_info *worker = workers_join(
        &engine.workers, &hello, &engine.models, engine.dispatch, now, &err);

    cr_assert_not_null(worker, "%s", err.text);
    return worker->number;
}

static void leave(int32_t number)
{
    dispatch_leave(engine.dispatch, number, now);
    workers_leave(&engine.workers, number);
}

static void pause_for(enum awaits awaits, bool answered)
{
    paused_jobs_add(&paused, &engine, &(struct paused_view){"job", 1, awaits},
                    answered, now);
}

// Returns how long it takes until the job begins; -1: more than an hour.
static int64_t begins_after(void)
{
    struct paused_view job;

    for (int64_t since = now; now < since + 3600 * SECOND; now += 100)
        if (paused_jobs_due(&paused, &engine, now, &job)) {
            cr_expect_str_eq(job.id, "job");
            return now - since;
        }
    return -1;
}

// Pauses the job repeatedly. Each time a worker comes, but none answers a call.
static void try_in_vain(enum awaits awaits, int times)
{
    for (int i = 0; i < times; i++) {
        int32_t worker = 0;

        pause_for(awaits, false);
        if (awaits == AWAITS_WORKER)
            worker = join();
        cr_assert(begins_after() >= 0, "try %d", i);
        if (awaits == AWAITS_WORKER)
            leave(worker);
    }
    pause_for(awaits, false);
}

Test(paused_jobs, a_job_begins_soon_when_the_first_worker_comes)
{
    pause_for(AWAITS_WORKER, false);
    now += 60 * SECOND;
    join();
    cr_expect_leq(begins_after(), 500);
}

Test(paused_jobs, good_worker_is_used_at_once_after_a_night_of_failures)
{
    try_in_vain(AWAITS_WORKER, 500);
    join();
    cr_expect_lt(begins_after(), REPAIRED_MS);
}

Test(paused_jobs, worker_tried_before_the_pause_is_not_tried_again)
{
    join();
    pause_for(AWAITS_WORKER, false);
    cr_expect_eq(begins_after(), -1);
}

Test(paused_jobs, failures_space_out_retries_and_an_answer_resets_them)
{
    int64_t first;

    pause_for(AWAITS_WORKER, false);
    join();
    first = begins_after();
    leave(1);
    try_in_vain(AWAITS_WORKER, 5);
    join();
    cr_expect_gt(begins_after(), 4 * first);
    leave(7);
    pause_for(AWAITS_WORKER, true);
    join();
    cr_expect_leq(begins_after(), first);
}

// The last coordinator may have tried this worker, or not.
Test(paused_jobs, job_left_by_a_restart_begins_with_a_worker_already_present)
{
    join();
    paused_jobs_add_left(&paused,
                         &(struct paused_view){"job", 1, AWAITS_WORKER}, now);
    cr_expect_leq(begins_after(), 2 * SECOND);
}

Test(paused_jobs, what_a_paused_job_waits_for_is_parsed_from_its_name)
{
    cr_expect_eq(awaits_named(awaits_name(AWAITS_WORKER)), AWAITS_WORKER);
    cr_expect_eq(awaits_named(awaits_name(AWAITS_DISK)), AWAITS_DISK);
    cr_expect_eq(awaits_named("better days"), AWAITS_NOTHING);
    cr_expect_eq(awaits_named(NULL), AWAITS_NOTHING);
}

// No worker has to come: the disk is tried.
Test(paused_jobs, disk_that_failed_all_night_is_retried_within_ten_seconds)
{
    try_in_vain(AWAITS_DISK, 500);
    cr_expect_lt(begins_after(), REPAIRED_MS);
}
