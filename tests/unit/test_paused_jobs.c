#include "coordinator/paused_jobs.h"

#include <criterion/criterion.h>

#include "common/clock.h"
#include "coordinator/jobs_state.h"

// In virtual time: nothing here really waits.

enum { SECOND = 1000, REPAIRED_MS = 10 * SECOND };

static struct engine engine;
static struct paused_jobs paused;
static struct job_work work;
static struct err err;
static int64_t now;

static void set_up(void)
{
    struct dispatch_config config = {.liveness_ms = 3000};

    engine = (struct engine){.workers = WORKERS_INIT};
    paused = (struct paused_jobs){0};
    work = (struct job_work){.engine = &engine, .id = "job", .job_no = 1};
    err = ERR_CLEAR;
    now = 1000000;
    engine.dispatch = dispatch_new(&config, &err);
    cr_assert_not_null(engine.dispatch, "%s", err.text);
}

static void tear_down(void)
{
    paused_jobs_release(&paused);
    workers_release(&engine.workers);
    models_release(&engine.models);
    dispatch_free(engine.dispatch);
}

TestSuite(paused_jobs, .init = set_up, .fini = tear_down);

static struct worker_info *join_unasked(void)
{
    struct hello hello = {
        .name = "w", .backend = "ollama", .server = "1.2", .slots = 1};
    struct worker_info *worker = workers_join(
        &engine.workers, &hello, &engine.models, engine.dispatch, now, &err);

    cr_assert_not_null(worker, "%s", err.text);
    return worker;
}

// A worker that has failed a call.
static int32_t join(void)
{
    struct worker_info *worker = join_unasked();

    workers_failed(&engine.workers, worker, FAULT_REFUSED, "no", now);
    return worker->number;
}

static void leave(int32_t number)
{
    dispatch_leave(engine.dispatch, number, now);
    workers_leave(&engine.workers, number);
}

static void pause_for(enum awaits awaits, bool answered)
{
    work.paid[ROLE_STUDENT] = answered;
    paused_jobs_add(&paused, &work, awaits, now);
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

Test(paused_jobs, worker_that_joined_too_late_to_be_asked_is_tried)
{
    join_unasked();
    pause_for(AWAITS_WORKER, false);
    cr_expect_leq(begins_after(), 2 * SECOND);
}

Test(paused_jobs, worker_without_the_model_is_tried_once_it_has_it)
{
    struct wire_model model = {.name = "m", .digest = "d"};
    struct hello hello = {.name = "w",
                          .backend = "ollama",
                          .server = "1.2",
                          .slots = 1,
                          .models = &model,
                          .n_models = 1};
    struct worker_info *worker = join_unasked();

    work.models[ROLE_STUDENT] = (struct job_model_pin){
        .bound = true, .number = models_use(&engine.models, "m", "d", &err)};
    pause_for(AWAITS_WORKER, false);
    cr_expect_eq(begins_after(), -1);
    cr_assert(workers_change(&engine.workers, worker, &hello, &engine.models,
                             engine.dispatch, &err),
              "%s", err.text);
    cr_expect_leq(begins_after(), SECOND);
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

static void leave_job_behind(void)
{
    paused_jobs_add_left(&paused, &(struct paused_view){"job", 1, AWAITS_DISK},
                         now);
}

// A person resumed it before the coordinator took it up, and it paused again.
Test(paused_jobs, job_that_paused_before_it_was_taken_up_is_here_once)
{
    pause_for(AWAITS_DISK, false);
    leave_job_behind();
    cr_expect_eq(paused_jobs_forget(&paused, "job"), 1);
    cr_expect_eq(begins_after(), -1, "it was stopped");
}

// The coordinator took up a job that was running when the last one ended, which
// has not paused.
Test(paused_jobs, job_that_could_not_be_read_for_a_moment_is_tried_again)
{
    static const enum err_code passing[] = {ERR_STORE, ERR_BUSY};

    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        struct jobs jobs = {.engine = &engine};
        struct err why = ERR_CLEAR;

        err_set(&why, passing[i], "not now");
        now = clock_monotonic_ms();
        jobs_note_not_resumed(&jobs, 1, "job", &why);
        paused = jobs.paused;
        cr_expect_geq(begins_after(), 0, "%d", (int)passing[i]);
        paused_jobs_release(&paused);
    }
}
